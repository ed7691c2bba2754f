"""What is measured side by side: no proxy at all, the peers that are installed, and the sidecar in its modes."""

from __future__ import annotations

import contextlib
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from processes import Failed, Process, Sidecar, eventually

LISTEN_HOST = "127.9.2.9"


@dataclass(frozen=True)
class Clusters:
    """The addresses of the two backends."""

    source: str
    target: str


@dataclass(frozen=True)
class Running:
    """A contender that accepts connections; nothing stands between where there is no process."""

    address: str
    process: Process | None


@dataclass(frozen=True)
class Contender:
    name: str
    start: Callable[[Clusters, Path], contextlib.AbstractContextManager[Running]] = field(repr=False)


def free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def accepts(address: str) -> bool:
    host, port = address.rsplit(":", 1)
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, int(port))) == 0


def await_listening(process: Process, address: str) -> None:
    def listens() -> bool:
        if process.child.poll() is not None:
            raise Failed(f"{process.name} has ended:\n{process.log.read_text()[-2000:]}")
        return accepts(address)

    eventually(listens, f"{process.name} listens on {address}")


@contextlib.contextmanager
def _direct(clusters: Clusters, folder: Path) -> Iterator[Running]:
    yield Running(clusters.source, None)


def _haproxy(path: str) -> Callable[[Clusters, Path], contextlib.AbstractContextManager[Running]]:
    @contextlib.contextmanager
    def start(clusters: Clusters, folder: Path) -> Iterator[Running]:
        address = f"{LISTEN_HOST}:{free_port(LISTEN_HOST)}"
        configuration = folder / "haproxy.cfg"
        configuration.write_text(
            "global\n    nbthread 1\n    maxconn 8192\n"
            "defaults\n    mode tcp\n    timeout connect 5s\n    timeout client 1h\n    timeout server 1h\n"
            f"listen cql\n    bind {address}\n    server source {clusters.source}\n"
        )
        with Process("haproxy", [path, "-db", "-f", str(configuration)], folder / "haproxy.log") as process:
            await_listening(process, address)
            yield Running(address, process)

    return start


def _zdm(path: str) -> Callable[[Clusters, Path], contextlib.AbstractContextManager[Running]]:
    @contextlib.contextmanager
    def start(clusters: Clusters, folder: Path) -> Iterator[Running]:
        port = free_port(LISTEN_HOST)
        environment = {
            "ZDM_PROXY_LISTEN_ADDRESS": LISTEN_HOST,
            "ZDM_PROXY_LISTEN_PORT": str(port),
            "ZDM_METRICS_ADDRESS": LISTEN_HOST,
            "ZDM_METRICS_PORT": str(free_port(LISTEN_HOST)),
        }
        for side, address in (("ORIGIN", clusters.source), ("TARGET", clusters.target)):
            host, cluster_port = address.rsplit(":", 1)
            environment |= {
                f"ZDM_{side}_CONTACT_POINTS": host,
                f"ZDM_{side}_PORT": cluster_port,
                # It wants some; the backends do not ask for them.
                f"ZDM_{side}_USERNAME": "user",
                f"ZDM_{side}_PASSWORD": "password",
            }
        with Process("zdm", [path], folder / "zdm.log", environment) as process:
            await_listening(process, f"{LISTEN_HOST}:{port}")
            yield Running(f"{LISTEN_HOST}:{port}", process)

    return start


def _sidecar(
    binary: str, mode: str, journal: str
) -> Callable[[Clusters, Path], contextlib.AbstractContextManager[Running]]:
    setting = "journal.enabled=false" if journal == "off" else f"journal.sync={journal}"

    @contextlib.contextmanager
    def start(clusters: Clusters, folder: Path) -> Iterator[Running]:
        shutil.rmtree(folder / "sidecar", ignore_errors=True)
        sidecar = Sidecar(
            [binary],
            "sidecar",
            folder,
            source=clusters.source,
            target=clusters.target,
            mode=mode,
            listen=f"{LISTEN_HOST}:0",
            settings=[setting],
        )
        with sidecar:
            yield Running(sidecar.ready(), sidecar)

    return start


OURS = "DualWriteAsync"


def contenders(binary: str, zdm: str | None) -> list[Contender]:
    """All that can be measured here, the sidecar with its default journal (interval) under the names of its modes."""
    found = [Contender("direct", _direct)]
    if haproxy := shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/sbin"):
        found.append(Contender("haproxy", _haproxy(haproxy)))
    if zdm is not None:
        found.append(Contender("ZDM", _zdm(zdm)))
    found.append(Contender("PrimaryOnly", _sidecar(binary, "PrimaryOnly", "interval")))
    found.append(Contender(OURS, _sidecar(binary, OURS, "interval")))
    found.append(Contender(f"{OURS}, journal off", _sidecar(binary, OURS, "off")))
    found.append(Contender(f"{OURS}, never synced", _sidecar(binary, OURS, "never")))
    found.append(Contender("DualWriteSync", _sidecar(binary, "DualWriteSync", "interval")))
    return found

"""What is measured side by side: no proxy at all, the peers that are installed, and the sidecar in its modes."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from legs import HAPROXY, Clusters, Side, Wire, haproxy
from processes import Process, Sidecar, await_listening, free_port

LISTEN_HOST = "127.9.2.9"


@dataclass(frozen=True)
class Running:
    """A contender that accepts connections; nothing stands between where there is no process."""

    address: str
    process: Process | None


@dataclass(frozen=True)
class Contender:
    name: str
    start: Callable[[Clusters, Path], contextlib.AbstractContextManager[Running]] = field(repr=False)


@contextlib.contextmanager
def _direct(clusters: Clusters, folder: Path) -> Iterator[Running]:
    yield Running(clusters.source, None)


@contextlib.contextmanager
def _haproxy(clusters: Clusters, folder: Path) -> Iterator[Running]:
    address = f"{LISTEN_HOST}:{free_port(LISTEN_HOST)}"
    with haproxy("haproxy", folder, address, clusters.source, clusters.certificates, set(Side)) as process:
        await_listening(process, address)
        yield Running(address, process)


def _zdm(path: str) -> Callable[[Clusters, Path], contextlib.AbstractContextManager[Running]]:
    @contextlib.contextmanager
    def start(clusters: Clusters, folder: Path) -> Iterator[Running]:
        port = free_port(LISTEN_HOST)
        environment = {
            "ZDM_PROXY_LISTEN_ADDRESS": LISTEN_HOST,
            "ZDM_PROXY_LISTEN_PORT": str(port),
            "ZDM_METRICS_ADDRESS": LISTEN_HOST,
            "ZDM_METRICS_PORT": str(free_port(LISTEN_HOST)),
            "ZDM_PROXY_MAX_CLIENT_CONNECTIONS": "4096",
        }
        if clusters.certificates is not None:
            environment |= {
                "ZDM_PROXY_TLS_CA_PATH": str(clusters.certificates.authority),
                "ZDM_PROXY_TLS_CERT_PATH": str(clusters.certificates.certificate),
                "ZDM_PROXY_TLS_KEY_PATH": str(clusters.certificates.key),
                "ZDM_ORIGIN_TLS_SERVER_CA_PATH": str(clusters.certificates.authority),
                "ZDM_TARGET_TLS_SERVER_CA_PATH": str(clusters.certificates.authority),
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
    binary: str, mode: str, *settings: str
) -> Callable[[Clusters, Path], contextlib.AbstractContextManager[Running]]:
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
            settings=[*settings, *_settings_of_legs(clusters)],
        )
        with sidecar:
            yield Running(sidecar.ready(), sidecar)

    return start


def _settings_of_legs(clusters: Clusters) -> list[str]:
    """Toward clients lz4 needs no setting: who asks for it gets it."""
    settings = []
    if clusters.certificates is not None:
        settings += [f"tls.certificate={clusters.certificates.certificate}", f"tls.key={clusters.certificates.key}"]
    for cluster in ("source", "target"):
        if clusters.certificates is not None:
            settings += [f"{cluster}.tls.enabled=true", f"{cluster}.tls.ca={clusters.certificates.authority}"]
        if clusters.wire is Wire.LZ4:
            settings.append(f"{cluster}.compression=lz4")
    return settings


OURS = "DualWriteAsync"
TWO_LOOPS = f"{OURS}, 2 loops"


def contenders(binary: str, zdm: str | None) -> list[Contender]:
    """All that can be measured here, the sidecar with its default journal (interval) under the names of its modes."""
    found = [Contender("direct", _direct)]
    if HAPROXY is not None:
        found.append(Contender("haproxy", _haproxy))
    if zdm is not None:
        found.append(Contender("ZDM", _zdm(zdm)))
    found.append(Contender("PrimaryOnly", _sidecar(binary, "PrimaryOnly")))
    found.append(Contender(OURS, _sidecar(binary, OURS)))
    found.append(Contender(TWO_LOOPS, _sidecar(binary, OURS, "loops=2")))
    found.append(Contender(f"{OURS}, journal off", _sidecar(binary, OURS, "journal.enabled=false")))
    found.append(Contender(f"{OURS}, never synced", _sidecar(binary, OURS, "journal.sync=never")))
    found.append(Contender("DualWriteSync", _sidecar(binary, "DualWriteSync")))
    return found

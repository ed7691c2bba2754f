"""The legs of a proxy under test, toward its clients and toward both clusters: plain, in TLS, or with bodies packed in lz4.

The load generator and the backends speak neither TLS nor lz4. Neutral adapters stand between: one in front of the proxy and one
before each backend, the same ones for all that is compared. What they cost is not the proxy's.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from processes import Failed, Process, await_listening, free_port

FRONT_HOST = "127.9.2.8"
DAYS_VALID = "30"
HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/sbin")
# The same version and cipher on all legs, whichever a contender would choose.
HAPROXY_SETTINGS = """global
    nbthread 1
    maxconn 8192
    ssl-default-bind-options ssl-min-ver TLSv1.3
    ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
    ssl-default-server-options ssl-min-ver TLSv1.3
    ssl-default-server-ciphersuites TLS_AES_128_GCM_SHA256
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
"""


class Wire(str, Enum):
    """How the legs are spoken."""

    PLAIN = "plain"
    TLS = "TLS"
    LZ4 = "lz4"


class Side(str, Enum):
    """The side of an adapter on which the proxy under test is."""

    CLIENT = "client"
    SERVER = "server"


@dataclass(frozen=True)
class Certificates:
    """One authority, and one certificate for every address of the bench."""

    authority: Path
    certificate: Path
    key: Path
    # The certificate and its key in one file, as haproxy wants them.
    both: Path

    @classmethod
    def make(cls, folder: Path, hosts: list[str]) -> Certificates:
        authority, authority_key = folder / "authority.crt", folder / "authority.key"
        made = cls(authority, folder / "bench.crt", folder / "bench.key", folder / "bench.pem")
        signed = ["-CA", str(authority), "-CAkey", str(authority_key)]
        names = ["-addext", "subjectAltName=" + ",".join(f"IP:{host}" for host in hosts)]
        _certificate("bench authority", authority, authority_key, [])
        _certificate("bench", made.certificate, made.key, signed + names + ["-addext", "basicConstraints=critical,CA:FALSE"])
        made.both.write_text(made.certificate.read_text() + made.key.read_text())
        return made


def _certificate(name: str, certificate: Path, key: Path, options: list[str]) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"]
    command += ["-days", DAYS_VALID, "-subj", f"/CN={name}", "-out", str(certificate), "-keyout", str(key), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"openssl: {done.stderr.strip()[-1000:]}")


@dataclass(frozen=True)
class Clusters:
    """The addresses of the two backends as the proxy under test sees them, and how all its legs are spoken."""

    source: str
    target: str
    wire: Wire = Wire.PLAIN
    # Where they are in TLS.
    certificates: Certificates | None = None


def haproxy(name: str, folder: Path, listen: str, connect: str, certificates: Certificates | None, tls: set[Side]) -> Process:
    """haproxy as a relay to one server, with TLS on the sides that are named."""
    bind, server = listen, connect
    if certificates is not None and Side.CLIENT in tls:
        bind += f" ssl crt {certificates.both}"
    if certificates is not None and Side.SERVER in tls:
        server += f" ssl ca-file {certificates.authority} verify required"
    if HAPROXY is None:
        raise Failed("haproxy is not installed")
    configuration = folder / f"{name}.cfg"
    configuration.write_text(f"{HAPROXY_SETTINGS}listen cql\n    bind {bind}\n    server only {server}\n")
    return Process(name, [HAPROXY, "-db", "-f", str(configuration)], folder / f"{name}.log")


@dataclass(frozen=True)
class Adapters:
    """What translates between the plain tools and the legs of the proxy."""

    folder: Path
    certificates: Certificates | None
    # A binary of lz4relay.c.
    relay: str | None

    @contextlib.contextmanager
    def behind(self, clusters: Clusters, wire: Wire) -> Iterator[tuple[Clusters, dict[str, int]]]:
        """The clusters behind an adapter each, and the adapters' process ids."""
        if wire is Wire.PLAIN:
            yield clusters, {}
            return
        addresses, pids = [], {}
        with contextlib.ExitStack() as stack:
            for cluster, connect in (("source", clusters.source), ("target", clusters.target)):
                # On the host of the backend: a backend reports its own host, and a proxy adds the port that it was told.
                listen = _listen(connect.rsplit(":", 1)[0])
                adapter = stack.enter_context(self._adapter(f"{cluster}-adapter", wire, listen, connect, Side.CLIENT))
                addresses.append(listen)
                pids[adapter.name] = adapter.pid
            yield Clusters(*addresses, wire, self.certificates), pids

    @contextlib.contextmanager
    def before(self, address: str, wire: Wire) -> Iterator[tuple[str, dict[str, int]]]:
        """Where plain clients of the proxy connect, and the adapter's process id."""
        if wire is Wire.PLAIN:
            yield address, {}
            return
        listen = _listen(FRONT_HOST)
        with self._adapter("front-adapter", wire, listen, address, Side.SERVER) as adapter:
            yield listen, {adapter.name: adapter.pid}

    @contextlib.contextmanager
    def _adapter(self, name: str, wire: Wire, listen: str, connect: str, proxy_is: Side) -> Iterator[Process]:
        with self._started(name, wire, listen, connect, proxy_is) as process:
            await_listening(process, listen)
            yield process

    def _started(self, name: str, wire: Wire, listen: str, connect: str, proxy_is: Side) -> Process:
        if wire is Wire.TLS:
            return haproxy(name, self.folder, listen, connect, self.certificates, {proxy_is})
        assert self.relay is not None
        return Process(name, [self.relay, listen, connect, proxy_is.value], self.folder / f"{name}.log")


def _listen(host: str) -> str:
    return f"{host}:{free_port(host)}"

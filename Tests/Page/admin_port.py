"""Attacks the admin port of a real sidecar and a real loader: TLS, certificates, tokens, limits, slow peers, secrets in what is said.

Every check says a sentence; the first that does not hold ends the run.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parents[2]
CERTIFICATES = ROOT / "Fixtures/tls"
DEADLINE_SECONDS = 30
# As AdminServer has them.
REQUEST_SECONDS = 10
BODY_BYTES_MAX = 64 << 10
CONNECTIONS_MAX = 256
TOKEN = "do-not-print-this-token"
NEXT_TOKEN = "nor-this-one"
UNAVAILABLE = 69
PERMISSION = 77

checks = 0


class Fault(Exception):
    """Something that is not as it must be."""


def check(sentence: str, holds: bool, detail: object = "") -> None:
    global checks
    if not holds:
        raise Fault(f"not so: {sentence} {detail}")
    checks += 1
    print(f"  {sentence}", flush=True)


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise Fault(f"{what}: not within {DEADLINE_SECONDS} s")
        time.sleep(0.1)


class Program:
    """A service as a child process, with all that it says."""

    def __init__(self, binary: str, folder: Path, name: str, command: list[str], **environment: str) -> None:
        self.log = folder / f"{name}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen([binary, *command], env=os.environ | environment, stdout=log, stderr=subprocess.STDOUT)

    def address(self, line: str) -> str:
        pattern = re.compile(re.escape(line) + r".*address=(?:\[IPv4\])?[\d.]*/?([\d.]+:\d+)")

        def listens() -> bool:
            if self.process.poll() is not None:
                raise Fault(f"it has ended:\n{self.log.read_text()}")
            return pattern.search(self.log.read_text()) is not None

        eventually(listens, line)
        return pattern.search(self.log.read_text()).group(1)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(DEADLINE_SECONDS)


def trust(certificate: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(CERTIFICATES / "authority.pem"))
    if certificate:
        context.load_cert_chain(CERTIFICATES / f"{certificate}.pem", CERTIFICATES / f"{certificate}.key")
    return context


def ask(address: str, certificate: str | None = "client", method: str = "GET", path: str = "/v1/status", body: bytes | None = None, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPSConnection(address, context=trust(certificate), timeout=DEADLINE_SECONDS)
    connection.request(method, path, body, headers)
    return connection.getresponse()


def fails(action: Callable[[], object]) -> bool:
    try:
        action()
    except (OSError, http.client.HTTPException):
        return True
    return False


def subject(address: str) -> str:
    host, port = address.rsplit(":", 1)
    context = trust("client")
    context.check_hostname = False
    with socket.create_connection((host, int(port)), DEADLINE_SECONDS) as plain, context.wrap_socket(plain) as secured:
        return dict(entry[0] for entry in secured.getpeercert()["subject"])["commonName"]


def certificates(binary: str, address: str, folder: Path, log: Path, service: list[str]) -> None:
    check("an unencrypted request gets no answer", fails(lambda: ask_unencrypted(address)))
    check("a peer with a certificate of the authority is answered", ask(address, path="/health/liveness").status == 200)
    check("a peer without a certificate is not", fails(lambda: ask(address, None).read()))
    check("nor is one with a stranger's", fails(lambda: ask(address, "unknown-client").read()))

    def command(*more: str, certificate: str = "client") -> subprocess.CompletedProcess:
        return subprocess.run(
            [binary, *service, "--endpoint", f"https://{address}", *more,
             "--certificate-file", str(CERTIFICATES / f"{certificate}.pem"), "--key-file", str(CERTIFICATES / f"{certificate}.key")],
            capture_output=True, text=True, timeout=DEADLINE_SECONDS)

    authority = ["--ca-file", str(CERTIFICATES / "authority.pem")]
    done = command(*authority)
    check("the command line finds its way with --ca-file, --certificate-file and --key-file", done.returncode == 0, done.stderr)
    done = command("--ca-file", str(CERTIFICATES / "stranger.pem"))
    check("it does not trust a server of another authority", done.returncode == UNAVAILABLE and "trusted" in done.stderr, done.stderr)
    done = command(*authority, certificate="unknown-client")
    check("and says that nothing answers where its certificate is not taken", done.returncode == UNAVAILABLE, done.stderr)
    done = command("--ca-file", str(folder / "nothing.pem"))
    check("a file that is not there is named", done.returncode == 64 and "nothing.pem" in done.stderr, done.stderr)

    check("it shows the certificate that it was given", subject(address) == "node")
    for kind in ("pem", "key"):
        shutil.copy(CERTIFICATES / f"elsewhere.{kind}", folder / f"admin.{kind}")
    eventually(lambda: "new certificates in use" in log.read_text(), "the new certificate")
    check("and another one when its files change", subject(address) == "elsewhere")
    for kind in ("pem", "key"):
        shutil.copy(CERTIFICATES / f"node.{kind}", folder / f"admin.{kind}")
    eventually(lambda: log.read_text().count("new certificates in use") == 2, "the old certificate")


def ask_unencrypted(address: str) -> None:
    connection = http.client.HTTPConnection(address, timeout=5)
    connection.request("GET", "/health")
    connection.getresponse()


def tokens(address: str, folder: Path, log: Path, path: str, method: str) -> None:
    for header in (None, "Bearer wrong", "Basic eA=="):
        answer = ask(address, method=method, path=path, **({"Authorization": header} if header else {}))
        check(f"a change with {header or 'no token'} is refused", answer.status == 401, answer.status)
    answer = ask(address, method=method, path=path, Authorization=f"Bearer {TOKEN}")
    check("one with the token is read", answer.status not in (401, 403), answer.status)
    (folder / "token").write_text(NEXT_TOKEN)
    eventually(lambda: "new token in use" in log.read_text(), "the new token")
    check("a token that was replaced is worth nothing", ask(address, method=method, path=path, Authorization=f"Bearer {TOKEN}").status == 401)
    (folder / "token").write_text(TOKEN)
    eventually(lambda: log.read_text().count("new token in use") == 2, "the old token")


def limits(address: str) -> None:
    answer = ask(address, method="POST", path="/v1/dead-letters", body=b" " * (BODY_BYTES_MAX + 1), Authorization=f"Bearer {TOKEN}")
    check("a body that is too long is refused", answer.status == 413, answer.status)
    answer = ask(address, method="POST", path="/v1/dead-letters", body=b" " * (BODY_BYTES_MAX + 1))
    check("one without a token before it is read", answer.status == 401, answer.status)
    answer = ask(address, path="/v1/status", **{"X-Long": "x" * 20_000})
    check("headers that are too long are refused, with the headers that protect a browser",
          answer.status == 400 and answer.headers["X-Content-Type-Options"] == "nosniff", answer.status)


def slow(address: str) -> None:
    host, port = address.rsplit(":", 1)

    def seconds_until_closed(peer: socket.socket, drip: bytes) -> float:
        began = time.monotonic()
        peer.settimeout(1)
        while time.monotonic() - began < 3 * REQUEST_SECONDS:
            try:
                if drip:
                    peer.sendall(drip)
                if peer.recv(4096) == b"":
                    return time.monotonic() - began
            except TimeoutError:
                continue
            except OSError:
                return time.monotonic() - began
        return time.monotonic() - began

    silent = socket.create_connection((host, int(port)))
    dripping = trust("client").wrap_socket(socket.create_connection((host, int(port))), server_hostname=host)
    dripping.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: ")
    took = seconds_until_closed(silent, b"")
    check("a peer that never ends its TLS handshake is closed", took < 2 * REQUEST_SECONDS, took)
    # It has been watched since it connected; what it sends now comes too late.
    took = seconds_until_closed(dripping, b"x")
    check("a peer whose request drips is closed", took < REQUEST_SECONDS, took)
    many = [socket.create_connection((host, int(port))) for _ in range(CONNECTIONS_MAX + 20)]
    began = time.monotonic()
    check("with every connection taken by silent peers, others are answered again once these are closed",
          ask(address, path="/health/liveness").status == 200 and time.monotonic() - began < 2 * REQUEST_SECONDS, time.monotonic() - began)
    for peer in many:
        peer.close()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    given = parser.parse_args()
    began = time.monotonic()
    programs: list[Program] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in ("pem", "key"):
            shutil.copy(CERTIFICATES / f"node.{kind}", folder / f"admin.{kind}")
        (folder / "token").write_text(TOKEN)

        def start(name: str, command: list[str], **environment: str) -> Program:
            programs.append(Program(given.binary, folder, name, command, **environment))
            return programs[-1]

        port = ["--set", f"admin.tls.certificate_file={folder}/admin.pem", "--set", f"admin.tls.key_file={folder}/admin.key",
                "--set", f"admin.tls.client_ca_file={CERTIFICATES}/authority.pem", "--set", f"admin.token_file={folder}/token",
                "--set", "reload_ms=200"]
        try:
            nodes = []
            for node in ("source", "target"):
                program = start(node, ["node", "--listen", "127.0.0.1:0", "--cluster-name", node])
                eventually(lambda: "accepts connections" in program.log.read_text(), node)
                nodes.append(program.log.read_text().split()[-1])
            sidecar = start("sidecar", ["dual-writer", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--state-dir", f"{folder}/state", *port],
                            CASSANDRA_HOSTS=nodes[0], SCYLLA_HOSTS=nodes[1])
            address = sidecar.address("admin port listens")
            print("== the sidecar's admin port")
            certificates(given.binary, address, folder, sidecar.log, ["status"])
            tokens(address, folder, sidecar.log, "/v1/phase", "PUT")
            limits(address)
            slow(address)
            loader = start("loader", ["sstable-loader", *port, "--set", "admin.listen=127.0.0.1:0", "--set", f"source.hosts={nodes[0]}",
                                      "--set", f"target.hosts={nodes[1]}", "--set", f"state_dir={folder}/loader", "--set", "job.auto_start=false",
                                      "--set", "dual_writer.admin=https://" + address, "--set", f"dual_writer.tls.ca_file={CERTIFICATES}/authority.pem"])
            print("== the loader's admin port")
            address = loader.address("admin port listens")
            certificates(given.binary, address, folder, loader.log, ["sstable-loader", "status"])
            tokens(address, folder, loader.log, "/pause", "POST")
            said = "".join(program.log.read_text() for program in programs)
            check("no token and no key is in anything that was said", not any(
                secret in said for secret in (TOKEN, NEXT_TOKEN, "PRIVATE KEY", *(CERTIFICATES / "node.key").read_text().splitlines()[1:2])))
        except BaseException:
            for program in programs:
                sys.stderr.write(program.log.read_text()[-2000:])
            raise
        finally:
            for program in programs:
                program.stop()
    print(f"{checks} passed, 0 failed")
    print(f"the admin port: {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

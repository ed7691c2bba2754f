"""The ways to change a sidecar's write mode: PUT /v1/phase, POST /config, and the command line."""

from __future__ import annotations

import json
import socket
import subprocess
import urllib.request

from checks import Report, equal

MODES = ["PrimaryOnly", "DualWriteAsync", "DualWriteSync", "ShadowPrimary", "TargetOnly"]


class Admin:
    """One sidecar's admin port."""

    def __init__(self, address: str, binary: str | None = None) -> None:
        self.base = f"http://{address}"
        self.binary = binary

    def _send(self, method: str, path: str, body: dict | None = None) -> dict:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read())

    def mode(self) -> str:
        return self._send("GET", "/v1/phase")["mode"]

    def status(self) -> dict:
        return self._send("GET", "/v1/status")

    def put(self, mode: str) -> None:
        self._send("PUT", "/v1/phase", {"mode": mode, "reason": "driver test"})

    def post(self, mode: str) -> None:
        self._send("POST", "/config", {"write_mode": mode})

    def command(self, mode: str) -> None:
        if self.binary is None:
            return self.put(mode)
        arguments = [self.binary, "phase", "set", mode, "--reason", "driver test", "--endpoint", self.base]
        subprocess.run(arguments, check=True, capture_output=True, timeout=30)

    def walk(self, wanted: str) -> None:
        """Goes step by step to a mode, each step another way."""
        ways = [self.put, self.post, self.command]
        while (at := MODES.index(self.mode())) != (to := MODES.index(wanted)):
            ways[at % 3](MODES[at + (1 if to > at else -1)])

    def raw(self, text: str) -> str:
        """The status line that answers bytes which no HTTP library would send."""
        host, port = self.base.removeprefix("http://").rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(text.encode())
            connection.shutdown(socket.SHUT_WR)
            return connection.recv(4096).decode(errors="replace").split("\r\n")[0]


MALFORMED = {
    "a chunk whose length is no number": "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "a body that ends early": 'Content-Length: 100\r\n\r\n{"write_mode":',
}


def run(admin: Admin, report: Report) -> None:
    for name, rest in MALFORMED.items():
        text = f"POST /config HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{rest}"
        report.check(f"admin: {name} is a bad request", lambda: "400" in admin.raw(text) or equal(admin.raw(text), "400"))

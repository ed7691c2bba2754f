"""The ways to change a sidecar's write mode: PUT /v1/phase, POST /config, and the command line."""

from __future__ import annotations

import json
import subprocess
import urllib.request

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

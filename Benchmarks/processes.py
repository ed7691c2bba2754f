"""Processes that are measured: nodes, proxies, load generators. Each writes to a log of its own and is ended with its owner."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

MODES = ["PrimaryOnly", "DualWriteAsync", "DualWriteSync", "ShadowPrimary", "TargetOnly"]
PATIENCE_SECONDS = 120
STOP_SECONDS = 60
POLL_SECONDS = 0.02


class Failed(Exception):
    """What was to be measured did not come about; the text says why."""


def eventually(holds: Callable[[], bool], what: str, patience: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + patience
    while not holds():
        if time.monotonic() > deadline:
            raise Failed(f"after {patience:.0f} s still not: {what}")
        time.sleep(POLL_SECONDS)


def free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def accepts(address: str) -> bool:
    host, port = address.rsplit(":", 1)
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, int(port))) == 0


class Process:
    """A child process, with its log in a file."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log = log
        with log.open("w") as output:
            self.child = subprocess.Popen(
                list(command), env=os.environ | dict(environment or {}), stdout=output, stderr=subprocess.STDOUT
            )

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self.child.pid

    def said(self, pattern: str, has_ended: bool = False) -> re.Match[str]:
        """Waits until its log has a line that matches."""

        def found() -> bool:
            if self.child.poll() is not None and not has_ended:
                raise Failed(f"{self.name} has ended with {self.child.returncode}:\n{self.log.read_text()[-2000:]}")
            return re.search(pattern, self.log.read_text()) is not None

        eventually(found, f"{self.name} says '{pattern}'", 0 if has_ended else PATIENCE_SECONDS)
        match = re.search(pattern, self.log.read_text())
        assert match is not None
        return match

    def stop(self) -> None:
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()

    def memory(self) -> dict[str, int]:
        """What it has in memory, in bytes: all of it, and what is its own (not the pages of files)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        kilobytes = {key: int(value) for key, value in re.findall(r"^(VmRSS|RssAnon|VmHWM):\s+(\d+) kB", status, re.M)}
        return {"resident": kilobytes["VmRSS"] << 10, "own": kilobytes["RssAnon"] << 10, "peak": kilobytes["VmHWM"] << 10}


def await_listening(process: Process, address: str) -> None:
    def listens() -> bool:
        if process.child.poll() is not None:
            raise Failed(f"{process.name} has ended:\n{process.log.read_text()[-2000:]}")
        return accepts(address)

    eventually(listens, f"{process.name} listens on {address}")


class Node(Process):
    """An embedded node: `cluster-sync node`."""

    def __init__(self, binary: str, name: str, folder: Path) -> None:
        command = [binary, "node", "--listen", "127.0.0.1:0", "--cluster-name", name]
        super().__init__(name, command, folder / f"{name}.log")

    def address(self) -> str:
        return self.said(r"accepts connections on (\S+)").group(1)


class Sidecar(Process):
    """`cluster-sync dual-writer` between two clusters, with its state in `folder`/`name`."""

    def __init__(
        self,
        command: Sequence[str],
        name: str,
        folder: Path,
        *,
        source: str,
        target: str,
        mode: str = "PrimaryOnly",
        listen: str = "127.0.0.1:0",
        settings: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        arguments = ["dual-writer", "--listen", listen, "--admin", "127.0.0.1:0", "--state-dir", str(folder / name)]
        for setting in settings:
            arguments += ["--set", setting]
        clusters = {"CASSANDRA_HOSTS": source, "SCYLLA_HOSTS": target, "WRITE_MODE": mode}
        super().__init__(name, [*command, *arguments], folder / f"{name}.log", clusters | dict(environment or {}))

    def ready(self) -> str:
        """Waits for both clusters; the address where applications connect."""
        for cluster in ("source", "target"):
            self.said(f"cluster connected cluster={cluster}")
        return self._address("dual-writer listens")

    def admin(self) -> str:
        """Where its admin port is."""
        return f"http://{self._address('admin port listens')}"

    def _address(self, line: str) -> str:
        return self.said(re.escape(line) + r".*address=(?:\[IPv4\])?(?:[\d.]+/)?([\d.]+:\d+)").group(1)

    def ask(self, method: str, path: str, body: Mapping[str, str] | None = None) -> dict:
        request = urllib.request.Request(
            f"{self.admin()}{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:
            return json.loads(response.read())

    def walk(self, mode: str) -> None:
        """Goes to a write mode, a step at a time."""
        while (at := MODES.index(self.ask("GET", "/v1/phase")["mode"])) != (to := MODES.index(mode)):
            self.ask("PUT", "/v1/phase", {"mode": MODES[at + (1 if to > at else -1)], "reason": "measuring"})

    def owed(self) -> int:
        """Copies that a shadow has not confirmed."""
        return sum(leg["shadow_queued"] for leg in self.ask("GET", "/v1/status")["legs"])

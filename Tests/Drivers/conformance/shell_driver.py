"""cqlsh, whichever is installed: one session, which is spoken to as somebody at a keyboard would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from features import Unsupported

FAULT = re.compile(r"^<stdin>:\d+:(.*)")
# What SHOW VERSION begins with: an answer is whole when it has come.
END = "[cqlsh"


class Driver:
    has_types = False

    def __init__(self, options) -> None:
        if options.compression:
            raise Unsupported("it chooses by itself")
        host, port = options.address.rsplit(":", 1)
        self.folder = tempfile.TemporaryDirectory()
        settings = ""
        command = [str(Path(sys.executable).parent / "cqlsh"), host, port, "--request-timeout=60", "--no-color"]
        if options.authority:
            command.append("--ssl")
            settings = f"[ssl]\ncertfile = {options.authority}\nvalidate = true\n"
        if options.user:
            command += ["-u", options.user, "-p", options.password]
        file = Path(self.folder.name) / "cqlshrc"
        file.write_text(settings)
        self.command = command + ["--cqlshrc", str(file)]

    async def connect(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=dict(os.environ) | {"PYTHONUNBUFFERED": "1"},
        )
        self.say("EXPAND ON")
        if not any(line.startswith("Cluster:") for line in self.say("DESCRIBE CLUSTER")):
            raise AssertionError("it does not describe the cluster")

    async def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(30)
        self.folder.cleanup()

    def say(self, text: str) -> list[str]:
        self.process.stdin.write(f"{text};\nSHOW VERSION\n")
        self.process.stdin.flush()
        lines: list[str] = []
        for line in self.process.stdout:
            if line.startswith(END):
                break
            lines.append(line.rstrip("\n"))
        else:
            raise RuntimeError("cqlsh has ended: " + " ".join(lines))
        for line in lines:
            if fault := FAULT.match(line):
                raise RuntimeError(fault.group(1))
        return lines

    async def execute(self, text: str, values: tuple = ()) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for line in self.say(text):
            if line.startswith("@ Row"):
                rows.append({})
            elif rows and " | " in line:
                name, _, value = line.partition(" | ")
                rows[-1][name.strip()] = {"True": True, "False": False}.get(value.strip(), value.strip())
        return [{name: int(value) if name == "n" else value for name, value in row.items()} for row in rows]

    async def prepare(self, text: str) -> Any:
        raise Unsupported("it prepares nothing")

    async def use(self, keyspace: str) -> None:
        self.say(f"USE {keyspace}")

"""A client that speaks just enough CQL (native protocol v4) to send bursts of frames whose number is known."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable

# Native protocol v4, sections 2.4, 4.1 and 4.2.
STARTUP, QUERY, PREPARE, EXECUTE = 0x01, 0x07, 0x09, 0x0A
ERROR, READY, RESULT = 0x00, 0x02, 0x08
PREPARED = 0x0004
LOCAL_ONE = 0x000A
FLAG_VALUES = 0x01
HEADER = struct.Struct(">BBhBI")
REQUEST_VERSION = 4
PATIENCE_SECONDS = 120


class UnexpectedAnswer(Exception):
    """An ERROR frame, or another opcode than the request has a right to."""


def frame(stream: int, opcode: int, body: bytes) -> bytes:
    return HEADER.pack(REQUEST_VERSION, 0, stream, opcode, len(body)) + body


def parameters(values: Iterable[bytes]) -> bytes:
    """Section 4.1.4, <query_parameters>: the consistency, the flags, the values."""
    values = list(values)
    head = struct.pack(">HB", LOCAL_ONE, FLAG_VALUES if values else 0)
    if values:
        head += struct.pack(">H", len(values))
    return head + b"".join(struct.pack(">i", len(value)) + value for value in values)


class Connection:
    """One connection. Blocking: a burst is sent whole, then its answers are read."""

    def __init__(self, address: str) -> None:
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = bytearray()
        options = b"".join(struct.pack(">H", len(text)) + text for text in (b"CQL_VERSION", b"3.0.0"))
        self.ask(STARTUP, struct.pack(">H", 1) + options, READY)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def query(self, text: str) -> bytes:
        """The body of the RESULT."""
        return self.ask(QUERY, struct.pack(">I", len(text)) + text.encode() + parameters([]), RESULT)

    def prepare(self, text: str) -> bytes:
        """The id of the prepared statement."""
        answer = self.ask(PREPARE, struct.pack(">I", len(text)) + text.encode(), RESULT)
        kind, length = struct.unpack_from(">IH", answer)
        if kind != PREPARED:
            raise UnexpectedAnswer(f"PREPARE was answered with a result of kind {kind}")
        return bytes(answer[6 : 6 + length])

    def send(self, frames: bytes) -> None:
        self.socket.sendall(frames)

    def receive(self, count: int) -> None:
        """Reads as many answers, each of which must be a RESULT."""
        for _ in range(count):
            self._answer(RESULT)

    def ask(self, opcode: int, body: bytes, expected: int) -> bytes:
        """Sends one request; the body of its answer, which must have the expected opcode."""
        self.send(frame(0, opcode, body))
        return self._answer(expected)

    def _answer(self, expected: int) -> bytes:
        self._fill(HEADER.size)
        _, _, _, opcode, length = HEADER.unpack_from(self.received)
        self._fill(HEADER.size + length)
        body = bytes(self.received[HEADER.size : HEADER.size + length])
        del self.received[: HEADER.size + length]
        if opcode != expected:
            detail = body[6:].decode(errors="replace") if opcode == ERROR else ""
            raise UnexpectedAnswer(f"opcode {opcode:#04x} instead of {expected:#04x} {detail}".rstrip())
        return body

    def _fill(self, count: int) -> None:
        while len(self.received) < count:
            part = self.socket.recv(1 << 16)
            if not part:
                raise UnexpectedAnswer("the connection was closed")
            self.received += part


def execute_body(prepared_id: bytes, values: Iterable[bytes]) -> bytes:
    """The body of an EXECUTE, section 4.1.6."""
    return struct.pack(">H", len(prepared_id)) + prepared_id + parameters(values)


def execute(prepared_id: bytes, stream: int, values: Iterable[bytes]) -> bytes:
    return frame(stream, EXECUTE, execute_body(prepared_id, values))

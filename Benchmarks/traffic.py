"""Traffic of known size: rounds, in each of which every connection sends a burst and has it answered."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass

import cql
from processes import eventually

VALUE_BYTES = 100
# A shadow is waited for after about as many frames.
FRAMES_AHEAD = 2_048
STATEMENTS = {
    "insert": "INSERT INTO gate.kv (k, v) VALUES (?, ?)",
    "select": "SELECT v FROM gate.kv WHERE k = ?",
}


@dataclass(frozen=True)
class Shape:
    """How many connections, and how many frames of each are under way at once."""

    connections: int
    in_flight: int

    @classmethod
    def parse(cls, text: str) -> Shape:
        connections, in_flight = text.split("x")
        return cls(int(connections), int(in_flight))

    @property
    def frames(self) -> int:
        """Frames of one round."""
        return self.connections * self.in_flight


class Shadow:
    """Waits until a shadow has what was written, by asking it itself: the sidecar has no work with that.

    Nobody waits for copies, so that a slow node would fall behind without bound. What is measured is a shadow that keeps up.
    """

    def __init__(self, writer: cql.Connection, reader: cql.Connection) -> None:
        self.writer = writer
        self.reader = reader
        self.insert = writer.prepare(STATEMENTS["insert"])

    def catch_up(self) -> None:
        marker = b"marker-" + os.urandom(8)
        self.writer.ask(cql.EXECUTE, cql.execute_body(self.insert, [b"marker", marker]), cql.RESULT)
        # Not prepared: a node remembers only so many statements, and those are for the traffic.
        select = "SELECT v FROM gate.kv WHERE k = 'marker'"
        eventually(lambda: marker in self.reader.query(select), "the shadow has the last write")


class Traffic:
    """Prepared statements of one kind over the connections of a shape; frames name one after the other."""

    def __init__(
        self, connections: list[cql.Connection], ids: list[bytes], arity: int, in_flight: int, shadow: Shadow | None
    ) -> None:
        self.connections = connections
        self.in_flight = in_flight
        self.shadow = shadow
        self.rounds_ahead = max(1, FRAMES_AHEAD // (len(connections) * in_flight))
        # Of each round, until all statements have been named: a burst for each connection.
        self.bursts = [
            [_burst(number, ids[first:] + ids[:first], arity, in_flight) for number in range(len(connections))]
            for first in range(0, len(ids), in_flight)
        ]

    def rounds(self, count: int) -> None:
        for number in range(count):
            for connection, burst in zip(self.connections, self.bursts[number % len(self.bursts)]):
                connection.send(burst)
            for connection in self.connections:
                connection.receive(self.in_flight)
            if self.shadow is not None and number % self.rounds_ahead == 0:
                self.shadow.catch_up()


def _burst(connection: int, ids: list[bytes], arity: int, in_flight: int) -> bytes:
    """One frame for each stream of a connection."""
    frames = []
    for stream, prepared in zip(range(in_flight), itertools.cycle(ids)):
        values = [f"key-{connection}-{stream}".encode(), bytes(VALUE_BYTES)]
        frames.append(cql.execute(prepared, stream, values[:arity]))
    return b"".join(frames)


def texts(statement: str, count: int) -> Iterator[str]:
    """As many statements that do the same and are not the same: what a server knows of one does not help it with another."""
    text = STATEMENTS[statement]
    yield text
    for number in range(1, count):
        yield f"{text} /* {number} */"


def create_table(address: str) -> None:
    with cql.Connection(address) as connection:
        replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
        connection.query(f"CREATE KEYSPACE IF NOT EXISTS gate WITH replication = {replication}")
        connection.query("CREATE TABLE IF NOT EXISTS gate.kv (k text PRIMARY KEY, v blob)")


@contextlib.contextmanager
def traffic(
    address: str, statement: str, shape: Shape, shadow: str | None = None, statements: int = 1
) -> Iterator[Traffic]:
    """Traffic to `address` whose copies go to `shadow`, if they go anywhere."""
    with contextlib.ExitStack() as stack:

        def connect(to: str) -> cql.Connection:
            return stack.enter_context(cql.Connection(to))

        followed = None if shadow is None else Shadow(connect(address), connect(shadow))
        connections = [connect(address) for _ in range(shape.connections)]
        for connection in connections:
            ids = [connection.prepare(text) for text in texts(statement, statements)]
        yield Traffic(connections, ids, STATEMENTS[statement].count("?"), shape.in_flight, followed)

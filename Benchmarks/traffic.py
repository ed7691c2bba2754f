"""Traffic of known size: rounds, in each of which every connection sends a burst and has it answered."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import cql

VALUE_BYTES = 100
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


class Traffic:
    """Prepared statements of one kind over the connections of a shape."""

    def __init__(self, connections: list[cql.Connection], statement: str, in_flight: int) -> None:
        self.connections = connections
        self.in_flight = in_flight
        self.bursts = []
        for number, connection in enumerate(connections):
            prepared = connection.prepare(STATEMENTS[statement])
            keys = [f"key-{number}-{stream}".encode() for stream in range(in_flight)]
            values = [[key, bytes(VALUE_BYTES)] if statement == "insert" else [key] for key in keys]
            self.bursts.append(
                b"".join(cql.execute(prepared, stream, bound) for stream, bound in enumerate(values))
            )

    def rounds(self, count: int) -> None:
        for _ in range(count):
            for connection, burst in zip(self.connections, self.bursts):
                connection.send(burst)
            for connection in self.connections:
                connection.receive(self.in_flight)


def create_table(address: str) -> None:
    with cql.Connection(address) as connection:
        replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
        connection.query(f"CREATE KEYSPACE IF NOT EXISTS gate WITH replication = {replication}")
        connection.query("CREATE TABLE IF NOT EXISTS gate.kv (k text PRIMARY KEY, v blob)")


@contextlib.contextmanager
def traffic(address: str, statement: str, shape: Shape) -> Iterator[Traffic]:
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(cql.Connection(address)) for _ in range(shape.connections)]
        yield Traffic(connections, statement, shape.in_flight)

"""`cassandra-driver` and `scylla-driver`: the same names, the one that is installed."""

from __future__ import annotations

import ssl
from typing import Any

from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster
from cassandra.query import BatchStatement, SimpleStatement, dict_factory


class Driver:
    def __init__(self, options) -> None:
        host, port = options.address.rsplit(":", 1)
        arguments: dict[str, Any] = {"compression": options.compression or False}
        if options.authority:
            arguments["ssl_context"] = ssl.create_default_context(cafile=options.authority)
        if options.user:
            arguments["auth_provider"] = PlainTextAuthProvider(options.user, options.password)
        # The versions are the driver's own affair: it begins with the newest that it knows.
        self.cluster = Cluster([host], port=int(port), **arguments)

    async def connect(self) -> None:
        self.session = self.cluster.connect()
        self.session.row_factory = dict_factory

    async def close(self) -> None:
        self.cluster.shutdown()

    async def execute(self, text: str, values: tuple = ()) -> list[dict[str, Any]]:
        # "[applied]" is no name for a field; the dictionary has it as it is.
        return list(self.session.execute(SimpleStatement(text), values or None))

    async def prepare(self, text: str) -> Any:
        return self.session.prepare(text)

    async def run(self, prepared: Any, values: tuple) -> list[dict[str, Any]]:
        return list(self.session.execute(prepared, values))

    async def batch(self, children: list[tuple[Any, tuple]]) -> None:
        batch = BatchStatement()
        for statement, values in children:
            batch.add(statement, values)
        self.session.execute(batch)

    async def pages(self, text: str, size: int) -> list[int]:
        result = self.session.execute(SimpleStatement(text, fetch_size=size))
        if not result.has_more_pages:
            raise AssertionError("all rows came in one page")
        return [row["c"] for row in result]

    async def use(self, keyspace: str) -> None:
        self.session.set_keyspace(keyspace)

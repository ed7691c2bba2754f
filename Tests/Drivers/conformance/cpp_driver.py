"""The C++ driver, by `acsylla`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import acsylla

from features import Unsupported


class Driver:
    def __init__(self, options) -> None:
        if options.compression:
            raise Unsupported("it has no compression")
        host, port = options.address.rsplit(":", 1)
        arguments: dict[str, Any] = {}
        if options.authority:
            flags = acsylla.SSLVerifyFlags.PEER_IDENTITY
            authority = Path(options.authority).read_text()
            arguments |= {"ssl_enabled": True, "ssl_trusted_cert": authority, "ssl_verify_flags": flags}
        if options.user:
            arguments |= {"username": options.user, "password": options.password}
        self.cluster = acsylla.create_cluster([host], port=int(port), **arguments)

    async def connect(self) -> None:
        self.session = await self.cluster.create_session()

    async def close(self) -> None:
        await self.session.close()

    @staticmethod
    def rows(result: Any) -> list[dict[str, Any]]:
        return [row.as_dict() for row in result]

    async def execute(self, text: str, values: tuple = ()) -> list[dict[str, Any]]:
        return self.rows(await self.session.execute(acsylla.create_statement(text)))

    async def prepare(self, text: str) -> Any:
        return await self.session.create_prepared(text)

    @staticmethod
    def bound(prepared: Any, values: tuple) -> Any:
        statement = prepared.bind()
        statement.bind_list(list(values))
        return statement

    async def run(self, prepared: Any, values: tuple) -> list[dict[str, Any]]:
        return self.rows(await self.session.execute(self.bound(prepared, values)))

    async def batch(self, children: list[tuple[Any, tuple]]) -> None:
        batch = acsylla.create_batch_logged()
        for prepared, values in children:
            batch.add_statement(self.bound(prepared, values))
        await self.session.execute_batch(batch)

    async def pages(self, text: str, size: int) -> list[int]:
        statement = acsylla.create_statement(text)
        statement.set_page_size(size)
        result = await self.session.execute(statement)
        if not result.has_more_pages():
            raise AssertionError("all rows came in one page")
        found = [row["c"] for row in self.rows(result)]
        while result.has_more_pages():
            statement.set_page_state(result.page_state())
            result = await self.session.execute(statement)
            found += [row["c"] for row in self.rows(result)]
        return found

    async def use(self, keyspace: str) -> None:
        await self.session.use_keyspace(keyspace)

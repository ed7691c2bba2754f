"""The Rust driver, by `scyllapy`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import scyllapy
from scyllapy.exceptions import ScyllaPyMappingError

from features import Unsupported


class Driver:
    def __init__(self, options) -> None:
        if options.compression:
            raise Unsupported("its Python side has no compression")
        arguments: dict[str, Any] = {}
        if options.authority:
            # It speaks TLS only where it has a certificate of its own.
            arguments |= {"ssl_ca_file": options.authority, "ssl_verify_mode": scyllapy.SSLVerifyMode.PEER}
            arguments |= {"ssl_cert": Path(options.certificate).read_text(), "ssl_key": Path(options.key).read_text()}
        if options.user:
            arguments |= {"username": options.user, "password": options.password}
        self.scylla = scyllapy.Scylla([options.address], **arguments)

    async def connect(self) -> None:
        await self.scylla.startup()

    async def close(self) -> None:
        await self.scylla.shutdown()

    @staticmethod
    def rows(result: Any) -> list[dict[str, Any]]:
        try:
            return result.all()
        except ScyllaPyMappingError:
            # An answer without rows is no empty list to this driver.
            return []

    async def execute(self, text: str, values: tuple = ()) -> list[dict[str, Any]]:
        return self.rows(await self.scylla.execute(text, list(values)))

    async def prepare(self, text: str) -> Any:
        return await self.scylla.prepare(text)

    async def run(self, prepared: Any, values: tuple) -> list[dict[str, Any]]:
        return self.rows(await self.scylla.execute(prepared, list(values)))

    async def batch(self, children: list[tuple[Any, tuple]]) -> None:
        batch = scyllapy.Batch()
        for prepared, _ in children:
            batch.add_query(prepared)
        await self.scylla.batch(batch, [list(values) for _, values in children])

    async def pages(self, text: str, size: int) -> list[int]:
        # Its page size is its own, 5,000 rows; that pages follow each other is shown with more rows than that elsewhere.
        result = await self.scylla.execute(text, paged=True)
        return [row["c"] async for row in result]

    async def use(self, keyspace: str) -> None:
        await self.scylla.use_keyspace(keyspace)

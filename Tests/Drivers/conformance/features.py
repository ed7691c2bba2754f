"""What every driver is asked to do, in words that all of them understand: an adapter turns them into its driver's calls.

A feature is a coroutine that takes an adapter and the name of a table prefix; it raises where the answer is not the right one.
"""

from __future__ import annotations

from typing import Any, Protocol


class Unsupported(Exception):
    """The driver itself cannot do it."""


class Adapter(Protocol):
    async def connect(self) -> None: ...
    async def close(self) -> None: ...
    async def execute(self, text: str, values: tuple = ()) -> list[dict[str, Any]]: ...
    async def prepare(self, text: str) -> Any: ...
    async def run(self, prepared: Any, values: tuple) -> list[dict[str, Any]]: ...
    async def batch(self, children: list[tuple[Any, tuple]]) -> None: ...
    async def pages(self, text: str, size: int) -> list[int]: ...
    async def use(self, keyspace: str) -> None: ...


def expect(left: Any, right: Any) -> None:
    if left != right:
        raise AssertionError(f"{left!r} is not {right!r}")


async def schema(driver: Adapter, keyspace: str) -> None:
    replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
    await driver.execute(f"CREATE KEYSPACE {keyspace} WITH replication = {replication}")
    await driver.execute(f"CREATE TABLE {keyspace}.kv (k int PRIMARY KEY, v text)")
    await driver.execute(f"CREATE TABLE {keyspace}.conditional (k int PRIMARY KEY, v text)")
    await driver.execute(f"CREATE TABLE {keyspace}.wide (p int, c int, v text, PRIMARY KEY (p, c))")
    await driver.execute(f"CREATE TABLE {keyspace}.hits (k text PRIMARY KEY, n counter)")
    types = "l list<int>, s set<text>, m map<text, int>, b blob, d double, u uuid, t timestamp, i inet, x boolean, n bigint"
    await driver.execute(f"CREATE TABLE {keyspace}.types (k int PRIMARY KEY, {types})")


async def statements(driver: Adapter, keyspace: str) -> None:
    await driver.execute(f"INSERT INTO {keyspace}.kv (k, v) VALUES (1, 'Ä''ß')")
    expect(await driver.execute(f"SELECT v FROM {keyspace}.kv WHERE k = 1"), [{"v": "Ä'ß"}])
    expect(await driver.execute(f"SELECT v FROM {keyspace}.kv WHERE k = 404"), [])
    await driver.execute(f"DELETE FROM {keyspace}.kv WHERE k = 1")
    expect(await driver.execute(f"SELECT v FROM {keyspace}.kv WHERE k = 1"), [])


async def prepared(driver: Adapter, keyspace: str) -> None:
    insert = await driver.prepare(f"INSERT INTO {keyspace}.kv (k, v) VALUES (?, ?)")
    select = await driver.prepare(f"SELECT v FROM {keyspace}.kv WHERE k = ?")
    for key in range(100, 140):
        # Long enough to be compressed where somebody does that.
        await driver.run(insert, (key, f"{key}" * 400))
    expect(await driver.run(select, (120,)), [{"v": "120" * 400}])


async def batches(driver: Adapter, keyspace: str) -> None:
    insert = await driver.prepare(f"INSERT INTO {keyspace}.kv (k, v) VALUES (?, ?)")
    await driver.batch([(insert, (200, "a")), (insert, (201, "b"))])
    expect(await driver.execute(f"SELECT v FROM {keyspace}.kv WHERE k = 201"), [{"v": "b"}])


async def conditional(driver: Adapter, keyspace: str) -> None:
    insert = f"INSERT INTO {keyspace}.conditional (k, v) VALUES (300, 'first') IF NOT EXISTS"
    expect((await driver.execute(insert))[0]["[applied]"], True)
    refused = (await driver.execute(insert))[0]
    expect((refused["[applied]"], refused["v"]), (False, "first"))
    update = await driver.execute(f"UPDATE {keyspace}.conditional SET v = 'second' WHERE k = 300 IF v = 'first'")
    expect(update[0]["[applied]"], True)


async def paging(driver: Adapter, keyspace: str) -> None:
    insert = await driver.prepare(f"INSERT INTO {keyspace}.wide (p, c, v) VALUES (?, ?, ?)")
    for row in range(250):
        await driver.run(insert, (1, row, "row"))
    expect(await driver.pages(f"SELECT c FROM {keyspace}.wide WHERE p = 1", 60), list(range(250)))


async def types(driver: Adapter, keyspace: str) -> None:
    if not getattr(driver, "has_types", True):
        raise Unsupported("it prints values as text")
    literals = (
        "[1, 2], {'a'}, {'k': 1}, 0xcafe, 1.5, 123e4567-e89b-42d3-a456-426614174000, '2024-02-29T12:00:00Z', '10.0.0.1', true, "
        "-9223372036854775808"
    )
    await driver.execute(f"INSERT INTO {keyspace}.types (k, l, s, m, b, d, u, t, i, x, n) VALUES (1, {literals})")
    row = (await driver.execute(f"SELECT l, s, m, b, d, u, t, i, x, n FROM {keyspace}.types WHERE k = 1"))[0]
    expect((list(row["l"]), set(row["s"]), dict(row["m"]), bytes(row["b"])), ([1, 2], {"a"}, {"k": 1}, b"\xca\xfe"))
    expect((row["d"], str(row["u"]), str(row["i"])), (1.5, "123e4567-e89b-42d3-a456-426614174000", "10.0.0.1"))
    expect((row["x"], row["n"], row["t"] is not None), (True, -(1 << 63), True))


async def counters(driver: Adapter, keyspace: str) -> None:
    for _ in range(3):
        await driver.execute(f"UPDATE {keyspace}.hits SET n = n + 2 WHERE k = 'k'")
    expect(await driver.execute(f"SELECT n FROM {keyspace}.hits"), [{"n": 6}])


async def keyspaces(driver: Adapter, keyspace: str) -> None:
    await driver.use(keyspace)
    await driver.execute("INSERT INTO kv (k, v) VALUES (400, 'used')")
    expect(await driver.execute("SELECT v FROM kv WHERE k = 400"), [{"v": "used"}])


async def errors(driver: Adapter, keyspace: str) -> None:
    for text, words in (("SELEC 1", "line 1"), (f"SELECT * FROM {keyspace}.nothing", "nothing")):
        try:
            await driver.execute(text)
        except Exception as error:
            if words not in str(error):
                raise AssertionError(f"{text}: {error}") from error
        else:
            raise AssertionError(f"{text} succeeds")


FEATURES = {
    "schema": schema,
    "statements": statements,
    "prepared": prepared,
    "batches": batches,
    "conditional": conditional,
    "paging": paging,
    "types": types,
    "counters": counters,
    "keyspaces": keyspaces,
    "errors": errors,
}

"""An application's day: every kind of statement and every type, through whatever the session is connected to."""

from __future__ import annotations

import datetime
import decimal
import ipaddress
import uuid

from cassandra.cluster import Session
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.query import (
    BatchStatement,
    BatchType,
    ConsistencyLevel,
    SimpleStatement,
    ValueSequence,
)
from cassandra.util import Date, Duration, Time, uuid_from_time

from checks import Report, equal

CONCURRENT_INSERTS = 2_000
PAGED_ROWS = 10_000

TABLES = {
    "plain": "k int PRIMARY KEY, v text, n int",
    "wide": "p int, c int, s text static, v text, PRIMARY KEY (p, c)",
    "users": "id int PRIMARY KEY, name text, logins list<text>, level int",
    "hits": "page text PRIMARY KEY, n counter",
    "every_type": """p int, c timeuuid, a ascii, b bigint, bl blob, bo boolean, d decimal, db double, f float, i inet,
        ti time, da date, ts timestamp, te text, si smallint, ty tinyint, u uuid, v varint, du duration, l list<int>,
        s set<text>, m map<text, bigint>, tu frozen<tuple<int, text>>, fl frozen<list<int>>, ud frozen<address>,
        udn address, st int static, nested map<int, frozen<list<frozen<set<text>>>>>, PRIMARY KEY (p, c)""",
}


def create(session: Session, keyspace: str) -> None:
    """Makes keyspace, type and tables; through a proxy they are made on both clusters where the mode says so."""
    session.execute(
        f"CREATE KEYSPACE IF NOT EXISTS {keyspace} "
        "WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
    )
    session.execute(f"CREATE TYPE IF NOT EXISTS {keyspace}.address (street text, zip int, tags frozen<set<text>>)")
    for name, columns in TABLES.items():
        session.execute(f"CREATE TABLE IF NOT EXISTS {keyspace}.{name} ({columns})")


def run(session: Session, keyspace: str, report: Report, label: str) -> None:
    """Runs all checks of one mode in a keyspace of its own."""
    application = Application(session, keyspace)
    for name in (
        "inserts",
        "reads",
        "batches",
        "conditions",
        "functions",
        "counters",
        "pages",
        "types",
        "lifetimes",
        "collections",
        "deletions",
        "errors",
    ):
        report.check(f"{label}: {name}", getattr(application, name))


class Application:
    """One check per method; each leaves data behind that is compared between the clusters afterwards."""

    def __init__(self, session: Session, keyspace: str) -> None:
        self.session = session
        self.ks = keyspace

    def inserts(self) -> bool:
        insert = self.session.prepare(f"INSERT INTO {self.ks}.plain (k, v, n) VALUES (?, ?, ?)")
        rows = [(k, f"value {k}", k * k) for k in range(CONCURRENT_INSERTS)]
        results = execute_concurrent_with_args(self.session, insert, rows, concurrency=200)
        return equal(sum(1 for fine, _ in results if fine), CONCURRENT_INSERTS)

    def reads(self) -> bool:
        select = self.session.prepare(f"SELECT v, n FROM {self.ks}.plain WHERE k = ?")
        results = execute_concurrent_with_args(self.session, select, [(k,) for k in range(0, 2000, 7)], concurrency=50)
        for index, (fine, rows) in enumerate(results):
            row = rows.one()
            if not fine or row.v != f"value {index * 7}" or row.n != (index * 7) ** 2:
                raise AssertionError(f"row {index * 7} is {row}")
        equal(self.session.execute(f"SELECT count(*) FROM {self.ks}.plain").one().count, CONCURRENT_INSERTS)
        named = self.session.execute(f"SELECT v FROM {self.ks}.plain WHERE k = %(key)s", {"key": 3}).one()
        many = self.session.execute(
            f"SELECT k FROM {self.ks}.plain WHERE k IN %s", (ValueSequence([1, 2, 3]),)
        )
        return equal(named.v, "value 3") and equal(sorted(row.k for row in many), [1, 2, 3])

    def batches(self) -> bool:
        insert = self.session.prepare(f"INSERT INTO {self.ks}.wide (p, c, v) VALUES (?, ?, ?)")
        for kind in (BatchType.LOGGED, BatchType.UNLOGGED):
            batch = BatchStatement(batch_type=kind)
            for c in range(20):
                batch.add(insert, (int(kind.value), c, f"{kind} {c}"))
            batch.add(SimpleStatement(f"UPDATE {self.ks}.wide SET s = 'static' WHERE p = {int(kind.value)}"))
            self.session.execute(batch)
        self.session.execute(
            f"BEGIN BATCH USING TIMESTAMP 1700000000000000 "
            f"INSERT INTO {self.ks}.wide (p, c, v) VALUES (7, 1, 'one'); "
            f"INSERT INTO {self.ks}.wide (p, c, v) VALUES (7, 2, 'two'); APPLY BATCH"
        )
        rows = list(self.session.execute(f"SELECT v, s FROM {self.ks}.wide WHERE p = 0"))
        times = list(self.session.execute(f"SELECT writetime(v) AS t FROM {self.ks}.wide WHERE p = 7"))
        return (
            equal(len(rows), 20)
            and equal({row.s for row in rows}, {"static"})
            and equal([row.t for row in times], [1700000000000000] * 2)
        )

    def conditions(self) -> bool:
        insert = self.session.prepare(f"INSERT INTO {self.ks}.users (id, name) VALUES (?, ?) IF NOT EXISTS")
        equal(self.session.execute(insert, (1, "a")).one().applied, True)
        refused = self.session.execute(insert, (1, "b")).one()
        equal((refused.applied, refused.name), (False, "a"))
        update = self.session.prepare(f"UPDATE {self.ks}.users SET name = ?, level = ? WHERE id = ? IF name = ?")
        equal(self.session.execute(update, ("c", 5, 1, "a")).one().applied, True)
        refused = self.session.execute(update, ("d", 6, 1, "nope")).one()
        equal((refused.applied, refused.name), (False, "c"))
        for k in range(2, 12):
            self.session.execute(insert, (k, f"user {k}"))
        equal(self.session.execute(f"DELETE FROM {self.ks}.users WHERE id = 2 IF EXISTS").one().applied, True)
        batch = BatchStatement(serial_consistency_level=ConsistencyLevel.LOCAL_SERIAL)
        batch.add(SimpleStatement(f"UPDATE {self.ks}.wide SET v = 'lwt' WHERE p = 7 AND c = 1 IF v = 'one'"))
        batch.add(SimpleStatement(f"INSERT INTO {self.ks}.wide (p, c, v) VALUES (7, 3, 'three')"))
        equal(self.session.execute(batch).one().applied, True)
        return equal(self.session.execute(batch).one().applied, False)

    def functions(self) -> bool:
        """Values that a server makes: the same on both clusters, which the comparison of all rows finds out."""
        table = f"{self.ks}.every_type"
        insert = self.session.prepare(
            f"INSERT INTO {table} (c, p, u, ts, te) VALUES (now(), ?, uuid(), toTimestamp(now()), ?)"
        )
        equal([column.name for column in insert.column_metadata], ["p", "te"])
        equal(insert.routing_key_indexes, [0])
        for number in range(20):
            self.session.execute(insert, (60, f"prepared {number}"))
        self.session.execute(insert.bind({"p": 60, "te": "by name"}))
        self.session.execute(f"INSERT INTO {table} (p, c, da, ti) VALUES (60, now(), currentDate(), currentTime())")
        self.session.execute(f"INSERT INTO {table} (p, c, te) VALUES (60, now(), %s)", ("with a value",))
        batch = BatchStatement()
        batch.add(insert, (60, "batch"))
        batch.add(SimpleStatement(f"INSERT INTO {table} (p, c, u) VALUES (60, now(), uuid())"))
        self.session.execute(batch)
        rows = list(self.session.execute(f"SELECT c, u FROM {table} WHERE p = 60"))
        return equal(len({row.c for row in rows}), 25) and equal(len({row.u for row in rows if row.u}), 23)

    def counters(self) -> bool:
        update = self.session.prepare(f"UPDATE {self.ks}.hits SET n = n + ? WHERE page = ?")
        for _ in range(10):
            self.session.execute(update, (3, "home"))
        batch = BatchStatement(batch_type=BatchType.COUNTER)
        batch.add(update, (1, "home"))
        batch.add(update, (-5, "about"))
        self.session.execute(batch)
        rows = {row.page: row.n for row in self.session.execute(f"SELECT page, n FROM {self.ks}.hits")}
        return equal(rows, {"home": 31, "about": -5})

    def pages(self) -> bool:
        insert = self.session.prepare(f"INSERT INTO {self.ks}.wide (p, c, v) VALUES (?, ?, ?)")
        rows = [(100 + c % 10, c, f"row {c}") for c in range(PAGED_ROWS)]
        execute_concurrent_with_args(self.session, insert, rows, concurrency=200)
        statement = SimpleStatement(f"SELECT p, c, v FROM {self.ks}.wide WHERE p >= 100 ALLOW FILTERING", fetch_size=500)
        seen = [(row.p, row.c, row.v) for row in self.session.execute(statement)]
        one = self.session.prepare(f"SELECT c FROM {self.ks}.wide WHERE p = ?")
        one.fetch_size = 33
        ordered = [row.c for row in self.session.execute(one, (103,))]
        return equal(sorted(seen), sorted(rows)) and equal(ordered, list(range(3, PAGED_ROWS, 10)))

    def types(self) -> bool:
        columns = "p, c, a, b, bl, bo, d, db, f, i, ti, da, ts, te, si, ty, u, v, du, l, s, m, tu, fl, ud, udn, st, nested"
        insert = self.session.prepare(
            f"INSERT INTO {self.ks}.every_type ({columns}) VALUES ({', '.join('?' * len(columns.split(',')))})"
        )
        time_uuid = uuid_from_time(datetime.datetime(2023, 11, 14, 22, 13, 20), node=1, clock_seq=2)
        address = ("Main street", 12345, {"a", "b"})
        values = (
            1, time_uuid, "ascii", -(2**62), b"\x00\xff\x10", True, decimal.Decimal("-12345.6789"), 3.141592653589793,
            1.5, "2001:db8::1", Time(3_723_000_000_004), Date(-165), datetime.datetime(2024, 2, 29, 12, 30, 0, 123000),
            "Grüße 🌍", -32768, 127, uuid.UUID(int=2**127 + 5), 2**100, Duration(14, 3, 5_000_000_000), [3, 1, 2],
            {"x", "y"}, {"one": 1, "two": 2}, (7, "seven"), [9, 8], address, address, 42,
            {1: [{"p", "q"}, {"r"}], 2: []},
        )
        self.session.execute(insert, values)
        self.session.execute(insert, (2, time_uuid) + (None,) * (len(values) - 2))
        self.session.execute(insert.bind((3, time_uuid, "only a")))
        row = self.session.execute(f"SELECT {columns} FROM {self.ks}.every_type WHERE p = 1").one()
        equal(str(row.d), "-12345.6789")
        equal((row.b, row.bl, row.v, row.te), (-(2**62), b"\x00\xff\x10", 2**100, "Grüße 🌍"))
        equal(ipaddress.ip_address(row.i), ipaddress.ip_address("2001:db8::1"))
        equal((row.ti, row.da, row.du), (Time(3_723_000_000_004), Date(-165), Duration(14, 3, 5_000_000_000)))
        equal(row.ts, datetime.datetime(2024, 2, 29, 12, 30, 0, 123000))
        equal((row.l, set(row.s), dict(row.m), row.tu, row.fl), ([3, 1, 2], {"x", "y"}, {"one": 1, "two": 2}, (7, "seven"), [9, 8]))
        equal((row.ud.street, row.ud.zip, set(row.ud.tags)), address)
        equal({key: [set(part) for part in parts] for key, parts in dict(row.nested).items()}, {1: [{"p", "q"}, {"r"}], 2: []})
        empty = self.session.execute(f"SELECT {columns} FROM {self.ks}.every_type WHERE p = 2").one()
        equal([value for value in empty[2:] if value], [])
        json_row = self.session.execute(f"SELECT JSON p, te, m FROM {self.ks}.every_type WHERE p = 1").one()
        return equal(json_row[0], '{"p": 1, "te": "Grüße 🌍", "m": {"one": 1, "two": 2}}')

    def lifetimes(self) -> bool:
        self.session.execute(
            f"INSERT INTO {self.ks}.plain (k, v) VALUES (5000, 'dies') USING TTL 100000 AND TIMESTAMP 1234567"
        )
        row = self.session.execute(f"SELECT ttl(v) AS l, writetime(v) AS t FROM {self.ks}.plain WHERE k = 5000").one()
        if not 99_900 <= row.l <= 100_000:
            raise AssertionError(f"the time to live is {row.l}")
        return equal(row.t, 1234567)

    def collections(self) -> bool:
        table = f"{self.ks}.users"
        self.session.execute(f"UPDATE {table} SET logins = ['b'] WHERE id = 20")
        self.session.execute(f"UPDATE {table} SET logins = logins + ['c'] WHERE id = 20")
        self.session.execute(f"UPDATE {table} SET logins = ['a'] + logins WHERE id = 20")
        self.session.execute(f"UPDATE {table} SET logins[1] = 'B' WHERE id = 20")
        equal(self.session.execute(f"SELECT logins FROM {table} WHERE id = 20").one().logins, ["a", "B", "c"])
        self.session.execute(f"DELETE logins[0] FROM {table} WHERE id = 20")
        return equal(self.session.execute(f"SELECT logins FROM {table} WHERE id = 20").one().logins, ["B", "c"])

    def deletions(self) -> bool:
        table = f"{self.ks}.wide"
        for c in range(10):
            self.session.execute(f"INSERT INTO {table} (p, c, v) VALUES (50, {c}, 'x')")
        self.session.execute(f"DELETE FROM {table} WHERE p = 50 AND c > 6")
        self.session.execute(f"DELETE v FROM {table} WHERE p = 50 AND c = 0")
        self.session.execute(f"DELETE FROM {table} WHERE p = 50 AND c IN (1, 2)")
        rows = [(row.c, row.v) for row in self.session.execute(f"SELECT c, v FROM {table} WHERE p = 50")]
        return equal(rows, [(0, None), (3, "x"), (4, "x"), (5, "x"), (6, "x")])

    def errors(self) -> bool:
        from cassandra import AlreadyExists, InvalidRequest
        from cassandra.protocol import SyntaxException

        for text, kind in (
            ("SELEC 1", SyntaxException),
            (f"SELECT * FROM {self.ks}.nope", InvalidRequest),
            (f"INSERT INTO {self.ks}.plain (k) VALUES ('x')", InvalidRequest),
            (f"CREATE TABLE {self.ks}.plain (k int PRIMARY KEY)", AlreadyExists),
        ):
            try:
                self.session.execute(text)
            except kind:
                continue
            raise AssertionError(f"{text} was not refused with {kind.__name__}")
        return True

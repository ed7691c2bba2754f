"""Makes the first inputs of the fuzzers: recorded frames where there are some, and statements.

    corpus.py FOLDER [RECORDINGS]
"""

from __future__ import annotations

import pathlib
import struct
import sys
import zlib

STATEMENTS = [
    "SELECT * FROM k.t WHERE p = ? AND c > 3 ORDER BY c DESC LIMIT 10 ALLOW FILTERING",
    "INSERT INTO t (a, b, \"C\") VALUES (1, 'it''s', {x: [1, 2], y: 0xCAFE}) IF NOT EXISTS USING TTL ? AND TIMESTAMP 5",
    "UPDATE t SET a = a + 1, l[0] = $$x$$, m = m - {'k'} WHERE p IN (1, 2) IF a > 3 AND b.c = null",
    "DELETE a, m['k'] FROM t USING TIMESTAMP 9 WHERE p = now() AND (c, d) >= (1, 2h30m) IF EXISTS",
    "BEGIN UNLOGGED BATCH USING TIMESTAMP ? INSERT INTO a (k) VALUES (:k); DELETE FROM b WHERE k = uuid(); APPLY BATCH;",
    "CREATE TABLE IF NOT EXISTS k.t (a int, b frozen<map<text, list<int>>>, c int static, PRIMARY KEY ((a), b)) "
    "WITH CLUSTERING ORDER BY (b DESC) AND comment = 'x' -- end",
    "SELECT JSON a, ttl(b), cast(c AS text) AS d, token(a) FROM t /* c */ GROUP BY a PER PARTITION LIMIT 2",
]
TYPES = ["Int32Type", "UTF8Type", "DecimalType", "DurationType", "InetAddressType", "TimeUUIDType",
         "MapType(UTF8Type,FrozenType(ListType(LongType)))", "TupleType(Int32Type,UTF8Type)", "SetType(IntegerType)"]


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    recordings = sorted(pathlib.Path(sys.argv[2]).glob("*/*/*.bin")) if len(sys.argv) > 2 else []
    for name in ("frame", "messages", "values", "cql", "compression", "sstable"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    frames: set[bytes] = set()
    for recording in recordings:
        data = recording.read_bytes()
        while len(data) >= 9 and len(data) >= 9 + (length := struct.unpack(">I", data[5:9])[0]):
            if length < 2048:
                frames.add(data[: 9 + length])
            data = data[9 + length :]
    if not frames:
        query = STATEMENTS[0].encode()
        body = struct.pack(">I", len(query)) + query + b"\x00\x01\x00"
        frames = {b"\x04\x00\x00\x01\x05\x00\x00\x00\x00", b"\x04\x00\x00\x02\x07" + struct.pack(">I", len(body)) + body}
    for index, frame in enumerate(sorted(frames)[:3000]):
        for name in ("frame", "messages"):
            (folder / name / f"{index}").write_bytes(frame)
        (folder / "compression" / f"{index}").write_bytes(frame[9:])
    for index, statement in enumerate(STATEMENTS):
        (folder / "cql" / f"{index}").write_text(statement)
    for index, name in enumerate(TYPES):
        value = f"org.apache.cassandra.db.marshal.{name}".replace("(", "(").encode()
        (folder / "values" / f"{index}").write_bytes(value + b"\n" + bytes([0, 0, 0, 1, 0, 0, 0, 2, 65, 66]))
    for index, table in enumerate(sstables()):
        (folder / "sstable" / f"{index}").write_bytes(table)


def vint(value: int) -> bytes:
    """Cassandra's variable-length number, below 2^14."""
    return bytes([value]) if value < 0x80 else bytes([0x80 | value >> 8, value & 0xFF])


def sized(data: bytes) -> bytes:
    return vint(len(data)) + data


def statistics(clustering: list[str], statics: dict[str, str], regulars: dict[str, str], checksums: bool) -> bytes:
    def name(text: str) -> bytes:
        return sized(text.encode())

    def kind(text: str) -> bytes:
        return name("org.apache.cassandra.db.marshal." + text)

    header = bytes(3) + kind("BytesType") + vint(len(clustering)) + b"".join(map(kind, clustering))
    for columns in (statics, regulars):
        header += vint(len(columns)) + b"".join(name(column) + kind(columns[column]) for column in columns)
    partitioner = b"org.apache.cassandra.dht.Murmur3Partitioner"
    histogram = struct.pack(">IQQ", 1, 0, 1)
    stats = histogram * 2 + bytes(12 + 16 + 16 + 8 + 8 + 12)
    # Of oa and da the slice of clusterings, of older ones two lists.
    stats += (bytes([0, 1, 0, 0, 6, 0, 0]) if checksums else bytes(8)) + bytes(17)
    parts = {0: struct.pack(">H", len(partitioner)) + partitioner + bytes(8), 2: stats, 3: header}

    def checked(data: bytes, covered: bytes) -> bytes:
        return data + (struct.pack(">I", zlib.crc32(covered)) if checksums else b"")

    count = struct.pack(">I", len(parts))
    place = len(checked(count, count)) + 8 * len(parts) + (4 if checksums else 0)
    table = b""
    for number, part in parts.items():
        table += struct.pack(">II", number, place)
        place += len(checked(part, part))
    return checked(count, count) + checked(table, count + table) + b"".join(checked(p, p) for p in parts.values())


def row(flags: int, clustering: bytes, body: bytes, extended: bytes = b"") -> bytes:
    return bytes([flags]) + extended + clustering + sized(b"\x00" + body)


def sstables() -> list[bytes]:
    """A byte for the version, then components: a byte for which, two for the length, and the bytes."""

    def table(version: int, *components: tuple[int, bytes]) -> bytes:
        return bytes([version]) + b"".join(bytes([c]) + struct.pack(">H", len(d)) + d for c, d in components)

    live = bytes.fromhex("7fffffff8000000000000000")
    text, number = sized(b"value"), struct.pack(">i", 7)
    cell = b"\x08" + text
    path = b"\x00\x05" + sized(b"key") + text
    tombstone = b"\x01\x07\x09\x04"
    plain = row(0x24, b"", b"\x05" + cell + b"\x02\x06\x08\x03" + number)
    rich = row(0xA0, b"", b"\x00\x05" + text, b"\x01")
    rich += row(0x24, b"\x00" + number + text, b"\x05" + cell + b"\x02" + path * 2)
    rich += bytes([2, 1, 0, 1, 0]) + number + sized(b"\x00\x05\x06") + bytes([2, 6, 0, 1, 0]) + number + sized(b"\x00\x05\x06")
    rich += row(0x54, b"\x04" + number, b"\x05\x06\x07" + b"\x01" + b"\x05\x06" + b"\x01" + tombstone + sized(b"x"))
    tables = [(([], {}, {"v": "UTF8Type", "w": "Int32Type"}), plain)]
    columns = (["ReversedType(org.apache.cassandra.db.marshal.Int32Type)", "UTF8Type"], {"s": "UTF8Type"})
    marshal = "org.apache.cassandra.db.marshal."
    tables.append(((*columns, {"v": "UTF8Type", "m": f"MapType({marshal}UTF8Type,{marshal}UTF8Type)"}), rich))
    found = []
    for description, rows in tables:
        for version, is_new in ((0, False), (5, True), (6, True)):
            partition = struct.pack(">H", 2) + b"k1" + (b"\x80" if is_new else live) + rows + b"\x01"
            index = struct.pack(">H", 2) + b"k1" + b"\x00\x00"
            summary = struct.pack("<I", 4) + b"k1" + bytes(8)
            summary = struct.pack(">IIQII", 128, 1, len(summary), 128, 1) + summary
            trie = b"\x08\x8f\xff" + b"\x13\x40" + bytes.fromhex("0002") + struct.pack(">QQQ", 5, 1, 3)
            components = [(1, statistics(*description, is_new)), (0, partition)]
            components += [(5, trie)] if version == 6 else [(3, index), (4, summary)]
            found.append(table(version, *components))
    return found


main()

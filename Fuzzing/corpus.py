"""Makes the first inputs of the fuzzers: recorded frames where there are some, and statements.

    corpus.py FOLDER [RECORDINGS]
"""

from __future__ import annotations

import pathlib
import struct
import sys

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
    for name in ("frame", "messages", "values", "cql", "compression"):
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


main()

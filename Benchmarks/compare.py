"""What comparing two clusters costs: row by row, by digests, and with a loop around the Python driver.

    compare.py BINARY [--rows 1000000] [--differences 1000] [--target HOST:PORT --source HOST:PORT] [--without-driver] [--repair]

BINARY is a release build. Two embedded nodes (or the clusters that are named) get the same rows in a keyspace of their own; then both
are changed in places that are known. While the comparisons run, a client writes through a dual writer between the two.
Each comparison must find exactly what was injected. Prints one line for each: rows per second, CPU seconds per million rows, the
peak of its memory, and bytes.

--repair lets what was injected be repaired while the client writes on: afterwards a comparison must find nothing, row by row and by
digests, and, once the writes have ended, Cassandra's driver must read the same values and times from both, cell by cell.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from cql import Connection, execute
from processes import Failed, Node, Process, Sidecar, await_listening, eventually, free_port

KEYSPACE = "d_compare"
ROWS_PER_PARTITION = 10
IN_FLIGHT = 512
BASE = 1_700_000_000_000_000
DAYS_30 = 30 * 86_400
TABLE = f"{KEYSPACE}.rows"
COUNTERS = f"{KEYSPACE}.counts"
# A row of each twentieth partition ends some day; each tenth row has a map.
EXPIRES, HAS_MAP = 20, 10


def schema(client: Connection) -> None:
    client.query(
        f"CREATE KEYSPACE IF NOT EXISTS {KEYSPACE} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
    )
    client.query(
        f"CREATE TABLE IF NOT EXISTS {TABLE} (p int, c int, v text, w int, m map<text, int>, s text static, PRIMARY KEY (p, c))"
    )
    client.query(f"CREATE TABLE IF NOT EXISTS {COUNTERS} (p int PRIMARY KEY, n counter)")


def number(value: int) -> bytes:
    return struct.pack(">i", value)


def bodies(ids: list[bytes], rows: int) -> Iterator[tuple[bytes, list[bytes]]]:
    """The statements that fill the table, by the id that has them."""
    for row in range(rows):
        p, c = divmod(row, ROWS_PER_PARTITION)
        life = DAYS_30 if p % EXPIRES == 0 and c == 0 else 0
        value = b"value %d of the partition %d, and so on" % (c, p)
        yield ids[0], [number(p), number(c), value, number(row), struct.pack(">q", BASE + row), number(life)]
        if c == 0:
            yield ids[1], [number(p), b"static of %d" % p, struct.pack(">q", BASE + row)]
        if row % HAS_MAP == 3:
            cell = struct.pack(">ii1si4s", 1, 1, b"k", 4, number(row))
            yield ids[2], [struct.pack(">q", BASE + row), cell, number(p), number(c)]


def fill(address: str, rows: int) -> None:
    with Connection(address) as client:
        schema(client)
        ids = [
            client.prepare(f"INSERT INTO {TABLE} (p, c, v, w) VALUES (?, ?, ?, ?) USING TIMESTAMP ? AND TTL ?"),
            client.prepare(f"INSERT INTO {TABLE} (p, s) VALUES (?, ?) USING TIMESTAMP ?"),
            client.prepare(f"UPDATE {TABLE} USING TIMESTAMP ? SET m = ? WHERE p = ? AND c = ?"),
        ]
        burst: list[bytes] = []
        for statement, values in bodies(ids, rows):
            burst.append(execute(statement, len(burst), values))
            if len(burst) == IN_FLIGHT:
                client.send(b"".join(burst))
                client.receive(len(burst))
                burst = []
        client.send(b"".join(burst))
        client.receive(len(burst))
        for p in range(1_000):
            client.query(f"UPDATE {COUNTERS} SET n = n + {p + 1} WHERE p = {p}")


def inject(source: str, target: str, rows: int, differences: int, seed: int) -> Counter:
    """Changes the target, and rows of the source that the target never gets; what must be found, by class."""
    dice = random.Random(seed)
    # Of every twentieth partition a row ends some day: those are for lives, the others for the rest.
    partitions = dice.sample(range(rows // ROWS_PER_PARTITION), differences)
    expected: Counter = Counter()
    with Connection(target) as client, Connection(source) as other:
        for index, p in enumerate(partitions):
            if p % EXPIRES == 0:
                kind = "ttl"
            else:
                kind = ["missing_on_target", "missing_on_source", "value", "writetime", "static", "element", "counter"][index % 7]
            row, at = p * ROWS_PER_PARTITION, f"WHERE p = {p} AND c = 3"
            time_3 = BASE + row + 3
            match kind:
                case "missing_on_target":
                    # Not a row that is deleted on the target: what a deletion covers cannot come back with its own time.
                    other.query(
                        f"INSERT INTO {TABLE} (p, c, v, w, m) VALUES ({p}, 98, 'lost', 1, {{'a': 1, 'b': 2}}) "
                        f"USING TIMESTAMP {time_3} AND TTL {DAYS_30}"
                    )
                case "missing_on_source":
                    client.query(f"INSERT INTO {TABLE} (p, c, v) VALUES ({p}, 99, 'extra') USING TIMESTAMP {time_3}")
                case "value":
                    client.query(f"UPDATE {TABLE} USING TIMESTAMP {time_3 + 1} SET v = 'other' {at}")
                case "writetime":
                    client.query(f"UPDATE {TABLE} USING TIMESTAMP {time_3 + 7} SET w = {row + 3} {at}")
                case "static":
                    client.query(f"UPDATE {TABLE} USING TIMESTAMP {BASE + row + 9} SET s = 'other' WHERE p = {p}")
                case "element":
                    client.query(f"UPDATE {TABLE} USING TIMESTAMP {time_3} SET m['x'] = 1 {at}")
                case "counter":
                    client.query(f"UPDATE {COUNTERS} SET n = n + 1 WHERE p = {index}")
                case "ttl":
                    text = f"value 0 of the partition {p}, and so on"
                    client.query(
                        f"INSERT INTO {TABLE} (p, c, v, w) VALUES ({p}, 0, '{text}', {row}) "
                        f"USING TIMESTAMP {BASE + row} AND TTL {DAYS_30 + 90_000}"
                    )
                    # v and w.
                    expected[kind] += 1
            expected[kind] += 1
    return expected


class Traffic(threading.Thread):
    """Writes and deletes through the dual writer until it is told to stop: rows that nothing was injected into, of all partitions."""

    # Neither the rows that end nor those that something is injected into.
    ROWS = [1, 2, 4, 5, 6, 7, 8, 9]

    def __init__(self, address: str, rows: int) -> None:
        super().__init__(daemon=True)
        self.address, self.rows = address, rows
        self.ends = threading.Event()
        self.written = 0
        self.failure: Exception | None = None

    def run(self) -> None:
        dice = random.Random(1)
        try:
            with Connection(self.address) as client:
                # The second and the third get their times from the dual writer.
                ids = [
                    client.prepare(f"INSERT INTO {TABLE} (p, c, v, w) VALUES (?, ?, ?, ?) USING TIMESTAMP ?"),
                    client.prepare(f"UPDATE {TABLE} SET v = ?, m = ? WHERE p = ? AND c = ?"),
                    client.prepare(f"DELETE FROM {TABLE} WHERE p = ? AND c = ?"),
                ]
                while not self.ends.wait(0.05):
                    burst = []
                    while len(burst) < 20:
                        p, c = number(dice.randrange(self.rows // ROWS_PER_PARTITION)), number(dice.choice(self.ROWS))
                        text, value = b"live %d" % self.written, number(self.written)
                        kind = len(burst) % 3
                        match kind:
                            case 0:
                                values = [p, c, text, value, struct.pack(">q", time.time_ns() // 1_000)]
                            case 1:
                                values = [text, struct.pack(">ii1si4s", 1, 1, b"l", 4, value), p, c]
                            case _:
                                values = [p, c]
                        burst.append(execute(ids[kind], len(burst), values))
                        self.written += 1
                    client.send(b"".join(burst))
                    client.receive(len(burst))
        except Exception as error:  # noqa: BLE001 - told to whoever joins
            self.failure = error


def measured(command: list[str], log: Path) -> tuple[dict, float, float, int]:
    """Runs a comparison: its report, seconds, CPU seconds, and the peak of its memory in bytes."""
    begin = time.monotonic()
    with log.open("w") as errors, (log.with_suffix(".json")).open("w") as output:
        child = subprocess.Popen(command, stdout=output, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - begin
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise Failed(f"{command[:3]} has ended with {os.waitstatus_to_exitcode(status)}:\n{log.read_text()[-2000:]}")
    report = json.loads(log.with_suffix(".json").read_text())
    return report, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10


def tell(name: str, rows: int, seconds: float, cpu: float, peak: int, more: str = "") -> None:
    print(
        f"{name:34} {rows / seconds:>9,.0f} rows/s {cpu / rows * 1e6:>7.1f} CPU-s per million {peak >> 20:>6} MiB  {more}",
        flush=True,
    )


DRIVER_LOOP = """
import sys, time
from cassandra.cluster import Cluster, ExecutionProfile, EXEC_PROFILE_DEFAULT
from cassandra.query import tuple_factory
table, addresses = sys.argv[1], sys.argv[2:]
def session(address):
    host, port = address.rsplit(":", 1)
    profile = ExecutionProfile(row_factory=tuple_factory, request_timeout=60)
    return Cluster([host], port=int(port), execution_profiles={EXEC_PROFILE_DEFAULT: profile}).connect()
text = ("SELECT p, c, v, writetime(v), ttl(v), w, writetime(w), ttl(w), m, s, writetime(s) FROM " + table
        + " WHERE token(p) > ? AND token(p) <= ?")
sessions = [session(address) for address in addresses]
statements = [each.prepare(text) for each in sessions]
for each in statements: each.fetch_size = 5000
parts, rows, differing = 64, 0, []
edges = [-(1 << 63) + (1 << 64) * part // parts for part in range(parts)] + [(1 << 63) - 1]
def pages(part):
    return [s.execute_async(t, (edges[part], edges[part + 1])) for s, t in zip(sessions, statements)]
asked = pages(0)
for part in range(parts):
    results = [future.result() for future in asked]
    if part + 1 < parts: asked = pages(part + 1)
    both = [iter(result) for result in results]
    left, right = next(both[0], None), next(both[1], None)
    known = [{}, {}]
    while left is not None or right is not None:
        rows += 1
        if left == right:
            left, right = next(both[0], None), next(both[1], None)
            continue
        # Rows of one range that do not come in pairs are put aside, and looked up at its end.
        if left is not None: known[0][left[:2]] = left; left = next(both[0], None)
        if right is not None: known[1][right[:2]] = right; right = next(both[1], None)
        if left is None or right is None or left[:2] == right[:2]: continue
    for key in known[0].keys() | known[1].keys():
        one, other = known[0].get(key), known[1].get(key)
        if one is None or other is None or any(
            a != b and not (i in (4, 7) and a is not None and b is not None and abs(a - b) <= 10)
            for i, (a, b) in enumerate(zip(one, other))):
            differing.append(key)
import json
print(json.dumps({"rows": rows, "differing": len(differing)}))
"""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("binary")
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--differences", type=int, default=1_000)
    options.add_argument("--source")
    options.add_argument("--target")
    options.add_argument("--without-driver", action="store_true")
    options.add_argument("--repair", action="store_true")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        nodes = [] if given.source else [Node(given.binary, each, folder) for each in ("source", "target")]
        try:
            source, target = (given.source, given.target) if given.source else tuple(node.address() for node in nodes)
            return run(given, folder, source, target)
        finally:
            for node in nodes:
                node.stop()


def run(given: argparse.Namespace, folder: Path, source: str, target: str) -> int:
    begin = time.monotonic()
    threads = [threading.Thread(target=fill, args=(address, given.rows)) for address in (source, target)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{given.rows:,} rows on either side after {time.monotonic() - begin:.0f} s", flush=True)
    clusters = ["--set", f"source.hosts={source}", "--set", f"target.hosts={target}"]
    common = [*clusters, "--set", "settle.wait_ms=500"]
    chosen = ["--keyspace", KEYSPACE, "--json"]
    failures = []
    port = free_port("127.0.0.1")
    digests = [given.binary, "dual-reader", "digests", "--cluster", "target", *common, "--set", f"admin.listen=127.0.0.1:{port}"]
    with Process("peer", digests, folder / "peer.log") as peer:
        await_listening(peer, f"127.0.0.1:{port}")
        peer.said("admin port listens")

        def compare(what: str, by_digests: bool, expected: Counter, words: list[str] = [], command: str = "compare") -> None:
            call = [given.binary, "dual-reader", command, *common, "--set", f"state_dir={folder / 'reader'}", *chosen, *words]
            if by_digests:
                call += ["--set", f"peer.url=http://127.0.0.1:{port}"]
            report, seconds, cpu, peak = measured(call, folder / "compare.log")
            found = Counter()
            for table in report["tables"]:
                found.update(table["differences"])
            counts = report["counts"]
            moved = counts["source_bytes"] + counts["target_bytes"]
            more = f"read from here {moved:,} bytes"
            if sums := report.get("digests"):
                share = 100 * (sums["peer_bytes"] + sums["opened_bytes"]) / sums["digested_bytes"]
                more = (
                    f"{sums['peer_bytes']:,} bytes between readers, {sums['opened_bytes']:,} opened in {sums['ranges_opened']}, "
                    f"reading both sends {sums['digested_bytes']:,}: {share:.3f} %"
                )
            tell(what, counts["rows"], seconds, cpu, peak, more)
            print(f"{'':34} {report['verdict']}; settled {counts['rows_settled']}; found {dict(sorted(found.items()))}")
            if found != expected or counts["rows_undecided"]:
                failures.append(f"{what}: expected {dict(sorted(expected.items()))}, undecided {counts['rows_undecided']}")
            if command == "repair":
                print(f"{'':34} {counts['rows_repaired']} rows were repaired of {counts['rows_different']}")
                if counts["rows_repaired"] != counts["rows_different"]:
                    failures.append(f"{what}: {counts}")

        def by_driver(what: str, differing: int) -> None:
            command = [sys.executable, "-c", DRIVER_LOOP, TABLE, source, target]
            report, seconds, cpu, peak = measured(command, folder / "driver.log")
            tell(what, report["rows"], seconds, cpu, peak, f"differing {report['differing']}")
            if report["differing"] != differing:
                failures.append(f"{what}: {report}")

        compare("equal, row by row", False, Counter())
        compare("equal, by digests", True, Counter())
        if not given.without_driver:
            by_driver("equal, Python driver's loop", differing=0)
        expected = inject(source, target, given.rows, given.differences, seed=7)
        # Two sidecars of one kind: the dual writer's state is its own.
        with Sidecar([given.binary], "sidecar", folder, source=source, target=target) as sidecar:
            address = sidecar.ready()
            sidecar.walk("DualWriteAsync")
            asking = ["--set", f"dual_writer.admin={sidecar.admin()}"]
            traffic = Traffic(address, given.rows)
            traffic.start()
            compare("differing, writes under way", False, expected, asking)
            compare("differing, writes, by digests", True, expected, asking)
            if given.repair:
                words = ["--policy", "source_wins", "--delete-extras", "--align-source", "--counters", "--apply"]
                compare("repaired, writes under way", False, expected, [*asking, *words], command="repair")
                compare("after it, writes under way", False, Counter(), asking)
                compare("after it, writes, by digests", True, Counter(), asking)
            traffic.ends.set()
            traffic.join()
            print(f"{'':34} {traffic.written:,} writes were made meanwhile")
            if traffic.failure is not None:
                failures.append(f"the traffic failed: {traffic.failure}")
            if given.repair:
                eventually(lambda: sidecar.owed() == 0, "nothing is owed")
                compare("after it, at rest", False, Counter(), asking)
                if not given.without_driver:
                    by_driver("after it, cell by cell, Python driver", differing=0)
        print(f"{'':34} peer: peak {peer.memory()['peak'] >> 20} MiB")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

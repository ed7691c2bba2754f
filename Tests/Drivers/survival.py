"""A sidecar that is killed again and again under load, and a target that stands still meanwhile: nothing acknowledged is lost,
and both clusters hold the same cells in the end.

    survival.py --binary PATH [--kills 50] [--frozen-seconds 60]
"""

from __future__ import annotations

import argparse
import logging
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from cassandra.cluster import Cluster, Session
from cassandra.policies import ConstantReconnectionPolicy
from cassandra.query import BatchStatement, BatchType

from checks import Report, equal, eventually
from compare import contents
from process import Sidecar
from several import free_port

WORKERS = 8
SCHEMA = (
    "CREATE KEYSPACE survival WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
    "CREATE TABLE survival.single (k int PRIMARY KEY, v text, w set<int>)",
    "CREATE TABLE survival.wide (p int, c int, v text, PRIMARY KEY (p, c))",
)
# Writes between two kills, at least: each sidecar has something under way when it dies.
WRITES_PER_LIFE = 300


class Node:
    """An embedded node in a process of its own."""

    def __init__(self, binary: str, folder: Path, name: str) -> None:
        log = folder / f"{name}.log"
        with log.open("w") as output:
            self.process = subprocess.Popen([binary, "node", "--listen", "127.0.0.1:0", "--cluster-name", name], stdout=output)
        eventually(lambda: "accepts connections" in log.read_text(), name)
        self.address = log.read_text().split()[-1]
        host, port = self.address.rsplit(":", 1)
        self.cluster = Cluster([host], port=int(port), protocol_version=4)
        self.session = self.cluster.connect()
        for statement in SCHEMA:
            self.session.execute(statement)

    def kill(self) -> None:
        self.cluster.shutdown()
        self.process.kill()
        self.process.wait()


class Application:
    """Threads that write, whatever happens, and remember what was acknowledged."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.lock = threading.Lock()
        self.acknowledged: set[int] = set()
        self.failed = 0
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self._work, args=(number,)) for number in range(WORKERS)]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def count(self) -> int:
        with self.lock:
            return len(self.acknowledged)

    def _work(self, number: int) -> None:
        # Half of the applications choose their own timestamps, the others get the sidecar's.
        session = self._connected()
        if session is None:
            return
        session.use_client_timestamp = number % 2 == 0
        session.default_timeout = 30
        statements = [
            session.prepare("INSERT INTO survival.single (k, v) VALUES (?, ?)"),
            session.prepare("UPDATE survival.single SET w = w + ? WHERE k = ?"),
            session.prepare("INSERT INTO survival.wide (p, c, v) VALUES (?, ?, ?)"),
        ]
        turn = 0
        while not self.stopped.is_set():
            key = number * 10_000_000 + turn
            turn += 1
            try:
                self._write(session, statements, key)
            except Exception:
                # Nobody knows; the clusters must agree all the same.
                self.failed += 1
                time.sleep(0.01)
                continue
            with self.lock:
                self.acknowledged.add(key)
        session.cluster.shutdown()

    def _connected(self) -> Session | None:
        """A session that survives the sidecar; a driver's cluster object that could not connect once is of no use again."""
        while not self.stopped.is_set():
            policy = ConstantReconnectionPolicy(0.02, max_attempts=None)
            cluster = Cluster(["127.0.0.1"], port=self.port, protocol_version=4, reconnection_policy=policy)
            try:
                return cluster.connect()
            except Exception:
                cluster.shutdown()
                time.sleep(0.05)
        return None

    @staticmethod
    def _write(session: Session, statements: list, key: int) -> None:
        kind = key % 5
        if kind == 0:
            session.execute(f"INSERT INTO survival.single (k, v) VALUES ({key}, 'text')")
        elif kind == 1:
            session.execute(statements[1], ({key, key + 1}, key))
        elif kind == 2:
            batch = BatchStatement(BatchType.UNLOGGED if key % 2 else BatchType.LOGGED)
            batch.add(statements[0], (key, "batch"))
            batch.add(statements[2], (key, key, "batch"))
            session.execute(batch)
        elif kind == 3:
            session.execute(statements[0], (key, "x" * (key % 3_000)))
            session.execute(f"DELETE v FROM survival.single WHERE k = {key}")
            session.execute(f"UPDATE survival.single SET w = {{1}} WHERE k = {key}")
        else:
            session.execute(statements[0], (key, "prepared"))


def run(binary: str, report: Report, kills: int, frozen_seconds: float) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, target = Node(binary, folder, "source"), Node(binary, folder, "target")
        port = free_port()
        sidecars: list[Sidecar] = []

        def start() -> Sidecar:
            settings = ("journal.segment_bytes=1048576", "timeouts.shadow_write_ms=500")
            listen = f"127.0.0.1:{port}"
            sidecar = Sidecar(binary, folder, source.address, target.address, "DualWriteAsync", settings, listen)
            sidecars.append(sidecar)
            sidecar.address("dual-writer listens")
            return sidecar

        application = Application(port)
        try:
            sidecar = start()
            application.start()
            frozen_from = kills // 2
            for life in range(kills):
                if life == frozen_from:
                    target.process.send_signal(signal.SIGSTOP)
                    began = time.monotonic()
                before = application.count()
                eventually(lambda: application.count() > before + WRITES_PER_LIFE, f"writes in life {life}")
                if life == frozen_from:
                    time.sleep(frozen_seconds)
                    written = application.count() - before
                    report.check("survival: a target that stands still does not hold up the application", lambda: written > WRITES_PER_LIFE)
                sidecar.kill()
                sidecar = start()
                if life == frozen_from + 2 or life == kills - 1:
                    target.process.send_signal(signal.SIGCONT)
            application.stop()
            admin = sidecar.admin()
            owed = lambda: sum(leg["shadow_queued"] for leg in admin.status()["legs"])
            eventually(lambda: owed() == 0, "an empty journal", seconds=120)
            left, right = contents(source.session, "survival"), contents(target.session, "survival")
            kept = {int(row.k) for row in source.session.execute("SELECT k FROM survival.single")}
            print(f"survival: {kills} kills, {application.count()} acknowledged, {application.failed} without an answer")
            report.check("survival: the source has every acknowledged write", lambda: equal(sorted(application.acknowledged - kept)[:3], []))
            for table, rows in left.items():
                missing = lambda: equal(sorted(set(rows) - set(right[table]))[:3], [])
                report.check(f"survival: the target lacks no cell of {table}", missing)
                surplus = lambda: equal(sorted(set(right[table]) - set(rows))[:3], [])
                report.check(f"survival: the target has no cell of {table} that the source lacks", surplus)
        finally:
            application.stop()
            for sidecar in sidecars:
                sidecar.kill()
            source.kill()
            target.kill()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--frozen-seconds", type=float, default=60)
    options = parser.parse_args()
    logging.getLogger("cassandra").setLevel(logging.CRITICAL)
    report = Report()
    run(options.binary, report, options.kills, options.frozen_seconds)
    print(f"\n{report.passed} passed, {len(report.failed)} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Walks the write mode under load: no request may fail, none may be lost or done twice."""

from __future__ import annotations

import threading
import time

from cassandra.cluster import Session

from admin import MODES, Admin
from checks import Report, equal, eventually

WINDOW = 128
ANSWERS_PER_MODE = 2_000


class Load:
    """Prepared inserts and counter updates, `WINDOW` in flight, until it is stopped."""

    def __init__(self, session: Session, keyspace: str) -> None:
        self.insert = session.prepare(f"INSERT INTO {keyspace}.plain (k, v) VALUES (?, ?)")
        self.count = session.prepare(f"UPDATE {keyspace}.hits SET n = n + 1 WHERE page = ?")
        self.session = session
        self.lock = threading.Lock()
        self.next = 1_000_000
        self.acknowledged: list[int] = []
        self.counted = 0
        self.errors: list[str] = []
        self.in_flight = 0
        self.stopping = False
        self.idle = threading.Event()

    def start(self) -> None:
        for _ in range(WINDOW):
            self._send()

    def _send(self) -> None:
        with self.lock:
            key = self.next
            self.next += 1
            self.in_flight += 1
        counts = key % 10 == 0
        future = self.session.execute_async(*((self.count, ("load",)) if counts else (self.insert, (key, f"v{key}"))))
        future.add_callbacks(lambda _: self._done(key, counts, None), lambda error: self._done(key, counts, error))

    def _done(self, key: int, counts: bool, error: Exception | None) -> None:
        with self.lock:
            self.in_flight -= 1
            if error is not None:
                self.errors.append(f"{type(error).__name__}: {error}")
            elif counts:
                self.counted += 1
            else:
                self.acknowledged.append(key)
            stopping = self.stopping
            if stopping and self.in_flight == 0:
                self.idle.set()
        if not stopping:
            self._send()

    def stop(self) -> None:
        with self.lock:
            self.stopping = True
        if not self.idle.wait(30):
            self.errors.append("requests were left without an answer")


def walked(session: Session, admin: Admin, keyspace: str, modes: list[str]) -> Load:
    """Runs the load while the modes are walked, some thousand answers in each, each step another way."""
    load = Load(session, keyspace)
    load.start()
    started = time.monotonic()
    ways = [admin.put, admin.post, admin.command]
    for step, mode in enumerate(modes):
        end = len(load.acknowledged) + ANSWERS_PER_MODE
        eventually(lambda: len(load.acknowledged) >= end or bool(load.errors), "answers")
        ways[step % 3](mode)
    load.stop()
    seconds = time.monotonic() - started
    done = len(load.acknowledged) + load.counted
    print(f"        {done} writes acknowledged in {seconds:.1f} s ({done / seconds:.0f}/s), modes {', '.join(modes)}")
    return load


def run(session: Session, source: Session, target: Session, admin: Admin, keyspace: str, report: Report) -> None:
    """Walks to both ends, where only one cluster gets the writes, and between them, where both must hold every row."""
    ends = walked(session, admin, "in_primaryonly", MODES[3::-1] + MODES[1:] + MODES[3:4])
    report.check("load: no request fails from one end to the other and back", lambda: equal(ends.errors[:3], []))
    admin.walk("DualWriteAsync")
    load = walked(session, admin, keyspace, MODES[2:4] + MODES[2:3] + MODES[1:2] + MODES[2:4])
    report.check("load: no request fails while the mode is walked", lambda: equal(load.errors[:3], []))

    def complete(cluster: Session) -> bool:
        held = {row.k for row in cluster.execute(f"SELECT k FROM {keyspace}.plain") if row.k >= 1_000_000}
        return equal(sorted(set(load.acknowledged) - held)[:3], [])

    def counted(cluster: Session) -> bool:
        row = cluster.execute(f"SELECT n FROM {keyspace}.hits WHERE page = 'load'").one()
        return equal(row.n, load.counted)

    for name, cluster in (("source", source), ("target", target)):
        report.check(f"load: the {name} has every acknowledged row", lambda: eventually(lambda: complete(cluster), name))
        report.check(f"load: the {name} has counted each update once", lambda: eventually(lambda: counted(cluster), name))

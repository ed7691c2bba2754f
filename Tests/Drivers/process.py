"""The life of a sidecar's process: SIGTERM and SIGKILL under load, a restart, a state folder that is taken."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from cassandra.cluster import Cluster, Session

from admin import Admin
from checks import DEADLINE_SECONDS, Report, equal, eventually

WINDOW = 64
TABLE = "in_dualwriteasync.plain"
EXIT_LOCKED = 75
EXIT_UNAVAILABLE = 69
EXIT_UNDELIVERED = 74


class Sidecar:
    """A child process, with its log in a file."""

    def __init__(
        self,
        binary: str,
        folder: Path,
        source: str,
        target: str,
        mode: str,
        settings: tuple[str, ...] = (),
        listen: str | None = "127.0.0.1:0",
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.log = folder / f"sidecar-{time.monotonic_ns()}.log"
        command = [binary, "dual-writer", "--admin", "127.0.0.1:0"]
        if listen is not None:
            command += ["--listen", listen]
        command += ["--state-dir", str(folder / "state")]
        # Nothing was there before, and these tests fail writes on purpose.
        gates = ("gates.bulk_load=off", "gates.comparison=off", "gates.error_rate=off")
        for setting in gates + tuple(settings):
            command += ["--set", setting]
        environment = os.environ | {"CASSANDRA_HOSTS": source, "SCYLLA_HOSTS": target, "WRITE_MODE": mode}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)

    def text(self) -> str:
        return self.log.read_text()

    def address(self, line: str) -> str:
        """Where it listens, from its own words."""
        pattern = re.compile(re.escape(line) + r".*address=(?:\[IPv4\])?([\d.]+(?:/[\d.]+)?:\d+)")

        def found() -> bool:
            if self.process.poll() is not None:
                raise RuntimeError(f"it has ended with {self.process.returncode}: {self.text()}")
            return pattern.search(self.text()) is not None

        eventually(found, line)
        return pattern.search(self.text()).group(1).split("/")[-1]

    def connect(self, **options: object) -> tuple[Cluster, Session]:
        host, port = self.address("dual-writer listens").rsplit(":", 1)
        eventually(lambda: "cluster connected cluster=source" in self.text(), "the source")
        cluster = Cluster([host], port=int(port), protocol_version=4, **options)
        return cluster, cluster.connect()

    def admin(self) -> Admin:
        return Admin(self.address("admin port listens"))

    def ended(self) -> int:
        return self.process.wait(DEADLINE_SECONDS)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Writes:
    """Inserts until an error says that the sidecar is gone; what was acknowledged is remembered."""

    def __init__(self, session: Session, first: int) -> None:
        self.insert = session.prepare(f"INSERT INTO {TABLE} (k, v) VALUES (?, ?)")
        self.session = session
        self.next = first
        self.lock = threading.Lock()
        self.acknowledged: list[int] = []
        self.ended = threading.Event()
        self.in_flight = WINDOW

    def start(self) -> None:
        for _ in range(WINDOW):
            self._send()

    def _send(self) -> None:
        with self.lock:
            key = self.next
            self.next += 1
        try:
            future = self.session.execute_async(self.insert, (key, "v"), timeout=DEADLINE_SECONDS)
        except Exception:
            return self._stop()
        future.add_callbacks(lambda _: self._done(key), lambda _: self._stop())

    def _done(self, key: int) -> None:
        with self.lock:
            self.acknowledged.append(key)
        self._send()

    def _stop(self) -> None:
        with self.lock:
            self.in_flight -= 1
            if self.in_flight == 0:
                self.ended.set()

    def missing(self, cluster: Session) -> list[int]:
        held = {row.k for row in cluster.execute(f"SELECT k FROM {TABLE}")}
        return sorted(set(self.acknowledged) - held)[:3]


def run(binary: str, source: str, target: str, clusters: dict[str, Session], report: Report) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started: list[Sidecar] = []

        def start(mode: str) -> Sidecar:
            started.append(Sidecar(binary, folder, source, target, mode))
            return started[-1]

        def stopped_under_load(sidecar: Sidecar, number: int, first: int) -> tuple[Writes, int]:
            cluster, session = sidecar.connect()
            writes = Writes(session, first)
            writes.start()
            eventually(lambda: len(writes.acknowledged) > 2_000, "writes")
            sidecar.process.send_signal(number)
            code = sidecar.ended()
            cluster.shutdown()
            return writes, code

        try:
            first = start("DualWriteAsync")
            first.address("admin port listens")
            locked = start("DualWriteAsync")
            report.check("process: a second sidecar on one state folder ends with 75", lambda: equal(locked.ended(), EXIT_LOCKED))
            report.check("process: and says which folder", lambda: str(folder / "state") in locked.text())
            writes, code = stopped_under_load(first, signal.SIGTERM, 2_000_000)
            report.check("process: SIGTERM under load ends with 0", lambda: equal(code, 0))
            for cluster_name, session in clusters.items():
                report.check(
                    f"process: after SIGTERM the {cluster_name} has every acknowledged row",
                    lambda: equal(writes.missing(session), []),
                )
            second = start("PrimaryOnly")
            admin = second.admin()
            report.check("process: a restart keeps the mode", lambda: equal(admin.mode(), "DualWriteAsync"))
            eventually(lambda: all(leg["connected"] for leg in admin.status()["legs"]), "both legs")
            admin.put("DualWriteSync")
            writes, _ = stopped_under_load(second, signal.SIGKILL, 4_000_000)
            for cluster_name, session in clusters.items():
                report.check(
                    f"process: after SIGKILL in DualWriteSync the {cluster_name} has every acknowledged row",
                    lambda: equal(writes.missing(session), []),
                )
            third = start("PrimaryOnly")
            report.check("process: SIGKILL loses no mode", lambda: equal(third.admin().mode(), "DualWriteSync"))
            taken = Sidecar(binary, folder / "other", source, target, "PrimaryOnly", (f"listen={third.address('dual-writer listens')}",))
            started.append(taken)
            report.check("process: an address that is taken ends with 69", lambda: equal(taken.ended(), EXIT_UNAVAILABLE))
            report.check("process: and names it", lambda: f"{third.address('dual-writer listens')} cannot be listened on" in taken.text())
        finally:
            for sidecar in started:
                sidecar.kill()


def frozen_shadow(binary: str, source: str, report: Report) -> None:
    """A shadow that hangs cannot keep the sidecar from stopping; the next one delivers what the journal holds. Without a journal
    the exit code says that the shadow lacks writes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = folder / "node.log"
        with log.open("w") as output:
            node = subprocess.Popen([binary, "node", "--listen", "127.0.0.1:0", "--cluster-name", "frozen"], stdout=output)
        eventually(lambda: "accepts connections" in log.read_text(), "the node")
        address = log.read_text().split()[-1]
        settings = ("timeouts.drain_ms=1500", "timeouts.shadow_write_ms=300")
        sidecars = [Sidecar(binary, folder, source, address, "PrimaryOnly", settings)]
        sidecar = sidecars[0]
        host, port = address.rsplit(":", 1)
        try:
            cluster, session = sidecar.connect()
            eventually(lambda: sidecar.text().count("cluster connected") == 2, "both clusters")
            sidecar.admin().put("DualWriteAsync")
            session.execute("CREATE KEYSPACE IF NOT EXISTS frozen WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
            session.execute("CREATE TABLE IF NOT EXISTS frozen.t (k int PRIMARY KEY)")
            node.send_signal(signal.SIGSTOP)
            for key in range(500):
                session.execute(f"INSERT INTO frozen.t (k) VALUES ({key})")
            report.check("process: a frozen shadow does not hold up the application", lambda: True)
            sidecar.process.send_signal(signal.SIGTERM)
            report.check("process: a stop that leaves writes in the journal ends with 0", lambda: equal(sidecar.ended(), 0))
            report.check("process: and says how many", lambda: "owed=500" in sidecar.text() or equal(sidecar.text(), "500"))
            cluster.shutdown()
            node.send_signal(signal.SIGCONT)
            sidecars.append(Sidecar(binary, folder, source, address, "PrimaryOnly", settings))
            target = Cluster([host], port=int(port), protocol_version=4).connect()
            delivered = lambda: equal(len(list(target.execute("SELECT k FROM frozen.t"))), 500)
            report.check("process: the next sidecar delivers them", lambda: eventually(delivered, "500 rows"))
            sidecars[-1].kill()

            bare = Sidecar(binary, folder / "bare", source, address, "DualWriteAsync", settings + ("journal.enabled=false",))
            sidecars.append(bare)
            cluster, session = bare.connect()
            eventually(lambda: bare.text().count("cluster connected") == 2, "both clusters")
            node.send_signal(signal.SIGSTOP)
            for key in range(1_000, 1_500):
                session.execute(f"INSERT INTO frozen.t (k) VALUES ({key})")
            bare.process.send_signal(signal.SIGTERM)
            report.check("process: a stop that loses writes ends with 74", lambda: equal(bare.ended(), EXIT_UNDELIVERED))
            report.check("process: and says how many", lambda: "with 500 requests" in bare.text() or equal(bare.text(), "500"))
            cluster.shutdown()
        finally:
            for sidecar in sidecars:
                sidecar.kill()
            node.kill()
            node.wait()


def unread_log(binary: str, source: str, target: str, report: Report) -> None:
    """Whoever read the log goes away: the sidecar goes on, and what nobody takes is counted."""
    with tempfile.TemporaryDirectory() as name:
        command = [binary, "dual-writer", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--state-dir", f"{name}/state"]
        environment = os.environ | {"CASSANDRA_HOSTS": source, "SCYLLA_HOSTS": target, "WRITE_MODE": "PrimaryOnly"}
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        try:
            said, address = set(), None
            while len(said) < 2 or address is None:
                line = process.stderr.readline()
                if not line:
                    raise RuntimeError(f"it has ended with {process.wait()}")
                said |= set(re.findall(r"cluster connected cluster=(\w+)", line))
                if match := re.search(r"admin port listens.*?([\d.]+:\d+)$", line.strip()):
                    address = match.group(1)
            process.stderr.close()
            admin = Admin(address)
            # Each change is a line of the log.
            changed = lambda: admin.put("DualWriteAsync") or equal(admin.mode(), "DualWriteAsync")
            report.check("process: it goes on when nobody reads its log any more", changed)
            lost = lambda: admin._send("GET", "/v1/logs")["lines_dropped"] > 0
            report.check("process: lines that nobody takes are counted", lost)
            process.terminate()
            report.check("process: and it ends in order", lambda: equal(process.wait(DEADLINE_SECONDS), 0))
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

"""A whole migration, driven by the client that older tools come with: GET /health, POST /config with all six fields for each phase,
GET /metrics read line by line, and the loader's and the reader's paths. It knows nothing of what is new here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

from cassandra.cluster import Cluster, Session

from admin import MODES
from checks import DEADLINE_SECONDS, Report, equal, eventually
from compare import same

KEYSPACE = "orchestrated"
OLD_ROWS = 2_000
# Of one application that goes on all the while.
WRITES_AT_ONCE = 20
PAUSE_SECONDS = 0.05
LOAD_SECONDS = 120.0


class Process:
    """A child process that says where it listens."""

    def __init__(self, folder: Path, name: str, command: list[str], line: str, **environment: str) -> None:
        self.log = folder / f"{name}.log"
        with self.log.open("w") as log:
            self.child = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=subprocess.STDOUT)
        self.line = line

    def address(self, line: str | None = None) -> str:
        pattern = re.compile(re.escape(line or self.line) + r".*?(?:address=(?:\[IPv4\])?(?:[\d.]+/)?|on )([\d.]+:\d+)")

        def said() -> bool:
            if self.child.poll() is not None:
                raise RuntimeError(f"it has ended with {self.child.returncode}: {self.log.read_text()}")
            return pattern.search(self.log.read_text()) is not None

        eventually(said, line or self.line)
        return pattern.search(self.log.read_text()).group(1)

    def stop(self) -> int:
        self.child.terminate()
        try:
            return self.child.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return self.child.wait()


def ask(method: str, url: str, body: dict | None = None) -> dict:
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), method=method)
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as response:
            return json.loads(response.read())
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {url}: {error.code} {error.read().decode()}") from None


class Proxy:
    """The dual writer as that client sees it."""

    def __init__(self, address: str, source: str, target: str) -> None:
        self.base = f"http://{address}"
        self.source = source
        self.target = target

    def health(self) -> dict:
        return ask("GET", f"{self.base}/health")

    def configure(self, mode: str) -> dict:
        # Before the load, old rows are missing on the target: nothing is compared until then.
        percentage = 100.0 if mode in ("ShadowPrimary", "TargetOnly") else 0.0
        fields = {
            "cassandra_hosts": [self.source],
            "scylla_hosts": [self.target],
            "write_mode": mode,
            "validation_percentage": percentage,
            "shadow_write_timeout_ms": 5000,
            "primary_write_timeout_ms": 10000,
        }
        return ask("POST", f"{self.base}/config", fields)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's lines that have these labels."""
        total = 0.0
        with urllib.request.urlopen(f"{self.base}/metrics", timeout=DEADLINE_SECONDS) as response:
            for line in response.read().decode().split("\n"):
                if line.startswith("#") or not line.strip():
                    continue
                sample, value = line.rsplit(" ", 1)
                metric, _, rest = sample.partition("{")
                if metric == name and all(f'{key}="{text}"' in rest for key, text in labels.items()):
                    total += float(value)
        return total


class Application:
    """Writes and reads through the proxy until told to stop; what was acknowledged is counted, what failed is kept."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.insert = session.prepare(f"INSERT INTO {KEYSPACE}.t (k, v) VALUES (?, ?)")
        self.select = session.prepare(f"SELECT v FROM {KEYSPACE}.t WHERE k = ?")
        self.written = 0
        self.failures: list[str] = []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        key = OLD_ROWS
        while not self.stopped.is_set():
            try:
                keys = range(key, key + WRITES_AT_ONCE)
                for future in [self.session.execute_async(self.insert, (each, f"new {each}")) for each in keys]:
                    future.result()
                # Old rows, too: they are on the source alone until they were loaded.
                for future in [self.session.execute_async(self.select, (each % OLD_ROWS,)) for each in keys]:
                    future.result()
            except Exception as error:
                self.failures.append(f"{type(error).__name__}: {error}")
                return
            key += WRITES_AT_ONCE
            self.written += WRITES_AT_ONCE
            # It leaves the clusters some time for the load.
            self.stopped.wait(PAUSE_SECONDS)

    def has_written(self, more: int) -> bool:
        goal = self.written + more
        return eventually(lambda: bool(self.failures) or self.written >= goal, f"{more} more writes")

    def end(self) -> None:
        self.stopped.set()
        self.thread.join()


def node(folder: Path, binary: str, name: str) -> tuple[Process, str, Session]:
    process = Process(folder, name, [binary, "node", "--listen", "127.0.0.1:0", "--cluster-name", name], "accepts connections")
    address = process.address()
    host, port = address.rsplit(":", 1)
    session = Cluster([host], port=int(port), protocol_version=4).connect()
    session.execute(f"CREATE KEYSPACE {KEYSPACE} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
    session.execute(f"CREATE TABLE {KEYSPACE}.t (k int PRIMARY KEY, v text)")
    return process, address, session


def load(address: str) -> bool:
    """The loader, by its paths of old."""
    base = f"http://{address}"
    equal(ask("GET", f"{base}/discover/{KEYSPACE}")["tables"], ["t"])
    ask("POST", f"{base}/start", {"keyspace_filter": [KEYSPACE], "drop_indexes_first": False, "rebuild_indexes_after": False})

    def is_done() -> bool:
        migration = ask("GET", f"{base}/status")["migration"]
        return not migration["is_running"] and migration["progress_percent"] == 100 and migration["failed_rows"] == 0

    return eventually(is_done, "the load", LOAD_SECONDS)


def validate(address: str) -> bool:
    """The reader, by its paths of old."""
    base = f"http://{address}"
    ask("POST", f"{base}/validate", {})
    eventually(lambda: ask("GET", f"{base}/status").get("last") is not None, "the comparison")
    return equal(ask("GET", f"{base}/discrepancies")["discrepancies"], [])


def run(binary: str, report: Report) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started: list[Process] = []
        try:
            migrate(binary, folder, started, report)
        finally:
            for process in reversed(started):
                process.stop()


def migrate(binary: str, folder: Path, started: list[Process], report: Report) -> None:
    clusters = {}
    for name in ("source", "target"):
        process, address, session = node(folder, binary, name)
        started.append(process)
        clusters[name] = (address, session)
    (source, source_session), (target, target_session) = clusters["source"], clusters["target"]
    old = source_session.prepare(f"INSERT INTO {KEYSPACE}.t (k, v) VALUES (?, ?)")
    for future in [source_session.execute_async(old, (key, f"old {key}")) for key in range(OLD_ROWS)]:
        future.result()
    hosts = {"CASSANDRA_HOSTS": source, "SCYLLA_HOSTS": target}

    def start(name: str, command: list[str], **environment: str) -> Process:
        process = Process(folder, name, [binary, *command], "admin port listens", **hosts, **environment)
        started.append(process)
        return process

    command = ["dual-writer", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--state-dir", str(folder / "writer")]
    writer = start("writer", command, WRITE_MODE="PrimaryOnly")
    proxy = Proxy(writer.address(), source, target)
    eventually(lambda: proxy.health()["cassandra_connected"] and proxy.health()["scylla_connected"], "both clusters")
    told = ("--set", f"dual_writer.admin=http://{writer.address()}", "--set", "admin.listen=127.0.0.1:0")
    settings = ("--set", "job.auto_start=false", "--set", "job.exit_when_done=false", "--set", f"state_dir={folder / 'loader'}")
    loader = start("loader", ["sstable-loader", *told, *settings])
    reader = start("reader", ["dual-reader", *told, "--set", f"state_dir={folder / 'reader'}"])
    host, port = writer.address("dual-writer listens").rsplit(":", 1)
    session = Cluster([host], port=int(port), protocol_version=4).connect()
    application = Application(session)
    application.thread.start()
    try:
        for mode in MODES:
            if mode == "ShadowPrimary":
                report.check("orchestration: the loader carries what was there before", lambda: load(loader.address()))
                report.check("orchestration: the reader finds nothing that differs", lambda: validate(reader.address()))
            step = lambda: equal(proxy.configure(mode)["write_mode"], mode) and equal(proxy.health()["current_mode"], mode)
            report.check(f"orchestration: POST /config with six fields goes to {mode}", step)
            databases = {"PrimaryOnly": ["source"], "TargetOnly": ["target"]}.get(mode, ["source", "target"])
            before = {database: proxy.metric("proxy_writes_total", database=database, status="success") for database in databases}
            application.has_written(WRITES_AT_ONCE * 5)
            for database in databases:
                grown = lambda: eventually(
                    lambda: proxy.metric("proxy_writes_total", database=database, status="success") > before[database], "it grows"
                )
                report.check(f"orchestration: {mode}: the metric of writes to the {database} grows", grown)
        report.check("orchestration: latencies are there", lambda: proxy.metric("proxy_write_latency_seconds_count") > 0)
        report.check("orchestration: no mismatch", lambda: equal(proxy.metric("proxy_consistency_mismatches"), 0.0))
        last = lambda: equal(proxy.configure("ShadowPrimary")["write_mode"], "ShadowPrimary")
        report.check("orchestration: and a phase back", last)
    finally:
        application.end()
    report.check("orchestration: the application has seen no error", lambda: equal(application.failures, []))
    expected = OLD_ROWS + application.written
    held = lambda: equal(len(list(target_session.execute(f"SELECT k FROM {KEYSPACE}.t"))), expected)
    report.check(f"orchestration: the target holds all {expected} rows", held)

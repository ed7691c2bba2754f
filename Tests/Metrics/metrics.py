"""Has a real Prometheus look at a sidecar, a loader and a reader under traffic, and asks it every question of the dashboard and the rules."""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Callable

import yaml
from cassandra.cluster import Cluster, Session

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "config/prometheus"
DASHBOARD = ROOT / "config/grafana/cluster-sync.json"
DEADLINE_SECONDS = 45
WRITES = 400
BACKLOG = 50
# What no healthy run feeds: alerts, requests to the target that failed, and what is known only while a load or a comparison goes on.
UNFED = ["ALERTS", "cluster_sync_loader_retries_total", "cluster_sync_loader_eta_seconds", "changes(cluster_sync_phase_epoch"]
UNFED += [f"cluster_sync_reader_{name}" for name in ("current_tokens_covered_ratio", "rows_per_second", "eta_seconds")]


class Fault(Exception):
    """Something that is not as it must be."""


def eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise Fault(f"{what}: not within {DEADLINE_SECONDS} s")
        time.sleep(0.2)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Processes:
    """Child processes, each with a log of its own, that end with this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: dict[str, subprocess.Popen] = {}

    def start(self, name: str, command: list[object], line: str, **environment: str) -> None:
        log = self.folder / f"{name}.log"
        with log.open("w") as output:
            self.started[name] = subprocess.Popen(
                list(map(str, command)), env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT
            )

        def listens() -> bool:
            if self.started[name].poll() is not None:
                raise Fault(f"{name} has ended:\n{log.read_text()}")
            return line in log.read_text()

        eventually(listens, f"{name} starts")

    def stop(self, name: str) -> None:
        self.started[name].terminate()
        self.started.pop(name).wait(DEADLINE_SECONDS)

    def stop_all(self) -> None:
        for process in self.started.values():
            process.kill()
        for process in self.started.values():
            process.wait(DEADLINE_SECONDS)


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=DEADLINE_SECONDS) as response:
        return response.read().decode()


class Prometheus:
    """The API of a running Prometheus."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}/api/v1"

    def query(self, text: str) -> list[dict]:
        """The answer to a query at this moment."""
        try:
            answer = json.loads(get(f"{self.base}/query?{urllib.parse.urlencode({'query': text})}"))
        except urllib.error.HTTPError as error:
            raise Fault(f"{text}\n{error.read().decode()}") from None
        return answer["data"]["result"]

    def rules(self) -> list[dict]:
        groups = json.loads(get(f"{self.base}/rules"))["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


def run(command: list[object], given: str | None = None) -> None:
    done = subprocess.run(list(map(str, command)), input=given, capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).strip()
    if done.returncode != 0 or (given is not None and said):
        raise Fault(f"{' '.join(map(str, command))}:\n{said}")


def check_page(name: str, page: str) -> None:
    """promtool finds nothing, and docs/metrics.md has each metric with its kind and its meaning."""
    run(["promtool", "check", "metrics"], page)
    document = (ROOT / "docs/metrics.md").read_text()
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE))
    meanings = dict(re.findall(r"^# HELP (\S+) (.+)$", page, re.MULTILINE))
    rows = {
        cells[1].strip(" `"): (cells[2].strip(), cells[5].strip())
        for line in document.splitlines()
        if len(cells := line.split("|")) == 7
    }
    for metric, kind in kinds.items():
        if rows.get(metric) != (kind, meanings[metric]):
            raise Fault(f"docs/metrics.md says of {metric}: {rows.get(metric)}; the {name} says: {kind, meanings[metric]}")
    print(f"{name}: {len(kinds)} metrics, as docs/metrics.md says")


def check_rules() -> None:
    """The rules can be read, every alert is shown to fire and to rest, and has all that whoever is woken needs."""
    files = [RULES / "recording-rules.yaml", RULES / "alert-rules.yaml"]
    run(["promtool", "check", "rules", *files])
    run(["promtool", "test", "rules", *sorted((RULES / "tests").glob("*.yaml"))])
    groups = yaml.safe_load(files[1].read_text())["groups"]
    alerts = [rule for group in groups for rule in group["rules"]]
    tests = {test["name"]: test for test in yaml.safe_load((RULES / "tests/alerts.yaml").read_text())["tests"]}
    runbook = (ROOT / "docs/runbook.md").read_text()
    for alert in alerts:
        name = alert["alert"]
        if name not in tests:
            raise Fault(f"no test shows {name} fire")
        samples = [expression.get("exp_samples", []) for expression in tests[name]["promql_expr_test"]]
        if samples[0] or not any(f'alertname="{name}"' in sample["labels"] for sample in samples[1]):
            raise Fault(f"the test of {name} does not show it rest and then fire")
        if alert["labels"]["severity"] not in ("critical", "warning"):
            raise Fault(f"{name} has no severity")
        annotations = alert["annotations"]
        if not annotations["summary"] or not annotations["description"]:
            raise Fault(f"{name} has no words")
        page, anchor = annotations["runbook_url"].split("#")
        if not page.endswith("/docs/runbook.md") or anchor != name.lower() or f"\n### {name}\n" not in runbook:
            raise Fault(f"docs/runbook.md has no section {name}")
    print(f"{len(alerts)} alerts, each shown to rest and to fire, each with a section of the runbook")


def check_commands(binary: str) -> None:
    """The commands that the runbook names exist."""
    text = (ROOT / "docs/runbook.md").read_text()
    known: set[str] = set()
    for words in {m.group(1) for m in re.finditer(r"cluster-sync ((?:[a-z]+(?:-[a-z]+)* ?)+)", text)}:
        names = words.split()
        for length in range(1, len(names) + 1):
            command = names[:length]
            usage = subprocess.run([binary, "help", *command], capture_output=True, text=True, check=False).stdout
            if f"USAGE: cluster-sync {' '.join(command)}" not in usage:
                break
            known.add(" ".join(command))
        else:
            continue
        if length == 1:
            raise Fault(f"the runbook names cluster-sync {names[0]}, which is no command")
    print(f"{len(known)} commands of the runbook")


def expressions() -> list[str]:
    """Every query of the dashboard, with its variables set."""
    text = json.loads(DASHBOARD.read_text())
    queries = [target["expr"] for panel in text["panels"] for target in panel.get("targets", [])]
    queries += [annotation["expr"] for annotation in text["annotations"]["list"]]
    values = {"$job": ".*", "$instance": ".*", "$loader": ".*", "$reader": ".*", "$__rate_interval": "30s"}
    for name, value in values.items():
        queries = [query.replace(name, value) for query in queries]
    if left := [query for query in queries if "$" in query]:
        raise Fault(f"a variable is not known in {left}")
    return queries


def check_dashboard(prometheus: Prometheus) -> None:
    empty = []
    queries = expressions()
    for query in queries:
        if not prometheus.query(query) and not any(word in query for word in UNFED):
            empty.append(query)
    if empty:
        raise Fault("no answer to:\n" + "\n".join(empty))
    print(f"{len(queries)} queries of the dashboard, all answered")


def write(session: Session, count: int) -> None:
    insert = session.prepare("INSERT INTO shop.orders (id, total) VALUES (?, ?)")
    read = session.prepare("SELECT total FROM shop.orders WHERE id = ?")
    for future in [session.execute_async(insert, (key, key)) for key in range(count)]:
        future.result()
    # Evaluated by the sidecar, once for both clusters.
    session.execute("INSERT INTO shop.orders (id, at) VALUES (0, toTimestamp(now()))")
    for future in [session.execute_async(read, (key,)) for key in range(count)]:
        future.result()


def connect(port: int) -> tuple[Cluster, Session]:
    cluster = Cluster(["127.0.0.1"], port=port, protocol_version=4)
    return cluster, cluster.connect()


def scenario(binary: str, folder: Path, processes: Processes) -> None:
    ports = {name: free_port() for name in ("source", "target", "listen", "sidecar", "loader", "reader", "prometheus")}
    hosts = {"CASSANDRA_HOSTS": f"127.0.0.1:{ports['source']}", "SCYLLA_HOSTS": f"127.0.0.1:{ports['target']}"}
    for name in ("source", "target"):
        command = [binary, "node", "--listen", f"127.0.0.1:{ports[name]}", "--cluster-name", name]
        processes.start(name, command, "accepts connections")
        cluster, session = connect(ports[name])
        session.execute(
            "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
        )
        session.execute("CREATE TABLE shop.orders (id int PRIMARY KEY, total int, at timestamp)")
        if name == "source":
            for key in range(WRITES):
                session.execute(f"INSERT INTO shop.orders (id, total) VALUES ({-key}, 1)")
        cluster.shutdown()
    command = [binary, "dual-writer", "--listen", f"127.0.0.1:{ports['listen']}"]
    command += ["--admin", f"127.0.0.1:{ports['sidecar']}", "--state-dir", folder / "state"]
    command += ["--set", "comparison.settle_ms=100", "--set", "validation_percentage=100", "--set", "control=cluster"]
    processes.start("sidecar", command, "cluster connected cluster=target", WRITE_MODE="DualWriteAsync", **hosts)
    rules = folder / "prometheus.yaml"
    rules.write_text(
        yaml.safe_dump(
            {
                "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(RULES / "recording-rules.yaml"), str(RULES / "alert-rules.yaml")],
                "scrape_configs": [
                    {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{ports[name]}"]}]}
                    for job, name in (("cluster-sync", "sidecar"), ("cluster-sync-loader", "loader"), ("cluster-sync-reader", "reader"))
                ],
            }
        )
    )
    run(["promtool", "check", "config", rules])
    command = ["prometheus", "--config.file", rules, "--storage.tsdb.path", folder / "prometheus"]
    command += ["--web.listen-address", f"127.0.0.1:{ports['prometheus']}"]
    processes.start("prometheus", command, "Server is ready to receive web requests")
    prometheus = Prometheus(ports["prometheus"])
    command = [binary, "sstable-loader", "--set", f"admin.listen=127.0.0.1:{ports['loader']}"]
    command += ["--set", f"state_dir={folder / 'loader'}", "--set", "job.exit_when_done=false", "--set", "ceiling=none"]
    command += ["--set", "limits.rows_per_second=100"]
    processes.start("loader", command, "admin port listens", **hosts)

    cluster, session = connect(ports["listen"])
    write(session, WRITES)
    # A difference that nobody owes the target: it is found by the comparison of reads.
    other, direct = connect(ports["target"])
    direct.execute("INSERT INTO shop.orders (id, total) VALUES (1, 99)")
    other.shutdown()
    page = f"http://127.0.0.1:{ports['sidecar']}/metrics"

    def is_found() -> bool:
        session.execute("SELECT total FROM shop.orders WHERE id = 1")
        return 'proxy_consistency_mismatches{operation="read"} 0' not in get(page)

    eventually(is_found, "a mismatch")
    loader = f"http://127.0.0.1:{ports['loader']}/metrics"
    eventually(lambda: 'cluster_sync_loader_state{state="done"} 1' in get(loader), "the load")
    eventually(lambda: bool(prometheus.query('cluster_sync_loader_state{state="done"} == 1')), "the load's last scrape")
    check_page("loader", get(loader))
    command = [binary, "dual-reader", "--set", f"admin.listen=127.0.0.1:{ports['reader']}", "--set", "settle.wait_ms=10"]
    command += ["--set", f"state_dir={folder / 'reader'}", "--set", "service.interval_seconds=1"]
    processes.start("reader", command, "admin port listens", **hosts)
    reader = f"http://127.0.0.1:{ports['reader']}/metrics"
    eventually(lambda: 'cluster_sync_reader_verdict{verdict="differs"} 1' in get(reader), "the comparison")
    eventually(lambda: bool(prometheus.query('cluster_sync_reader_verdict{verdict="differs"} == 1')), "its scrape")
    check_page("reader", get(reader))
    # The target goes away: what is written now is owed.
    processes.stop("target")
    write(session, BACKLOG)
    eventually(lambda: bool(prometheus.query("cluster_sync_journal_table_records > 0")), "a backlog")
    # Rules are evaluated every 15 seconds.
    eventually(lambda: bool(prometheus.query("cluster_sync:journal_fill:ratio")), "the recording rules")
    eventually(lambda: bool(prometheus.query("cluster_sync:errors:ratio_rate5m")), "the recording rules")
    check_page("sidecar", get(page))
    check_dashboard(prometheus)
    if faults := [f"{rule['name']}: {rule['lastError']}" for rule in prometheus.rules() if rule["health"] == "err"]:
        raise Fault("\n".join(faults))
    eventually(lambda: all(rule["health"] == "ok" for rule in prometheus.rules()), "every rule is evaluated")
    print(f"{len(prometheus.rules())} rules are evaluated without an error")
    cluster.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    binary = parser.parse_args().binary
    check_rules()
    check_commands(binary)
    with tempfile.TemporaryDirectory() as text:
        processes = Processes(Path(text))
        try:
            scenario(binary, Path(text), processes)
        finally:
            processes.stop_all()


if __name__ == "__main__":
    try:
        main()
    except Fault as fault:
        sys.exit(f"error: {fault}")

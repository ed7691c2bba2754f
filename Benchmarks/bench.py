"""Measures the sidecar beside its peers on this machine: interleaved rounds on the loopback interface, medians and ratios.

    bench.py BINARY [--quick] [--tools DIR] [--zdm PATH] [--rounds N] [--seconds S] [--into DIR]

The backends are two processes of cqlsink, the load is cqlload. One proxy runs at a time, started anew for each sample. Between
two samples of one proxy all others are measured, so that a change of the machine's mood meets all of them. The report is
report.md and samples.json in the folder that --into names.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cql
import report
from contenders import OURS, Clusters, Contender, Running, await_listening, contenders, free_port
from processes import Failed, Process
from tools import Tools, find_tools
from traffic import Shape

HERE = Path(__file__).parent
SOURCE_HOST, TARGET_HOST = "127.9.2.1", "127.9.2.2"
IDLE_CONNECTIONS = 1_000
# The load generator does not survive a signal of its own runtime while it connects, which happens once in some hundred samples.
TRIES = 3
# What is compared of the sidecar where the journal and joins are not the point.
FEW = ("direct", "haproxy", "ZDM", "PrimaryOnly", OURS)


@dataclass(frozen=True)
class Scenario:
    """One table row for each contender that takes part."""

    table: str
    shape: Shape
    mix: str = "insert"
    operation: str = "execute"
    value_bytes: int = 100
    rate: int = 0
    only: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        rate = f", {self.rate:,} req/s" if self.rate else ""
        shape = f"{self.shape.connections}x{self.shape.in_flight}"
        return f"{self.operation} {self.mix}, {self.value_bytes:,} B, {shape}{rate}"

    def takes(self, contender: Contender) -> bool:
        return not self.only or contender.name in self.only


def scenarios(is_quick: bool) -> Iterator[Scenario]:
    for shape in ("1x1", "8x32") if is_quick else ("1x1", "8x32", "64x16", "1000x1"):
        yield Scenario("Write modes and the journal", Shape.parse(shape))
    common = Shape.parse("8x32")
    for mix, operation in (("select", "execute"), ("insert", "query"), ("insert", "literal")):
        if not is_quick or mix == "select":
            yield Scenario("Statements", common, mix, operation, only=FEW)
    for value_bytes in (1_024,) if is_quick else (1_024, 32_768, 65_536):
        yield Scenario("Sizes", Shape.parse("64x16"), value_bytes=value_bytes, only=FEW)
    for rate in (10_000,) if is_quick else (2_000, 10_000):
        yield Scenario("Latency at a fixed rate", common, rate=rate, only=FEW)


@contextlib.contextmanager
def backends(tools: Tools, folder: Path) -> Iterator[tuple[Clusters, dict[str, int]]]:
    """Two sinks: their addresses, and their process ids."""
    with contextlib.ExitStack() as stack:
        addresses, pids = [], {}
        for number, (name, host) in enumerate((("source", SOURCE_HOST), ("target", TARGET_HOST)), start=1):
            address = f"{host}:{free_port(host)}"
            command = [tools.sink, "--addr", address, "--name", name, "--host-id", str(number)]
            sink = stack.enter_context(Process(name, command, folder / f"{name}.log"))
            await_listening(sink, address)
            addresses.append(address)
            pids[name] = sink.pid
        yield Clusters(*addresses), pids


def sample(tools: Tools, scenario: Scenario, running: Running, pids: dict[str, int], seconds: float) -> dict:
    """One run of the load generator."""
    measured = pids | ({"proxy": running.process.pid} if running.process else {})
    command = [
        tools.load,
        *("--addr", running.address),
        *("--conns", str(scenario.shape.connections), "--inflight", str(scenario.shape.in_flight)),
        *("--mix", scenario.mix, "--op", scenario.operation, "--bytes", str(scenario.value_bytes)),
        *("--duration", f"{seconds}s", "--warmup", f"{min(1.0, seconds / 2)}s", "--rate", str(scenario.rate)),
        *("--pids", ",".join(f"{name}={pid}" for name, pid in measured.items())),
    ]
    for _ in range(TRIES):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 0:
            return json.loads(done.stdout)
    raise Failed(f"cqlload: {done.stderr.strip()[-1000:]}")


def idle_memory(running: Running) -> dict:
    """What a connection without requests adds to a proxy, in bytes."""
    assert running.process is not None
    with contextlib.ExitStack() as stack:
        # The first ones fill what all later ones share.
        for _ in range(IDLE_CONNECTIONS // 10):
            stack.enter_context(cql.Connection(running.address))
        before = running.process.memory()
        for _ in range(IDLE_CONNECTIONS):
            stack.enter_context(cql.Connection(running.address))
        after = running.process.memory()
    return {
        "at_rest_bytes": before["resident"],
        "at_rest_own_bytes": before["own"],
        "per_idle_connection_bytes": (after["resident"] - before["resident"]) / IDLE_CONNECTIONS,
    }


def measure(options: argparse.Namespace, folder: Path) -> dict:
    tools = find_tools(options.tools)
    field = contenders(options.binary, options.zdm)
    plan = [(scenario, one) for scenario in scenarios(options.quick) for one in field if scenario.takes(one)]
    samples = []
    with backends(tools, folder) as (clusters, pids):
        for number in range(1, options.rounds + 1):
            for position, (scenario, contender) in enumerate(plan, start=1):
                print(f"round {number}/{options.rounds}, {position}/{len(plan)}: {contender.name}: {scenario.name}", flush=True)
                with contender.start(clusters, folder) as running:
                    result = sample(tools, scenario, running, pids, options.seconds)
                samples.append({"scenario": asdict(scenario) | {"name": scenario.name}, "via": contender.name, "result": result})
        memory = {}
        for contender in field:
            with contender.start(clusters, folder) as running:
                if running.process is not None:
                    memory[contender.name] = idle_memory(running)
    return {
        "machine": report.machine(options.binary),
        "rounds": options.rounds,
        "seconds": options.seconds,
        "samples": samples,
        "memory": memory,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="a release build of cluster-sync")
    parser.add_argument("--quick", action="store_true", help="fewer scenarios and short samples: a few minutes")
    parser.add_argument("--tools", type=Path, default=HERE / "../../shared/bench", help="the folder of cqlsink and cqlload")
    parser.add_argument("--zdm", help="a binary of ZDM Proxy")
    parser.add_argument("--rounds", type=int, help="samples of each (default 5, quick 3)")
    parser.add_argument("--seconds", type=float, help="length of a sample (default 5, quick 1)")
    parser.add_argument("--into", type=Path, default=HERE.parent / ".build/bench", help="where the report goes")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 5)
    options.seconds = options.seconds or (1.0 if options.quick else 5.0)
    options.into.mkdir(parents=True, exist_ok=True)
    # A thousand clients and as many sockets toward them.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as name:
        results = measure(options, Path(name))
    (options.into / "samples.json").write_text(json.dumps(results, indent=1) + "\n")
    text = report.markdown(results)
    (options.into / "report.md").write_text(text)
    print(text)
    print(f"written to {options.into}")


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        sys.exit(str(failure))

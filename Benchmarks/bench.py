"""Measures the sidecar beside its peers on this machine: interleaved rounds on the loopback interface, medians and ratios.

    bench.py BINARY [--quick] [--tools DIR] [--zdm PATH] [--rounds N] [--seconds S] [--into DIR] [--only TEXT]

The backends are two processes of cqlsink, the load is cqlload. One proxy runs at a time, started anew for each sample. Between
two samples of one proxy all others are measured, so that a change of the machine's mood meets all of them. The report is
report.md and samples.json in the folder that --into names. What was there is replaced, also where --only measures some tables.
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
from contenders import LISTEN_HOST, OURS, TWO_LOOPS, Contender, Running, contenders
from legs import FRONT_HOST, HAPROXY, Adapters, Certificates, Clusters, Wire
from processes import Failed, Process, await_listening, free_port
from tools import Tools, build_relay, find_tools
from traffic import Shape

HERE = Path(__file__).parent
SOURCE_HOST, TARGET_HOST = "127.9.2.1", "127.9.2.2"
IDLE_CONNECTIONS = 1_000
# The load generator does not survive a signal of its own runtime while it connects, which happens once in some hundred samples.
TRIES = 3
# What is compared of the sidecar where the journal and joins are not the point.
FEW = ("direct", "haproxy", "ZDM", "PrimaryOnly", OURS)
PROXIES = FEW[1:]
MEMORY = "Memory"
TLS, LZ4, CONNECTIONS = "TLS on all legs", "lz4 on both legs", "Connections at the same number in flight"
# What stands under the name of a table in the report.
NOTES = {
    TLS: "TLS 1.3 with TLS_AES_128_GCM_SHA256 and a P-256 certificate from the client to the proxy and from the proxy to each "
    "cluster; one haproxy in front of the proxy and one before each backend translate for the plain tools. The contender "
    "`haproxy` ends TLS and opens it again to one server.",
    LZ4: "Clients of the proxy ask for lz4 in STARTUP, backends offer it, and every body of theirs is packed; lz4relay in front "
    "of the proxy and before each backend translates for the plain tools. The sidecar packs toward both clusters, too "
    "(`source.compression: lz4`, `target.compression: lz4`), except what is shorter than 512 bytes, which it sends plain as "
    "the protocol allows. ZDM Proxy hands on what clients have packed. The contender `haproxy` relays bytes and sees no "
    "frames. Values are the alphabet again and again: 1,024 bytes pack to about a tenth.",
}


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
    # All others, where `only` is empty.
    without: tuple[str, ...] = ()
    wire: Wire = Wire.PLAIN
    # Rows of its table differ in one thing, so that they are set side by side, too.
    is_compared: bool = False

    @property
    def name(self) -> str:
        rate = f", {self.rate:,} req/s" if self.rate else ""
        wire = "" if self.wire is Wire.PLAIN else f", {self.wire.value}"
        shape = f"{self.shape.connections}x{self.shape.in_flight}"
        return f"{self.operation} {self.mix}, {self.value_bytes:,} B, {shape}{rate}{wire}"

    def takes(self, contender: Contender) -> bool:
        return contender.name in self.only if self.only else contender.name not in self.without


def scenarios(is_quick: bool) -> Iterator[Scenario]:
    yield from modes(is_quick)
    common, many = Shape.parse("8x32"), Shape.parse("64x16")
    yield Scenario("Statements", common, "select", only=FEW)
    if not is_quick:
        yield Scenario("Statements", many, "select", only=FEW)
        for operation in ("query", "literal"):
            yield Scenario("Statements", common, operation=operation, only=FEW)
    for value_bytes in (1_024,) if is_quick else (1_024, 32_768, 65_536):
        yield Scenario("Sizes", many, value_bytes=value_bytes, only=FEW)
    for rate in (10_000,) if is_quick else (2_000, 10_000):
        yield Scenario("Latency at a fixed rate", common, rate=rate, only=FEW)
    if not is_quick:
        for shape in ("1x1000", "8x125", "64x16", "1000x1"):
            yield Scenario(CONNECTIONS, Shape.parse(shape), only=PROXIES, is_compared=True)
        yield from encoded(TLS, Wire.TLS)
        yield from encoded(LZ4, Wire.LZ4)


def modes(is_quick: bool) -> Iterator[Scenario]:
    for text in ("1x1", "8x32") if is_quick else ("1x1", "8x32", "64x16", "1000x1"):
        # A second loop is for those that have work for two.
        without = () if text in ("8x32", "64x16") and not is_quick else (TWO_LOOPS,)
        yield Scenario("Write modes and the journal", Shape.parse(text), without=without)


def encoded(table: str, wire: Wire) -> Iterator[Scenario]:
    """A direct connection would be one to an adapter."""
    for value_bytes in (100, 1_024):
        for text in ("8x32", "64x16"):
            yield Scenario(table, Shape.parse(text), value_bytes=value_bytes, only=PROXIES, wire=wire)


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


def sample(tools: Tools, scenario: Scenario, address: str, measured: dict[str, int], seconds: float) -> dict:
    """One run of the load generator, with what the named processes took meanwhile."""
    command = [
        tools.load,
        *("--addr", address),
        *("--conns", str(scenario.shape.connections), "--inflight", str(scenario.shape.in_flight)),
        *("--mix", scenario.mix, "--op", scenario.operation, "--bytes", str(scenario.value_bytes)),
        *("--duration", f"{seconds}s", "--warmup", f"{min(1.0, seconds / 2)}s", "--rate", str(scenario.rate)),
        *("--pids", ",".join(f"{name}={pid}" for name, pid in measured.items())),
    ]
    for _ in range(TRIES):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 0:
            break
    # Where requests have failed it says so in its answer, and the report has them.
    if not done.stdout:
        raise Failed(f"cqlload: {done.stderr.strip()[-1000:]}")
    return json.loads(done.stdout)


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


class Bench:
    """What all samples share: the tools, the backends, and a folder for logs, state and certificates."""

    def __init__(self, options: argparse.Namespace, folder: Path, plan: list[tuple[Scenario, Contender]]) -> None:
        self.options = options
        self.folder = folder
        self.tools = find_tools(options.tools)
        self.plan = plan
        wires = {scenario.wire for scenario, _ in plan}
        hosts = [SOURCE_HOST, TARGET_HOST, LISTEN_HOST, FRONT_HOST]
        self.adapters = Adapters(
            folder,
            Certificates.make(folder, hosts) if Wire.TLS in wires else None,
            build_relay(folder) if Wire.LZ4 in wires else None,
        )

    def samples(self) -> list[dict]:
        rounds, samples = self.options.rounds, []
        with backends(self.tools, self.folder) as (clusters, pids):
            for number in range(1, rounds + 1):
                for position, (scenario, contender) in enumerate(self.plan, start=1):
                    at = f"round {number}/{rounds}, {position}/{len(self.plan)}"
                    print(f"{at}: {contender.name}: {scenario.name}", flush=True)
                    result = self._sample(scenario, contender, clusters, pids)
                    described = asdict(scenario) | {"name": scenario.name}
                    samples.append({"scenario": described, "via": contender.name, "result": result})
        return samples

    def _sample(self, scenario: Scenario, contender: Contender, clusters: Clusters, pids: dict[str, int]) -> dict:
        with (
            self.adapters.behind(clusters, scenario.wire) as (seen, behind),
            contender.start(seen, self.folder) as running,
            self.adapters.before(running.address, scenario.wire) as (address, before),
        ):
            proxy = {"proxy": running.process.pid} if running.process else {}
            return sample(self.tools, scenario, address, pids | behind | before | proxy, self.options.seconds)

    def memory(self, field: list[Contender]) -> dict[str, dict]:
        memory = {}
        with backends(self.tools, self.folder) as (clusters, _):
            for contender in field:
                with contender.start(clusters, self.folder) as running:
                    if running.process is not None:
                        memory[contender.name] = idle_memory(running)
        return memory


def measure(options: argparse.Namespace, folder: Path) -> dict:
    def is_wanted(table: str) -> bool:
        return options.only.lower() in table.lower()

    field = contenders(options.binary, options.zdm)
    chosen = [scenario for scenario in scenarios(options.quick) if is_wanted(scenario.table)]
    if not chosen and not is_wanted(MEMORY):
        raise Failed(f"no table has '{options.only}' in its name")
    if HAPROXY is None and any(scenario.wire is Wire.TLS for scenario in chosen):
        print("haproxy is not installed: nothing is measured in TLS", file=sys.stderr)
        chosen = [scenario for scenario in chosen if scenario.wire is not Wire.TLS]
    plan = [(scenario, contender) for scenario in chosen for contender in field if scenario.takes(contender)]
    bench = Bench(options, folder, plan)
    return {
        "machine": report.machine(options.binary),
        "rounds": options.rounds,
        "seconds": options.seconds,
        "notes": NOTES,
        "samples": bench.samples(),
        "memory": bench.memory(field) if is_wanted(MEMORY) else {},
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
    parser.add_argument("--only", default="", metavar="TEXT", help="only tables that have TEXT in their names")
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

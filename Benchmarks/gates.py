"""What a proxied frame may cost, counted and not timed: allocations, socket writes, instructions.

    gates.py BINARY COUNTERS [--only TEXT]

BINARY is a stripped release build (valgrind cannot read the debug information of Swift 6.3), COUNTERS is counters.c as a
library. The sidecar stands between two embedded nodes and gets traffic of known size; the threads of its data path are counted
and nothing else. The limits are in thresholds.json, with how they were found.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import mmap
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from processes import Failed, Node, Sidecar, eventually
from traffic import Shape, Traffic, create_table, traffic

HERE = Path(__file__).parent
COUNTERS = struct.Struct("<QQ")
WARM_UP = Shape(8, 256)
WARM_UP_ROUNDS = 20
QUIET_SECONDS = 0.25
# A busy machine makes smaller bursts, and pools grow when a shadow lags more than it did before. What a frame costs is in each
# attempt, so that the least one counts.
ATTEMPTS = 4


@dataclass(frozen=True)
class Case:
    """One row of thresholds.json."""

    mode: str
    statement: str
    shape: Shape
    limits: dict[str, float]
    # How many prepared statements of this kind, which frames name in turn.
    statements: int = 1

    @classmethod
    def read(cls, row: dict) -> Case:
        return cls(row["mode"], row["statement"], Shape.parse(row["shape"]), row["at_most"], row.get("statements", 1))

    @property
    def is_copied(self) -> bool:
        return self.mode == "DualWriteAsync" and self.statement == "insert"

    def __str__(self) -> str:
        statements = f", {self.statements:,} statements" if self.statements > 1 else ""
        return f"{self.mode} {self.statement} {self.shape.connections}x{self.shape.in_flight}{statements}"


class Counters:
    """The file in which counters.c counts."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(bytes(COUNTERS.size))
        with path.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), COUNTERS.size)

    def read(self) -> tuple[int, int]:
        """Allocations, socket writes."""
        return COUNTERS.unpack(self.memory)

    def settled(self) -> tuple[int, int]:
        """The counts when nothing has been sent for a while: the last copies have left."""
        last, since = self.read(), time.monotonic()

        def quiet() -> bool:
            nonlocal last, since
            if self.read()[1] != last[1]:
                last, since = self.read(), time.monotonic()
            return time.monotonic() - since > QUIET_SECONDS

        eventually(quiet, "the sidecar is quiet")
        return last


class Bench:
    """Two nodes with the table, and a folder for logs and state."""

    def __init__(self, binary: str, library: str, folder: Path, source: str, target: str) -> None:
        self.binary = binary
        self.library = library
        self.folder = folder
        self.clusters = {"source": source, "target": target}
        self.started = 0
        for address in self.clusters.values():
            create_table(address)

    def sidecar(self, mode: str, prefix: Sequence[str] = ()) -> tuple[Sidecar, Counters]:
        self.started += 1
        name = f"sidecar-{self.started}"
        file = self.folder / f"{name}.counters"
        counters = Counters(file)
        environment = {"LD_PRELOAD": self.library, "CLUSTER_SYNC_COUNTERS": str(file)}
        command = [*prefix, self.binary]
        return Sidecar(command, name, self.folder, mode=mode, environment=environment, **self.clusters), counters

    def traffic(self, case: Case, address: str, shape: Shape) -> contextlib.AbstractContextManager[Traffic]:
        shadow = self.clusters["target"] if case.is_copied else None
        return traffic(address, case.statement, shape, shadow, case.statements)

    def counted(self, case: Case, sidecar: Sidecar, counters: Counters) -> dict[str, float]:
        """Allocations per frame and socket writes per round."""
        sidecar.walk(case.mode)
        address = sidecar.ready()
        rounds = max(200, 20_000 // case.shape.frames)
        with self.traffic(case, address, WARM_UP) as load:
            load.rounds(WARM_UP_ROUNDS)
        with self.traffic(case, address, case.shape) as load:
            load.rounds(rounds // 10)
            before = counters.settled()
            load.rounds(rounds)
            after = counters.settled()
        allocations, writes = (after[index] - before[index] for index in range(2))
        return {
            "allocations_per_frame": allocations / (rounds * case.shape.frames),
            "socket_writes_per_round": writes / rounds,
        }

    def collected(self, case: Case, rounds: int) -> int:
        """The instructions of the data path, from its start to its end, with so many rounds in between."""
        output = f"--callgrind-out-file={self.folder / 'callgrind.out'}"
        process, counters = self.sidecar(case.mode, ["valgrind", "--tool=callgrind", "--collect-atstart=no", output])
        with process as sidecar:
            with self.traffic(case, sidecar.ready(), case.shape) as load:
                load.rounds(rounds)
            counters.settled()
        return int(sidecar.said(r"Collected : (\d+)", has_ended=True).group(1))

    def instructions(self, case: Case) -> dict[str, float]:
        """Instructions per frame: what a longer run takes more than a short one, so that the start cancels out, and with it
        what a statement takes when it is prepared and first used."""
        first = case.statements // case.shape.in_flight
        short, long = first + 1_000 // case.shape.frames, first + 33_000 // case.shape.frames
        difference = self.collected(case, long) - self.collected(case, short)
        return {"instructions_per_frame": difference / ((long - short) * case.shape.frames)}


def judge(case: Case, measure: Callable[[], dict[str, float]]) -> list[str]:
    """Measures until everything is within its limit, a few times at most; what never was is the answer."""
    least: dict[str, float] = {}
    for _ in range(ATTEMPTS):
        for what, value in measure().items():
            least[what] = min(value, least.get(what, value))
        if all(value <= case.limits[what] for what, value in least.items()):
            break
    above = []
    for what, value in least.items():
        within = value <= case.limits[what]
        line = f"{case!s:52} {what:24} {value:10.3f}  at most {case.limits[what]:g}"
        print(line, "" if within else "  ABOVE", flush=True)
        if not within:
            above.append(line)
    return above


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="a stripped release build")
    parser.add_argument("counters", help="counters.c as a library")
    parser.add_argument("--only", default="", metavar="TEXT", help="only cases that have TEXT in their names")
    options = parser.parse_args()
    thresholds = json.loads((HERE / "thresholds.json").read_text())
    counted, instructions = (
        [case for case in map(Case.read, thresholds[kind]) if options.only in str(case)] for kind in ("counted", "instructions")
    )
    if not counted and not instructions:
        raise Failed(f"no case has '{options.only}' in its name")
    above: list[str] = []
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        nodes = [stack.enter_context(Node(options.binary, cluster, folder)) for cluster in ("source", "target")]
        bench = Bench(options.binary, options.counters, folder, *(node.address() for node in nodes))
        process, counters = bench.sidecar("PrimaryOnly")
        with process as sidecar:
            for case in counted:
                above += judge(case, lambda: bench.counted(case, sidecar, counters))
        for case in instructions:
            above += judge(case, lambda: bench.instructions(case))
    for line in above:
        print(f"a proxied frame costs more than it may: {line}", file=sys.stderr)
    return 1 if above else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(str(failure))

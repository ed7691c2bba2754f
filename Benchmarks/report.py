"""Tables of medians from the samples of bench.py."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

COLUMNS = [
    "via", "req/s", "p50 µs", "p99 µs", "p99.9 µs", "CPU-s per million", "× haproxy", "ZDM ÷ this", "RSS MB", "errors",
    "cores", "cores of the others",
]
# The load generator, and what stands between it, the proxy and the backends.
LOAD, ADAPTER = "cqlload", "-adapter"
MEMORY_COLUMNS = ["via", "at rest MB", "of these its own (no file pages) MB", "KB for each idle client"]
# Above this share of a core, what else ran on the machine is named under the table.
DISTURBANCE = 0.1


def machine(binary: str) -> dict[str, str]:
    processor = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    version = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return {
        "processor": processor.group(1) if processor else platform.machine(),
        "cores": str(os.cpu_count()),
        "kernel": platform.release(),
        "cluster-sync": version,
    }


def markdown(results: dict) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in results["machine"].items())
    lines = [
        "# Bench",
        "",
        f"{facts}. Medians of {results['rounds']} samples of {results['seconds']:g} s. CPU-s per million: user and system "
        "time of the proxy for a million requests of clients; of `direct`: of the backend. Latency is from the moment when a "
        "request was due where a rate is given, and mostly queueing where none is. Cores: how much of the processor the proxy "
        "had, and what went to the load generator, the backends and the adapters between; where all of them together have the "
        "whole machine, it is the machine that bounds the requests per second. Ratios are of the medians of this run.",
    ]
    for table, scenarios in _grouped(results["samples"], lambda item: item["scenario"]["table"]):
        lines += ["", f"## {table}"]
        if note := results["notes"].get(table):
            lines += ["", note]
        for name, samples in _grouped(scenarios, lambda item: item["scenario"]["name"]):
            lines += ["", f"**{name}**", "", *_table(samples)]
        if scenarios[0]["scenario"]["is_compared"]:
            lines += ["", "**CPU-s per million, side by side**", "", *_side_by_side(scenarios)]
    if results["memory"]:
        lines += ["", "## Memory", "", *_head(MEMORY_COLUMNS)]
    for via, memory in results["memory"].items():
        lines.append(
            f"| {via} | {memory['at_rest_bytes'] / 1e6:.1f} | {memory['at_rest_own_bytes'] / 1e6:.1f} "
            f"| {memory['per_idle_connection_bytes'] / 1e3:.1f} |"
        )
    return "\n".join(lines) + "\n"


def _grouped(items: Iterable[dict], key: Callable[[dict], str]) -> list[tuple[str, list[dict]]]:
    """By a key, in the order in which the keys come first."""
    groups: dict[str, list[dict]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.items())


def _head(columns: list[str]) -> list[str]:
    return [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]


def _table(samples: list[dict]) -> list[str]:
    groups = {via: [item["result"] for item in items] for via, items in _grouped(samples, lambda item: item["via"])}
    cost = {via: _cost(via, runs) for via, runs in groups.items()}
    lines = _head(COLUMNS)
    for via, runs in groups.items():
        process = "source" if via == "direct" else "proxy"
        latency = [_median(run["lat_us"][quantile] for run in runs) for quantile in ("p50", "p99", "p999")]
        cells = [
            via,
            f"{_median(run['rps'] for run in runs):,.0f}",
            *(f"{value:,.0f}" for value in latency),
            f"{cost[via]:.2f}",
            _ratio(cost[via], cost.get("haproxy")) if via != "direct" else "",
            _ratio(cost.get("ZDM"), cost[via]) if via != "direct" else "",
            f"{_median(run['proc'][process]['rss_mb'] for run in runs):.1f}",
            str(sum(run["errors"] + run["bad"] + run["lost"] for run in runs)),
            "" if via == "direct" else f"{_cores(runs, process):.2f}",
            _cores_of_others(runs),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    others = [run["other_cpu_s"] / run["seconds"] for runs in groups.values() for run in runs]
    if max(others) > DISTURBANCE:
        lines += ["", f"Other processes took {_median(others):.2f} of a core meanwhile, {max(others):.2f} at most."]
    return lines


def _cores(runs: list[dict], *processes: str) -> float:
    return _median(sum(run["proc"][name]["cpu_s"] for name in processes) / run["seconds"] for run in runs)


def _cores_of_others(runs: list[dict]) -> str:
    names = [name for name in runs[0]["proc"] if name != "proxy"]
    groups = {"load": [LOAD], "source": ["source"], "target": ["target"]}
    if adapters := [name for name in names if name.endswith(ADAPTER)]:
        groups["adapters"] = adapters
    return ", ".join(f"{group} {_cores(runs, *members):.2f}" for group, members in groups.items())


def _side_by_side(samples: list[dict]) -> list[str]:
    """A row for each contender, a column for each scenario, and how far the columns are apart."""
    costs: dict[str, dict[str, float]] = {}
    names = []
    for name, of_scenario in _grouped(samples, lambda item: item["scenario"]["name"]):
        names.append(name)
        for via, items in _grouped(of_scenario, lambda item: item["via"]):
            costs.setdefault(via, {})[name] = _cost(via, [item["result"] for item in items])
    lines = _head(["via", *names, "most ÷ least"])
    for via, row in costs.items():
        cells = [f"{row[name]:.2f}" for name in names]
        lines.append(f"| {' | '.join([via, *cells, _ratio(max(row.values()), min(row.values()))])} |")
    return lines


def _cost(via: str, runs: list[dict]) -> float:
    return _median(run["proc"]["source" if via == "direct" else "proxy"]["cpu_s_per_1m"] for run in runs)


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


def _ratio(value: float | None, base: float | None) -> str:
    return f"{value / base:.2f}" if value is not None and base else ""

"""Figures: times and counts in, percentiles, CPU seconds of process trees, tables and JSON out. Measures nothing itself."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

_TICKS = os.sysconf("SC_CLK_TCK")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of them lie, by nearest rank; NaN of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p99 and the worst of some durations, in milliseconds."""
    return {
        "p50_ms": round(percentile(seconds, 0.5) * 1000, 2),
        "p99_ms": round(percentile(seconds, 0.99) * 1000, 2),
        "max_ms": round(max(seconds, default=float("nan")) * 1000, 2),
    }


def middle(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each figure over several runs."""
    return {name: round(median(row[name] for row in rows), 3) for name in rows[0]}


def cpu_seconds(*roots: int) -> float:
    """CPU time so far of processes and all their descendants, those included that have ended and been waited for.

    Linux only: 0 where there is no /proc.
    """
    stats = _stats()
    tree = set(roots) & set(stats)
    while more := {pid for pid, (parent, _) in stats.items() if parent in tree} - tree:
        tree |= more
    return sum(stats[pid][1] for pid in tree) / _TICKS


def _stats() -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        found[int(path.parent.name)] = (int(fields[1]), sum(map(int, fields[11:15])))
    return found


def resident_megabytes(*roots: int) -> float:
    """Memory that processes hold (RSS, as the kernel counts it)."""
    kilobytes = 0
    for pid in roots:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                kilobytes += int(line.split()[1])
    return round(kilobytes / 1024, 1)


@dataclass
class Table:
    """Rows to print, and everything again as JSON. `notes` say what a reader must know to believe the figures."""

    title: str
    rows: list[dict[str, object]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    verdicts: dict[str, bool] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def show(self, *, as_json: bool) -> None:
        """Print the table; with `as_json` to standard error, and JSON to standard output."""
        print(self.text(), file=sys.stderr if as_json else sys.stdout, flush=True)
        if as_json:
            whole = {
                "title": self.title,
                "machine": machine(),
                "commit": git_commit(),
                "seconds": round(time.monotonic() - self.began),
                "rows": self.rows,
                "notes": self.notes,
                "targets": self.verdicts,
            }
            print(json.dumps(whole, default=str), flush=True)

    def text(self) -> str:
        """The table as people read it."""
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        cells = [columns, *([_cell(row.get(name)) for name in columns] for row in self.rows)]
        widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
        lines = [f"\n{self.title}", f"({machine()}; took {time.monotonic() - self.began:,.0f} s)"]
        for line in cells:
            shown = [
                cell.ljust(width) if place == 0 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ]
            lines.append("  ".join(shown).rstrip())
        lines += [f"- {note}" for note in self.notes]
        lines += [f"{'reached' if is_met else 'MISSED '}  {target}" for target, is_met in self.verdicts.items()]
        return "\n".join(lines)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def machine() -> str:
    """What the figures were measured on, and how busy it is."""
    try:
        name = next(
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        )
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    busy = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return f"{os.cpu_count()} × {name}, Python {platform.python_version()}, load {busy}"


def git_commit() -> str:
    """The commit that was measured; empty outside a checkout."""
    said = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip()

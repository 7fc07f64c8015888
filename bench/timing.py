"""One answer as its reader saw it, and what many of them amount to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds from asking to the first text and to the end; `whole` where the answer came complete."""

    first: float
    end: float
    whole: bool


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that at least `percent` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return percentile(values, 50)


def over(host: Sequence[float], floor: Sequence[float]) -> list[float]:
    """Milliseconds that each turn took more than the floor's call that followed it."""
    return [(mine - least) * 1000 for mine, least in zip(host, floor, strict=True)]


def cpu_of(pid: int) -> float:
    """Seconds of CPU that all threads of a process have used."""
    # clock_getcpuclockid(3): the clock of another process is made of its id. To the nanosecond, where
    # /proc/PID/stat counts hundredths of a second.
    return time.clock_gettime((~pid << 3) | 2)

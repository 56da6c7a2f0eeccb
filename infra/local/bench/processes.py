"""CPU seconds of the emulator and of the functions that run under it."""

import os
from collections.abc import Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PARENT, OWN, ENDED_CHILDREN = 1, (11, 12), (13, 14)  # fields of stat after the name


def cpu_seconds(pid: int) -> float:
    """Of the process, the children that it has seen end, and those that live."""
    used = ticks(pid, *OWN, *ENDED_CHILDREN)
    return (used + sum(ticks(child, *OWN, *ENDED_CHILDREN) for child in children(pid))) / TICKS


def ticks(pid: int, *fields: int) -> int:
    found = stat(pid)
    return sum(int(found[field]) for field in fields) if found else 0


def children(pid: int) -> Iterator[int]:
    for path in Path("/proc").glob("[0-9]*"):
        found = stat(int(path.name))
        if found and int(found[PARENT]) == pid:
            yield int(path.name)


def stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []

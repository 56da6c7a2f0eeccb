"""How many such orders a second a new account in a large region would take."""

from typing import NamedTuple

from infra.local.bench.assembly import Assembly
from infra.local.bench.measuring import Run
from infra.local.prices import LIMITS


class Ceiling(NamedTuple):
    orders_per_second: float
    limit: str


def ceilings(run: Run, assembly: Assembly) -> list[Ceiling]:
    """The lowest first: that one binds."""
    used = per_order(run, assembly)
    found = [Ceiling(LIMITS[name].value / used[name], name) for name in LIMITS if used[name]]
    return sorted(found)


def per_order(run: Run, assembly: Assembly) -> dict[str, float]:
    tables: dict[str, float] = {}
    for by, units in run.tally.wru.items():
        tables[by.table] = tables.get(by.table, 0) + units
    events = run.tally.events.items()
    brought = sum(count * assembly.targets_of(name) for name, count in events)
    whole = {
        "HTTP API requests": run.counts["http.requests"],
        "Lambda concurrency": busy_seconds(run, assembly),
        "Standard executions started": run.orders,
        "Standard transitions": run.transitions,
        "Express executions started": run.express.executions,
        "PutEvents entries": run.tally.events.total(),
        "EventBridge targets called": brought,
        "WRU of one table": max(tables.values(), default=0),
    }
    return {name: run.each(amount) for name, amount in whole.items()}


def busy_seconds(run: Run, assembly: Assembly) -> float:
    """Of functions, as long as they took here; the smallest memory makes it the longest time."""
    smallest = min(function.memory for function in assembly.functions)
    return run.counts["lambda.gb_seconds"] * 1024 / smallest

"""The table: what is measured, what must hold, and what we want."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from infra.local.bench.assembly import Assembly, Bytecode
from infra.local.bench.capacity import Ceiling
from infra.local.bench.cold import Start
from infra.local.bench.hot_sku import Comparison
from infra.local.bench.measuring import Run, http_calls

Figures = tuple[float, ...]


class Budget(NamedTuple):
    """`keys` are the names of the figures; the first is the `value` of the row."""

    what: str
    unit: str
    keys: tuple[str, ...]
    floor: str
    gate: Figures
    stretch: Figures
    at_least: bool = False

    def holds(self, figures: Figures, bound: Figures) -> bool:
        pairs = zip(figures, bound, strict=True)
        return all(f >= b if self.at_least else f <= b for f, b in pairs)


BUDGETS = {
    1: Budget("$ per 1,000 orders", "usd_per_1000", ("value",), "0.012", (0.25,), (0.14,)),
    2: Budget("Standard transitions", "transitions", ("value",), "0", (6,), (4,)),
    3: Budget("WRU / RRU", "wru", ("value", "rru"), "14 / 0", (90, 15), (45, 5)),
    4: Budget(
        "invocations / events / log KB",
        "invocations",
        ("value", "events", "log_kb"),
        "4 / 0 / 1",
        (30, 10, 16),
        (12, 8, 6),
    ),
    5: Budget("idle $ per month", "usd_per_month", ("value",), "0", (6,), (1,)),
    6: Budget(
        "to place: calls / round trips",
        "http_calls",
        ("value", "round_trips"),
        "1 / 1",
        (1, 1),
        (1, 1),
    ),
    7: Budget("CPU ms: placing / whole", "cpu_ms", ("value", "whole"), "5.8", (25, 250), (12, 100)),
    8: Budget(
        "cold start: workers / APIs", "ratio", ("value", "api"), "0.26", (1.6, 2), (1.2, 1.6)
    ),
    9: Budget("bytecode, % of sources", "percent", ("value",), "", (100,), (100,), at_least=True),
    10: Budget(
        "one hot SKU ÷ 50 / none failed",
        "ratio",
        ("value", "right"),
        "1 / 1",
        (0.7, 1),
        (0.9, 1),
        at_least=True,
    ),
    15: Budget(
        "orders/s to the first quota",
        "orders_per_second",
        ("value",),
        "2,860",
        (300,),
        (1400,),
        at_least=True,
    ),
}


class Row(NamedTuple):
    number: int
    figures: Figures

    @property
    def budget(self) -> Budget:
        return BUDGETS[self.number]

    @property
    def passes(self) -> bool:
        return self.budget.holds(self.figures, self.budget.gate)

    @property
    def stretches(self) -> bool:
        return self.budget.holds(self.figures, self.budget.stretch)

    def as_json(self) -> dict[str, Any]:
        figures = {
            key: round(figure, 4)
            for key, figure in zip(self.budget.keys, self.figures, strict=True)
        }
        return {**figures, "unit": self.budget.unit, "passes": self.passes}


def of_run(run: Run) -> list[Row]:
    return [
        Row(1, (1000 * run.each(sum(run.dollars.values())),)),
        Row(2, (run.each(run.transitions),)),
        Row(3, (run.each(run.wru), run.each(run.rru))),
        Row(4, per_order_traffic(run)),
        Row(6, (http_calls(run), run.round_trips)),
    ]


def per_order_traffic(run: Run) -> Figures:
    invocations = run.each(sum(run.invocations.values()))
    return invocations, run.each(run.tally.events.total()), run.each(run.log_bytes) / 1024


def of_cpu(placing_seconds: float, run: Run) -> Row:
    return Row(7, (1000 * placing_seconds, 1000 * run.each(run.cpu)))


def of_starts(assembly: Assembly, starts: Mapping[str, Start]) -> Row:
    """The slowest of each kind."""
    workers = max(starts[f.name].ratio for f in assembly.functions if not f.is_api)
    apis = max(starts[f.name].ratio for f in assembly.functions if f.is_api)
    return Row(8, (workers, apis))


def of_assembly(assembly: Assembly, found: Mapping[str, Bytecode]) -> list[Row]:
    idle = sum(assembly.idle_month().values())
    return [Row(5, (idle,)), Row(9, (min(each.percent for each in found.values()),))]


def of_hot_sku(found: Comparison) -> Row:
    return Row(10, (found.ratio, found.right))


def of_ceilings(ceilings: list[Ceiling]) -> Row:
    return Row(15, (ceilings[0].orders_per_second,))

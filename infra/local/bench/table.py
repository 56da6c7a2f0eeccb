"""How the figures are shown."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from rich.console import Console

from infra.local.bench.assembly import Assembly, Bytecode
from infra.local.bench.capacity import Ceiling
from infra.local.bench.cold import Start
from infra.local.bench.flash_sale import Sale
from infra.local.bench.hot_sku import Comparison, median_ratio
from infra.local.bench.measuring import Run, counts
from infra.local.bench.rows import Figures, Row

FORM = "{:>2}  {:<31}{:<21}{:<12}{:<16}{:<15}{}"
COMPARED = "    {:<31}{:>10}{:>10}{:>11}{:>8}{:>8}"
RUSHED = "    {:<33}{:>8}{:>10}{:>11}{:>8}"
FIGURES = ("per_second", "conflicts", "wru")
DETAIL = "{:<22}{:>8}{:>8}{:>8}  {}"
NOTES = """\
 1  list prices of us-east-1, no free tier; function time as long as it took here
 1, 3, 4  mails are left out: each notice is 2 WRU, 1.5 RRU and one invocation more
 2  states entered, and the step out of the last one
 3  as DynamoDB reports them: twice for rows in a transaction, once for their indexes
 4  each order alone, the dearest case; log lines of functions and of the API's access log
 7  of the emulator and all functions under it; placing while nothing reads the outbox
 8  the slowest of each kind, CPU of fresh processes in turn with boto3's DynamoDB client
10  behind a proxy that limits partitions and lets transactions conflict as DynamoDB does
15  counts against default quotas of a large region; our own throttle of the API is lower"""


def show(console: Console, rows: Iterable[Row]) -> None:
    titles = "#", "one order, placed to delivered", "measured", "floor", "gate", "stretch", ""
    console.print(FORM.format(*titles))
    for row in rows:
        budget = row.budget
        bounds = bound(row, budget.gate), bound(row, budget.stretch)
        measured = told(row.figures)
        console.print(
            FORM.format(row.number, budget.what, measured, budget.floor, *bounds, verdict(row))
        )
    console.print(NOTES)


def compared(console: Console, found: Comparison) -> None:
    """One hot SKU beside fifty, and beside the same without leases."""
    titles = "medians per sale", "÷ 50 SKUs", "sold/s", "conflicts", "WRU", "failed"
    console.print(COMPARED.format(*titles))
    kinds = {"one SKU, with leases": found.hot, "one SKU, without": found.plain}
    for name, runs in (kinds | {"50 SKUs": found.spread}).items():
        ratio = median_ratio(runs, found.spread)
        middles = (median(getattr(run, what) for run in runs) for what in FIGURES)
        failed = sum(run.failed for run in runs)
        figures = (f"{figure:,.2f}" for figure in (ratio, *middles))
        console.print(COMPARED.format(name, *figures, failed))


def rushed(console: Console, rushes: Mapping[str, Sale]) -> None:
    """The same sale by leases, and by levels alone."""
    titles = "flash sale, simulated: taken from", "÷ demand", "p99 s", "conflicts", "gave up"
    console.print(RUSHED.format(*titles))
    for name, sale in rushes.items():
        conflicts = f"{sale.conflicts / len(sale.at):.2f}"
        told = f"{sale.times_demand:.2f}", f"{sale.p99:.2f}", conflicts, sale.gave_up
        console.print(RUSHED.format(name, *told))


def bound(row: Row, figures: Figures) -> str:
    return ("≥ " if row.budget.at_least else "≤ ") + told(figures)


def told(figures: Figures) -> str:
    return " / ".join(f"{figure:,.3g}" if figure < 1000 else f"{figure:,.0f}" for figure in figures)


def verdict(row: Row) -> str:
    if row.stretches:
        return "stretch"
    return "ok" if row.passes else "FAILS"


def detail(
    console: Console,
    run: Run,
    assembly: Assembly,
    starts: Mapping[str, Start],
    ceilings: Sequence[Ceiling],
    found: Mapping[str, Bytecode],
) -> None:
    """What the figures are made of, for whoever wants them smaller."""
    by_function(console, run)
    amounts(console, "$ per 1,000 orders", {k: 1000 * run.each(v) for k, v in run.dollars.items()})
    events = {name: run.each(count) for name, count in run.tally.events.items()}
    amounts(console, "events per order", events)
    by_table = Counter[str]()
    for by, units in run.tally.wru.items():
        by_table[by.table] += units
    amounts(console, "WRU by table", {name: run.each(n) for name, n in by_table.items()})
    amounts(console, "idle $ per month", assembly.idle_month())
    amounts(console, "cold start ÷ boto3", {name: start.ratio for name, start in starts.items()})
    amounts(console, "orders/s", {each.limit: each.orders_per_second for each in ceilings})
    amounts(console, "bytecode %", {name: each.percent for name, each in found.items()})


def by_function(console: Console, run: Run) -> None:
    console.print(DETAIL.format("per order", "called", "WRU", "RRU", "requests"))
    for name in sorted({by.function for by in run.tally.calls} | run.invocations.keys()):
        if counts(name):
            console.print(DETAIL.format(name, *figures_of(run, name)))


def figures_of(run: Run, name: str) -> tuple[str, ...]:
    wru = sum(units for by, units in run.tally.wru.items() if by.function == name)
    rru = sum(units for by, units in run.tally.rru.items() if by.function == name)
    figures = run.invocations.get(name, 0), wru, rru
    return (*(f"{run.each(figure):.2f}" for figure in figures), requests_of(run, name))


def requests_of(run: Run, name: str) -> str:
    asked = sorted((call, n) for call, n in run.tally.calls.items() if call.function == name)
    told = [f"{call.service}.{call.action} {run.each(n):.2f}" for call, n in asked]
    refused = sum(n for call, n in run.tally.refused.items() if call.function == name)
    return ", ".join([*told, *([f"refused {run.each(refused):.2f}"] if refused else [])])


def amounts(console: Console, title: str, found: Mapping[str, float]) -> None:
    console.print(f"\n{title}")
    for name, amount in sorted(found.items(), key=lambda item: -item[1]):
        console.print(f"  {amount:>10,.4f}  {name or 'the reference, ms'}")

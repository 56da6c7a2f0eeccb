"""`python -m infra.local.bench_routing [FILE]`: what `make bench-routing` calls.

Every instance is solved once, after a warm-up, and its plan is checked from scratch. The figures
are CPU time of one call, from sources to plan. The garbage collector runs as it would in a
function; only what the file holds is kept out of its sight. Windows of orders on scarce stock are
always made up: their optimum is that of all orders together, which is proved here as well.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from math import ceil, inf
from operator import sub
from pathlib import Path
from typing import NamedTuple

from infra.local.routing_instances import (
    SCARCE_LOCATIONS,
    SCARCE_ORDERS,
    SCARCE_SKUS,
    SCARCITY,
    SPLIT_PENALTY,
    BadInstances,
    Instance,
    ScarceStock,
    load,
    made_up,
    scarce,
)
from oms.domain.routing.windows import WINDOW
from oms.domain.sourcing import SourcingPlan, source
from oms.domain.sourcing.joint import Draw, JointPlan, Pool, Request, source_jointly

BUDGET = 30.0  # CPU seconds for one instance
WARM_UP = 20
SAY_EVERY = 2.0  # seconds
WINDOWS = 30
WINDOW_BUDGET = 60.0  # CPU seconds to prove what all orders cost together
OWN = (
    (10, 3, "normal", 100),
    (50, 10, "normal", 200),
    (50, 10, "sparse", 100),
    (50, 20, "normal", 50),
    (50, 20, "sparse", 50),
    (200, 10, "normal", 50),
    (200, 10, "sparse", 50),
    (500, 20, "normal", 20),
)


FEW = 5  # names of instances that are told
CPU_LIMITS = {(50, 10): 10, (500, 20): 50}  # ms


class Score(NamedTuple):
    """`gap` is above the known optimum, else above the lower bound.

    `filled` is False when there is no plan, and the file knows of none either.
    """

    size: tuple[int, int, str]
    proved: bool
    optimal: bool | None
    gap: float
    milliseconds: float
    filled: bool = True
    name: str = ""


class BrokenPlan(Exception):
    """A plan that does not fill its order, or not at the cost that it claims."""


def main(given: Sequence[str] | None = None) -> int:
    asked = arguments(given)
    try:
        instances = load(asked.file) if asked.file else own_instances()
        scores = list(scored(instances, asked.budget))
        windows = list(windows_of(asked.windows))
    except (BadInstances, BrokenPlan) as error:
        sys.exit(f"baton: {error}")
    except KeyboardInterrupt:
        return 130
    print("\n".join(chain(report(scores, asked.file), targets(scores), joint(windows))))
    return 1 if any(score.optimal is False for score in scores) else 0


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench-routing",
        description="Score the sourcing solver: optimality and CPU time, by size of instance.",
        epilog="Leaves with 1 when a plan costs more than the optimum that the file knows.",
    )
    add = parser.add_argument
    add("file", type=Path, nargs="?", help="instances (json, json.gz); without it, made-up ones")
    add(
        "--budget",
        type=float,
        default=BUDGET,
        metavar="SECONDS",
        help=f"CPU time for one instance (default {BUDGET:g})",
    )
    add(
        "--windows",
        type=int,
        default=WINDOWS,
        metavar="COUNT",
        help=f"groups of orders on scarce stock, to compare windows on (default {WINDOWS})",
    )
    return parser.parse_args(given)


def in_short() -> str:
    """Instances of its own, and windows of orders on scarce stock, each in a line."""
    scores = list(scored(own_instances(), BUDGET))
    return "\n".join([*targets(scores), *joint(list(windows_of(WINDOWS)))])


def own_instances() -> list[Instance]:
    return [
        made_up(locations, lines, regime, seed)
        for locations, lines, regime, count in OWN
        for seed in range(count)
    ]


def scored(instances: Sequence[Instance], budget: float) -> Iterator[Score]:
    for instance in instances[:WARM_UP]:
        solved(instance, budget)
    gc.collect()
    gc.freeze()
    said = time.monotonic()
    for number, instance in enumerate(instances, 1):
        yield score(instance, budget)
        if time.monotonic() - said > SAY_EVERY:
            said = time.monotonic()
            print(f"  {number} of {len(instances)} instances", file=sys.stderr, flush=True)
    gc.unfreeze()


def score(instance: Instance, budget: float) -> Score:
    started = time.process_time()
    plan = solved(instance, budget)
    milliseconds = (time.process_time() - started) * 1_000
    if plan.cost is not None and not instance.is_filled_by(plan):
        raise BrokenPlan(f"the plan of instance {instance.name} does not hold: {plan}")
    known = instance.optimal_cents is not None
    gap = gap_of(instance, plan)
    filled = plan.cost is not None
    optimal = gap <= 0 if known else None
    return Score(instance.size, plan.proved, optimal, gap, milliseconds, filled, instance.name)


def solved(instance: Instance, budget: float) -> SourcingPlan:
    return source(instance.quantities, instance.sources, budget=budget, clock=time.process_time)


def gap_of(instance: Instance, plan: SourcingPlan) -> float:
    if plan.cost is None:
        return 0.0 if instance.optimal_cents is None else inf
    constant = instance.constant_cents
    found = plan.cost + constant
    least = plan.lower_bound + constant if (known := instance.optimal_cents) is None else known
    return (found - least) / max(1, abs(least))


class Windows(NamedTuple):
    """Costs of the same orders: one by one, in windows, and all together.

    `optimum` is a lower bound where it is not proved.
    """

    single: int
    windowed: int
    optimum: int
    proved: bool


def windows_of(count: int) -> Iterator[Windows]:
    for seed in range(count):
        print(f"\r  {seed + 1} of {count} groups of orders", end="", file=sys.stderr, flush=True)
        yield window_gaps(seed)
    print(file=sys.stderr)


def window_gaps(seed: int) -> Windows:
    """The constant is part of every order's cost, as it is of every order's fixed costs."""
    given = scarce(seed)
    everything = together(given.orders, given.stock, WINDOW_BUDGET)
    constant = -SPLIT_PENALTY * len(given.orders)
    return Windows(
        in_windows(given, 1) + constant,
        in_windows(given, WINDOW) + constant,
        everything.lower_bound + constant,
        everything.proved,
    )


def in_windows(given: ScarceStock, size: int) -> int:
    """Decided as they come, so many at a time, each window with what is left."""
    stock, cost = [list(row) for row in given.stock], 0
    for first in range(0, len(given.orders), size):
        plan = together(given.orders[first : first + size], stock, WINDOW_BUDGET)
        if plan.cost is None:
            raise BrokenPlan(f"a window of {size} orders cannot be filled")
        cost += plan.cost
        for shipment in (shipment for own in plan.plans for shipment in own.shipments):
            row = stock[int(shipment.location_id)]
            row[:] = map(sub, row, shipment.quantities)
    return cost


def together(
    orders: Sequence[Instance], stock: Sequence[Sequence[int]], budget: float
) -> JointPlan:
    requests = [
        Request(
            order.quantities,
            tuple(
                replace(each, stock=tuple(row))
                for each, row in zip(order.sources, stock, strict=True)
            ),
        )
        for order in orders
    ]
    pools = [
        Pool(f"{n:06}", units, tuple(Draw(number, sku, 1) for number in range(len(orders))))
        for n, row in enumerate(stock)
        for sku, units in enumerate(row)
    ]
    return source_jointly(requests, pools, budget=budget, clock=time.process_time)


HEADER = (
    f"{'locations × lines':<24}{'instances':>10}{'proved':>8}{'optimal':>9}{'mean gap':>10}"
    f"{'worst gap':>11}{'CPU ms p50':>12}{'p99':>8}{'max':>8}"
)


def report(scores: Sequence[Score], file: Path | None) -> Iterable[str]:
    by_size = defaultdict(list)
    for each in scores:
        by_size[each.size].append(each)
    origin = f"instances of {file}" if file else "no FILE given: instances made up from fixed seeds"
    rows = (row(size_name(size), group) for size, group in sorted(by_size.items()))
    rule = "-" * len(HEADER)
    empty = [each for each in scores if not each.filled]
    left = [f"{len(empty)} cannot be filled: {names(empty)}"] if empty else []
    return chain((origin, "", HEADER, rule), rows, (rule, row("all", scores)), left)


def names(scores: Sequence[Score]) -> str:
    told = ", ".join(each.name for each in scores[:FEW])
    return f"{told}, …" if len(scores) > FEW else told


def targets(scores: Sequence[Score]) -> Iterator[str]:
    """Cost above the proved optimum, and CPU time, of the sizes that have a limit."""
    yield ""
    for size in ((50, 10), (50, 20), (500, 20)):
        for regime in sorted({each.size[2] for each in scores if each.size[:2] == size}):
            group = [each for each in scores if each.size == (*size, regime)]
            yield target(size_name((*size, regime)), group, CPU_LIMITS.get(size))


def target(name: str, group: Sequence[Score], limit: int | None) -> str:
    above = sum(each.gap for each in group) / len(group)
    cpu = percentile(sorted(each.milliseconds for each in group), 99)
    allowed = f" (at most {limit})" if limit else ""
    return f"{name:<24}{above:.3%} above the optimum, CPU p99 {cpu:.2f} ms{allowed}"


def joint(windows: Sequence[Windows]) -> Iterator[str]:
    if not windows:
        return
    optimum = sum(each.optimum for each in windows)
    proved = sum(each.proved for each in windows)
    yield (
        f"scarce stock, {SCARCITY}×: {len(windows)} groups of {SCARCE_ORDERS} orders,"
        f" {SCARCE_LOCATIONS} locations, {SCARCE_SKUS} SKUs; joint optimum proved of {proved}"
    )
    for name, costs in (
        ("one by one", [each.single for each in windows]),
        (f"in windows of {WINDOW}", [each.windowed for each in windows]),
    ):
        gaps = [cost / each.optimum - 1 for cost, each in zip(costs, windows, strict=True)]
        mean, total = sum(gaps) / len(gaps), sum(costs) / optimum - 1
        yield f"  {name:<22}{mean:.1%} above it, worst {max(gaps):.1%}, total {total:.1%}"


def size_name(size: tuple[int, int, str]) -> str:
    return f"{size[0]:>5} × {size[1]:<4} {size[2]}"


def row(name: str, scores: Sequence[Score]) -> str:
    count = len(scores)
    known = [each.optimal for each in scores if each.optimal is not None]
    optimal = f"{sum(known)}/{len(known)}" if known else "–"
    gaps = [each.gap for each in scores]
    cpu = sorted(each.milliseconds for each in scores)
    return (
        f"{name:<24}{count:>10}{sum(each.proved for each in scores):>8}{optimal:>9}"
        f"{sum(gaps) / count:>10.3%}{max(gaps):>11.3%}"
        f"{percentile(cpu, 50):>12.2f}{percentile(cpu, 99):>8.2f}{cpu[-1]:>8.2f}"
    )


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The nearest rank."""
    return ordered[ceil(len(ordered) * percent / 100) - 1]


if __name__ == "__main__":
    sys.exit(main())

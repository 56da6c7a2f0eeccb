"""`python -m infra.local.bench_routing [FILE]`: what `make bench-routing` calls.

Every instance is solved once, after a warm-up, and its plan is checked from scratch. The figures
are CPU time of one call, from sources to plan. The garbage collector runs as it would in a
function; only what the file holds is kept out of its sight.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from math import ceil, inf
from pathlib import Path
from typing import NamedTuple

from infra.local.routing_instances import BadInstances, Instance, load, made_up
from oms.domain.sourcing import SourcingPlan, source

BUDGET = 30.0  # CPU seconds for one instance
WARM_UP = 20
SAY_EVERY = 2.0  # seconds
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


class Score(NamedTuple):
    """`gap` is above the known optimum, else above the lower bound."""

    size: tuple[int, int, str]
    proved: bool
    optimal: bool | None
    gap: float
    milliseconds: float


class BrokenPlan(Exception):
    """A plan that does not fill its order, or not at the cost that it claims."""


def main(given: Sequence[str] | None = None) -> int:
    asked = arguments(given)
    try:
        instances = load(asked.file) if asked.file else own_instances()
        scores = list(scored(instances, asked.budget))
    except (BadInstances, BrokenPlan) as error:
        sys.exit(f"baton: {error}")
    except KeyboardInterrupt:
        return 130
    print("\n".join(report(scores, asked.file)))
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
    return parser.parse_args(given)


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
        raise BrokenPlan(f"the plan of an instance of {instance.size} does not hold: {plan}")
    gap = gap_of(instance, plan)
    known = instance.optimal_cents is not None
    return Score(instance.size, plan.proved, gap <= 0 if known else None, gap, milliseconds)


def solved(instance: Instance, budget: float) -> SourcingPlan:
    return source(instance.quantities, instance.sources, budget=budget, clock=time.process_time)


def gap_of(instance: Instance, plan: SourcingPlan) -> float:
    if plan.cost is None:
        return 0.0 if instance.optimal_cents is None else inf
    constant = instance.constant_cents
    found = plan.cost + constant
    least = plan.lower_bound + constant if (known := instance.optimal_cents) is None else known
    return (found - least) / max(1, least)


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
    return chain((origin, "", HEADER, rule), rows, (rule, row("all", scores)))


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

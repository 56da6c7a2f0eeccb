"""A flash sale in virtual time, by the code that takes stock, behind DynamoDB's physics."""

import pytest

from infra.local.bench.flash_sale import Shop
from infra.local.bench.virtual import VirtualTime

UNITS, SEEDS = 100, range(1, 6)


@pytest.mark.parametrize("seed", SEEDS)
def test_all_is_sold_nothing_is_oversold_nothing_stays_behind_and_nobody_gives_up(
    seed: int,
) -> None:
    sale = Shop(UNITS, seed).run()

    assert len(sale.at) == UNITS
    assert (sale.oversold, sale.stranded, sale.available, sale.gave_up) == (0, 0, 0, 0)
    assert len(sale.waited) == len(sale.demand)


def test_when_environments_stop_in_the_middle_what_they_have_leased_is_found() -> None:
    shop = Shop(UNITS, 1)
    shop.sale.demand = shop.sale.demand[: UNITS // 2]

    sale = shop.run()

    assert (len(sale.at), sale.available, sale.stranded) == (UNITS // 2, UNITS // 2, 0)
    assert sale.left > 0


def test_time_passes_only_when_all_wait_and_in_order() -> None:
    time, seen = VirtualTime(), []

    def walker(name: str, step: float) -> None:
        for _ in range(2):
            time.pause(step)
            seen.append((name, time.now))

    time.start(lambda: walker("slow", 3))
    time.start(lambda: walker("quick", 2), at=0.5)
    time.run()

    assert seen == [("quick", 2.5), ("slow", 3), ("quick", 4.5), ("slow", 6)]

"""What a parcel that comes back weighs, as far as anybody knows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.returns.issue_return_label import grams, issue
from oms.domain.ids import order_of_return
from oms.domain.items import Attributes, StockItem
from tests.functions.returns.shelf import approved
from tests.functions.returns.test_issue_return_label import Desk
from tests.functions.world import World

pytestmark = pytest.mark.cloud

HEAVY = StockItem("MUG", "MUG", attributes=Attributes(weight_g=350))


@pytest.fixture
def desk(dynamodb: Any) -> Desk:
    world = World.new(dynamodb)
    world.receive("MUG", 10)
    return Desk(world)


@pytest.mark.parametrize(
    ("known", "weight"),
    [({"MUG": HEAVY}, 350), ({}, 0), ({"MUG": replace(HEAVY, attributes=Attributes())}, 0)],
)
def test_a_parcel_weighs_what_is_in_it_if_all_of_that_was_weighed(
    desk: Desk, known: dict[str, StockItem], weight: int
) -> None:
    found = approved(desk.world)
    order = desk.world.orders.get(order_of_return(found.return_id))

    assert grams(lambda _: known, order, found) == weight


def test_the_carrier_is_told_what_the_parcel_weighs(desk: Desk) -> None:
    found = approved(desk.world)

    issue(replace(desk.counter(), items=lambda _: {"MUG": HEAVY}), found.return_id)

    assert [parcel.weight_g for parcel in desk.labels.parcels] == [350]

"""What the desk takes in: as much as the bus can carry and a row can hold to the order's end."""

from __future__ import annotations

import json
import random
import string
from typing import Any

import pytest

from oms.adapters.bus import detail
from oms.adapters.dynamodb import unpack
from oms.adapters.placing import MAX_EVENT_BYTES, MAX_PACKED_BYTES, OrderTooLarge
from oms.contracts.events import envelope
from tests.functions.world import World, an_order

pytestmark = pytest.mark.cloud

LETTERS = string.ascii_letters + string.digits


@pytest.fixture
def world(dynamodb: Any) -> World:
    return World.new(dynamodb)


def lines(number: int, letters: str, length: int) -> list[tuple[str, int]]:
    """Of SKUs that nothing can be left out of."""
    luck = random.Random(1)
    return [("".join(luck.choices(letters, k=length)), 1) for _ in range(number)]


def rows(world: World) -> list[Any]:
    return list(world.client.scan(TableName=world.orders_name)["Items"])


def test_letters_of_any_alphabet_weigh_what_the_bus_weighs(world: World) -> None:
    order = world.place(an_order(*lines(5_000, "абвгдежзиклмнопрстуфхцчшщ", 40)))

    told = envelope(order.order_id, world.orders.history(order.order_id).facts[0])
    assert len(detail(told).encode()) < MAX_EVENT_BYTES < len(json.dumps(told, default=str))


def test_an_order_that_could_outgrow_its_row_is_refused(world: World) -> None:
    with pytest.raises(OrderTooLarge, match="packed"):
        world.place(an_order(*lines(4_500, LETTERS, 100)))

    assert rows(world) == []


def test_the_largest_order_has_room_to_grow(world: World) -> None:
    world.place(an_order(*lines(3_000, LETTERS, 100)))

    bodies = [row["body"]["B"] for row in rows(world) if "body" in row]
    assert len(bodies) == 2
    assert all(200_000 < len(body) <= MAX_PACKED_BYTES for body in bodies)
    assert all(len(unpack({"B": body})) > MAX_PACKED_BYTES for body in bodies)

"""Where goods are received when nobody says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest

from functions.returns.desk import default_location
from oms.contracts.invalid import InvalidRequest
from oms.domain import commands as c
from oms.domain.fulfillment import Quantity
from tests.builders import Story, line, placement


@dataclass
class Parcel:
    """What is asked of a return."""

    lines: tuple[Quantity, ...] = (Quantity("line_1", 1),)
    in_store: str = ""


def elsewhere(story: Story, units: int) -> Story:
    said = (("sku:MUG", units),)
    return story.do(c.FollowChannel("there", "channel:shop", fulfilled=said))


def back_to(story: Story) -> str:
    return default_location(story.order, cast(Any, Parcel()))


def test_what_others_have_shipped_comes_back_to_none_of_our_locations() -> None:
    story = elsewhere(Story(placement(line(1, sku="MUG", quantity=2))).authorized(), 2)

    with pytest.raises(InvalidRequest):
        back_to(story)


def test_what_others_have_shipped_a_part_of_comes_back_to_where_ours_was_shipped() -> None:
    story = elsewhere(Story(placement(line(1, sku="MUG", quantity=2))).authorized(), 1)

    assert back_to(story.routed().shipped(2)) == "austin"

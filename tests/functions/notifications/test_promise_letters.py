"""What customers read when their parcel comes on another day, and when they read nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.notifications.desk import reason_to_skip
from oms.contracts import codec
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.contact import Contact
from oms.domain.network.lanes import Basis
from tests.builders import RECORD, Story, line, placement, quantities
from tests.functions.notifications.reading import letter

ADA = Contact("ada@example.com", "Ada")
WEDNESDAY = datetime(2026, 3, 4, 12, tzinfo=UTC)
THURSDAY, FRIDAY = (datetime(2026, 3, day, 12, tzinfo=UTC) for day in (5, 6))


def told(*moments: datetime) -> Story:
    """Promised by Wednesday, and still not out for delivery at these moments."""
    mug, cup = line(1, sku="MUG", quantity=2), line(2, sku="CUP")
    story = Story(placement(mug, cup, deliver_by="2026-03-04")).authorized()
    parts = story.plan(("AUS1", {"line_1": 2}), ("RNO1", {"line_2": 1}))
    basis = Basis("ups", "standard", days=2)
    given: dict[str, Any] = {"deliver_by": "2026-03-04", "basis": basis}
    story.do(c.RecordRouting(tuple(replace(each, **given) for each in parts), RECORD))
    story.shipped(1).shipped(2)
    for at in moments:
        story.do(c.RevisePromise(at))
    return story


def data(story: Story, number: int = -1) -> dict[str, Any]:
    event = story.events(e.PromiseRevised)[number]
    return dict(codec.slim(event))


def test_a_later_day_is_told_with_the_one_before() -> None:
    story = told(WEDNESDAY)

    said = letter("PromiseRevised", story.order, data(story))

    assert said.subject == "Your order 1: another day"
    assert "your parcel will arrive by 5 March 2026 instead of 4 March 2026" in said.opening
    assert said.items == ("2 × MUG", "1 × CUP")


def test_what_has_come_is_not_in_the_letter() -> None:
    story = told(WEDNESDAY).delivered("EZ1")

    assert letter("PromiseRevised", story.order, data(story)).items == ("1 × CUP",)


def test_nobody_is_told_a_day_that_is_not_known() -> None:
    story = told()
    unknown = {"deliver_by": "", "instead_of": "2026-03-04", "reason": "lost"}

    said = letter("PromiseRevised", story.order, unknown)

    assert "we do not know yet when it will arrive" in said.opening
    assert "instead" not in said.opening


@pytest.mark.parametrize("number", [0, 1])
def test_only_the_last_of_several_days_is_worth_a_letter(number: int) -> None:
    story = told(WEDNESDAY, THURSDAY)

    reason = reason_to_skip("PromiseRevised", story.order, ADA, data(story, number))

    assert reason == ("" if number else "told another day since")


def test_nothing_is_told_of_what_has_come_meanwhile() -> None:
    story = told(WEDNESDAY)
    revised = data(story)
    story.captured().delivered("EZ1").delivered("EZ2")

    assert reason_to_skip("PromiseRevised", story.order, ADA, revised) == "there by now"


def test_what_waits_for_stock_was_told_as_that() -> None:
    story = Story(placement(deliver_by="2026-03-04")).authorized()
    story.do(c.Backorder(quantities([("line_1", 1)]), "2026-04-01"))
    unknown = {"deliver_by": "", "instead_of": "2026-03-04", "reason": "it waits for stock"}

    assert reason_to_skip("PromiseRevised", story.order, ADA, unknown)

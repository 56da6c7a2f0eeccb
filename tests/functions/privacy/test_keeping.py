"""What goes by itself, when its time has come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.privacy.desk import desk
from functions.privacy.keeping import ended_at
from functions.privacy.tend_privacy import tend
from oms.adapters import dynamodb as db
from oms.adapters.event_log import event_log
from oms.contracts.api.policies import POLICIES
from oms.domain.privacy import PrivacyPolicy
from tests.functions.doors import house
from tests.functions.privacy.person import Life, later
from tests.functions.privacy.test_erasing import life, rows_of, say

__all__ = ["house", "life"]
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def told(kind: str, order_id: str, at: datetime = AT) -> dict[str, Any]:
    return {"id": order_id, "type": kind, "order_id": order_id, "at": at.isoformat(), "data": {}}


def expires(life: Life, customer_id: str) -> list[int]:
    rows = rows_of(life.house, customer_id)
    return [db.number(row, "expires_at") for row in rows if "expires_at" in row]


@pytest.mark.cloud
def test_a_contact_goes_so_many_days_after_the_end_of_its_order(life: Life) -> None:
    say(contact_days=30)
    order_id, customer_id = life.completed()
    event_log().append([told("OrderCompleted", order_id)])

    assert expires(life, customer_id) == []
    assert tend(desk(), later())["segments"] == 1

    assert expires(life, customer_id) == [int((AT + timedelta(days=30)).timestamp())]


@pytest.mark.cloud
def test_a_later_return_keeps_it_longer_and_what_is_told_late_does_not_shorten_that(
    life: Life,
) -> None:
    say(contact_days=30)
    order_id, customer_id = life.completed()
    end = AT + timedelta(days=5)
    event_log().append([told("ReturnCompleted", order_id, end)])
    event_log().append([told("OrderCompleted", order_id)])

    tend(desk(), later())

    assert expires(life, customer_id) == [int((end + timedelta(days=30)).timestamp())]


@pytest.mark.cloud
def test_an_order_that_goes_on_keeps_its_contact(life: Life) -> None:
    order_id, customer_id = life.order()
    event_log().append([told("ReturnCancelled", order_id)])

    tend(desk(), later())

    assert expires(life, customer_id) == []


kinds = st.sampled_from(["OrderCompleted", "ReturnCompleted", "OrderPlaced"])
events = st.lists(st.tuples(kinds, st.sampled_from("ab"), st.integers(0, 9)))


@given(events, st.randoms())
def test_the_order_of_events_does_not_matter(said: Any, chance: Any) -> None:
    envelopes = [told(kind, order, AT + timedelta(days=day)) for kind, order, day in said]
    shuffled = chance.sample(envelopes, len(envelopes))

    assert ended_at(envelopes) == ended_at(shuffled)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(0, 100))  # noqa: DTZ001
def test_an_invoice_is_kept_for_whole_years_after_that_of_its_issue(
    issued: datetime, years: int
) -> None:
    until = PrivacyPolicy(document_years=years).document_until(issued.replace(tzinfo=UTC))

    assert (until.year, until.month, until.day) == (issued.year + years + 1, 1, 1)


def test_the_policy_that_nobody_saved_is_the_default() -> None:
    assert POLICIES["privacy"].read({}).document() == PrivacyPolicy()

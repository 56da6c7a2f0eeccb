"""Invoices of carriers against labels and parcels, exports of channels against orders."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from oms.adapters.costs_table import CostKind
from oms.adapters.labels_table import LabelRow, LabelStatus
from oms.domain import commands as c
from oms.domain.reconciling.judging import Outcome
from tests.builders import Story, placement
from tests.functions.reconciliation.yard import Office

HEAD = "tracking_number,charge,currency,service,weight,date\n"
ORDERS = "external_id,total,currency,date,status\n"
BOUGHT = datetime(2026, 3, 3, 8, tzinfo=UTC)


@pytest.fixture
def office(dynamodb: Any) -> Office:
    return Office.new(dynamodb)


def label(story: Story, number: str, cost: int, **more: Any) -> LabelRow:
    said = {"status": LabelStatus.BOUGHT, "carrier": "easypost", **more}
    return LabelRow(
        label_id=f"lbl_{story.order_id[4:]}-1-{number.lower()}",
        fulfillment_order_id=story.box(1),
        location_id="austin",
        service="ground",
        fingerprint="f",
        asked_at=BOUGHT,
        leased_until=BOUGHT,
        weight_g=500,
        tracking_number=number,
        cost=cost,
        currency="USD",
        bought_at=BOUGHT,
        **said,
    )


def invoice(office: Office, text: str, **said: Any) -> Any:
    more = {"statement": "carrier_invoice", "source": "easypost", "tolerance": 7, **said}
    return office.reconciled(HEAD + text, **more)


@pytest.mark.cloud
def test_charges_of_a_parcel_are_compared_together_and_are_its_orders_cost(office: Office) -> None:
    story = office.paid_order("1")
    office.labels.rows.append(label(story, "1Z1", 602))

    done = invoice(
        office,
        "1Z 1,5.10,USD,ground,0.5,2026-03-03\n1z1,0.92,USD,fuel,0.5,2026-03-03\n",
    )

    assert office.counts(done) == {"matched": 1}
    (cost,) = office.costs_of(story)
    assert (cost.kind, cost.amount, cost.source) == (CostKind.SHIPPING, 602, "easypost")


@pytest.mark.cloud
def test_what_a_carrier_charges_for_more_than_the_label_said_is_different(office: Office) -> None:
    story = office.paid_order("1")
    office.labels.rows.append(label(story, "1Z1", 510))

    done = invoice(
        office,
        "1Z1,5.10,USD,ground,0.5,2026-03-03\n1Z1,11.00,USD,address,0.5,2026-03-03\n",
    )

    (finding,) = office.found(done)
    assert (finding.outcome, finding.differences) == (Outcome.DIFFERENT, ("amount",))
    assert [cost.amount for cost in office.costs_of(story)] == [1610]  # that is what it costs


@pytest.mark.cloud
def test_the_same_charge_on_two_lines_is_charged_twice(office: Office) -> None:
    story = office.paid_order("1")
    office.labels.rows.append(label(story, "1Z1", 510))
    line = "1Z1,5.10,USD,ground,0.5,2026-03-03\n"

    done = invoice(office, line + line)

    assert office.counts(done) == {"matched": 1, "duplicate": 1}


@pytest.mark.cloud
def test_a_label_that_was_never_invoiced_and_a_parcel_that_was_never_ours(office: Office) -> None:
    story = office.paid_order("1")
    office.labels.rows.append(label(story, "1Z1", 510))
    office.labels.rows.append(label(story, "1ZVOID", 510, carrier="ups", status=LabelStatus.VOIDED))

    done = invoice(office, "1Z9,5.10,USD,ground,0.5,2026-03-03\n")

    assert office.counts(done) == {"missing_here": 1, "missing_there": 1}
    assert office.costs_of(story) == []


@pytest.mark.cloud
def test_an_old_parcel_is_found_by_its_number(office: Office) -> None:
    story = office.paid_order("1")
    days = {"first": "2026-06-01", "last": "2026-06-30", "look_back": 3}

    done = invoice(office, "1Z1,5.10,USD,ground,0.5,2026-06-03\n", **days)

    (finding,) = office.found(done)
    assert finding.differences == ("date",)
    assert [cost.amount for cost in office.costs_of(story)] == [510]


@pytest.mark.cloud
def test_orders_of_a_channel_are_compared_by_number_total_and_state(office: Office) -> None:
    for number in ("1", "2", "3", "4"):
        office.paid_order(number)
    cancelled = Story(placement(external_id="5", provider="stripe"))
    office.orders.stories[cancelled.order_id] = cancelled.do(c.CancelOrder("a mistake"))
    text = (
        "1,15.00,USD,2026-03-02,paid\n"
        "2,16.00,USD,2026-03-02,paid\n"
        "3,15.00,USD,2026-03-02,cancelled\n"
        "5,15.00,USD,2026-03-02,cancelled\n"
        "9,15.00,USD,2026-03-02,paid\n"
    )

    done = office.reconciled(
        ORDERS + text, statement="channel_orders", source="web", tolerance=0, look_back=1
    )

    assert office.counts(done) == {
        "matched": 2,
        "different": 2,
        "missing_here": 1,
        "missing_there": 1,
    }
    wrong = {each.pair.stated.reference: each.differences for each in office.found(
        done, Outcome.DIFFERENT
    ) if each.pair.stated}  # fmt: skip
    assert wrong == {"2": ("amount",), "3": ("status",)}


@pytest.mark.cloud
def test_many_orders_are_walked_in_pages_by_workers_that_are_late(office: Office) -> None:
    for number in range(45):
        office.paid_order(str(number))
    office.steps = 3
    text = "".join(f"{number},15.00,USD,2026-03-02,paid\n" for number in range(1, 45))

    done = office.reconciled(
        ORDERS + text, statement="channel_orders", source="web", tolerance=0, look_back=1
    )

    assert office.counts(done) == {"matched": 44, "missing_there": 1}
    assert done.lines == 44

"""What can be returned, until when, and on which terms: by the policy, line by line."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from oms.domain import commands as c
from oms.domain.fulfillment import Delivery
from oms.domain.returns import Resolution, ReturnLine, Terms
from oms.domain.returns.eligibility import (
    Asked,
    Verdict,
    eligibility,
    estimated_refund,
    offer,
    worth_of,
)
from oms.domain.returns.policy import REASONS, Charges, Fault, Reason, ReturnPolicy, Window
from oms.domain.tracking import TrackingStatus
from tests.builders import NOW, RECORD, Story, line, placement, scanned

ARRIVED = scanned("EZ1", TrackingStatus.DELIVERED, 0).at
DAY = timedelta(days=1)
SEEN = ReturnPolicy(automatic=True)


def delivered(quantity: int = 2, tags: tuple[str, ...] = (), **changes: Any) -> Story:
    bought = replace(line(quantity=quantity, **changes), tags=tags)
    return Story(placement(bought)).authorized().routed().shipped().captured().delivered()


def verdict(
    story: Story,
    policy: ReturnPolicy = SEEN,
    units: int = 1,
    reason: str = "too_small",
    at: datetime = ARRIVED + DAY,
    resolution: Resolution = Resolution.REFUND,
) -> Verdict:
    asked = Asked(story.order, policy, 7, at)
    return eligibility(asked, (ReturnLine("line_1", units, reason),), resolution)


def why_not(found: Verdict) -> str:
    return "; ".join((*found.refusals, *(x for each in found.lines for x in each.refusals)))


def test_what_the_policy_allows_is_allowed() -> None:
    found = verdict(delivered())

    assert found.is_allowed
    assert found.automatic
    assert found.terms == Terms(policy_version=7)
    assert found.expires_at == ARRIVED + DAY + timedelta(days=21)
    assert found.lines[0].until == ARRIVED + timedelta(days=30)


def test_the_window_is_counted_from_the_carriers_delivery() -> None:
    story = delivered()

    assert verdict(story, at=ARRIVED + 30 * DAY).is_allowed
    late = verdict(story, at=ARRIVED + 30 * DAY + timedelta(seconds=1))
    assert not late.is_allowed
    assert why_not(late) == f"its 30 days are over, since {ARRIVED + 30 * DAY:%Y-%m-%d}"


def test_without_scans_it_is_counted_from_when_we_were_told() -> None:
    story = Story(placement(line(), pickup_location="austin")).authorized()
    (part,) = story.plan(("austin", {"line_1": 1}))
    story.do(c.RecordRouting((replace(part, delivery=Delivery.PICKUP),), RECORD))
    story.packed().do(
        c.ReadyFulfillmentOrder(story.box(1)), c.CollectFulfillmentOrder(story.box(1))
    )

    told = story.at
    assert verdict(story, at=told + 30 * DAY).is_allowed
    assert not verdict(story, at=told + 31 * DAY).is_allowed


def test_a_delivery_whose_time_nobody_knows_has_no_end() -> None:
    story = delivered()
    boxes = tuple(
        replace(box, delivered_at=None, parcels=()) for box in story.order.fulfillment_orders
    )
    story.order = replace(story.order, fulfillment_orders=boxes)

    found = verdict(story, at=NOW + 400 * DAY)

    assert found.is_allowed
    assert found.lines[0].until is None


def test_units_that_came_later_can_be_returned_longer() -> None:
    story = Story(placement(line(quantity=2))).authorized()
    story.routed(("austin", {"line_1": 1}), ("reno", {"line_1": 1}))
    story.shipped(1).captured().delivered("EZ1")
    story.shipped(2).captured()
    late = scanned("EZ2", TrackingStatus.DELIVERED, 24 * 20)
    story.do(c.RecordScans("easypost", "EZ2", (late,)))

    at = ARRIVED + 35 * DAY
    assert verdict(story, units=1, at=at).is_allowed
    assert not verdict(story, units=2, at=at).is_allowed
    assert verdict(story, units=1, at=at).lines[0].until == late.at + 30 * DAY


@pytest.mark.parametrize(
    ("windows", "days"),
    [
        ((Window(14, tag="shoes"),), 14),
        ((Window(60, channel="web"), Window(14, tag="shoes")), 60),
        ((Window(60, channel="shop"), Window(14, tag="hats")), 30),
        ((Window(7, "web", "hats"), Window(9, "web", "shoes")), 9),
    ],
)
def test_the_first_window_that_fits_counts(windows: tuple[Window, ...], days: int) -> None:
    policy = replace(SEEN, windows=windows)
    story = delivered(tags=("shoes",))

    assert verdict(story, policy, at=ARRIVED + days * DAY).is_allowed
    assert not verdict(story, policy, at=ARRIVED + days * DAY + DAY).is_allowed


def test_a_reason_may_have_days_of_its_own() -> None:
    policy = replace(SEEN, reasons=(Reason("defective", Fault.MERCHANT, days=700),))

    assert verdict(delivered(), policy, reason="defective", at=ARRIVED + 600 * DAY).is_allowed


def test_a_final_sale_comes_back_for_our_fault_only() -> None:
    story = delivered(tags=("final_sale",))

    assert why_not(verdict(story)) == "it was a final sale"
    assert verdict(story, reason="damaged").is_allowed


def test_a_reason_that_nobody_knows_is_told_with_those_that_count() -> None:
    said = why_not(verdict(delivered(), reason="bored"))

    assert said.startswith("bored is no reason to return it: say one of too_small, ")


def test_what_is_not_offered_is_told() -> None:
    policy = replace(SEEN, resolutions=(Resolution.STORE_CREDIT,))

    assert why_not(verdict(delivered(), policy)) == ("refund is not offered; there is store_credit")


def test_more_than_there_is_says_what_became_of_the_rest() -> None:
    story = delivered(2)
    story.do(c.RequestReturn((ReturnLine("line_1", 1, "other"),), Resolution.REFUND))

    assert why_not(verdict(story, units=2)) == (
        "1 of 2 units can be returned: 2 delivered, 1 returned or announced already"
    )
    unshipped = Story(placement(line()))
    assert why_not(verdict(unshipped)) == "0 of 1 units can be returned: none was delivered yet"


def test_the_customer_is_charged_by_whose_fault_it_is() -> None:
    policy = replace(SEEN, of_customer=Charges(1_500, 495))

    theirs = verdict(delivered(), policy).terms
    ours = verdict(delivered(), policy, reason="damaged").terms

    assert (theirs.restocking_fee_bp, theirs.return_shipping) == (1_500, 495)
    assert (ours.restocking_fee_bp, ours.return_shipping) == (0, 0)
    assert (theirs.refund_shipping, ours.refund_shipping) == (False, True)


def test_one_fault_of_ours_spares_the_customer_all_charges() -> None:
    policy = replace(SEEN, of_customer=Charges(1_500, 495))
    story = Story(placement(line(1), line(2))).authorized().routed().shipped().captured()
    both = (ReturnLine("line_1", 1, "too_small"), ReturnLine("line_2", 1, "damaged"))

    asked = Asked(story.delivered().order, policy, 1, ARRIVED)
    assert eligibility(asked, both, Resolution.REFUND).terms.restocking_fee_bp == 0


def test_what_is_worth_less_than_its_way_back_is_kept() -> None:
    policy = replace(SEEN, keep_below=1_001, of_customer=Charges(0, 495))

    kept, sent = verdict(delivered(), policy), verdict(delivered(), policy, units=2)

    assert (kept.terms.keep, kept.terms.return_shipping, kept.expires_at) == (True, 0, None)
    assert not sent.terms.keep


@pytest.mark.parametrize(
    "policy",
    [
        ReturnPolicy(),
        replace(SEEN, automatic_value=999),
        replace(SEEN, automatic_returns=0),
        replace(SEEN, reasons=(Reason("too_small", approval=True),)),
        replace(SEEN, reasons=(Reason("too_small", photo=True),)),
    ],
)
def test_what_the_policy_leaves_to_a_person_is_not_approved_at_once(policy: ReturnPolicy) -> None:
    found = verdict(delivered(), policy)

    assert found.is_allowed
    assert not found.automatic


def test_a_loss_is_claimed_without_a_window_and_looked_at_by_a_person() -> None:
    story = Story(placement(line(quantity=2))).authorized().routed().shipped().captured()

    found = verdict(story, reason="lost", at=NOW + 400 * DAY)

    assert found.is_allowed
    assert not found.automatic
    assert found.terms.keep


def test_a_line_offers_what_its_best_reason_allows() -> None:
    story = delivered(2)
    found = offer(Asked(story.order, SEEN, 1, ARRIVED + DAY), story.order.line("line_1"))

    assert (found.units, found.until) == (2, ARRIVED + 30 * DAY)
    assert found.reasons == tuple(each.code for each in REASONS)
    assert found.estimated_refund == 2_000


def test_a_line_that_offers_nothing_says_why() -> None:
    def refusal(story: Story, at: datetime = ARRIVED) -> str:
        policy = replace(SEEN, reasons=(Reason("too_small"),))
        return offer(Asked(story.order, policy, 1, at), story.order.line("line_1")).refusal

    assert refusal(Story(placement(line()))) == "none was delivered yet"
    assert refusal(delivered(tags=("final_sale",))) == "it was a final sale"
    assert refusal(delivered(), ARRIVED + 99 * DAY) == "it was delivered too long ago"


def test_the_estimate_is_what_the_next_units_cost_less_the_charges() -> None:
    story = delivered(3, discount=100)
    lines = (ReturnLine("line_1", 2, "other"),)

    worth = worth_of(story.order, lines)

    assert worth == story.order.line("line_1").payable(0, 2, tax_included=False)
    assert estimated_refund(1_000, Terms(restocking_fee_bp=1_000, return_shipping=50)) == 850
    assert estimated_refund(40, Terms(return_shipping=50)) == 0


def test_over_a_counter_there_is_no_way_back_to_pay_for_and_nothing_is_kept() -> None:
    policy = replace(SEEN, keep_below=9_999, of_customer=Charges(0, 495))
    asked = Asked(delivered().order, policy, 1, ARRIVED, in_store=True)

    terms = eligibility(asked, (ReturnLine("line_1", 1, "other"),), Resolution.REFUND).terms

    assert (terms.keep, terms.return_shipping) == (False, 0)


def test_a_segment_may_have_a_window_of_its_own_or_a_person_who_looks() -> None:
    vips = replace(SEEN, windows=(Window(90, segment="vips"),), reviewed_segments=("abusers",))
    wish = (ReturnLine("line_1", 1, "too_small"),)

    def looked_at(days: int, *segments: str) -> Verdict:
        asked = Asked(delivered().order, vips, 1, ARRIVED + days * DAY, segments=segments)
        return eligibility(asked, wish, Resolution.REFUND)

    assert looked_at(60, "vips").is_allowed
    assert not looked_at(60).is_allowed
    assert looked_at(1).automatic
    reviewed = looked_at(1, "abusers")
    assert (reviewed.is_allowed, reviewed.automatic, reviewed.in_store) == (True, False, False)
    assert vips.asks_segments
    assert not SEEN.asks_segments

"""Goods that come back: what is allowed when, and what it makes of the order."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.errors import IllegalTransition, QuantityExceeded, Refused
from oms.domain.fulfillment import Quantity
from oms.domain.lines import Part
from oms.domain.order import Order, OrderStatus, apply, stock_change
from oms.domain.order.stock import moves_at_once
from oms.domain.returns import (
    Acceptance,
    Disposition,
    Inspected,
    Received,
    Reception,
    RefundWhen,
    Resolution,
    Return,
    ReturnLine,
    ReturnStatus,
    Terms,
)
from oms.domain.returns.eligibility import returnable
from oms.domain.statuses import return_status
from oms.domain.tracking import TrackingStatus, scan
from tests.builders import NOW, Story, line, placement

KEEP = Terms(keep=True)


def delivered(quantity: int = 3, **changes: Any) -> Story:
    story = Story(placement(line(quantity=quantity, **changes))).authorized().routed()
    return story.shipped().captured().delivered()


def asked(units: int = 1, reason: str = "too_small", **changes: Any) -> c.RequestReturn:
    return c.RequestReturn((ReturnLine("line_1", units, reason),), Resolution.REFUND, **changes)


def approved(units: int = 1, terms: Terms | None = None, quantity: int = 3) -> Story:
    return delivered(quantity).do(asked(units, terms=terms or Terms()))


def the_return(story: Story) -> Return:
    return story.order.returns[-1]


def came(story: Story, *received: Received, **changes: Any) -> c.ReceiveReturn:
    return c.ReceiveReturn(the_return(story).return_id, "austin", received, **changes)


def here(units: int = 1) -> Received:
    return Received("line_1", units)


def judged(
    units: int = 1,
    acceptance: Acceptance = Acceptance.ACCEPTED,
    disposition: Disposition = Disposition.RESTOCK,
    location_id: str = "",
) -> Inspected:
    return Inspected("line_1", units, acceptance, disposition, location_id)


def looked_at(story: Story, *inspected: Inspected) -> c.InspectReturn:
    return c.InspectReturn(the_return(story).return_id, inspected)


REJECTED = judged(1, Acceptance.REJECTED, Disposition.SEND_BACK)


def test_a_return_names_its_order() -> None:
    story = delivered().do(asked())

    assert the_return(story).return_id == f"ret_{story.order_id[4:]}-1"
    assert the_return(story).status is ReturnStatus.REQUESTED
    assert return_status(story.order) == "requested"


def test_with_terms_it_is_approved_at_once() -> None:
    ends = NOW + timedelta(days=9)
    story = delivered().do(asked(terms=Terms(policy_version=3), expires_at=ends))

    found = the_return(story)
    assert (found.status, found.expires_at) == (ReturnStatus.APPROVED, ends)
    assert found.terms.policy_version == 3
    (event,) = story.events(e.ReturnApproved)
    assert event.automatic


def test_only_delivered_units_come_back() -> None:
    story = Story(placement(line(quantity=3))).authorized().routed().shipped().captured()

    with pytest.raises(QuantityExceeded, match="line_1: 1 requested, 0 left"):
        story.do(asked(1))


def test_no_unit_is_announced_twice() -> None:
    story = delivered(3).do(asked(2))

    with pytest.raises(QuantityExceeded, match="line_1: 2 requested, 1 left"):
        story.do(asked(2))
    story.do(asked(1))
    assert returnable(story.order, "line_1") == 0


@pytest.mark.parametrize(
    "ending",
    [
        lambda i: c.DeclineReturn(i, "worn"),
        lambda i: c.CancelReturn(i, "kept"),
        lambda i: c.ExpireReturn(i),
    ],
)
def test_a_return_that_is_over_frees_its_units(ending: Any) -> None:
    story = delivered(2).do(asked(2))

    story.do(ending(the_return(story).return_id))

    assert not the_return(story).is_open
    assert returnable(story.order, "line_1") == 2
    assert return_status(story.order) == "none"


def test_what_never_arrived_is_claimed_of_units_that_were_shipped() -> None:
    story = Story(placement(line(quantity=2))).authorized().routed().shipped().captured()

    story.do(asked(2, "lost", terms=Terms()))

    assert the_return(story).terms.keep
    with pytest.raises(QuantityExceeded):
        story.do(asked(1, "not_received"))


def test_a_loss_and_a_return_never_speak_for_one_unit() -> None:
    story = delivered(2).do(asked(1, "not_received"))

    assert returnable(story.order, "line_1") == 1
    with pytest.raises(QuantityExceeded):
        story.do(asked(2))


def test_losses_and_goods_are_two_returns() -> None:
    story = Story(placement(line(1), line(2))).authorized().routed().shipped().captured()
    lines = (ReturnLine("line_1", 1, "lost"), ReturnLine("line_2", 1, "too_small"))

    with pytest.raises(Refused, match="never arrived"):
        story.delivered().do(c.RequestReturn(lines, Resolution.REFUND))


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (c.RequestReturn((), Resolution.REFUND), "has units"),
        (asked(0), "has units"),
        (c.RequestReturn((ReturnLine("line_1", 1),) * 2, Resolution.REFUND), "given twice"),
        (c.RequestReturn((ReturnLine("line_1", 1),), Resolution.EXCHANGE), "wanted instead"),
        (asked(1, handed_in=(judged(),)), "only in a store"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(command: c.RequestReturn, why: str) -> None:
    with pytest.raises(Refused, match=why):
        delivered().do(command)


def test_a_request_under_one_key_is_one_return() -> None:
    story = delivered(3).do(asked(1, key="k"), asked(1, key="k"), asked(1, key="other"))

    assert [each.key for each in story.order.returns] == ["k", "other"]


def test_an_order_takes_so_many_returns() -> None:
    story = delivered(2)
    for _ in range(100):
        story.do(asked(1)).do(c.DeclineReturn(the_return(story).return_id, "no"))

    with pytest.raises(Refused, match="100 returns"):
        story.do(asked(1))


def test_each_step_is_taken_once() -> None:
    story = delivered().do(asked())
    found = the_return(story).return_id

    story.do(c.ApproveReturn(found, Terms()), c.ApproveReturn(found, Terms(keep=True)))
    assert not the_return(story).terms.keep
    kept = delivered().do(asked(1), asked(1, terms=KEEP)).order.returns[-1]
    assert kept.status is ReturnStatus.COMPLETED
    story.do(c.CancelReturn(found, "kept"), c.CancelReturn(found, "again"))
    assert the_return(story).reason == "kept"
    with pytest.raises(IllegalTransition):
        story.do(c.ApproveReturn(found, Terms()))
    with pytest.raises(IllegalTransition):
        story.do(c.DeclineReturn(found, "no"))
    story.do(c.ExpireReturn(found))
    assert the_return(story).status is ReturnStatus.CANCELLED


def labelled(story: Story) -> Story:
    return story.do(c.RecordReturnLabel(the_return(story).return_id, "easypost", "RT1"))


def scanned(story: Story, status: TrackingStatus) -> Story:
    seen = scan("easypost", "RT1", status, NOW, status.value)
    return story.do(
        c.RecordReturnScans(the_return(story).return_id, "easypost", "RT1", (seen, seen))
    )


def test_the_first_scan_puts_it_on_its_way() -> None:
    story = labelled(labelled(approved()))
    assert the_return(story).status is ReturnStatus.APPROVED
    scanned(story, TrackingStatus.LABEL_CREATED)
    assert the_return(story).status is ReturnStatus.APPROVED

    scanned(scanned(story, TrackingStatus.IN_TRANSIT), TrackingStatus.IN_TRANSIT)

    assert the_return(story).status is ReturnStatus.IN_TRANSIT
    assert len(story.events(e.ReturnLabelIssued)) == 1
    assert len(story.events(e.ReturnParcelScanned)) == 2


def test_what_is_on_its_way_is_neither_cancelled_nor_expired() -> None:
    story = scanned(labelled(approved()), TrackingStatus.IN_TRANSIT)
    found = the_return(story).return_id

    with pytest.raises(IllegalTransition):
        story.do(c.CancelReturn(found, "kept"))
    story.do(c.ExpireReturn(found))
    assert the_return(story).status is ReturnStatus.IN_TRANSIT


def test_a_scan_of_another_number_changes_nothing() -> None:
    story = labelled(approved())
    seen = scan("easypost", "RT9", TrackingStatus.IN_TRANSIT, NOW, "x")

    story.do(c.RecordReturnScans(the_return(story).return_id, "easypost", "RT9", (seen,)))

    assert not story.events(e.ReturnParcelScanned)


def test_goods_may_come_in_parts() -> None:
    story = approved(3)

    story.do(came(story, here(1)))
    assert the_return(story).status is ReturnStatus.PARTIALLY_RECEIVED
    story.do(came(story, here(1), Received("line_1", 1, Reception.SHORT)))

    assert the_return(story).status is ReturnStatus.RECEIVED
    assert the_return(story).lines[0].arrived == 2
    assert the_return(story).location_id == "austin"


def test_more_than_was_announced_is_unexpected() -> None:
    story = approved(1)

    with pytest.raises(QuantityExceeded, match="line_1: 2 requested, 1 left"):
        story.do(came(story, here(2)))
    story.do(came(story, here(1), unexpected=(Quantity("line_1", 1),)))

    assert the_return(story).unexpected == (Quantity("line_1", 1),)
    assert the_return(story).lines[0].arrived == 1


@pytest.mark.parametrize("reception", [Reception.SHORT, Reception.WRONG_ITEM])
def test_units_that_did_not_come_can_be_announced_again(reception: Reception) -> None:
    story = approved(2, quantity=2)

    story.do(came(story, Received("line_1", 1, reception)))

    assert returnable(story.order, "line_1") == 1


@pytest.mark.parametrize("terms", [None, KEEP])
def test_nothing_is_received_that_was_not_agreed_to_come(terms: Terms | None) -> None:
    story = delivered().do(asked(terms=terms))

    with pytest.raises(IllegalTransition):
        story.do(came(story, here()))


def test_a_unit_is_judged_once() -> None:
    story = approved(2).do(came(story := approved(2), here(2)))
    story.do(looked_at(story, judged(1)))

    with pytest.raises(QuantityExceeded, match="line_1: 2 requested, 1 left"):
        story.do(looked_at(story, judged(2)))
    with pytest.raises(Refused, match="has no line_9"):
        story.do(looked_at(story, Inspected("line_9", 1, *SOUND)))
    story.do(looked_at(story, REJECTED))
    assert the_return(story).lines[0].undecided == 0


SOUND = Acceptance.ACCEPTED, Disposition.RESTOCK


def test_the_same_inspection_told_again_is_one() -> None:
    story = approved(2)
    story.do(came(story, here(2), inspected=(judged(2),)))
    before = story.order.version

    story.do(looked_at(story, judged(2)))

    assert story.order.version == before
    with pytest.raises(QuantityExceeded):
        story.do(looked_at(story, REJECTED))


def test_units_put_aside_can_be_judged_later() -> None:
    story = approved(1)
    review = judged(1, Acceptance.MANUAL_REVIEW, Disposition.QUARANTINE)

    story.do(came(story, here(), inspected=(review,)))
    assert the_return(story).status is ReturnStatus.RECEIVED
    story.do(looked_at(story, judged(1)))

    assert the_return(story).lines[0].judged(Acceptance.ACCEPTED) == 1
    assert the_return(story).lines[0].undecided == 0


@pytest.mark.parametrize(
    "wrong",
    [
        judged(1, Acceptance.REJECTED, Disposition.RESTOCK),
        judged(1, Acceptance.REJECTED, Disposition.RETURN_TO_VENDOR),
        judged(1, Acceptance.ACCEPTED, Disposition.SEND_BACK),
    ],
)
def test_whose_the_goods_are_says_where_they_can_go(wrong: Inspected) -> None:
    story = approved(1)

    with pytest.raises(Refused, match=r"line_1: .* and "):
        story.do(came(story, here(), inspected=(wrong,)))


def test_in_a_store_it_is_all_one_change() -> None:
    story = delivered(2)

    story.do(asked(2, in_store="SOHO", terms=Terms(), handed_in=(judged(2),)))

    found = the_return(story)
    assert (found.location_id, found.lines[0].arrived) == ("SOHO", 2)
    assert len({fact.at for fact in story.facts[-3:]}) == 1
    assert len(story.events(e.ReturnInspected)) == 1


def moved(story: Story) -> dict[tuple[str, str], int]:
    """Units that inspections have brought to stock, by item and location."""
    order: Order | None = None
    found: dict[tuple[str, str], int] = {}
    for fact in story.facts:
        if isinstance(fact.event, e.ReturnInspected) and order:
            change = stock_change(order, fact)
            for item in change.items if change else ():
                at = (item.sku, item.location)
                found[at] = found.get(at, 0) + change.effect(item).on_hand if change else 0
        order = apply(story.order_id, order, fact)
    return found


def test_what_is_restocked_is_stock_where_it_came_or_where_it_goes() -> None:
    story = approved(3)

    story.do(came(story, here(3), inspected=(judged(2), judged(1, location_id="reno"))))

    assert moved(story) == {("SKU-1", "austin"): 2, ("SKU-1", "reno"): 1}


@pytest.mark.parametrize(
    ("inspected", "stocked"),
    [
        (
            judged(1, disposition=Disposition.REFURBISH, location_id="bench"),
            {("SKU-1", "bench"): 1},
        ),
        (judged(1, disposition=Disposition.QUARANTINE), {}),
        (judged(1, disposition=Disposition.WRITE_OFF), {}),
        (judged(1, disposition=Disposition.RETURN_TO_VENDOR, location_id="x"), {}),
        (REJECTED, {}),
        (judged(1, Acceptance.MANUAL_REVIEW, Disposition.QUARANTINE, "bench"), {}),
        (judged(1, Acceptance.REJECTED, Disposition.QUARANTINE, "bench"), {}),
    ],
)
def test_only_what_is_ours_and_counted_becomes_stock(
    inspected: Inspected, stocked: dict[tuple[str, str], int]
) -> None:
    story = approved(1)

    story.do(came(story, here(), inspected=(inspected,)))

    assert moved(story) == stocked


def test_a_kit_comes_back_as_its_parts() -> None:
    kit = replace(line(quantity=2), takes=(Part("CUP", 2), Part("LID", 1)))
    story = Story(placement(kit)).authorized().routed().shipped().captured().delivered()
    story.do(asked(2, terms=Terms()))

    story.do(came(story, here(2), inspected=(judged(2),)))

    assert moved(story) == {("CUP", "austin"): 4, ("LID", "austin"): 2}


def test_more_rows_than_a_transaction_takes_are_owed() -> None:
    lines = [line(n, quantity=2) for n in range(1, 31)]
    story = Story(placement(*lines)).authorized().routed().shipped().captured().delivered()
    wanted = tuple(ReturnLine(each.line_id, 2, "other") for each in lines)
    story.do(c.RequestReturn(wanted, Resolution.REFUND, terms=Terms()))
    story.do(came(story, *(Received(each.line_id, 2) for each in lines)))
    places = ("austin", "reno")
    judgements = (Inspected(each.line_id, 1, *SOUND, at) for each in lines for at in places)

    before = story.order
    story.do(looked_at(story, *judgements))

    (inspected,) = (x for x in story.facts if isinstance(x.event, e.ReturnInspected))
    assert inspected.seq in story.order.owed_stock
    assert moves_at_once(before, inspected) is None
    story.do(c.SettleStock(f"{story.order_id}#{inspected.seq:06d}"))
    assert inspected.seq not in story.order.owed_stock


def test_a_return_keeps_nothing_else_from_happening() -> None:
    story = Story(placement(line(1, quantity=2), line(2, quantity=2))).authorized()
    story.routed(("austin", {"line_1": 2}), ("reno", {"line_2": 2}))
    story.shipped().captured().delivered().do(asked(1, terms=Terms()))

    story.do(c.CancelOrder("changed my mind", (Quantity("line_2", 1),)))
    story.shipped(2, "EZ2").captured().delivered("EZ2")

    assert story.order.status is OrderStatus.COMPLETED
    assert the_return(story).status is ReturnStatus.APPROVED


@pytest.mark.parametrize("when", list(RefundWhen))
def test_what_is_given_for_units_never_exceeds_those_that_came_to_the_customer(
    when: RefundWhen,
) -> None:
    story = approved(2, Terms(refund_when=when), quantity=2)
    story.do(came(story, here(2), inspected=(judged(1), REJECTED)))

    bought = story.order.line("line_1")
    assert 0 <= bought.returned <= bought.delivered
    assert returnable(story.order, "line_1") + bought.returned <= bought.delivered


def test_units_of_one_fate_are_one_entry() -> None:
    story = approved(3)
    for _ in range(3):
        story.do(came(story, here(1), inspected=(judged(1),)))

    (found,) = the_return(story).lines
    assert found.received == (here(3),)
    assert found.inspected == (judged(3, location_id="austin"),)


def test_where_units_went_does_not_change_when_more_come_elsewhere() -> None:
    story = approved(2)
    found = the_return(story).return_id

    story.do(came(story, here(1), inspected=(judged(1),)))
    story.do(c.ReceiveReturn(found, "reno", (here(1),), (), (judged(1),)))

    assert moved(story) == {("SKU-1", "austin"): 1, ("SKU-1", "reno"): 1}


def test_so_many_returns_of_an_order_are_approved_without_a_person() -> None:
    story = delivered(3)

    story.do(asked(1, terms=Terms(), at_most=1), asked(1, terms=Terms(), at_most=1))

    first, second = story.order.returns
    assert first.status is ReturnStatus.APPROVED
    assert second.status is ReturnStatus.REQUESTED

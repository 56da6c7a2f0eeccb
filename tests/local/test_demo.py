"""What the demo decides and says, told by the state of an order alone."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from infra.local import bill, demo, seed, summary
from infra.local.client import Json
from infra.local.samples import ASKED, PLAIN, SAMPLES, SPLIT, run_of
from infra.local.telling import news, standing
from infra.local.walk import LAST_STAGE, Step, is_over, is_settled, next_steps, stage, tracker
from oms.adapters.carriers import CARRIERS
from oms.adapters.carriers.base import Ignored
from oms.adapters.payments import PROVIDERS
from oms.adapters.payments import base as payments
from oms.adapters.webhooks import Call
from oms.contracts.api import PlaceOrder, PutLocation, ReceiveStock
from oms.contracts.render import order_view
from oms.domain import commands as c
from oms.domain.order import Order
from oms.domain.payment import OperationStatus, operation_key
from oms.domain.tracking import TrackingStatus
from tests.builders import NOW, Story, line, paid, placement, scans

LATER = NOW + timedelta(days=2)


def seen(order: Order) -> Json:
    """As the API shows it."""
    return dict(msgspec.json.decode(msgspec.json.encode(order_view(order))))


def steps(story: Story) -> list[Step]:
    return next_steps(seen(story.order), LATER)


def words(before: Json | None, after: Json) -> list[str]:
    return [each.what for each in news(before, after)]


# --- what is done next ---------------------------------------------------------------------------


def test_nothing_is_done_while_the_order_does_its_own_part() -> None:
    assert steps(Story()) == []
    assert steps(Story().authorized()) == []


def test_each_fulfillment_order_goes_one_step_at_a_time() -> None:
    story = Story(placement(line(1), line(2))).authorized()
    story.routed(("austin", {"line_1": 1}), ("reno", {"line_2": 1}))
    story.do(c.AcceptFulfillmentOrder(story.box(2)))

    paths = [step.path.rpartition("/")[2] for step in steps(story)]

    assert paths == ["accept", "pick"]


def test_what_is_packed_is_shipped_whole() -> None:
    story = Story(placement(line(quantity=3))).authorized().routed().packed()

    (step,) = steps(story)

    assert step.body is not None
    assert step.path == f"/fulfillment-orders/{story.box(1)}/ship"
    assert step.body["parcels"][0]["lines"] == [{"line_id": "line_1", "quantity": 3}]
    assert steps(story) == [step]  # the same parcel, should it be asked again


@pytest.mark.parametrize(
    ("known", "next_word"),
    [
        (None, TrackingStatus.IN_TRANSIT),
        (TrackingStatus.IN_TRANSIT, TrackingStatus.OUT_FOR_DELIVERY),
        (TrackingStatus.OUT_FOR_DELIVERY, TrackingStatus.DELIVERED),
    ],
)
def test_the_carrier_says_one_thing_more_of_a_parcel(
    known: TrackingStatus | None, next_word: TrackingStatus
) -> None:
    story = Story().authorized().routed().shipped()
    if known:
        story.do(scans("EZ1", known))

    (step,) = steps(story)
    told = CARRIERS[step.sender].read(Call(msgspec.json.encode(step.body)))

    assert not isinstance(told, Ignored)
    (update,) = told
    assert [each.status for each in update.scans] == [*([known] if known else []), next_word]


def test_what_the_carrier_repeats_changes_nothing() -> None:
    story = Story().authorized().routed().shipped().do(scans("EZ1", TrackingStatus.IN_TRANSIT))
    parcel = seen(story.order)["fulfillment_orders"][0]["parcels"][0]
    before = len(story.facts)

    said = tracker(parcel, "out_for_delivery", LATER.isoformat())
    told = CARRIERS["easypost"].read(Call(msgspec.json.encode(said)))
    assert not isinstance(told, Ignored)
    (update,) = told
    story.do(c.RecordScans("easypost", "EZ1", update.scans[:1]))

    assert len(story.facts) == before


def test_the_bank_confirms_under_the_key_that_the_provider_knows() -> None:
    story = Story().do(paid("op_1", OperationStatus.PENDING))

    (step,) = steps(story)
    notice = PROVIDERS[step.sender].read(msgspec.json.encode(step.body))

    assert isinstance(notice, payments.Notice)
    assert notice.key == operation_key(story.order_id, story.order.payment.operations[0])
    assert notice.result.status is OperationStatus.SUCCEEDED


def test_an_order_that_is_over_or_needs_a_person_is_left_alone() -> None:
    delivered = Story().authorized().routed().shipped().captured().delivered()
    cancelled = Story().do(c.CancelOrder("requested", ()))
    troubled = Story().authorized().routed().do(c.RaiseAttention("late"))

    for story in (delivered, cancelled, troubled):
        assert is_over(seen(story.order))
        assert steps(story) == []


def test_a_delivered_order_is_watched_until_its_money_is_taken() -> None:
    story = Story().authorized().routed().shipped().delivered()

    assert is_over(seen(story.order))
    assert not is_settled(seen(story.order))
    assert is_settled(seen(story.captured().order))


def test_an_order_only_goes_forward_on_the_board() -> None:
    story = Story()
    stages = [stage(seen(story.order))]
    for go_on in (story.authorized, story.routed, story.shipped, story.captured, story.delivered):
        go_on()
        stages.append(stage(seen(story.order)))

    assert stages == sorted(stages)
    assert stages[-1] == LAST_STAGE


# --- what is told --------------------------------------------------------------------------------


def test_a_new_order_is_told_with_what_it_is_and_costs() -> None:
    order = seen(Story(placement(line(sku="MUG", quantity=2))).order)

    assert [tuple(each) for each in news(None, order)] == [("placed", "2 × MUG, 25.00 USD")]


def test_what_happened_between_two_looks_is_all_told() -> None:
    story = Story()
    before = seen(story.order)
    story.authorized().routed().shipped().captured().delivered()

    told = words(before, seen(story.order))

    assert told == ["payment captured", "routed", "shipped", "delivered", "completed"]
    assert words(seen(story.order), seen(story.order)) == []


def test_waiting_for_the_bank_is_said() -> None:
    story = Story()
    before = seen(story.order)
    story.do(paid("op_1", OperationStatus.PENDING))

    assert words(before, seen(story.order)) == ["waits for the bank"]
    assert standing(seen(story.order)) == "waits for the bank"


def test_trouble_is_told_in_its_own_words() -> None:
    story = Story().authorized().routed()
    before = seen(story.order)
    story.do(c.RaiseAttention("late"))

    assert [tuple(each) for each in news(before, seen(story.order))] == [
        ("needs attention", "late")
    ]


# --- the orders and the stock --------------------------------------------------------------------


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_order_of_the_demo_is_one_that_the_api_takes(sample: Any) -> None:
    said = PlaceOrder.read(sample.body(7))

    assert said.total == said.sum_of_parts
    assert run_of(said.external_id) == 7


def test_the_plain_order_is_the_one_of_the_contract() -> None:
    assert PLAIN.body(1)["total"] == 2836
    assert ASKED.body(1)["payment"]["token"] == "tok_3ds"


def test_no_location_has_all_of_the_split_order() -> None:
    wanted = {each["sku"] for each in SPLIT.lines}

    for location in seed.LOCATIONS:
        assert not wanted <= {sku for sku, places in seed.STOCK.items() if location in places}


def test_orders_that_others_placed_on_the_channel_are_no_runs() -> None:
    assert [run_of(name) for name in ("12-split", "split", "x-split", "3-other")] == [12, 0, 0, 0]


def test_everything_in_the_demo_is_in_the_seed() -> None:
    wanted = {each["sku"] for sample in SAMPLES for each in sample.lines}

    assert wanted <= seed.STOCK.keys()
    for receipt in seed.receipts():
        assert receipt.location in seed.LOCATIONS
        assert ReceiveStock.read({"quantity": receipt.quantity})
    for location in seed.LOCATIONS.values():
        assert PutLocation.read(dict(location))


def test_no_two_receipts_share_a_key() -> None:
    keys = [receipt.key for receipt in seed.receipts()]

    assert len(set(keys)) == len(keys)


# --- what it cost --------------------------------------------------------------------------------


def test_transitions_are_most_of_what_an_order_costs() -> None:
    into = {"states.transitions.standard": 5, "states.StartExecution": 1}
    counts = {**into, "dynamodb.wru": 80, "http.requests": 8}

    assert bill.dollars(into) / bill.dollars(counts) > 0.7
    assert bill.dollars(counts) == pytest.approx(6 * 25e-6 + 80 * 0.625e-6 + 8e-6)
    assert bill.bill(counts)[:4] == (8, 0, 6, 80)


def test_requests_to_a_service_are_counted_whatever_they_ask() -> None:
    counts = {"kms.Decrypt": 2, "kms.GenerateDataKey": 1}

    assert bill.requests_by_service(counts) == {
        "kms.requests": 3,
        "secretsmanager.requests": 0,
        "sqs.requests": 0,
    }


def test_our_looking_is_no_part_of_it_and_what_is_shared_is_divided() -> None:
    walks = [demo.Walk("1-a", {}, looks=4, counts={"rru": 10}), demo.Walk("1-b", {}, counts={})]

    demo.share(walks, together={"rru": 6}, look={"rru": 0.5})

    assert [walk.counts for walk in walks] == [{"rru": 11}, {"rru": 3}]


# --- the summary ---------------------------------------------------------------------------------


def summarized(**books: Any) -> str:
    order = seen(Story().authorized().routed().shipped().captured().delivered().order)
    counts = {"http.requests": 8.0, "states.transitions.standard": 5.0}
    walk = demo.Walk("1-plain", order, counts=counts)
    return summary.of([walk], {"balanced": True, "differences": [], **books})


def test_the_summary_fits_a_terminal() -> None:
    assert max(map(len, summarized().splitlines())) < 80


def test_the_summary_says_how_each_order_is_and_what_it_cost() -> None:
    rows = [row.split() for row in summarized().splitlines() if row.startswith("  1-plain")]

    assert rows[0][:4] == ["1-plain", "completed", "paid", "austin"]
    assert rows[1] == ["1-plain", "8", "0", "5", "0", "0", "0", "0.000133"]


def test_books_that_do_not_balance_are_not_passed_over() -> None:
    assert "do NOT balance" in summarized(balanced=False, differences=[{}])

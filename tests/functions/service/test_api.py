"""The desk of those who answer customers: each thing once, in words on the order's timeline."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.inventory import run_agenda
from functions.outbox import publish_events
from functions.policies import api as policies
from functions.returns import place_exchange
from functions.service import api
from oms.adapters.access_log import access_log
from oms.adapters.agenda import agenda as agenda_of_all
from oms.adapters.policies_table import policies_table
from oms.adapters.vault import vault
from oms.contracts.routes import ROUTES
from oms.domain.agenda import DueKind
from oms.domain.contact import Contact
from oms.domain.inquiries.policy import ServicePolicy, Target
from oms.domain.order import Order
from oms.domain.refund_policy import RefundLimit, RefundPolicy
from tests.functions.doors import House, ask, house
from tests.functions.returns.parcels import delivered
from tests.functions.service.desk import (
    asked,
    call,
    events_of,
    get,
    listed,
    opened,
    post,
    table,
    token_of,
)
from tests.functions.world import now

__all__ = ["house"]
pytestmark = pytest.mark.cloud
REFUND = {"refund": {"amount": 500}, "reason": "late"}


@pytest.fixture
def order(house: House) -> Order:
    """Two mugs, paid and delivered; two lie in Austin still."""
    return delivered(house)


def save_policy(name: str, policy: object) -> None:
    policies_table().save(name, policy, expected=None, at=now(), actor="test")


def test_the_api_serves_exactly_its_routes() -> None:
    declared = {(r.method, r.path) for r in ROUTES if r.function_id == "ServiceApi"}

    assert api.app.routes == declared
    assert {r.scope for r in ROUTES if r.function_id == "ServiceApi"} == {"service"}


def test_an_inquiry_is_opened_once_for_each_key(order: Order) -> None:
    first, again = opened(order.order_id, "k"), opened(order.order_id, "k")
    body = {"order_id": order.order_id, "text": "Else?"}

    assert first == again
    assert call("POST /inquiries", body, key="k")[0] == 409
    assert listed() == [first]


def test_what_was_written_is_kept_sealed_and_told_to_nobody(
    house: House, order: Order, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "my cousin Zebedee broke it"
    with caplog.at_level(logging.INFO):
        inquiry_id = opened(order.order_id, text=secret)
        post(inquiry_id, "notes", {"text": f"{secret}!"})
        post(inquiry_id, "messages", {"text": f"{secret}?"})

    rows = [*house.rows("orders"), *house.rows("stock"), *house.rows("customers")]
    assert "Zebedee" not in str(rows) + str([vars(each) for each in caplog.records])
    shown = [(each["kind"], each["text"]) for each in get(inquiry_id)["messages"]]
    assert shown == [("message", secret), ("note", f"{secret}!"), ("answer", f"{secret}?")]


def test_who_reads_what_was_written_is_in_the_log_of_the_person(order: Order) -> None:
    inquiry_id = opened(order.order_id)
    get(inquiry_id)

    (read,) = access_log().page(order.customer_id).reads
    assert (read.actor, read.what) == ("client:desk", f"texts of {inquiry_id}")


def test_texts_go_with_the_person_and_the_inquiry_stays(house: House, order: Order) -> None:
    inquiry_id = opened(order.order_id)
    for row in house.rows("customers"):
        if row["PK"]["S"] == f"PERSON#{order.customer_id}":
            key = {name: row[name] for name in ("PK", "SK")}
            name = house.environment["CUSTOMERS_TABLE"]
            house.cloud.client("dynamodb").delete_item(TableName=name, Key=key)

    found = get(inquiry_id)
    assert (found["state"], found["texts"], found["messages"]) == ("open", 1, [])


def test_answers_wait_for_the_customer_and_messages_end_the_wait(order: Order) -> None:
    inquiry_id = opened(order.order_id, assignee="user:7")
    answered = post(inquiry_id, "messages", {"text": "Which one?"})[1]

    assert (answered["state"], answered["due_at"]) == ("waiting_for_customer", None)
    assert post(inquiry_id, "messages", {"text": "Hm", "waits": False})[1]["state"] == "in_progress"


def test_under_one_key_a_text_is_written_once(order: Order) -> None:
    inquiry_id = opened(order.order_id)
    for _ in range(2):
        post(inquiry_id, "messages", {"text": "Sorry"}, key="k")
        post(inquiry_id, "notes", {"text": "Sorry"}, key="k")

    assert get(inquiry_id)["texts"] == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": "x" * 4_001}, "text"),
        ({"text": "bell\x07"}, "text"),
        ({"text": "x", "category": "weather"}, "category"),
        ({"text": "x", "line_id": "line_9"}, "line_id"),
        ({"text": "x", "return_id": "ret_9"}, "return_id"),
        ({"text": "x", "order_id": "ord_nobody"}, "order_id"),
        ({"text": "x", "order_id": None}, "customer"),
        ({"text": "x", "order_id": None, "customer": {}}, "customer.email"),
        ({"text": "x", "order_id": None, "customer": {"name": "Ada"}}, "customer.email"),
        ({"text": "x", "priority": "soon"}, "priority"),
        ({"text": "x", "more": 1}, "more"),
    ],
)
def test_what_is_refused_opens_nothing(order: Order, body: Any, field: str) -> None:
    status, problem = call("POST /inquiries", {"order_id": order.order_id, **body})

    assert status == 422
    assert field in {each["field"] for each in problem["errors"]}
    assert listed() == []


def test_a_list_has_the_overdue_first_and_goes_on_by_its_cursor(order: Order) -> None:
    save_policy("service", ServicePolicy(targets=(Target(first_answer=60), Target("other", "", 1))))
    late = opened(order.order_id, category="other")
    soon = [opened(order.order_id) for _ in range(3)]
    waiting = opened(order.order_id)
    post(waiting, "messages", {"text": "Well?"})
    table().look(late, ServicePolicy(), now() + timedelta(minutes=2))

    pages, cursor = [], ""
    while True:
        page = call("GET /inquiries", query=f"limit=2{cursor}")[1]
        pages += [each["inquiry_id"] for each in page["items"]]
        if page["cursor"] is None:
            break
        cursor = f"&cursor={page['cursor']}"

    assert pages == [late, *soon, waiting]
    assert get(late)["overdue"]


def test_lists_are_by_state_assignee_category_and_order(house: House, order: Order) -> None:
    mine = opened(order.order_id, assignee="user:7")
    other = opened(order.order_id, category="damaged")
    done = opened(order.order_id)
    post(done, "resolve", {})
    foreign = opened(delivered(house, external_id="2").order_id)

    assert listed("assignee=user:7") == [mine]
    assert set(listed("assignee=nobody")) == {other, foreign}
    assert listed("category=damaged") == [other]
    assert set(listed(f"order={order.order_id}")) == {mine, other, done}
    assert listed("state=in_progress") == [mine]
    assert listed("state=resolved") == [done]
    assert listed(f"state=resolved&order={order.order_id}") == [done]
    assert set(listed()) == {mine, other, foreign}


def test_a_cursor_of_another_list_is_refused(order: Order) -> None:
    for _ in range(3):
        opened(order.order_id)
    cursor = call("GET /inquiries", query="limit=1")[1]["cursor"]

    assert call("GET /inquiries", query=f"order={order.order_id}&cursor={cursor}")[0] == 400
    assert call("GET /inquiries", query="cursor=nonsense")[0] == 400


def test_a_refund_is_given_once_with_the_inquiry_as_its_cause(house: House, order: Order) -> None:
    inquiry_id = opened(order.order_id)
    first = post(inquiry_id, "resolve", REFUND)
    again = post(inquiry_id, "resolve", REFUND)

    assert first == again
    (credit,) = house.orders.get(order.order_id).credits
    assert (credit.amount, credit.reason) == (500, f"{inquiry_id}: late")
    (done,) = first[1]["resolutions"]
    assert (done["deed"], done["outcome"], done["amount"]) == ("refund", credit.credit_id, 500)
    assert (first[1]["state"], done["by"]) == ("resolved", "client:desk")


def test_what_was_asked_under_a_key_is_not_done_again_when_the_customer_has_written(
    house: House, order: Order
) -> None:
    inquiry_id = opened(order.order_id)
    post(inquiry_id, "resolve", REFUND, key="k")
    post(inquiry_id, "reopen")
    assert post(inquiry_id, "resolve", REFUND, key="k")[1]["state"] == "open"
    assert post(inquiry_id, "resolve", REFUND, key="l")[1]["state"] == "resolved"

    assert len(house.orders.get(order.order_id).credits) == 2


def test_another_resolution_of_what_is_resolved_is_refused(house: House, order: Order) -> None:
    inquiry_id = opened(order.order_id)
    post(inquiry_id, "resolve", REFUND)

    assert post(inquiry_id, "resolve", {"refund": {"amount": 1}})[0] == 409
    assert len(house.orders.get(order.order_id).credits) == 1


def test_a_refund_that_is_too_high_leaves_the_inquiry_as_it_is(house: House, order: Order) -> None:
    inquiry_id = opened(order.order_id)

    assert post(inquiry_id, "resolve", {"refund": {"amount": 10**9}})[0] == 409
    save_policy("refunds", RefundPolicy((RefundLimit("machine", "USD", 100),)))
    policies_table.cache_clear()
    assert post(inquiry_id, "resolve", REFUND)[0] == 409
    assert get(inquiry_id)["state"] == "open"
    assert house.orders.get(order.order_id).credits == ()


def test_a_resend_places_an_order_for_nothing_with_nothing_to_come_back(
    house: House, order: Order
) -> None:
    inquiry_id = opened(order.order_id)
    said = {"resend": {"lines": [{"line_id": "line_1", "quantity": 1}], "reason": "damaged"}}
    resolved = post(inquiry_id, "resolve", said)
    assert post(inquiry_id, "resolve", said) == resolved

    (found,) = house.orders.get(order.order_id).returns
    assert (found.return_id, found.terms.keep) == (resolved[1]["resolutions"][0]["outcome"], True)
    desk = place_exchange.ExchangeDesk(
        house.orders,
        lambda *_: Contact("ada@example.com"),
        vault().contact_write,
        house.items.resolve,
    )
    assert place_exchange.tend(desk, found.return_id, now()) == "granted"
    sent = house.orders.get(found.linked_order)
    assert (sent.total, sent.lines[0].quantity, sent.linked_to) == (0, 1, found.return_id)


def test_what_never_came_is_sent_once_more_and_no_more_often(house: House, order: Order) -> None:
    said = {"resend": {"lines": [{"line_id": "line_1", "quantity": 2}]}}

    assert post(opened(order.order_id), "resolve", said)[0] == 200
    assert post(opened(order.order_id), "resolve", said)[0] == 409
    assert len(house.orders.get(order.order_id).returns) == 1


def test_a_cancellation_stops_what_has_not_shipped(house: House, order: Order) -> None:
    inquiry_id = opened(order.order_id)

    assert post(inquiry_id, "resolve", {"cancel": {}})[0] == 409  # it was delivered
    line = {"line_id": "line_9", "quantity": 1}
    assert post(inquiry_id, "resolve", {"cancel": {"lines": [line]}})[0] == 422


@pytest.mark.parametrize(
    ("deed", "needed"),
    [("refund", "oms/refunds"), ("resend", "oms/returns.write"), ("cancel", "oms/orders.write")],
)
def test_nobody_does_to_an_order_by_an_inquiry_what_he_may_not_do_without(
    house: House, order: Order, deed: str, needed: str
) -> None:
    lines = [{"line_id": "line_1", "quantity": 1}]
    body = {"refund": {"amount": 1}, "resend": {"lines": lines}, "cancel": {}}
    scopes = "oms/service oms/refunds oms/returns.write oms/orders.write".replace(needed, "")
    before = house.orders.get(order.order_id)

    assert post(opened(order.order_id), "resolve", {deed: body[deed]}, scope=scopes)[0] == 403
    assert house.orders.get(order.order_id) == before


def test_an_inquiry_without_an_order_can_be_answered_and_not_refunded(house: House) -> None:
    said = {"text": "Do you sell cups?", "customer": {"email": "bo@example.com"}}
    found = call("POST /inquiries", said)[1]

    assert found["customer_id"].startswith("cus_")
    assert post(found["inquiry_id"], "resolve", REFUND)[0] == 422
    assert post(found["inquiry_id"], "resolve", {"text": "We do."})[1]["state"] == "resolved"


def test_canned_answers_are_checked_when_they_are_saved_and_filled_when_sent(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACKING_PAGES", "none")

    def put(text: str, answer_id: str = "late") -> tuple[int, Any]:
        body = {"title": "Late", "wordings": [{"language": "en", "text": text}]}
        return call("PUT /inquiries/canned-answers/{answer_id}", body, answer_id=answer_id)

    for bad in ("{sku}", "{customer_name.x}", "{order_number!r}", "{0}", "{", "{}"):
        assert put(bad)[0] == 422, bad
    assert put("Order {order_number}: sorry. [{reference}]")[0] == 200
    put("{tracking_page}", "page")
    shown = call("GET /inquiries/canned-answers")[1]["items"]
    assert [each["answer_id"] for each in shown] == ["late", "page"]

    inquiry_id = opened(order.order_id)
    assert post(inquiry_id, "messages", {"canned_answer": "page"})[0] == 409  # no such pages
    assert post(inquiry_id, "messages", {"canned_answer": "nothing"})[0] == 422
    assert post(inquiry_id, "messages", {"canned_answer": "late"})[0] == 200
    said = get(inquiry_id)["messages"][-1]["text"]
    assert said == f"Order {order.external_id}: sorry. [{inquiry_id[4:]}]"


def test_the_policy_of_service_is_saved_and_its_faults_are_named() -> None:
    bad = {"targets": [{"category": "no", "first_answer": 1, "resolution": 1}]}
    from oms.contracts.api.inquiry_policy import ServicePolicyGiven
    from oms.contracts.invalid import InvalidRequest

    with pytest.raises(InvalidRequest):
        ServicePolicyGiven.read(bad)
    said = {
        "time_zone": "Europe/Berlin",
        "opening": [{"weekday": "mon", "opens": "09:00", "closes": "17:00"}],
    }
    assert ServicePolicyGiven.read({}).document() == ServicePolicy()
    assert ServicePolicyGiven.read(said).document().calendar.opening[0].closes == 17 * 60


def test_the_policy_is_put_through_its_door(house: House) -> None:
    body = {"version": 0, "document": {"most_open": 1}}
    status, _ = ask(policies, "PUT /policies/{policy}", body, policy="service")

    assert status == 200


def test_a_deadline_of_an_inquiry_comes_by_the_agenda(house: House, order: Order) -> None:
    inquiry_id = opened(order.order_id)
    agenda = agenda_of_all()
    (due,) = [x for x in agenda.due(now() + timedelta(days=9), 99) if x.subject == inquiry_id]

    assert due.kind == DueKind.TEND_INQUIRY
    run_agenda.handlers()[due.kind](inquiry_id, due.at)
    run_agenda.handlers()[due.kind](inquiry_id, due.at)
    assert get(inquiry_id)["missed"] == ["first_answer"]
    post(inquiry_id, "resolve", {})
    days = [x.at for x in agenda.due(now() + timedelta(days=99), 99) if x.subject == inquiry_id]
    assert len(days) == 1  # the one on which it is closed
    run_agenda.handlers()[due.kind](inquiry_id, days[0])
    assert get(inquiry_id)["state"] == "closed"
    assert post(inquiry_id, "messages", {"text": "x"})[0] == 409


def test_every_event_of_an_inquiry_can_be_published(house: House, order: Order) -> None:
    inquiry_id = opened(order.order_id, assignee="user:7")
    post(inquiry_id, "messages", {"text": "Well?"})
    post(inquiry_id, "resolve", REFUND)
    rows = events_of(house, inquiry_id)
    told = [
        publish_events.record_of(
            {"dynamodb": {"NewImage": json.loads(json.dumps(row)), "SequenceNumber": "1"}}
        ).envelope
        for row in rows
    ]

    assert [each["type"] for each in told] == [
        "InquiryOpened",
        "InquiryAssigned",
        "InquiryAnswered",
        "InquiryResolved",
    ]
    assert {each["inquiry_id"] for each in told} == {inquiry_id}
    assert told[0]["id"] == f"{inquiry_id}#000001"


def test_the_timeline_tells_in_words_what_happened_and_who_did_it(
    house: House, order: Order
) -> None:
    asked(token_of(order.order_id))
    (inquiry_id,) = listed()
    post(inquiry_id, "resolve", REFUND)

    entries, query = [], "limit=4"
    while True:
        page = call("GET /orders/{order_id}/timeline", order_id=order.order_id, query=query)[1]
        entries += page["items"]
        if page["cursor"] is None:
            break
        query = f"limit=4&cursor={page['cursor']}"

    times = [datetime.fromisoformat(each["at"]) for each in entries]
    assert times == sorted(times)
    assert len({each["id"] for each in entries}) == len(entries)
    said = {each["event"]: each for each in entries}
    assert said["OrderPlaced"]["text"].startswith("Order ")
    assert said["InquiryOpened"]["by"] == "customer"
    assert said["InquiryResolved"]["by"] == "client:desk"
    assert f"{inquiry_id}: late" in said["RefundGranted"]["text"]
    assert call("GET /orders/{order_id}/timeline", order_id="ord_x")[0] == 404
    bad = call("GET /orders/{order_id}/timeline", order_id=order.order_id, query="cursor=x")
    assert bad[0] == 400


def test_whatever_is_unknown_is_not_found(house: House) -> None:
    assert call("GET /inquiries/{inquiry_id}", inquiry_id="inq_none")[0] == 404
    for step in ("reopen", "close"):
        assert post("inq_none", step)[0] == 404

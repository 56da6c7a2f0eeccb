"""What customers are answered reaches them: once, in their language, where they wrote from."""

from __future__ import annotations

from typing import Any

import pytest

from functions.service import send_answer
from oms.adapters.inquiries_table import inquiries_table
from oms.adapters.inquiry_texts import inquiry_texts
from oms.adapters.notices import notices
from oms.adapters.order_reader import order_reader
from oms.domain.order import Order
from tests.functions.doors import House, house
from tests.functions.returns.parcels import delivered
from tests.functions.service.desk import ADDRESS, Outbox, call, opened, post, reachable
from tests.functions.world import now

__all__ = ["house"]
pytestmark = pytest.mark.cloud


@pytest.fixture
def order(house: House) -> Order:
    found = delivered(house)
    reachable(house, found)
    return found


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


def send(outbox: Any, inquiry_id: str, text: int = 2, seq: int = 2) -> str:
    desk = send_answer.Desk(
        inquiries_table(), inquiry_texts(), order_reader(), notices(), outbox, now
    )
    told = {
        "id": f"{inquiry_id}#{seq:06d}",
        "type": "InquiryAnswered",
        "inquiry_id": inquiry_id,
        "data": {"inquiry_id": inquiry_id, "text": text, "spent": 1},
    }
    return send_answer.send_answer(told, desk)


def test_an_answer_is_mailed_once_to_whom_the_order_went(order: Order, outbox: Outbox) -> None:
    inquiry_id = opened(order.order_id)
    post(inquiry_id, "messages", {"text": "It comes <soon>.\n\nSorry!"})

    assert send(outbox, inquiry_id) == "sent"
    assert send(outbox, inquiry_id) == "sent before"
    ((address, mail),) = outbox.sent
    assert address == ADDRESS
    assert mail.subject == f"Our answer about your order {order.external_id} [#{inquiry_id[4:]}]"
    assert mail.text.startswith("Dear Ada Lovelace,\n\nIt comes <soon>.\n\nSorry!\n\nTo write back")
    assert "<p>It comes &lt;soon&gt;.</p>" in mail.html


def test_who_wrote_from_elsewhere_is_answered_there_in_his_language(
    order: Order, outbox: Outbox
) -> None:
    customer = {"email": "ada@home.example", "name": "Ada"}
    inquiry_id = opened(order.order_id, customer=customer, language="de")
    post(inquiry_id, "messages", {"text": "Morgen."})

    assert send(outbox, inquiry_id) == "sent"
    ((address, mail),) = outbox.sent
    assert address == "ada@home.example"
    assert mail.subject.startswith("Unsere Antwort zu Ihrer Bestellung")
    assert "Guten Tag Ada," in mail.text


def test_a_mail_service_that_fails_is_asked_again(order: Order, outbox: Outbox) -> None:
    class Down:
        def send(self, address: str, mail: Any) -> None:
            raise ConnectionError

    inquiry_id = opened(order.order_id)
    post(inquiry_id, "messages", {"text": "Soon."})
    with pytest.raises(ConnectionError):
        send(Down(), inquiry_id)

    assert send(outbox, inquiry_id) == "sent"


def test_what_was_erased_is_not_sent_and_nobody_without_an_address_is_written_to(
    house: House, outbox: Outbox
) -> None:
    unreachable = delivered(house)
    inquiry_id = opened(unreachable.order_id)
    post(inquiry_id, "messages", {"text": "Soon."})

    assert send(outbox, inquiry_id) == "no address"
    assert send(outbox, inquiry_id, text=9) == "it was erased"
    assert outbox.sent == []


def test_of_no_order_the_answer_names_none(house: House, outbox: Outbox) -> None:
    said = {"text": "Do you sell cups?", "customer": {"email": "bo@example.com"}, "language": "fr"}
    inquiry_id = call("POST /inquiries", said)[1]["inquiry_id"]
    post(inquiry_id, "messages", {"text": "Oui."})

    send(outbox, inquiry_id)
    assert outbox.sent[0][1].subject == f"Notre réponse à votre question [#{inquiry_id[4:]}]"

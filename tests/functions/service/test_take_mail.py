"""Mails that come in: whose they are, what is kept of them, and what is never answered."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest

from functions.service import take_mail
from oms.adapters.incoming_mail import read_mail
from oms.adapters.inquiry_texts import inquiry_texts
from oms.adapters.secrets import secrets
from oms.domain.inquiries.model import Inquiry, InquiryState
from oms.domain.order import Order
from tests.functions.doors import House, house
from tests.functions.returns.parcels import delivered
from tests.functions.service.desk import ADDRESS, get, listed, opened, post, table, token_of
from tests.functions.world import now

__all__ = ["house"]
pytestmark = pytest.mark.cloud
OURS = "shop@example.com"
GOOD = {f"{name}Verdict": {"status": "PASS"} for name in ("spam", "virus", "spf", "dkim", "dmarc")}


@pytest.fixture(autouse=True)
def _sender(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDER_EMAIL", OURS)


@pytest.fixture
def order(house: House) -> Order:
    return delivered(house, customer_id=secrets().customer_id(ADDRESS), placed_at=now())


def mail(text: str = "It is broken.", subject: str = "My mug", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = headers.pop("From", f"Ada Lovelace <{ADDRESS}>")
    message["To"] = OURS
    message["Subject"] = subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def come(house: House, message: EmailMessage | bytes, name: str = "m1", **receipt: Any) -> str:
    octets = message if isinstance(message, bytes) else message.as_bytes()
    bucket, client = house.environment["FILES_BUCKET"], house.cloud.client("s3")
    client.put_object(Bucket=bucket, Key=f"mail/{name}", Body=octets)
    return told(name, **receipt)


def told(name: str, **receipt: Any) -> str:
    said = {"mail": {"messageId": name}, "receipt": {"recipients": [OURS], **GOOD, **receipt}}
    return str(take_mail.handler({"Records": [{"ses": said}]}, None)["outcome"])


def stored(house: House) -> int:
    bucket = house.environment["FILES_BUCKET"]
    found = house.cloud.client("s3").list_objects_v2(Bucket=bucket, Prefix="mail/")
    return int(found["KeyCount"])


def only() -> Inquiry:
    (inquiry_id,) = listed()
    return table().get(inquiry_id)


def texts_of(inquiry: Inquiry) -> list[Any]:
    return [x.written for x in inquiry_texts().all_of(inquiry.customer_id, inquiry.inquiry_id)]


def test_a_mail_of_a_customer_opens_an_inquiry_about_his_order_and_is_not_kept(
    house: House, order: Order
) -> None:
    assert come(house, mail()) == "opened"

    found = only()
    assert (found.order_id, found.customer_id) == (order.order_id, order.customer_id)
    (written,) = texts_of(found)
    assert (written.text, written.subject, written.elsewhere) == ("It is broken.", "My mug", False)
    assert inquiry_texts().correspondent(found.customer_id, found.inquiry_id).email == ADDRESS
    assert stored(house) == 0


def test_a_mail_that_is_told_twice_is_one(house: House, order: Order) -> None:
    assert come(house, mail()) == "opened"
    assert told("m1") == "taken before"
    assert come(house, mail()) == "opened before"

    assert only().texts == 1


def test_the_reference_in_its_subject_brings_a_mail_to_its_inquiry(
    house: House, order: Order
) -> None:
    inquiry_id = opened(order.order_id)
    post(inquiry_id, "messages", {"text": "Which one?"})
    subject = f"Re: Our answer [#{inquiry_id[4:]}]"

    assert come(house, mail("The blue one.\n\nOn Monday you wrote:\n> Which?", subject)) == "added"
    found = get(inquiry_id)
    assert (found["state"], found["messages"][-1]["text"]) == ("open", "The blue one.")
    assert "from_another_address" not in found["messages"][-1]


def test_the_reference_in_the_address_does_it_too(house: House, order: Order) -> None:
    inquiry_id = opened(order.order_id)
    to = [f"service+{inquiry_id[4:]}@example.com"]

    assert come(house, mail(), recipients=to) == "added"
    assert get(inquiry_id)["texts"] == 2


def test_a_mail_to_what_was_resolved_opens_it_again_and_to_what_is_closed_another_one(
    house: House, order: Order
) -> None:
    inquiry_id = opened(order.order_id)
    subject = f"[#{inquiry_id[4:]}]"
    post(inquiry_id, "resolve", {})
    assert come(house, mail(subject=subject)) == "added"
    assert get(inquiry_id)["reopened"] == 1

    post(inquiry_id, "close")
    assert come(house, mail(subject=subject), "m2") == "opened"
    assert (only().follows, only().order_id) == (inquiry_id, order.order_id)
    assert get(inquiry_id)["state"] == InquiryState.CLOSED


def test_who_knows_the_tracking_page_may_write_and_is_not_told_of_the_order(
    house: House, order: Order
) -> None:
    text = f"See https://shop.example.com/track/{token_of(order.order_id)} please"
    message = mail(text, From="eve@example.net")

    assert come(house, message) == "opened"
    found = only()
    assert found.order_id == order.order_id
    assert texts_of(found)[0].elsewhere
    assert inquiry_texts().correspondent(found.customer_id, found.inquiry_id).email == ""


def test_a_sender_whom_nobody_vouches_for_is_nobody_that_we_know(
    house: House, order: Order
) -> None:
    bad = {"status": "FAIL"}

    assert come(house, mail(), dmarcVerdict=bad) == "opened"
    assert only().order_id == ""
    assert only().customer_id != order.customer_id


def test_of_several_orders_the_one_that_is_named_is_meant(house: House, order: Order) -> None:
    other = delivered(house, external_id="B-77", customer_id=order.customer_id, placed_at=now())

    come(house, mail("About order b-77, it is broken."), "m1")
    come(house, mail("It is broken."), "m2")
    found = {table().get(each).order_id for each in listed()}
    assert found == {other.order_id, ""}


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "Auto-Generated; x=y"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply"},
        {"List_Id": "<news.example.com>"},
        {"Return_Path": "<>"},
        {"From": "MAILER-DAEMON@example.net"},
        {"From": "no-reply+1@example.net"},
        {"From": "nobody"},
        {"From": OURS.upper()},
        {"X_SES_Spam_Verdict": "FAIL"},
        {"X_SES_Virus_Verdict": "FAIL"},
    ],
    ids=str,
)
def test_what_nobody_wrote_is_neither_opened_nor_answered_nor_kept(
    house: House, order: Order, headers: dict[str, str]
) -> None:
    inquiry_id = opened(order.order_id)

    assert come(house, mail(subject=f"[#{inquiry_id[4:]}]", **headers)).startswith("dropped")
    assert get(inquiry_id)["texts"] == 1
    assert stored(house) == 0


@pytest.mark.parametrize("verdict", ["spamVerdict", "virusVerdict"])
def test_spam_and_viruses_are_dropped(house: House, order: Order, verdict: str) -> None:
    assert come(house, mail(), "m1", **{verdict: {"status": "FAIL"}}).startswith("dropped")
    assert listed() == []


def test_files_are_named_and_not_kept(house: House, order: Order) -> None:
    message = mail()
    message.add_attachment(b"x" * 1234, maintype="image", subtype="jpeg", filename="mug.jpg")
    message.add_attachment("notes", filename="notes.txt")
    come(house, message)

    (written,) = texts_of(only())
    assert (written.text, written.dropped[0]) == ("It is broken.", "mug.jpg (1,234 bytes)")
    assert written.dropped[1].startswith("notes.txt")


def test_more_than_may_be_open_goes_into_the_newest(house: House, order: Order) -> None:
    outcomes = [come(house, mail(f"{number}"), f"m{number}") for number in range(7)]

    assert outcomes == ["opened"] * 5 + ["added"] * 2
    counts = [table().get(each).texts for each in listed(f"order={order.order_id}")]
    assert sorted(counts) == [1, 1, 1, 1, 3]


def test_a_person_without_an_order_opens_as_many_and_no_more(house: House) -> None:
    stranger = {"From": "bo@example.net"}
    outcomes = [come(house, mail("Hello?", **stranger), f"m{number}") for number in range(6)]

    assert outcomes == ["opened"] * 5 + ["added"]


def test_html_alone_is_read_as_text() -> None:
    message = mail()
    message.set_content("<style>p{}</style><p>It is<br>bro&shy;ken</p><script>x</script>", "html")

    found = read_mail(message.as_bytes())
    assert found.text.split() == ["It", "is", "bro\xadken"]


def test_a_long_text_is_cut_and_it_is_said() -> None:
    found = read_mail(mail("word " * 2_000).as_bytes())

    assert len(found.text) == 4_000
    assert found.dropped == ("5,999 more characters of the text",)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\xff\xfe\x00",
        b"From: \r\n\r\n",
        b"From: a@example.com\r\nSubject: =?utf-8?b?!!!?=\r\n\r\nx",
        b"From: a@example.com\r\nSubject: =?nonsense?q?x?=\r\n\r\nx",
        b"From: =?utf-8?q?=00=0a?= <a@example.com>\r\nTo: <<>>,;:@\r\n\r\nx",
        b"From: a@example.com\r\nContent-Type: text/plain; charset=klingon\r\n\r\n\xe9",
        b"From: a@example.com\r\nContent-Type: multipart/mixed; boundary=\r\n\r\n--\r\n",
        b"From: a@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b\r\n",
        b"From: a@example.com\r\nContent-Disposition: attachment; filename*=x'y\r\n\r\nx",
        b"From: a@example.com\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%",
        b"From: a@example.com\r\n" + b"X: y\r\n" * 5_000 + b"\r\nx",
        b'From: [@example.com\r\nTo: =?\r\nCc: "\r\n\r\nx',
    ],
)
def test_whatever_is_in_a_mail_it_is_read(octets: bytes) -> None:
    found = read_mail(octets)

    assert found.sender in ("", "a@example.com")
    assert "\x00" not in found.text + found.subject + found.name

"""One port for mails and text messages: what the real one does, the fake does, too."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from oms.adapters.mail import Mail, Mailer
from oms.adapters.messenger import AwsMessenger, Messenger
from oms.adapters.text_messages import NoNumber, TextMessages, TooLong
from tests.messengers import FakeMessenger

pytestmark = pytest.mark.cloud


@dataclass(frozen=True)
class Line:
    """A messenger, and what has arrived at an address or a number."""

    messenger: Messenger
    mails: Callable[[str], list[str]]
    texts: Callable[[str], list[str]]


@pytest.fixture(params=["aws", "fake"])
def line(request: pytest.FixtureRequest, cloud: Any) -> Line:
    if request.param == "fake":
        fake = FakeMessenger()
        return Line(
            fake,
            lambda address: [mail.subject for to, mail in fake.mails if to == address],
            lambda number: [text for to, text in fake.texts if to == number],
        )
    ses = cloud.client("sesv2")
    ses.create_email_identity(EmailIdentity="shop@example.com")
    messenger = AwsMessenger(Mailer(ses, "shop@example.com"), TextMessages(cloud.client("sns")))
    return Line(messenger, lambda to: mails_of(cloud, to), lambda to: texts_of(cloud, to))


def mails_of(cloud: Any, address: str) -> list[str]:
    boxes = asked(cloud, "ses/messages")["messages"].values()
    return [mail["Subject"] for box in boxes for mail in box if address in mail["To"]]


def texts_of(cloud: Any, number: str) -> list[str]:
    messages = asked(cloud, "sns/sms-messages")["sms_messages"]
    return [each["Message"] for each in messages.get(number, [])]


def asked(cloud: Any, what: str) -> Any:
    with urllib.request.urlopen(f"{cloud.url}/_ministack/{what}") as answer:
        return json.load(answer)


def somebody() -> str:
    return f"{uuid4().hex[:12]}@example.com"


def test_a_mail_arrives_at_its_address_alone(line: Line) -> None:
    to = somebody()
    mail = Mail("Hé", "text", "<p>html</p>", {"List-Unsubscribe": "<https://x.example/u>"})

    line.messenger.mail(to, mail)

    assert line.mails(to) == ["Hé"]
    assert line.mails(somebody()) == []


def test_a_text_arrives_at_its_number_and_its_parts_are_counted(line: Line) -> None:
    number = f"+1512{uuid4().int % 10**7:07}"

    assert line.messenger.text(number, "x" * 161) == 2
    assert line.texts(number) == ["x" * 161]


@pytest.mark.parametrize(
    "number", ["", "5125550100", "+0151", "tel:+15125550100", "+1 512 5550100"]
)
def test_a_number_without_its_country_is_sent_nothing(line: Line, number: str) -> None:
    with pytest.raises(NoNumber):
        line.messenger.text(number, "x")


def test_more_than_three_parts_are_not_sent(line: Line) -> None:
    number = f"+1512{uuid4().int % 10**7:07}"

    with pytest.raises(TooLong):
        line.messenger.text(number, "x" * 460)
    assert line.texts(number) == []


class Recorder:
    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def send_email(self, **request: Any) -> None:
        self.asked = request

    def publish(self, **request: Any) -> None:
        self.asked = request


def test_a_mail_names_its_reports_its_headers_and_what_it_is_about() -> None:
    ses = Recorder()
    mail = Mail("s", "t", "h", {"List-Unsubscribe": "<u>"}, {"order_id": "ord_1"})

    Mailer(ses, "shop@example.com", "reports").send("ada@example.com", mail)

    assert ses.asked["ConfigurationSetName"] == "reports"
    assert ses.asked["EmailTags"] == [{"Name": "order_id", "Value": "ord_1"}]
    headers = ses.asked["Content"]["Simple"]["Headers"]
    assert headers == [{"Name": "List-Unsubscribe", "Value": "<u>"}]


def test_without_any_of_it_a_mail_is_asked_for_as_before() -> None:
    ses = Recorder()

    Mailer(ses, "shop@example.com").send("ada@example.com", Mail("s", "t", "h"))

    assert set(ses.asked) == {"FromEmailAddress", "Destination", "Content"}
    assert set(ses.asked["Content"]["Simple"]) == {"Subject", "Body"}


def test_a_text_is_transactional() -> None:
    sns = Recorder()

    TextMessages(sns).send("+15125550100", "x")

    kinds = sns.asked["MessageAttributes"]
    assert kinds["AWS.SNS.SMS.SMSType"]["StringValue"] == "Transactional"

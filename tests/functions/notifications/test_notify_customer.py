"""Each notice once: told twice, refused by the mail service, killed at any call."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from functions.notifications.desk import Desk, page_of
from functions.notifications.notify_customer import notify_customer
from oms.adapters.mail import Mail, Mailer
from oms.adapters.notices import CLAIM_LASTS, BeingSent, Notices
from oms.contracts.events import envelope
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.contact import Contact
from oms.domain.order import Order
from tests.builders import NOW, Story, paid, placement
from tests.functions.world import Crash, Mortal
from tests.tables import create_table

pytestmark = pytest.mark.cloud

ADA = Contact("ada@example.com", "Ada Byron")


class MailRefused(Exception):
    pass


@dataclass
class Outbox:
    """A mail service that may refuse, or be the last thing that a worker saw."""

    sent: list[tuple[str, Mail]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    refuses: bool = False
    kills: bool = False

    def text(self, number: str, text: str) -> int:
        self.texts.append((number, text))
        return 1

    def mail(self, address: str, mail: Mail) -> None:
        if self.kills:
            raise Crash
        if self.refuses:
            raise MailRefused
        self.sent.append((address, mail))


@dataclass
class Shop:
    """What a notice takes, and a clock that is set by hand."""

    client: Any
    table: str
    story: Story
    contact_of: Contact | None = ADA
    outbox: Outbox = field(default_factory=Outbox)
    now: datetime = NOW

    @property
    def notices(self) -> Notices:
        return Notices(self.client, self.table)

    def glance(self, order_id: str) -> Order:
        assert order_id == self.story.order_id
        return self.story.order

    def get(self, order_id: str) -> Order:
        return self.glance(order_id)

    def contact(self, customer_id: str, order_id: str) -> Contact | None:
        assert (customer_id, order_id) == (self.story.order.customer_id, self.story.order_id)
        return self.contact_of

    def desk(self, client: Any = None) -> Desk:
        notices = Notices(client or self.client, self.table)
        return Desk(self, self, notices, self.outbox, lambda: self.now)

    def told(self, kind: type[Any]) -> dict[str, Any]:
        """The event as the bus brings it."""
        fact = next(fact for fact in self.story.facts if isinstance(fact.event, kind))
        told = json.dumps(envelope(self.story.order_id, fact), default=str)
        return dict(json.loads(told))

    def tell(self, kind: type[Any], client: Any = None, actor: str = "test") -> str:
        return notify_customer(self.told(kind) | {"actor": actor}, self.desk(client))

    def states(self) -> list[str]:
        return list(self.notices.of(self.story.order_id).values())


@pytest.fixture
def shop(dynamodb: Any) -> Shop:
    table = create_table(dynamodb, "reports", f"reports-{uuid4().hex[:12]}")
    return Shop(dynamodb, table, Story().authorized())


def subjects(mails: Iterable[tuple[str, Mail]]) -> list[str]:
    return [mail.subject.rpartition("1 ")[2] for _, mail in mails]


def test_a_customer_hears_of_every_step_once(shop: Shop) -> None:
    shop.tell(e.PaymentAuthorized)
    shop.story.routed().shipped()
    shop.tell(e.FulfillmentOrderShipped)
    shop.story.captured().delivered()
    for kind in (e.FulfillmentOrderDelivered, e.FulfillmentOrderShipped, e.PaymentAuthorized):
        shop.tell(kind)

    assert subjects(shop.outbox.sent) == ["is confirmed", "is on its way", "has arrived"]
    assert {address for address, _ in shop.outbox.sent} == {"ada@example.com"}
    assert shop.states() == ["sent"] * 3


def test_a_cancellation_is_told(shop: Shop) -> None:
    shop.story.do(c.CancelOrder("no"))

    assert shop.tell(e.OrderCancelled) == "sent"
    assert subjects(shop.outbox.sent) == ["is cancelled"]


@pytest.mark.parametrize("contact", [None, Contact(name="Ada")])
def test_without_an_address_the_notice_is_noted_as_skipped(
    shop: Shop, contact: Contact | None
) -> None:
    shop.contact_of = contact

    assert shop.tell(e.PaymentAuthorized) == "no address"
    assert shop.states() == ["skipped"]


def test_an_order_that_its_channel_took_is_confirmed_by_its_channel(shop: Shop) -> None:
    shop.story = Story(placement(provider="external")).authorized()

    assert shop.tell(e.PaymentAuthorized) == "confirmed by its channel"
    assert shop.outbox.sent == []


def test_what_its_channel_did_is_told_by_its_channel(shop: Shop) -> None:
    """Shipped by us, it is told by us; called off here, too."""
    here = placement(provider="external")
    shop.story = Story(here).authorized().do(c.CancelOrder("no"))
    assert [shop.tell(kind, actor="channel:shopify:mugs") for kind in (e.OrderCancelled,) * 2] == [
        "told by its channel"
    ] * 2
    assert shop.states() == ["skipped"]

    shop.story = Story(here).authorized().routed().shipped()
    assert shop.tell(e.FulfillmentOrderShipped, actor="user:channel:1") == "sent"


@pytest.mark.parametrize("actor", ["workflow", "user:channel:1", "client:shop"])
def test_what_was_called_off_here_is_told_by_us(shop: Shop, actor: str) -> None:
    shop.story = Story(placement(provider="external")).authorized().do(c.CancelOrder("no"))

    assert shop.tell(e.OrderCancelled, actor=actor) == "sent"


def test_a_split_payment_is_confirmed_by_its_last_part_alone(shop: Shop) -> None:
    split = placement(tenders=(c.TenderGiven("gift_card", 100),))
    shop.story = Story(split).do(paid("op_1"))
    assert shop.tell(e.PaymentAuthorized) == "not what confirms the order"

    shop.story.do(paid("op_2"))
    shop.story.facts = [each for each in shop.story.facts if each.seq != 2]  # told before
    assert shop.tell(e.PaymentAuthorized) == "sent"


def test_an_order_that_was_cancelled_meanwhile_is_not_confirmed(shop: Shop) -> None:
    shop.story.do(c.CancelOrder("no"))

    assert shop.tell(e.PaymentAuthorized) == "cancelled meanwhile"
    assert shop.tell(e.OrderCancelled) == "sent"


def test_a_notice_that_was_sent_stays_sent_when_it_would_be_skipped_now(shop: Shop) -> None:
    shop.tell(e.PaymentAuthorized)
    shop.story.do(c.CancelOrder("no"))
    shop.tell(e.PaymentAuthorized)

    assert shop.states() == ["sent"]


def test_a_refused_mail_is_tried_again(shop: Shop) -> None:
    shop.outbox.refuses = True
    with pytest.raises(MailRefused):
        shop.tell(e.PaymentAuthorized)
    assert shop.states() == []
    shop.outbox.refuses = False

    assert shop.tell(e.PaymentAuthorized) == "sent"


def test_while_one_sends_another_waits_its_turn(shop: Shop) -> None:
    shop.outbox.kills = True
    with pytest.raises(Crash):
        shop.tell(e.PaymentAuthorized)
    shop.outbox.kills = False
    shop.now += timedelta(seconds=20)

    with pytest.raises(BeingSent):
        shop.tell(e.PaymentAuthorized)
    assert shop.outbox.sent == []


def test_the_claim_of_a_dead_worker_is_taken_over(shop: Shop) -> None:
    shop.outbox.kills = True
    with pytest.raises(Crash):
        shop.tell(e.PaymentAuthorized)
    shop.outbox.kills = False
    shop.now += CLAIM_LASTS + timedelta(seconds=1)

    assert shop.tell(e.PaymentAuthorized) == "sent"
    assert shop.tell(e.PaymentAuthorized) == "sent before"
    assert len(shop.outbox.sent) == 1


@pytest.mark.parametrize("after", [False, True])
def test_a_worker_killed_while_it_claims_sends_nothing_twice(shop: Shop, after: bool) -> None:
    with pytest.raises(Crash):
        shop.tell(e.PaymentAuthorized, Mortal(shop.client, 1, after))
    shop.now += CLAIM_LASTS + timedelta(seconds=1)

    shop.tell(e.PaymentAuthorized)
    shop.tell(e.PaymentAuthorized)

    assert len(shop.outbox.sent) == 1


def test_a_worker_killed_after_its_record_sends_nothing_twice(shop: Shop) -> None:
    with pytest.raises(Crash):
        shop.tell(e.PaymentAuthorized, Mortal(shop.client, 2, after=True))
    shop.now += CLAIM_LASTS + timedelta(seconds=1)

    assert shop.tell(e.PaymentAuthorized) == "sent before"
    assert len(shop.outbox.sent) == 1


def test_killed_between_the_mail_and_its_record_it_is_rather_sent_twice_than_never(
    shop: Shop,
) -> None:
    with pytest.raises(Crash):
        shop.tell(e.PaymentAuthorized, Mortal(shop.client, 2, after=False))
    shop.now += CLAIM_LASTS + timedelta(seconds=1)

    assert shop.tell(e.PaymentAuthorized) == "sent"
    assert len(shop.outbox.sent) == 2


def test_the_record_holds_no_address(shop: Shop) -> None:
    shop.tell(e.PaymentAuthorized)

    rows = shop.client.scan(TableName=shop.table)["Items"]
    assert "ada" not in str(rows).lower()


def test_mails_reach_the_mail_service(cloud: Any) -> None:
    ses = cloud.client("sesv2")
    ses.create_email_identity(EmailIdentity="shop@example.com")

    Mailer(ses, "shop@example.com").send("ada@example.com", Mail("Hé", "text", "<p>html</p>"))


def test_a_letter_leads_to_the_orders_page_where_there_is_one(shop: Shop) -> None:
    told, page = shop.told(e.PaymentAuthorized), "https://shop.example/track/"
    desk = replace(shop.desk(), page=lambda order_id: page + order_id)

    assert notify_customer(told, desk) == "sent"

    ((_, mail),) = shop.outbox.sent
    assert f"See your order: {page}{shop.story.order_id}" in mail.text
    assert page in mail.html


def test_without_an_address_of_such_pages_no_letter_speaks_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRACKING_PAGES", "none")

    assert page_of("ord_x") == ""

"""Who is reached when: night and morning, wishes, addresses that bounce, text messages, brands."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from functions.notifications.desk import WAITS, Desk
from functions.notifications.notify_customer import notify_customer
from functions.notifications.send_waiting import send_waiting
from functions.notifications.take_mail_events import PAUSE, TRIES, Ledger, take
from oms.adapters.notices import Notices
from oms.adapters.standings import Standings
from oms.contracts.events import envelope
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.contact import Contact
from oms.domain.notices.brands import Brand, NoticePolicy
from oms.domain.notices.composing import Sources
from oms.domain.notices.standing import BOUNCES, COMPLAINED, Standing
from oms.domain.order import Fact, Order
from oms.domain.routing import Destination
from tests.builders import Story, placement
from tests.functions.world import Crash, Mortal
from tests.messengers import FakeMessenger, MailRefused
from tests.tables import create_table

pytestmark = pytest.mark.cloud

EMAIL, PHONE = "ada@example.com", "+49 170 1234567"
EVENING = datetime(2026, 3, 2, 21, 30, tzinfo=UTC)  # 22:30 in Germany
MORNING = datetime(2026, 3, 3, 7, tzinfo=UTC)
CHOICES = "https://shop.example/choices/"
SHIPPED, DELIVERED = e.FulfillmentOrderShipped, e.FulfillmentOrderDelivered


class Digests:
    def customer_id(self, email: str) -> str:
        return f"cus_{email.strip().lower().encode().hex()[:20]}"


@dataclass
class Night:
    client: Any
    reports: str
    customers: str
    story: Story
    now: datetime = EVENING
    policy: NoticePolicy = field(default_factory=lambda: NoticePolicy(quiet_mails=True))
    messenger: FakeMessenger = field(default_factory=FakeMessenger)
    known: Contact = field(default=Contact(EMAIL, "Ada", PHONE))
    sources: tuple[Sources, int, str] | None = None

    def glance(self, order_id: str) -> Order:
        return self.story.order

    get = glance

    def fact(self, order_id: str, seq: int) -> Fact:
        return self.story.facts[seq - 1]

    def contact(self, customer_id: str, order_id: str) -> Contact:
        return self.known

    def of(self, email: str) -> Standing:
        return self.standings.of(Digests().customer_id(email))

    @property
    def notices(self) -> Notices:
        return Notices(self.client, self.reports)

    @property
    def standings(self) -> Standings:
        return Standings(self.client, self.customers)

    def desk(self, client: Any = None) -> Desk:
        return Desk(
            self,
            self,
            Notices(client or self.client, self.reports),
            self.messenger,
            lambda: self.now,
            unsubscribe=lambda email: CHOICES + Digests().customer_id(email),
            addresses=self,
            templates=lambda event, locale, brand: self.sources,
            policy=lambda: self.policy,
        )

    def tell(self, kind: type[Any], client: Any = None) -> str:
        fact = next(each for each in self.story.facts if isinstance(each.event, kind))
        told = json.loads(json.dumps(envelope(self.story.order_id, fact), default=str))
        return notify_customer(told, self.desk(client))

    def wake(self, client: Any = None) -> dict[str, int]:
        waiting = Notices(client or self.client, self.reports).waiting
        return send_waiting(waiting, self, self.desk(client), lambda: False)

    def subjects(self) -> list[str]:
        return [mail.subject for _, mail in self.messenger.mails]

    def states(self) -> list[str]:
        return list(self.notices.of(self.story.order_id).values())

    def hear(self, said: dict[str, Any]) -> str:
        ledger = Ledger(self.standings, self.notices, Digests())  # type: ignore[arg-type]
        return take(said, ledger, self.now)


@pytest.fixture
def night(dynamodb: Any) -> Night:
    name = uuid4().hex[:12]
    reports = create_table(dynamodb, "reports", f"reports-{name}")
    customers = create_table(dynamodb, "customers", f"customers-{name}")
    story = Story(placement(destination=Destination("DE", "", "10115")))
    return Night(dynamodb, reports, customers, story.authorized().routed().shipped())


def bounced(night: Night, kind: str = "Permanent", more: str = "General") -> dict[str, Any]:
    """Of the last mail, as the mail service tells it."""
    about = {name: [value] for name, value in night.messenger.mails[-1][1].about.items()}
    recipients = [{"emailAddress": EMAIL}]
    bounce = {"bounceType": kind, "bounceSubType": more, "bouncedRecipients": recipients}
    return {"eventType": "Bounce", "bounce": bounce, "mail": {"tags": about}}


def complained(night: Night) -> dict[str, Any]:
    mail = bounced(night)["mail"]
    recipients = [{"emailAddress": f"Ada <{EMAIL.upper()}>"}]
    return {
        "eventType": "Complaint",
        "complaint": {"complainedRecipients": recipients},
        "mail": mail,
    }


def test_at_night_the_progress_waits_and_money_does_not(night: Night) -> None:
    assert night.tell(SHIPPED) == WAITS
    assert night.states() == ["waiting"]
    assert night.messenger.mails == []
    night.story = Story(placement(destination=Destination("DE"))).authorized()

    assert night.tell(e.PaymentAuthorized) == "sent"


def test_in_the_morning_it_is_told_once_in_the_customers_language(night: Night) -> None:
    night.tell(SHIPPED)
    assert night.wake() == {"done": 0, "failed": 0, "stuck": 0}
    night.now = MORNING

    assert night.wake()["done"] == 1
    night.wake()
    night.tell(SHIPPED)
    assert night.subjects() == ["Ihre Bestellung 1 ist unterwegs"]
    assert night.states() == ["sent"]


def test_in_the_morning_it_is_decided_anew_whether_it_still_is_true(night: Night) -> None:
    night.tell(SHIPPED)
    night.story.captured().delivered()
    night.tell(DELIVERED)
    night.now = MORNING

    night.wake()

    assert night.subjects() == ["Ihre Bestellung 1 ist angekommen"]
    assert sorted(night.states()) == ["sent", "skipped"]


def test_the_bus_brings_it_again_while_it_waits_and_nothing_is_told_earlier(night: Night) -> None:
    assert [night.tell(SHIPPED) for _ in range(2)] == [WAITS, "sent before"]
    assert night.messenger.mails == []


@pytest.mark.parametrize("call", range(1, 6))
@pytest.mark.parametrize("after", [False, True])
def test_a_worker_killed_at_night_or_in_the_morning_loses_no_notice(
    night: Night, call: int, after: bool
) -> None:
    try:
        night.tell(SHIPPED, Mortal(night.client, call, after))
    except Crash:
        night.tell(SHIPPED)
    night.now = MORNING
    try:
        night.wake(Mortal(night.client, call + 8, after))  # eight parts of the agenda are read
    except Crash:
        night.now += timedelta(minutes=15)
    night.wake()

    assert set(night.subjects()) == {"Ihre Bestellung 1 ist unterwegs"}
    assert night.states() == ["sent"]


def test_a_morning_on_which_mails_are_refused_is_not_the_end_of_it(night: Night) -> None:
    night.tell(SHIPPED)
    night.now, night.messenger.refuses = MORNING, True
    assert night.wake()["failed"] == 1
    night.messenger.refuses = False
    night.now += timedelta(minutes=2)

    assert night.wake()["done"] == 1
    assert len(night.messenger.mails) == 1


def test_what_fails_for_an_hour_is_stuck_and_somebody_is_told(night: Night) -> None:
    night.tell(SHIPPED)
    night.now, night.messenger.refuses = MORNING, True
    counts = []
    for _ in range(8):
        counts.append(night.wake()["stuck"])
        night.now += timedelta(hours=1)

    assert counts == [0] * 5 + [1] * 3
    assert night.states() == []


def test_who_does_not_want_to_hear_of_the_progress_hears_of_what_matters(night: Night) -> None:
    night.policy = NoticePolicy()
    night.standings.stop_mails(Digests().customer_id(EMAIL), night.now)

    assert night.tell(SHIPPED) == "not wanted"
    night.story = Story().authorized().do(c.CancelOrder("no"))
    assert night.tell(e.OrderCancelled) == "sent"


def test_what_a_profile_prefers_wins_over_where_the_order_goes(night: Night) -> None:
    night.policy = NoticePolicy(quiet_mails=True)
    address_id = Digests().customer_id(EMAIL)
    night.standings.prefer(address_id, night.now, locale="fr-FR", time_zone="America/New_York")

    assert night.tell(SHIPPED) == "sent"  # it is afternoon there
    assert night.subjects() == ["Votre commande 1 est en route"]


def test_only_what_one_can_do_without_offers_one_click_to_do_without_it(night: Night) -> None:
    night.policy = NoticePolicy()
    night.tell(SHIPPED)
    night.story = Story().authorized().do(c.CancelOrder("no"))
    night.tell(e.OrderCancelled)

    (_, shipped), (_, cancelled) = night.messenger.mails
    address = CHOICES + Digests().customer_id(EMAIL)
    assert shipped.headers == {
        "List-Unsubscribe": f"<{address}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert address in shipped.text
    assert cancelled.headers == {}
    assert CHOICES not in cancelled.text + cancelled.html


def test_an_address_that_bounces_for_good_is_written_to_no_more(night: Night) -> None:
    night.policy = NoticePolicy()
    night.tell(SHIPPED)
    assert night.hear(bounced(night)) == BOUNCES
    night.story.captured().delivered()

    assert night.tell(DELIVERED) == "the address bounces"
    noted = {each.state: each.details for each in night.notices.listed(night.story.order_id)}
    assert noted["sent"]["outcome"] == BOUNCES
    assert noted["skipped"]["reason"] == "the address bounces"


def test_who_complains_is_written_to_no_more_however_the_address_is_written(night: Night) -> None:
    night.policy = NoticePolicy()
    night.tell(SHIPPED)
    night.hear(complained(night))
    night.story.captured().delivered()

    assert night.tell(DELIVERED) == f"the address {COMPLAINED}"


def test_nobody_finds_the_address_in_what_is_kept_of_it(night: Night) -> None:
    night.policy = NoticePolicy()
    night.tell(SHIPPED)
    night.hear(bounced(night))

    rows = [night.client.scan(TableName=each)["Items"] for each in (night.reports, night.customers)]
    assert EMAIL not in str(rows)
    assert "ada" not in str(rows).lower()


def test_a_full_mailbox_is_tried_again_and_not_for_ever(night: Night) -> None:
    night.policy = NoticePolicy()
    night.tell(SHIPPED)
    for _ in range(TRIES - 1):
        assert night.hear(bounced(night, "Transient", "MailboxFull")) == "tried again later"
        night.hear(bounced(night, "Transient", "MailboxFull"))  # told twice
        night.now += PAUSE * TRIES
        night.wake()

    assert night.hear(bounced(night, "Transient", "MailboxFull")) == "not delivered"
    assert len(night.messenger.mails) == TRIES
    assert night.of(EMAIL).suppressed == ""
    (noted,) = night.notices.listed(night.story.order_id)
    assert (noted.state, noted.details["outcome"]) == ("sent", "not delivered")


def test_who_answers_that_he_is_away_has_the_mail_and_gets_no_other(night: Night) -> None:
    night.policy = NoticePolicy()
    night.tell(SHIPPED)
    night.hear(bounced(night, "Transient"))
    night.now += PAUSE * TRIES
    night.wake()

    assert len(night.messenger.mails) == 1
    assert night.of(EMAIL).suppressed == ""


@pytest.mark.parametrize(
    "tags", [{}, {"order_id": ["x"]}, {"order_id": ["ord_1"], "notice": ["1"]}]
)
def test_a_bounce_of_a_mail_that_is_no_notice_suppresses_and_changes_no_record(
    night: Night, tags: dict[str, Any]
) -> None:
    night.policy = NoticePolicy()
    night.tell(SHIPPED)

    assert night.hear({**bounced(night), "mail": {"tags": tags}}) == BOUNCES
    assert night.of(EMAIL).suppressed == BOUNCES
    (noted,) = night.notices.listed(night.story.order_id)
    assert "outcome" not in noted.details


def test_a_text_is_sent_by_day_to_who_agreed_to_it(night: Night) -> None:
    night.policy = NoticePolicy(texts=("FulfillmentOrderShipped",), brands=(Brand(title="Mugs"),))
    night.standings.choose(Digests().customer_id(EMAIL), night.now, mails=True, texts=True)

    assert night.tell(SHIPPED) == "sent"
    assert night.messenger.texts == []
    night.now = MORNING
    night.wake()
    night.wake()

    assert night.messenger.texts == [("+491701234567", "Mugs: Ihre Bestellung 1 ist unterwegs")]
    parts = [each.details.get("parts") for each in night.notices.listed(night.story.order_id)]
    assert parts == [None, "1"]


@pytest.mark.parametrize(
    ("texts", "phone", "reason"),
    [
        (False, PHONE, "nobody agreed to text messages"),
        (True, "0170 1234567", "no number"),
        (True, "", "no number"),
    ],
)
def test_without_consent_or_a_whole_number_no_text_is_sent(
    night: Night, texts: bool, phone: str, reason: str
) -> None:
    night.policy = NoticePolicy(texts=("FulfillmentOrderShipped",), quiet_from=0, quiet_to=0)
    night.known = replace(night.known, phone=phone)
    night.standings.choose(Digests().customer_id(EMAIL), night.now, mails=True, texts=texts)

    assert night.tell(SHIPPED) == "sent"

    assert night.messenger.texts == []
    reasons = [each.details.get("reason") for each in night.notices.listed(night.story.order_id)]
    assert reasons == [None, reason]


def test_what_the_policy_keeps_silent_about_is_noted_and_not_told(night: Night) -> None:
    night.policy = NoticePolicy(silent=("FulfillmentOrderShipped",))

    assert night.tell(SHIPPED) == "told to nobody by policy"
    assert night.states() == ["skipped"]


def test_a_merchants_own_template_is_used_and_noted(night: Night) -> None:
    night.policy = NoticePolicy(brands=(Brand("mugs", "Mugs", channels=("web",)),))
    night.sources = (Sources("Los geht’s, {{customer_name}}", "<p>x</p>", "x"), 7, "de")
    night.tell(SHIPPED)

    assert night.subjects() == ["Los geht’s, Ada"]
    (noted,) = night.notices.listed(night.story.order_id)
    assert dict(noted.details) == {
        "kind": "FulfillmentOrderShipped",
        "template": "version 7",
        "locale": "de",
        "brand": "mugs",
    }


def test_a_template_that_fails_is_no_reason_to_tell_nothing(night: Night) -> None:
    night.policy = NoticePolicy()
    night.sources = (Sources("{{#items}}", "x", "x"), 7, "de")
    night.tell(SHIPPED)

    assert night.subjects() == ["Ihre Bestellung 1 ist unterwegs"]
    (noted,) = night.notices.listed(night.story.order_id)
    assert noted.details["template"] == "built-in"


def test_a_refused_mail_leaves_nothing_that_would_keep_it_from_being_sent(night: Night) -> None:
    night.policy = NoticePolicy()
    night.messenger.refuses = True
    with pytest.raises(MailRefused):
        night.tell(SHIPPED)
    night.messenger.refuses = False

    assert night.tell(SHIPPED) == "sent"

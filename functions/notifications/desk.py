"""Telling a customer of an event: whether, when, in which words; each mail and each text once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from functions.notifications.tokens import token_of
from oms.adapters.mail import Mail
from oms.adapters.messenger import Messenger, messenger
from oms.adapters.notices import TEXT, notices
from oms.adapters.order_reader import order_reader
from oms.adapters.policies_table import policies_table
from oms.adapters.secrets import secrets
from oms.adapters.standings import standings
from oms.adapters.templates_table import templates_table
from oms.adapters.text_messages import NoNumber, TooLong
from oms.adapters.vault import vault
from oms.domain.contact import Contact
from oms.domain.notices.brands import NoticePolicy
from oms.domain.notices.composing import Composed, Frame, Sources, built_in, compose
from oms.domain.notices.kinds import KINDS
from oms.domain.notices.news import no_news, told_there
from oms.domain.notices.quiet import morning, zone_of
from oms.domain.notices.standing import Standing
from oms.domain.notices.templates import BadTemplate
from oms.domain.notices.text_messages import number_of
from oms.domain.notices.variables import Told, values_of
from oms.domain.notices.wording import BY_COUNTRY, language_of
from oms.domain.order import Order
from oms.observability import describe, logger
from oms.settings import setting

NO_PAGES = "none"  # where the customer cannot look: no address of such pages is known
BUILT_IN = "built-in"
WAITS = "waits for the morning"

Event = Mapping[str, Any]  # as the bus tells it


class Orders(Protocol):
    def glance(self, order_id: str) -> Order: ...
    def get(self, order_id: str) -> Order: ...


class Contacts(Protocol):
    def contact(self, customer_id: str, order_id: str) -> Contact | None: ...


class Record(Protocol):
    def claim(self, order_id: str, notice_id: str, at: datetime) -> bool: ...
    def sent(
        self, order_id: str, notice_id: str, at: datetime, details: Mapping[str, str] = ...
    ) -> None: ...
    def skipped(
        self,
        order_id: str,
        notice_id: str,
        reason: str,
        at: datetime,
        details: Mapping[str, str] = ...,
    ) -> None: ...
    def release(self, order_id: str, notice_id: str) -> None: ...
    def wait(
        self,
        order_id: str,
        notice_id: str,
        until: datetime,
        at: datetime,
        details: Mapping[str, str] = ...,
    ) -> bool: ...


class Addresses(Protocol):
    """By e-mail address: how it stands with us. What a customer's profile prefers is in it."""

    def of(self, email: str) -> Standing: ...


Templates = Callable[[str, str, str], tuple[Sources, int, str] | None]


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that a notice takes. `page` is the address of an order's tracking page,
    `unsubscribe` that of the page where the owner of an address chooses; each may be empty."""

    orders: Orders
    contacts: Contacts
    notices: Record
    messenger: Messenger
    clock: Callable[[], datetime]
    page: Callable[[str], str] = lambda order_id: ""  # noqa: ARG005
    unsubscribe: Callable[[str], str] = lambda email: ""  # noqa: ARG005
    addresses: Addresses | None = None
    templates: Templates = lambda event, locale, brand: None  # noqa: ARG005
    policy: Callable[[], NoticePolicy] = field(default=NoticePolicy)

    def standing(self, email: str) -> Standing:
        return self.addresses.of(email) if self.addresses and email else Standing()


@dataclass(frozen=True, slots=True)
class KnownAddresses:
    """Under keyed digests, those of the ids of customers."""

    def of(self, email: str) -> Standing:
        return standings().of(secrets().customer_id(email))


def desk() -> Desk:
    return Desk(
        order_reader(),
        vault(),
        notices(),
        messenger(),
        lambda: datetime.now(UTC),
        page_of,
        unsubscribe_page_of,
        KnownAddresses(),
        templates_table().used,
        notice_policy,
    )


def notice_policy() -> NoticePolicy:
    return policies_table().current("notices", NoticePolicy)[0]


def page_of(order_id: str) -> str:
    pages = setting("TRACKING_PAGES")
    return "" if pages == NO_PAGES else pages + secrets().tracking_token(order_id)


def unsubscribe_page_of(email: str) -> str:
    pages = setting("UNSUBSCRIBE_PAGES")
    return "" if pages == NO_PAGES else pages + token_of(secrets().customer_id(email))


@dataclass(frozen=True, slots=True)
class Case:
    """An event with all that is to be decided by."""

    told: Event
    order: Order
    contact: Contact
    policy: NoticePolicy

    @property
    def kind(self) -> str:
        return str(self.told["type"])

    @property
    def notice_id(self) -> str:
        return str(self.told["id"])


def open_case(told: Event, desk: Desk) -> Case:
    order = desk.orders.glance(told["order_id"])
    if order.version < told.get("seq", 0):
        order = desk.orders.get(told["order_id"])  # the glance was too early for its own event
    contact = desk.contacts.contact(order.customer_id, order.contact_id) or Contact()
    return Case(told, order, contact, desk.policy())


def tell_by_mail(case: Case, desk: Desk) -> str:
    """What came of it: sent, sent before, put off, or why not."""
    reason, standing = reason_of(case, desk)
    if reason:
        return _skip(case, case.notice_id, reason, desk)
    optional = KINDS[case.kind].optional
    if case.policy.quiet_mails and optional and (until := _morning(case, standing, desk)):
        return _wait(case, case.notice_id, until, desk)
    return send_mail(case, case.notice_id, standing, desk)


def tell_by_text(case: Case, desk: Desk) -> str:
    """Where the shop writes texts about such events: to who agreed to them, never at night."""
    if case.kind not in case.policy.texts:
        return ""
    notice_id = case.notice_id + TEXT
    reason, standing = reason_of(case, desk)
    reason = reason or _reason_for_no_text(case, standing)
    if reason:
        return _skip(case, notice_id, reason, desk)
    if until := _morning(case, standing, desk):
        return _wait(case, notice_id, until, desk)
    return _send_text(case, notice_id, standing, desk)


def reason_of(case: Case, desk: Desk) -> tuple[str, Standing]:
    """Why nobody is told, or empty; and how the address stands, where that was looked up."""
    told = case.told
    reason = told_there(str(told["actor"])) or reason_to_skip(
        case.kind, case.order, case.contact, told["data"]
    )
    if case.kind in case.policy.silent:
        reason = reason or "told to nobody by policy"
    if reason:
        return reason, Standing()
    standing = desk.standing(case.contact.email)
    if standing.suppressed:
        return f"the address {standing.suppressed}", standing
    if KINDS[case.kind].optional and not standing.mails:
        return "not wanted", standing
    return "", standing


def reason_to_skip(kind: str, order: Order, contact: Contact, data: Mapping[str, Any]) -> str:
    return no_news(kind, order, data) if contact.email else "no address"


def _reason_for_no_text(case: Case, standing: Standing) -> str:
    if not standing.texts:
        return "nobody agreed to text messages"
    return "" if number_of(_phone(case.contact)) else "no number"


def _phone(contact: Contact) -> str:
    return contact.phone or (contact.address.phone if contact.address else "")


def _morning(case: Case, standing: Standing, desk: Desk) -> datetime | None:
    zone = zone_of(case.order.destination.country, standing.time_zone)
    return morning(case.policy, desk.clock(), zone)


def _skip(case: Case, notice_id: str, reason: str, desk: Desk) -> str:
    order_id = case.order.order_id
    if desk.notices.claim(order_id, notice_id, desk.clock()):
        about = {"kind": case.kind}
        desk.notices.skipped(order_id, notice_id, reason, desk.clock(), about)
    return reason


def _wait(case: Case, notice_id: str, until: datetime, desk: Desk) -> str:
    about = {"kind": case.kind}
    held = desk.notices.wait(case.order.order_id, notice_id, until, desk.clock(), about)
    return WAITS if held else "sent before"


def send_mail(case: Case, notice_id: str, standing: Standing, desk: Desk) -> str:
    """Between the mail and its record a crash is possible: then it is sent twice, not never."""
    said, about = composed(case, standing, desk)
    unsubscribe = _unsubscribe(case, desk)
    mail = Mail(
        said.subject, said.text, said.html, _headers(unsubscribe), _about(case.order, notice_id)
    )
    return _once(
        case, notice_id, lambda: desk.messenger.mail(case.contact.email, mail), about, desk
    )


def _about(order: Order, notice_id: str) -> dict[str, str]:
    """Tags take letters, digits, `_` and `-`."""
    return {"order_id": order.order_id, "notice": notice_id.partition("#")[2].replace("#", "_")}


def _headers(unsubscribe: str) -> dict[str, str]:
    """RFC 8058: one click, without a page in between."""
    if not unsubscribe:
        return {}
    return {
        "List-Unsubscribe": f"<{unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def _unsubscribe(case: Case, desk: Desk) -> str:
    """Nobody can do without what is about money, or what they have to do."""
    return desk.unsubscribe(case.contact.email) if KINDS[case.kind].optional else ""


def _send_text(case: Case, notice_id: str, standing: Standing, desk: Desk) -> str:
    said, about = composed(case, standing, desk)
    if not said.sms:
        return _skip(case, notice_id, "its template has no text message", desk)
    number = number_of(_phone(case.contact))
    try:
        return _once(case, notice_id, lambda: desk.messenger.text(number, said.sms), about, desk)
    except (NoNumber, TooLong) as error:
        return _skip(case, notice_id, f"refused: {type(error).__name__}", desk)


def _once(
    case: Case,
    notice_id: str,
    send: Callable[[], object],
    about: Mapping[str, str],
    desk: Desk,
) -> str:
    order_id = case.order.order_id
    if not desk.notices.claim(order_id, notice_id, desk.clock()):
        return "sent before"
    try:
        parts = send()
    except Exception:
        desk.notices.release(order_id, notice_id)
        raise
    counted = {"parts": str(parts)} if parts else {}
    desk.notices.sent(order_id, notice_id, desk.clock(), {**about, **counted})
    return "sent"


def composed(case: Case, standing: Standing, desk: Desk) -> tuple[Composed, dict[str, str]]:
    """And which template it is of. One that cannot be rendered is no reason to tell nothing."""
    locale, brand = locale_of(case, standing), case.policy.brand_of(case.order.channel)
    found = desk.templates(case.kind, locale, brand.brand)
    if found:
        sources, version, tag = found
        try:
            return _composed(case, sources, tag, desk), _named(case, tag, version)
        except BadTemplate as error:
            extra = {"template": case.kind, "version": version, **describe(error)}
            logger().warning("the built-in template instead", extra=extra)
    language = language_of(locale)
    sources = built_in(case.kind, language)
    return _composed(case, sources, language, desk), _named(case, language, 0)


def _named(case: Case, locale: str, version: int) -> dict[str, str]:
    template = f"version {version}" if version else BUILT_IN
    brand = case.policy.brand_of(case.order.channel).brand
    return {"kind": case.kind, "locale": locale, "brand": brand, "template": template}


def _composed(case: Case, sources: Sources, locale: str, desk: Desk) -> Composed:
    told = Told(case.kind, case.order, case.told["data"], language_of(locale))
    values = values_of(told, case.contact.name, desk.page(case.order.order_id))
    brand = case.policy.brand_of(case.order.channel)
    return compose(sources, values, Frame(brand, locale, _unsubscribe(case, desk)))


def locale_of(case: Case, standing: Standing) -> str:
    """What the customer prefers; else what is read where the order goes."""
    country = case.order.destination.country or case.order.billing_country
    return standing.locale or BY_COUNTRY.get(country) or case.policy.language

"""Mails that customers write: taken from where the mail service puts them into inquiries.

The mail service stores a mail and tells us its name. What a machine sent, spam and viruses are
dropped; of whatever was taken or dropped nothing is left where it was stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from functions.service.matching import Match, Matching
from oms.adapters.files import Files, files
from oms.adapters.incoming_mail import MAX_BYTES, IncomingMail, read_mail
from oms.adapters.inquiries_table import InquiriesTable, TooManyOpen, inquiries_table
from oms.adapters.inquiry_desk import Ask, opening, service_policy
from oms.adapters.inquiry_texts import Correspondent, Written, inquiry_texts
from oms.adapters.order_reader import order_reader
from oms.adapters.secrets import secrets
from oms.domain.errors import Refused
from oms.domain.inquiries import commands as c
from oms.domain.inquiries.model import InquiryState, Origin, inquiry_id_of
from oms.domain.inquiries.policy import ServicePolicy
from oms.observability import observed
from oms.settings import setting

ENVIRONMENT: tuple[str, ...] = (
    "ORDERS_TABLE",
    "STOCK_TABLE",
    "CUSTOMERS_TABLE",
    "KEYS_TABLE",
    "VAULT_KEY_ID",
    "SECRET_ID",
    "FILES_BUCKET",
    "SENDER_EMAIL",
)
FOLDER = "mail"
ACTOR = "customer"
NOTHING = "(nothing was written)"
FAILED, PASSED = "FAIL", "PASS"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the mail service says of a mail: by whom it was really sent, and what is in it."""

    message_id: str
    recipients: tuple[str, ...]
    is_bad: bool
    is_believed: bool

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Receipt:
        receipt = told["receipt"]

        def verdict(name: str) -> str:
            return str(receipt.get(f"{name}Verdict", {}).get("status", "")).upper()

        is_bad = FAILED in (verdict("spam"), verdict("virus"))
        signed = PASSED in (verdict("dmarc"), verdict("dkim"), verdict("spf"))
        is_believed = signed and verdict("dmarc") != FAILED
        recipients = tuple(map(str, receipt.get("recipients", ())))
        return cls(str(told["mail"]["messageId"]), recipients, is_bad, is_believed)


@dataclass(frozen=True, slots=True)
class MailRoom:
    files: Files
    inquiries: InquiriesTable
    matching: Matching
    policy: ServicePolicy
    ours: str
    clock: Callable[[], datetime]


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    room = MailRoom(
        files(),
        inquiries_table(with_texts=True),
        Matching(inquiries_table(), inquiry_texts(), order_reader(), secrets()),
        service_policy(),
        setting("SENDER_EMAIL"),
        lambda: datetime.now(UTC),
    )
    receipts = [Receipt.read(each["ses"]) for each in event["Records"]]
    return {"outcome": ", ".join(take(room, each) for each in receipts)}


def take(room: MailRoom, receipt: Receipt) -> str:
    """What became of it. It is deleted last: who dies before does it again, and it is known."""
    name = f"{FOLDER}/{receipt.message_id}"
    if room.files.find(name) is None:
        return "taken before"
    mail = read_mail(b"".join(room.files.read(name, 0, MAX_BYTES + 1)))
    done = why_not(room, receipt, mail) or _taken(room, receipt, mail)
    room.files.remove(name)
    return done


def why_not(room: MailRoom, receipt: Receipt, mail: IncomingMail) -> str:
    if receipt.is_bad or mail.spam or mail.virus:
        return "dropped: spam or worse"
    if mail.automatic:
        return "dropped: nobody wrote it"
    return "dropped: our own" if mail.sender.lower() == room.ours.lower() else ""


def _taken(room: MailRoom, receipt: Receipt, mail: IncomingMail) -> str:
    match = room.matching.match(
        mail, receipt.recipients, room.clock(), is_believed=receipt.is_believed
    )
    known = match.inquiry
    if known is not None and known.state is not InquiryState.CLOSED:
        return _added(room, receipt, mail, match)
    try:
        return _opened(room, receipt, mail, match)
    except TooManyOpen:
        return _added(room, receipt, mail, room.matching.newest(match))


def _opened(room: MailRoom, receipt: Receipt, mail: IncomingMail, match: Match) -> str:
    at = room.clock()
    ask = Ask(
        inquiry_id_of("mail", receipt.message_id),
        match.customer_id,
        Origin.MAIL,
        written(mail, match),
        room.policy.mail_category,
        order_id=match.order_id,
        follows=match.inquiry.inquiry_id if match.inquiry else "",
        language=match.inquiry.language if match.inquiry else "en",
        key=receipt.message_id,
        fingerprint=receipt.message_id,
        correspondent=correspondent(mail, match),
    )
    _, new = room.inquiries.open(opening(ask, room.policy, at), at=at, actor=ACTOR)
    return "opened" if new else "opened before"


def _added(room: MailRoom, receipt: Receipt, mail: IncomingMail, match: Match) -> str:
    if match.inquiry is None:
        return "dropped: too many are open"
    command = c.TakeMessage(receipt.message_id)
    at, said = room.clock(), written(mail, match)
    identity = match.inquiry.inquiry_id
    try:
        room.inquiries.change(identity, command, room.policy, at=at, actor=ACTOR, written=said)
    except Refused:
        return "dropped: it takes no more"
    return "added"


def written(mail: IncomingMail, match: Match) -> Written:
    return Written(mail.text or NOTHING, mail.subject, mail.dropped, match.elsewhere)


def correspondent(mail: IncomingMail, match: Match) -> Correspondent:
    """Who is not the order's customer is not told of the order, whatever he says of himself."""
    return Correspondent() if match.elsewhere else Correspondent(mail.sender, mail.name)

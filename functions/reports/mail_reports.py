"""Every hour: the reports whose hour has come are mailed, each once for its days."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from functions.reports.api import Library, answered, look_up
from functions.reports.letters import letter_of
from functions.reports.rendering import Answer
from oms.adapters import dynamodb as db
from oms.adapters.charts import Chart, png
from oms.adapters.figures import FiguresTable
from oms.adapters.generations import generations_table
from oms.adapters.letters import Letter, post
from oms.adapters.mail_claims import MailClaims
from oms.adapters.policies_table import policies_table
from oms.contracts.api.reports import ReportQuery
from oms.domain.reporting.catalogue import REPORTS
from oms.domain.reporting.mailing import Due, ReportMail, due
from oms.domain.reporting.policy import ReportPolicy
from oms.observability import describe, logger, observed
from oms.settings import setting

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "REPORTS_TABLE", "SENDER_EMAIL", "STOCK_TABLE")


class Claims(Protocol):
    def claim(self, key: str, at: datetime) -> bool: ...
    def sent(self, key: str, at: datetime) -> None: ...
    def release(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that a mail takes."""

    answer: Callable[[Due], Answer]
    draw: Callable[[Chart], bytes]
    send: Callable[[str, Letter], None]
    claims: Claims


class NotAllSent(Exception):
    """The next hour tries them again."""


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    policy = policies_table().current("reports", ReportPolicy)[0]
    now = datetime.now(UTC)
    claims = MailClaims(db.client(), setting("REPORTS_TABLE"))
    desk = Desk(lambda each: answer_of(each, now), png, post, claims)
    sent = mail_all(policy.mails, policy.time_zone, now, desk)
    return {"outcome": "mailed", "mails": sent}


def mail_all(mails: Iterable[ReportMail], zone: str, now: datetime, desk: Desk) -> int:
    """How many were sent; one that cannot be keeps no other from it."""
    sent, failed = 0, 0
    for each in due(mails, now, zone):
        try:
            sent += mail(each, now, desk)
        except Exception as error:  # noqa: BLE001  (whatever it is, it is tried again)
            failed += 1
            logger().error("report not mailed", extra={"mail": each.mail.name, **describe(error)})
    if failed:
        raise NotAllSent(f"{failed} reports")
    return sent


def mail(each: Due, now: datetime, desk: Desk) -> int:
    """To whom it has not been sent yet. A crash between a mail and its mark sends it again."""
    sent, letter = 0, None
    for address in each.mail.to:
        key = f"{each.key}/{address}"
        if not desk.claims.claim(key, now):
            continue
        try:
            letter = letter or letter_of(each, desk.answer(each), desk.draw)
            desk.send(address, letter)
        except Exception:
            desk.claims.release(key)
            raise
        desk.claims.sent(key, now)
        sent += 1
    return sent


def answer_of(each: Due, now: datetime) -> Answer:
    report = REPORTS[each.mail.report]
    present = generations_table().of(report.name).shown
    library = Library(FiguresTable(db.client(), setting("REPORTS_TABLE")), present, look_up)
    asked = {
        "from": each.period.first.isoformat(),
        "to": each.period.last.isoformat(),
        "group_by": ",".join(each.mail.group_by),
        **({"compare": each.mail.compare} if each.mail.compare else {}),
    }
    return answered(report, ReportQuery.read(asked), {}, library, now)

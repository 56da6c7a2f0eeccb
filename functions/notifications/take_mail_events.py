"""What the mail service says of mails: an address that bounces for good, or complains, is written
to no more; a mailbox that took nothing just now is tried again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from oms.adapters.notices import AGAIN, Notices, notices
from oms.adapters.secrets import Secrets, secrets
from oms.adapters.standings import Standings, standings
from oms.domain.notices.standing import BOUNCES, COMPLAINED
from oms.observability import logger, observed

ENVIRONMENT: tuple[str, ...] = ("CUSTOMERS_TABLE", "REPORTS_TABLE", "SECRET_ID")
TRIES = 3
# Other passing bounces may be answers of somebody's absence: the mail has come.
FULL = "MailboxFull"
PAUSE = timedelta(hours=4)
ORDER = re.compile(r"ord_[A-Za-z0-9]{1,60}")
NOTICE = re.compile(r"([0-9]{6})(_again-[a-z0-9]{1,60})?")


@dataclass(frozen=True, slots=True)
class Ledger:
    standings: Standings
    notices: Notices
    secrets: Secrets


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    ledger = Ledger(standings(), notices(), secrets())
    said = [json.loads(record["Sns"]["Message"]) for record in event["Records"]]
    outcomes = [take(each, ledger, datetime.now(UTC)) for each in said]
    logger().info("mail events", extra={"outcomes": outcomes})
    return {"outcome": "taken"}


def take(said: Mapping[str, Any], ledger: Ledger, at: datetime) -> str:
    kind = str(said.get("eventType") or said.get("notificationType", "")).lower()
    if kind == "complaint":
        return _suppress(said["complaint"]["complainedRecipients"], COMPLAINED, said, ledger, at)
    if kind == "bounce":
        return _bounced(said, ledger, at)
    if kind == "reject":
        return _note(said, "refused by the mail service", ledger)
    return "nothing to do"


def _bounced(said: Mapping[str, Any], ledger: Ledger, at: datetime) -> str:
    bounce = said["bounce"]
    if bounce["bounceType"] == "Permanent":
        return _suppress(bounce["bouncedRecipients"], BOUNCES, said, ledger, at)
    place = _place(said)
    if place is None:
        return "a bounce of no notice"
    if bounce.get("bounceSubType") != FULL:
        return _note(said, "answered by a machine, or put off", ledger)
    order_id, notice_id = place
    noted = ledger.notices.find(order_id, notice_id)
    tries = int(noted.details.get("tries", "0")) + 1 if noted else TRIES
    if tries >= TRIES or AGAIN in notice_id:
        return _note(said, "not delivered", ledger)
    ledger.notices.again(order_id, notice_id, at + PAUSE * tries, at, tries)
    return "tried again later"


def _suppress(
    recipients: list[Mapping[str, Any]],
    why: str,
    said: Mapping[str, Any],
    ledger: Ledger,
    at: datetime,
) -> str:
    for address in _addresses(recipients):
        ledger.standings.suppress(ledger.secrets.customer_id(address), why, at)
    return _note(said, why, ledger)


def _addresses(recipients: list[Mapping[str, Any]]) -> Iterator[str]:
    """Some write a name before it."""
    for each in recipients:
        address = str(each.get("emailAddress", ""))
        yield address.rpartition("<")[2].rstrip(">") if "<" in address else address


def _note(said: Mapping[str, Any], outcome: str, ledger: Ledger) -> str:
    if place := _place(said):
        ledger.notices.outcome(*place, outcome)
    return outcome


def _place(said: Mapping[str, Any]) -> tuple[str, str] | None:
    """The order and the notice that the mail was about; None for a mail of another kind."""
    tags = said.get("mail", {}).get("tags", {})
    order_id, notice = (str((tags.get(name) or [""])[0]) for name in ("order_id", "notice"))
    if not ORDER.fullmatch(order_id) or not NOTICE.fullmatch(notice):
        return None
    return order_id, f"{order_id}#{notice.replace('_', '#')}"

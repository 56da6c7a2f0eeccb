"""Deadlines that no workflow waits for: what is due when, and how long a failing one is tried."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

TRIES = 6  # within the first hour; then somebody is told, and it is tried every hour
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=1)


class DueKind(StrEnum):
    EXPIRE_HOLD = "expire_hold"
    RELEASE_HOLD = "release_hold"
    RELEASE_PREORDER = "release_preorder"
    CANCEL_BACKORDER = "cancel_backorder"
    CANCEL_PICKUP = "cancel_pickup"
    RETELL_DAYS = "retell_days"
    END_EXCLUSION = "end_exclusion"
    ROUTING_WINDOW = "routing_window"
    PROMISE_AT_RISK = "promise_at_risk"
    REROUTE_WORK = "reroute_work"
    DECLINE_EDIT = "decline_edit"
    RENEW_AUTHORIZATION = "renew_authorization"
    EXPIRE_CREDIT = "expire_credit"
    TEND_INQUIRY = "tend_inquiry"


@dataclass(frozen=True, slots=True)
class Due:
    """`subject` is the id of what is looked at; `tries` went wrong so far."""

    kind: str
    subject: str
    at: datetime
    tries: int = 0

    def after_failure(self, now: datetime) -> Due:
        pause = min(LONGEST, SHORTEST * 2**self.tries)
        return replace(self, at=now + pause, tries=self.tries + 1)

    @property
    def is_hopeless(self) -> bool:
        """It has failed for an hour: somebody must be told, each time that it fails."""
        return self.tries >= TRIES

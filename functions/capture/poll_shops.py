"""Ask shops for orders that their webhooks have lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.capture.intake import NEEDS, Intake, intake, reason_of
from oms.adapters.channels import SHOP_APIS
from oms.adapters.channels.access import access_of
from oms.adapters.channels.base import (
    Cancelled,
    Fetch,
    Fulfilled,
    Ignored,
    Page,
    Placed,
    Refunded,
    Updated,
    What,
)
from oms.adapters.channels.shop_api import Later, ShopApi
from oms.adapters.poll_cursors import Overtaken, PollCursors, Progress, poll_cursors
from oms.adapters.web import Web
from oms.domain.errors import Contended, OmsError
from oms.domain.shops import Shop
from oms.observability import describe, logger, observed

ENVIRONMENT: tuple[str, ...] = NEEDS

SECONDS = 200.0  # of the five minutes that the function has
AT_FIRST = timedelta(days=1)  # what is asked of a shop that was never asked
OVERLAP = timedelta(minutes=10)  # shops list what has changed a moment late
ADDRESSED = (Cancelled, Refunded, Fulfilled, Fetch)


@dataclass(frozen=True, slots=True)
class Poller:
    intake: Intake
    cursors: PollCursors
    apis: Mapping[str, ShopApi]
    is_late: Callable[[], bool]
    web: Web | None = None

    def poll(self, shop: Shop, now: datetime) -> str:
        """How it ended, in a word; one shop's trouble is not another's."""
        progress = self.cursors.get(shop.name)
        if progress.not_before and now < progress.not_before:
            return "left alone"
        if shop.channel not in self.apis:
            return "nothing can be asked of it"
        try:
            return self._round(shop, begun(progress, now), now)
        except Overtaken:
            return "somebody else asks it"
        except Exception as error:  # noqa: BLE001  (the other shops are asked all the same)
            logger().warning("not polled", extra={"channel": shop.name} | describe(error))
            return self._ended(shop, error, now)

    def _round(self, shop: Shop, progress: Progress, now: datetime) -> str:
        """The cursor is moved when all that is before it was done."""
        access, api = access_of(shop, by=self.web), self.apis[shop.channel]
        while not self.is_late():
            page = api.changed(access, progress.since or now, progress.cursor)
            for said in page.said:
                self._apply(said, now, page.said)
            progress = self.cursors.save(shop.name, moved(progress, page))
            if not page.cursor:
                return "done"
        return "to be continued"

    def _apply(self, said: What, now: datetime, told: Sequence[What]) -> None:
        """What cannot be done is kept, so that it can be asked for again."""
        try:
            self.intake.apply(said, now, told)
        except Contended:
            raise
        except OmsError as error:
            if (asked := _as_fetch(said)) is None:
                raise
            self.intake.failed_to_fetch(asked, now, reason_of(error))

    def _ended(self, shop: Shop, error: Exception, now: datetime) -> str:
        progress = self.cursors.get(shop.name)
        later = error.after_seconds if isinstance(error, Later) else 0
        ended = replace(
            progress,
            error=reason_of(error)[:300],
            not_before=now + timedelta(seconds=later) if later else None,
        )
        try:
            self.cursors.save(shop.name, ended)
        except Overtaken:
            return "somebody else asks it"
        return "later" if isinstance(error, Later) else "failed"


def begun(progress: Progress, now: datetime) -> Progress:
    """A new round, or the one that was not ended."""
    if progress.begun is not None:
        return progress
    return replace(progress, since=progress.since or now - AT_FIRST, begun=now, cursor="")


def moved(progress: Progress, page: Page) -> Progress:
    """At the end of a round the next asks for what has changed since this one was begun."""
    going_on = replace(progress, cursor=page.cursor, error="", not_before=None)
    if page.cursor or progress.begun is None:
        return going_on
    return replace(going_on, since=progress.begun - OVERLAP, begun=None)


def _as_fetch(said: What) -> Fetch | None:
    if isinstance(said, Placed | Updated):
        return Fetch(said.order.channel, said.order.external_id)
    if isinstance(said, ADDRESSED) and not isinstance(said, Ignored):
        return Fetch(said.channel, said.external_id)
    return None


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    late = time.monotonic() + SECONDS
    desk = intake()
    poller = Poller(desk, poll_cursors(), SHOP_APIS, lambda: time.monotonic() > late)
    ended = [poller.poll(shop, datetime.now(UTC)) for shop in desk.shops.all() if shop.polled]
    return {"outcome": ", ".join(sorted(set(ended))) or "no shop is polled"}

"""Ask shops for what they have only told the id of, and do what they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from functions.capture.intake import NEEDS, Done, Intake, intake, reason_of
from oms.adapters.channel_inbox import FAILED, message_id
from oms.adapters.channels import SHOP_APIS
from oms.adapters.channels.access import NotReachable, access_of
from oms.adapters.channels.base import Fetch
from oms.adapters.channels.shop_api import Later, RefusedByShop, ShopApi
from oms.adapters.fetch_queue import Errand
from oms.adapters.web import Unreachable, Web
from oms.contracts.invalid import InvalidRequest
from oms.domain.currencies import NotAnAmount
from oms.domain.errors import Contended, OmsError
from oms.domain.shops import Shop
from oms.observability import describe, logger, observed

ENVIRONMENT: tuple[str, ...] = NEEDS

GIVE_UP_AFTER = timedelta(days=2)  # then a person looks at it
PAUSE = 30  # seconds, where the shop says nothing


@dataclass(frozen=True, slots=True)
class Fetcher:
    intake: Intake
    apis: Mapping[str, ShopApi]
    web: Web | None = None

    def run(self, errand: Errand, at: datetime) -> Done:
        """What the shop answers is done. Raises what hinders it."""
        asked = errand.fetch
        code = asked.channel.partition(":")[0]
        if code not in self.apis:
            raise NotReachable(asked.channel, f"nothing can be asked of {code}")
        known = self.intake.shops.find(asked.channel) or Shop(asked.channel)
        access = access_of(known, by=self.web)
        said = self.apis[code].fetch(access, asked.what, asked.external_id)
        if asked in said:
            raise RefusedByShop(f"it answers {asked.external_id} with its id only")
        done = self.intake.apply_all(said, at)
        self._end(asked, done, at)
        return done

    def _end(self, asked: Fetch, done: Done, at: datetime) -> None:
        """What was kept of an earlier try is not needed any more."""
        identity = fetch_id(asked)
        kept = self.intake.inbox.known(identity).get(identity)
        if kept is not None and kept.state == FAILED:
            self.intake.inbox.applied(identity, asked.channel, done.order_id, at)


def fetch_id(asked: Fetch) -> str:
    return message_id(asked.channel, f"fetch:{asked.what}:{asked.external_id}")


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    fetcher = Fetcher(intake(), SHOP_APIS)
    failed = each_record(event["Records"], partial(_worked, fetcher))
    return {"batchItemFailures": failed, "outcome": f"{len(failed)} failed"}


def _worked(fetcher: Fetcher, body: str) -> None:
    work(fetcher, Errand.read(body), datetime.now(UTC))


def work(fetcher: Fetcher, errand: Errand, at: datetime) -> str:
    """How it ended: done, later, or kept for a person."""
    try:
        return fetcher.run(errand, at).outcome
    except (Later, Unreachable) as error:
        if at - errand.since < GIVE_UP_AFTER:
            after = getattr(error, "after_seconds", 0) or PAUSE
            fetcher.intake.queue.send(errand, after)
            return "later"
        reason = f"the shop did not answer for {GIVE_UP_AFTER.days} days: {error}"
    except Contended:
        raise
    except (OmsError, InvalidRequest, NotAnAmount) as error:
        reason = reason_of(error)
    fetcher.intake.failed_to_fetch(errand.fetch, at, reason)
    return "kept"


def each_record(
    records: Sequence[Mapping[str, Any]], deed: Callable[[str], object]
) -> list[dict[str, str]]:
    """Those that come again."""
    failed = []
    for record in records:
        try:
            deed(record["body"])
        except Exception as error:  # noqa: BLE001  (the others are done, it comes again)
            logger().error("failed", extra={"message_id": record["messageId"]} | describe(error))
            failed.append({"itemIdentifier": record["messageId"]})
    return failed

"""AfterShip's `tracking_update`: a parcel of any carrier, with its checkpoints, oldest first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from oms.adapters.carriers.base import Ignored, base64_mac
from oms.adapters.carriers.codes import first_meaning
from oms.adapters.carriers.names import ours
from oms.adapters.carriers.said import Moment, Said, parsed
from oms.adapters.carriers.timeline import Seen, told
from oms.adapters.webhooks import Call, same
from oms.domain.tracking import TrackingStatus, TrackingUpdate

HEADERS = ("aftership-hmac-sha256", "as-signature-hmac-sha256")  # the second since 2023
LAST_SECOND = 4_102_444_800  # of the year 2099


class AfterShip:
    code = "aftership"

    def verify(self, call: Call, secret: str) -> bool:
        wanted = base64_mac(call.body, secret)
        return bool(secret) and any(same(call.header(name), wanted) for name in HEADERS)

    def read(self, call: Call) -> tuple[TrackingUpdate, ...] | Ignored:
        event = parsed(self.code, call.body)
        if (topic := event.text("event")) != "tracking_update":
            return Ignored(f"{topic} says nothing new of where a parcel is")
        tracking = event.part("msg")
        number = tracking.text("tracking_number")
        slugs = (tracking.word("slug"), *(x.word("slug") for x in tracking.parts("checkpoints")))
        return (told(self.code, number, _seen(tracking, event), ours(*slugs)),)


def signature(body: bytes, secret: str) -> str:
    """The value of `aftership-hmac-sha256`."""
    return base64_mac(body, secret)


def _seen(tracking: Said, event: Said) -> Iterator[Seen]:
    """Every checkpoint, then the parcel's own tag if none has it."""
    said = [seen for each in tracking.parts("checkpoints") if (seen := _checkpoint(each))]
    yield from said
    own = _status_and_code(tracking)
    if tracking.word("tag", "subtag") and own[0] not in {each.status for each in said}:
        last = max((each.moment for each in said), key=lambda each: each.at, default=None)
        at = last or tracking.moment("updated_at", "shipment_delivery_date") or _second(event)
        if at is not None:
            yield Seen(own[0], at, own[1])


def _checkpoint(said: Said) -> Seen | None:
    at = said.moment("checkpoint_time")
    if at is None or not said.word("tag", "subtag"):
        return None
    status, code = _status_and_code(said)
    return Seen(status, at, code)


def _status_and_code(said: Said) -> tuple[TrackingStatus | None, str]:
    tag, subtag = said.word("tag"), said.word("subtag")
    return first_meaning("aftership", ("subtag", subtag), ("tag", tag)), subtag or tag


def _second(event: Said) -> Moment | None:
    """`ts`, when it happened, in seconds."""
    at = event.members.get("ts")
    if not isinstance(at, int) or isinstance(at, bool) or not 0 < at < LAST_SECOND:
        return None
    return Moment(datetime.fromtimestamp(at, UTC))

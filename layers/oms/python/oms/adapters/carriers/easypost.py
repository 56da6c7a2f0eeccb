"""EasyPost trackers: one webhook holds all that the carrier has said of a parcel so far."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Iterator

from oms.adapters.carriers.base import Ignored
from oms.adapters.carriers.codes import first_meaning
from oms.adapters.carriers.names import ours
from oms.adapters.carriers.said import Said, parsed
from oms.adapters.carriers.timeline import Seen, told
from oms.adapters.webhooks import Call, same
from oms.domain.tracking import TrackingStatus, TrackingUpdate

HANDLED = frozenset({"tracker.created", "tracker.updated"})


class EasyPost:
    code = "easypost"

    def verify(self, call: Call, secret: str) -> bool:
        given = call.header("x-hmac-signature")
        return bool(secret) and same(given, signature(call.body, secret))

    def read(self, call: Call) -> tuple[TrackingUpdate, ...] | Ignored:
        event = parsed(self.code, call.body)
        if (topic := event.text("description")) not in HANDLED:
            return Ignored(f"{topic} is no tracker event")
        tracker = event.part("result")
        if not tracker.members:
            event.refuse("the event has no tracker")
        number = tracker.text("tracking_code")
        known_as = ours(tracker.word("carrier"))
        return (told(self.code, number, _seen(tracker, event), known_as),)


def signature(body: bytes, secret: str) -> str:
    """The value of `X-Hmac-Signature`. Their rule: the secret is NFKD-normalised to be a key."""
    key = unicodedata.normalize("NFKD", secret).encode()
    return "hmac-sha256-hex=" + hmac.new(key, body, hashlib.sha256).hexdigest()


def _seen(tracker: Said, event: Said) -> Iterator[Seen]:
    """Every detail that has a time, then the tracker's own status if no detail says the same."""
    returned = tracker.flag("is_return") or tracker.word("status") == "return_to_sender"
    details = [each for each in tracker.parts("tracking_details") if "datetime" in each]
    said = [seen for each in details if (seen := _detail(each, returned))]
    yield from said
    status = _status(tracker, returned)
    if tracker.word("status") and status not in {each.status for each in said}:
        last = max((each.moment for each in said), key=lambda each: each.at, default=None)
        at = last or tracker.moment("updated_at") or event.moment("created_at")
        yield Seen(status, at or tracker.refuse("there is no time"), tracker.word("status"))


def _detail(detail: Said, returned: bool) -> Seen | None:
    code = detail.word("carrier_code", "status_detail", "status")
    at = detail.moment("datetime") or detail.refuse("a time is missing or is no ISO 8601")
    return Seen(_status(detail, returned), at, code)


def _status(said: Said, returned: bool) -> TrackingStatus | None:
    """A parcel on its way back is delivered to its sender only."""
    word, detail = said.word("status"), said.word("status_detail")
    known = first_meaning("easypost", ("detail", f"{word}:{detail}"), ("status", word))
    if known is TrackingStatus.DELIVERED and returned:
        return TrackingStatus.RETURN_TO_SENDER
    return known

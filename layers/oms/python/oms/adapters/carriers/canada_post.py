"""Canada Post: the XML of its tracking details, in English or French: only codes are read."""

from __future__ import annotations

from collections.abc import Iterator

from oms.adapters.carriers.base import CarrierAnswered, Ignored
from oms.adapters.carriers.codes import meaning
from oms.adapters.carriers.said import MAX_PARCELS, Said, of_xml
from oms.adapters.carriers.timeline import Seen, told
from oms.adapters.webhooks import Call, is_relayed
from oms.domain.tracking import TrackingUpdate


class CanadaPost:
    code = "canada_post"

    def verify(self, call: Call, secret: str) -> bool:
        return is_relayed(call, secret)

    def read(self, call: Call) -> tuple[TrackingUpdate, ...] | Ignored:
        return self.read_answer(call.body)

    def read_answer(self, body: bytes, number: str = "") -> tuple[TrackingUpdate, ...]:
        answer = of_xml(self.code, body)
        for message in answer.parts("message"):
            raise CarrierAnswered(self.code, message.word("code"))
        details = answer.parts("tracking-detail", MAX_PARCELS)
        several = details or ((answer,) if "pin" in answer else ())
        found = tuple(told(self.code, each.word("pin") or number, _seen(each)) for each in several)
        return found or answer.refuse("the answer has no parcel")


def _seen(detail: Said) -> Iterator[Seen]:
    for each in detail.part("significant-events").parts("occurrence"):
        code = each.word("event-identifier").lstrip("0")
        zone = each.word("event-time-zone")
        if code and (at := each.joined("event-date", "event-time", zone=zone)):
            yield Seen(meaning("canada_post", "event", code), at, each.word("event-identifier"))

"""USPS: the answers of its tracking API v3 (JSON), and of the older Web Tools (XML). It pushes
nothing; whoever asks for us may hand its answers over, signed by `Baton-Signature`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from oms.adapters.carriers.base import CarrierAnswered, Ignored
from oms.adapters.carriers.codes import first_meaning
from oms.adapters.carriers.said import MAX_PARCELS, Moment, Said, is_xml, of_json, of_xml
from oms.adapters.carriers.timeline import Seen, told
from oms.adapters.webhooks import Call, is_relayed
from oms.domain.tracking import TrackingUpdate


class Usps:
    code = "usps"

    def verify(self, call: Call, secret: str) -> bool:
        return is_relayed(call, secret)

    def read(self, call: Call) -> tuple[TrackingUpdate, ...] | Ignored:
        return self.read_answer(call.body, call.query.get("number", ""))

    def read_answer(self, body: bytes, number: str = "") -> tuple[TrackingUpdate, ...]:
        if is_xml(body):
            return _of_xml(of_xml(self.code, body))
        return tuple(_of_json(each, number) for each in of_json(self.code, body))


def _of_json(said: Said, number: str) -> TrackingUpdate:
    if "error" in said:
        error = said.part("error").word("code") or said.word("error")
        raise CarrierAnswered("usps", error)
    if "trackingEvents" not in said and "statusCategory" not in said:
        said.refuse("the answer has no events")
    number = said.word("trackingNumber") or number
    return told("usps", number or said.text("trackingNumber"), _events(said))


def _events(said: Said) -> Iterator[Seen]:
    """Newest first; the category of the parcel is that of the newest, where its code says less."""
    category = said.word("statusCategory")
    for each in said.parts("trackingEvents"):
        code = each.word("eventCode")
        at = each.moment("GMTTimestamp") or _local(each)
        if at is not None and (code or category):
            status = first_meaning("usps", ("event", code), ("category", category))
            yield Seen(status, at, code or category)
        category = ""


def _local(said: Said) -> Moment | None:
    text = said.word("eventTimestamp")
    return said.read(text, said.word("GMTOffset")) if text else None


def _of_xml(answer: Said) -> tuple[TrackingUpdate, ...]:
    if answer.word("") == "Error":
        raise CarrierAnswered("usps", answer.word("Number"))
    infos = answer.parts("TrackInfo", MAX_PARCELS)
    found = tuple(
        told("usps", each.text("ID"), _details(each)) for each in infos if "Error" not in each
    )
    if not found and infos:
        raise CarrierAnswered("usps", infos[0].part("Error").word("Number"))
    return found or answer.refuse("the answer has no parcel")


def _details(info: Said) -> Iterator[Seen]:
    category = info.word("StatusCategory")
    for each in (*info.parts("TrackSummary"), *info.parts("TrackDetail")):
        code = each.word("EventCode")
        if (at := _american(each)) and (code or category):
            status = first_meaning("usps", ("event", code), ("category", category))
            yield Seen(status, at, code or category)
        category = ""


def _american(said: Said) -> Moment | None:
    """`April 28, 2015` and `9:01 am`, of the place, which is not said to be in any zone."""
    day, clock = said.word("EventDate"), said.word("EventTime")
    if not day:
        return None
    form = "%B %d, %Y %I:%M %p" if clock else "%B %d, %Y"
    try:
        at = datetime.strptime(f"{day} {clock}".strip(), form)  # noqa: DTZ007
    except ValueError:
        said.refuse("a time is not as USPS writes it")
    return said.read(at.isoformat())

"""The event bus: what was committed, told to whoever listens."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from oms.adapters import aws
from oms.contracts.events import CATALOGUE
from oms.settings import setting

BATCH = 10
# EventBridge takes 1 MB for an entry with all its parts; an order whose first event is larger is
# refused when it is placed. Of a later event that is, consumers are told all but the data.
MAX_DETAIL_BYTES = 900_000
MAX_REQUEST_BYTES = 950_000


class Bus:
    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def publish(self, envelopes: Sequence[dict[str, Any]]) -> list[int]:
        """Publish in order; the places of those that the bus did not take."""
        failed: list[int] = []
        for places, entries in _batches([self._entry(each) for each in envelopes]):
            answer = self._client.put_events(Entries=entries)
            failed += [
                place
                for place, result in zip(places, answer["Entries"], strict=True)
                if "ErrorCode" in result
            ]
        return failed

    def _entry(self, envelope: dict[str, Any]) -> dict[str, Any]:
        return {
            "EventBusName": self._name,
            "Source": CATALOGUE[envelope["type"]].source,
            "DetailType": envelope["type"],
            "Detail": _carried(envelope),
        }


def detail(envelope: Mapping[str, Any]) -> str:
    """As the bus weighs it: letters of other alphabets are two or three bytes, not six."""
    return json.dumps(envelope, separators=(",", ":"), default=str, ensure_ascii=False)


def _carried(envelope: Mapping[str, Any]) -> str:
    whole = detail(envelope)
    if len(whole.encode()) <= MAX_DETAIL_BYTES:
        return whole
    rest = {name: value for name, value in envelope.items() if name != "data"}
    return detail({**rest, "data_omitted": True})


def _batches(entries: Sequence[dict[str, Any]]) -> list[tuple[list[int], list[dict[str, Any]]]]:
    """At most ten entries, and no more bytes than one request takes."""
    batches: list[tuple[list[int], list[dict[str, Any]]]] = []
    room = 0
    for place, entry in enumerate(entries):
        size = len(entry["Detail"].encode())
        if not batches or len(batches[-1][0]) == BATCH or size > room:
            batches.append(([], []))
            room = MAX_REQUEST_BYTES
        batches[-1][0].append(place)
        batches[-1][1].append(entry)
        room -= size
    return batches


@cache
def bus() -> Bus:
    return Bus(aws.client("events"), setting("EVENT_BUS"))

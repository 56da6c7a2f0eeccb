"""What is put on the bus, and what is left out when it is too much."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from oms.adapters.bus import MAX_DETAIL_BYTES, MAX_REQUEST_BYTES, Bus


@dataclass
class EventsFake:
    requests: list[list[dict[str, Any]]] = field(default_factory=list)

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        self.requests.append(Entries)
        return {"Entries": [{"EventId": str(n)} for n in range(len(Entries))]}

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(entry["Detail"]) for request in self.requests for entry in request]


def envelope(number: int, reason: str = "") -> dict[str, Any]:
    return {
        "id": f"ord_1#{number:06d}",
        "type": "OrderCancelled",
        "order_id": "ord_1",
        "seq": number,
        "data": {"reason": reason},
    }


def test_an_event_weighs_what_its_letters_weigh() -> None:
    client = EventsFake()

    Bus(client, "bus").publish([envelope(1, "\u0448" * 400_000)])

    (entry,) = client.requests[0]
    assert len(entry["Detail"].encode()) < MAX_DETAIL_BYTES
    assert client.told == [envelope(1, "\u0448" * 400_000)]


def test_what_the_bus_cannot_carry_is_told_without_its_data_and_stops_nothing() -> None:
    client = EventsFake()
    batch = [envelope(1), envelope(2, "x" * MAX_DETAIL_BYTES), envelope(3)]

    failed = Bus(client, "bus").publish(batch)

    small = {name: value for name, value in batch[1].items() if name != "data"}
    assert failed == []
    assert client.told == [batch[0], {**small, "data_omitted": True}, batch[2]]


def test_no_request_has_more_bytes_than_the_bus_takes() -> None:
    client = EventsFake()

    Bus(client, "bus").publish([envelope(n, "x" * 400_000) for n in range(5)])

    sizes = [sum(len(it["Detail"]) for it in request) for request in client.requests]
    assert len(sizes) == 3
    assert max(sizes) <= MAX_REQUEST_BYTES

"""The built-in carrier, whose parcels move when somebody says so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oms.adapters.carriers.base import Ignored, MalformedUpdate
from oms.adapters.carriers.sandbox import Sandbox, signature
from oms.adapters.webhooks import Call
from oms.domain.tracking import TrackingStatus, TrackingUpdate

SAID = {"tracking_number": "TR1", "status": "in_transit", "at": "2026-03-02T09:30:00+01:00"}


def read(said: bytes) -> tuple[TrackingUpdate, ...]:
    heard = Sandbox().read(Call(said))
    assert not isinstance(heard, Ignored)
    return heard


def body(**changes: Any) -> bytes:
    return json.dumps({**SAID, **changes}).encode()


def test_only_who_knows_the_secret_is_believed() -> None:
    sent = {"test-signature": signature(body(), "bank")}

    assert Sandbox().verify(Call(body(), sent), "bank")
    assert not Sandbox().verify(Call(body(), sent), "other")
    assert not Sandbox().verify(Call(body(status="delivered"), sent), "bank")
    assert not Sandbox().verify(Call(body(), {}), "bank")
    assert not Sandbox().verify(Call(body(), {"test-signature": signature(body(), "")}), "")


def test_a_message_is_one_scan_and_the_same_message_the_same() -> None:
    (update,) = read(body())

    assert isinstance(update, TrackingUpdate)
    (scan,) = update.scans
    assert (update.tracking_number, scan.status) == ("TR1", TrackingStatus.IN_TRANSIT)
    assert scan.at.isoformat() == "2026-03-02T08:30:00+00:00"
    assert read(body()) == (update,)


@pytest.mark.parametrize(
    "wrong",
    [
        b"{",
        b"[]",
        body(tracking_number=""),
        body(tracking_number=7),
        body(status="lost in thought"),
        body(status=["in_transit"]),
        body(at="yesterday"),
        body(at="2026-03-02T09:30:00"),
        body(at=None),
    ],
)
def test_what_it_would_not_send_is_refused(wrong: bytes) -> None:
    with pytest.raises(MalformedUpdate):
        read(wrong)

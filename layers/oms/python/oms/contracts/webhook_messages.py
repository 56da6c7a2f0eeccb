"""What a subscriber is sent, as Standard Webhooks have it: `type`, `timestamp`, `data`.

Beside them, as on the bus: `id`, `version`, `actor`, and what the event is of, without what only we
do something with. `replay` names the replay that sends it once more.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

Envelope = Mapping[str, Any]

MOST_BYTES = 350_000  # deflated: a row takes 400 KB
TOLD_OTHERWISE = ("type", "at", "data")
OURS = ("owes_stock", "at_risk")


def message(envelope: Envelope, replay: str = "") -> bytes:
    """The same bytes for the same event and replay."""
    rest = {name: it for name, it in envelope.items() if name not in (*TOLD_OTHERWISE, *OURS)}
    told = {
        "type": envelope["type"],
        "timestamp": envelope["at"],
        **rest,
        **({"replay": replay} if replay else {}),
        "data": envelope.get("data", {}),
    }
    return _written(told)


def kept(envelope: Envelope) -> bytes:
    """As it is kept until it is sent; of one that is too large, all but the data."""
    whole = _written(envelope)
    if len(whole) <= MOST_BYTES or len(zlib.compress(whole, 9)) <= MOST_BYTES:
        return whole
    rest = {name: said for name, said in envelope.items() if name != "data"}
    return _written({**rest, "data_omitted": True})


def _written(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()

"""What tests of marketplaces have in common: payloads, and payloads with one thing wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from oms.adapters.channels import CHANNELS
from oms.adapters.channels.base import MalformedOrder, Message, Updated, What
from oms.adapters.webhooks import Call
from oms.contracts.api import ChannelOrder
from oms.contracts.invalid import InvalidRequest

PAYLOADS = Path(__file__).parents[2] / "contracts" / "channels"
REAL = Path(__file__).parents[4] / "shared" / "data" / "B_channels"
real = pytest.mark.skipif(not REAL.exists(), reason="the folder of real payloads is not here")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def payload(code: str, name: str) -> bytes:
    return (PAYLOADS / code / f"{name}.json").read_bytes()


def message(code: str, body: bytes, **query: str) -> Message:
    return CHANNELS[code].read(Call(body, query=query))


def said(code: str, body: bytes, **query: str) -> tuple[What, ...]:
    return message(code, body, **query).said


def order_in(code: str, body: bytes, **query: str) -> ChannelOrder:
    (updated,) = [x for x in said(code, body, **query) if isinstance(x, Updated)]
    return updated.order


def parts(found: Any) -> list[Any]:
    """All objects and lists inside that hold something."""
    inside = list(found.values()) if isinstance(found, dict) else found
    below = [x for each in inside if isinstance(each, dict | list) for x in parts(each)]
    return ([found] if inside else []) + below


@st.composite
def one_thing_else(draw: st.DrawFn, body: bytes) -> bytes:
    """The body with one value, however deep, that is another, or not there."""
    found = json.loads(body)
    part = draw(st.sampled_from(parts(found)))
    place = draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
    if draw(st.booleans()):
        part[place] = draw(JSON)
    else:
        del part[place]
    return json.dumps(found).encode()


def adds_up_or_is_refused(code: str, body: bytes) -> str:
    """What becomes of it, in a word; every other exception is a surprise."""
    try:
        found = said(code, body)
    except MalformedOrder as refused:
        return f"malformed: {refused.why}"
    except InvalidRequest as refused:
        return f"invalid: {refused.faults[0].field}"
    for each in found:
        assert not isinstance(each, Updated) or each.order.sum_of_parts == each.order.total
    return ", ".join(type(each).__name__.lower() for each in found)


def answer_of(path: Path) -> bytes:
    """A sandbox case holds the request and the answer: the answer."""
    found = json.loads(path.read_bytes())
    both = isinstance(found, dict) and set(found) == {"request", "response"}
    return json.dumps(found["response"] if both else found).encode()

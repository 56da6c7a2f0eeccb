"""Locations that are not asked for this order: they have said that they cannot do it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from oms.domain.order.model import Order
from oms.domain.rerouting import CLOSED, OUTAGE

OUT = tuple(f"rejected: {reason}" for reason in (CLOSED, OUTAGE))


def excluded(order: Order, at: datetime) -> Mapping[str, str]:
    """Their reasons, by location; of several the last one that still holds."""
    return {
        each.location_id: each.reason
        for each in order.refused_by
        if each.until is None or at < each.until
    }


def waited_for(order: Order, at: datetime) -> Mapping[str, str]:
    """Of these, who was closed for a while and is only waited for: nobody there has refused."""
    return {each: said for each, said in excluded(order, at).items() if said.startswith(OUT)}

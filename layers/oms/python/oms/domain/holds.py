"""Holds: laid over an order, each keeps it from some of its steps."""

from __future__ import annotations

from enum import StrEnum


class HoldStep(StrEnum):
    """What a hold may keep from being done."""

    ROUTING = "routing"
    FULFILLMENT = "fulfillment"
    REFUND = "refund"

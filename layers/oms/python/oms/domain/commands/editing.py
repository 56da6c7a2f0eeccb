"""To change an order that was placed."""

from __future__ import annotations

from dataclasses import dataclass

from oms.domain.edits import Changes


@dataclass(frozen=True, slots=True)
class ApplyEdit:
    """`due` is what the caller has agreed to: what is authorized, or, below zero, given back.

    It is authorized by `provider`, empty for the order's own; `like`: with what this authorization
    was paid with, whose owner need not be there.
    """

    edit_id: str
    changes: Changes
    reason: str
    due: int
    provider: str = ""
    prepaid: bool = False
    like: str = ""


@dataclass(frozen=True, slots=True)
class CompleteEdit:
    """What it costs more is there: apply it, if it is still possible."""

    edit_id: str


@dataclass(frozen=True, slots=True)
class DeclineEdit:
    """Nobody has paid, or nobody wants it any more: what awaits payment is dropped."""

    edit_id: str
    reason: str

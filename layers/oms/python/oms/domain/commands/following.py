"""To follow what was done to an order at its channel."""

from __future__ import annotations

from dataclasses import dataclass

from oms.domain.edits import Edit
from oms.domain.holds import NewHold


@dataclass(frozen=True, slots=True)
class FollowChannel:
    """Do here what was done there, as far as it is not done; the money has moved already.

    `called_off` and `fulfilled`: units in all, by what the channel calls a line; `reference` is
    what it calls their fulfillment. `taken` and `refunded`: in all, in minor units, 0 where it
    does not say. `edit`: what is different there. `holds` are laid over it, those of the types
    `released` that `by` has placed are not needed any more. `ours`: of `refunded`, what was given
    back here first. `attention`: what a person must know of it.
    """

    reason: str
    by: str
    called_off: tuple[tuple[str, int], ...] = ()
    fulfilled: tuple[tuple[str, int], ...] = ()
    reference: str = ""
    taken: int = 0
    refunded: int = 0
    refund_reason: str = ""
    ours: int = 0
    edit: Edit | None = None
    holds: tuple[NewHold, ...] = ()
    released: tuple[str, ...] = ()
    attention: str = ""

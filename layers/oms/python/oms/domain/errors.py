"""What the domain refuses, and why.

* OmsError
  + NotFound                 there is no such thing
  + Refused                  the thing is there, the command does not fit its state
    - IllegalTransition
    - OnHold
    - QuantityExceeded
  + Conflict                 somebody said something else under the same name
  + Contended                others wrote the same all the time; the same again may go through
"""

from __future__ import annotations


class OmsError(Exception):
    """A refusal that is part of the business; its message may be shown to the caller."""


class NotFound(OmsError):
    def __init__(self, kind: str, identity: str) -> None:
        super().__init__(f"there is no {kind} {identity}")
        self.kind, self.identity = kind, identity


class Refused(OmsError):
    """The command does not fit the state; nothing was changed."""


class IllegalTransition(Refused):
    def __init__(self, identity: str, current: str, requested: str) -> None:
        super().__init__(f"{identity} is {current}; it cannot {requested}")
        self.identity, self.current, self.requested = identity, current, requested


class OnHold(Refused):
    def __init__(self, order_id: str, holds: tuple[str, ...]) -> None:
        super().__init__(f"order {order_id} is on hold: {', '.join(holds)}")
        self.order_id, self.holds = order_id, holds


class QuantityExceeded(Refused):
    def __init__(self, line_id: str, requested: int, left: int) -> None:
        super().__init__(f"{line_id}: {requested} requested, {left} left")
        self.line_id, self.requested, self.left = line_id, requested, left


class Conflict(OmsError):
    """The same key was used before for something else."""


class Contended(OmsError):
    """Others wrote the same rows, or the table was too busy, until our patience ended.

    After a lost answer the outcome is unknown: ask again under the same natural key.
    """

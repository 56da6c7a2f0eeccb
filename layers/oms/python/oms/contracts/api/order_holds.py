"""The words of holds that are laid over an order."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from oms.domain.holds import HoldStep

HoldType = Annotated[
    str,
    Field(
        max_length=60,
        pattern=r"^(payment|fraud|address|inventory|awaiting_return|approval|remorse|promise_date"
        r"|manual|custom:[a-z0-9_-]+)$",
    ),
]
Score = Annotated[int, Field(ge=0, le=100)]
Step = Annotated[HoldStep, Field(strict=False)]
Steps = Annotated[list[Step], Field(max_length=len(HoldStep))]

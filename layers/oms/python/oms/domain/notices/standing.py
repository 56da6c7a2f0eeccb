"""How an address stands with us: whether it can be reached, and what its owner wants to hear."""

from __future__ import annotations

from dataclasses import dataclass

BOUNCES, COMPLAINED = "bounces", "complained"


@dataclass(frozen=True, slots=True)
class Standing:
    """`suppressed`: why nothing is sent there any more, or empty. `mails`: about the progress, too.
    `texts`: text messages, to which somebody has to agree first."""

    suppressed: str = ""
    mails: bool = True
    texts: bool = False
    locale: str = ""
    time_zone: str = ""

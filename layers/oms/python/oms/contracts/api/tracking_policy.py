"""How parcels are looked after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from oms.contracts.api.fields import Contract, Slug, repeats
from oms.contracts.invalid import Fault
from oms.domain.watching import TrackingPolicy

_DEFAULT = TrackingPolicy()


class TrackingPolicyGiven(Contract):
    """`polled`: carriers that are asked for their parcels; each needs its credentials beside the
    secrets. After `silent_days` without news a parcel is lost."""

    polled: Annotated[list[Slug], Field(max_length=20)] = Field(default_factory=list)
    every_hours: Annotated[int, Field(ge=1, le=72)] = _DEFAULT.every_hours
    silent_days: Annotated[int, Field(ge=2, le=60)] = _DEFAULT.silent_days
    give_up_days: Annotated[int, Field(ge=7, le=180)] = _DEFAULT.give_up_days

    def faults(self) -> Iterator[Fault]:
        for place in repeats(self.polled):
            yield Fault(f"polled[{place}]", "is there twice")
        for place, carrier in enumerate(self.polled):
            if carrier not in POLLED:
                yield Fault(f"polled[{place}]", f"{carrier} is no carrier that can be asked")

    def document(self) -> TrackingPolicy:
        return TrackingPolicy(
            tuple(self.polled), self.every_hours, self.silent_days, self.give_up_days
        )


# Who has an adapter that asks; a test holds it to be those.
POLLED = frozenset(
    {
        "australia_post",
        "canada_post",
        "dhl",
        "easypost",
        "fedex",
        "royal_mail",
        "ups",
        "usps",
    }
)

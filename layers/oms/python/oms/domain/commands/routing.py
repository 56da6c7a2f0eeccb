"""Where units will come from; and that their stock has moved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.events import Assigned, RoutingRecord
from oms.domain.fulfillment import Quantity


@dataclass(frozen=True, slots=True)
class Backorder:
    """Units that wait for stock; `expected_on` is the day (ISO) by which they should be there.

    What is pre-ordered is allocated to nobody before that day, even if it lies there.
    """

    lines: tuple[Quantity, ...]
    expected_on: str = ""
    preorder: bool = False


@dataclass(frozen=True, slots=True)
class RescheduleBackorder:
    """Another day by which a stock item is expected; empty: nobody knows any more."""

    sku: str
    expected_on: str


@dataclass(frozen=True, slots=True)
class PlanRouting:
    """For orders whose stock is taken in batches: keep the decision before the first batch.

    Its fields are those that `RecordRouting` will record.
    """

    plan: tuple[Assigned, ...]
    record: RoutingRecord
    short: tuple[Quantity, ...] = ()
    expected_on: str = ""
    preorder: bool = False
    backorders: tuple[Backorder, ...] = ()
    denied: tuple[Quantity, ...] = ()


@dataclass(frozen=True, slots=True)
class AbandonRouting:
    reason: str


@dataclass(frozen=True, slots=True)
class RecordRouting:
    """The stock of `plan` is taken in the same transaction, or was taken by its batches.

    `short` are units that wait for stock until `expected_on`, `backorders` more of them with other
    days; `denied` are cancelled at once, out of stock. All that is open is in one of the four.
    """

    plan: tuple[Assigned, ...]
    record: RoutingRecord
    short: tuple[Quantity, ...] = ()
    expected_on: str = ""
    preorder: bool = False
    backorders: tuple[Backorder, ...] = ()
    denied: tuple[Quantity, ...] = ()


@dataclass(frozen=True, slots=True)
class DeferRouting:
    """Route it together with others that want the same scarce item, at `until` at the latest."""

    until: datetime
    sku: str


@dataclass(frozen=True, slots=True)
class ReleaseBackorder:
    sku: str


@dataclass(frozen=True, slots=True)
class SettleStock:
    cause: str

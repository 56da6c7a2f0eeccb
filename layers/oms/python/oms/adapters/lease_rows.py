"""The rows of leases, in the stock table.

LEASE#<id> / LEASE                    units that are left: a partition, and a writer, of its own
LEASES     / <item>#<location>#<id>   where it is found
"""

from __future__ import annotations

from oms.adapters.dynamodb import Item, key, n, number, s, text
from oms.adapters.stock_rows import instant, stamp
from oms.domain.leases import Lease

LEASES, LEASE = "LEASES", "LEASE"


def lease_pk(lease_id: str) -> str:
    return f"LEASE#{lease_id}"


def lease_key(lease_id: str) -> Item:
    return key(lease_pk(lease_id), LEASE)


def found_key(lease: Lease) -> Item:
    return key(LEASES, found_prefix(*lease.level) + lease.lease_id)


def found_prefix(item: str, location: str | None = None) -> str:
    return f"{item}#" if location is None else f"{item}#{location}#"


def lease_row(lease: Lease) -> Item:
    return {
        **lease_key(lease.lease_id),
        "item": s(lease.item),
        "location": s(lease.location),
        "units": n(lease.units),
        "used_at": s(stamp(lease.used_at)),
    }


def read_lease(row: Item) -> Lease:
    return Lease(
        lease_id=text(row, "PK").removeprefix(lease_pk("")),
        item=text(row, "item"),
        location=text(row, "location"),
        units=number(row, "units"),
        used_at=instant(text(row, "used_at")),
    )

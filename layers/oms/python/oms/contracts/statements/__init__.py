"""Statements of providers, carriers and channels as files: what is read, what is refused and why.

Files are CSV in UTF-8, separated by commas. A record may go on over a line's end inside quotes, as
remarks of people do. Nothing is guessed: an amount with separators of thousands, a day in an order
that can be read two ways, a file in another encoding or a packed one is refused.
"""

from __future__ import annotations

from oms.contracts.statements.carriers import CARRIERS
from oms.contracts.statements.orders import ORDERS
from oms.contracts.statements.payouts import PAYOUTS
from oms.contracts.statements.rows import Format
from oms.domain.reconciling.entries import StatementKind

FORMATS: dict[StatementKind, dict[str, Format]] = {
    StatementKind.PAYOUTS: PAYOUTS,
    StatementKind.CARRIER_INVOICE: CARRIERS,
    StatementKind.CHANNEL_ORDERS: ORDERS,
}

__all__ = ["FORMATS", "Format"]

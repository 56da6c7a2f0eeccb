"""What the functions of the books work with."""

from __future__ import annotations

from datetime import UTC, datetime

from functions.books.auditor import Auditor
from functions.books.checking import Checking
from functions.books.mending import Mender
from oms.adapters.books_table import tasks
from oms.adapters.checks_table import checks_table
from oms.adapters.corrections import order_rows
from oms.adapters.credit_ledger import credit_ledger
from oms.adapters.histories import histories
from oms.adapters.item_books import item_books
from oms.adapters.order_reader import order_reader
from oms.adapters.stock_table import stock_table
from oms.adapters.told_events import told_events
from oms.adapters.workflow import executions, return_executions

TABLES = ("ORDERS_TABLE", "STOCK_TABLE", "REPORTS_TABLE", "FILES_BUCKET")
WORKFLOWS = ("ORDER_WORKFLOW", "RETURN_WORKFLOW")


def auditor() -> Auditor:
    """A new one for each work: it knows how far the archive has come by then."""
    return Auditor(
        histories(),
        order_reader(),
        item_books(),
        credit_ledger(),
        told_events(),
        executions(),
        return_executions(),
        now,
    )


def checking() -> Checking:
    return Checking(checks_table(), tasks(), auditor(), stock_table(), now)


def mender() -> Mender:
    return Mender(
        tasks(),
        auditor(),
        order_reader(),
        order_rows(),
        item_books(),
        stock_table(),
        executions(),
        return_executions(),
        now,
    )


def now() -> datetime:
    return datetime.now(UTC)

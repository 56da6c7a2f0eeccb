"""The desk with everything on it, as its functions have it."""

from __future__ import annotations

from functions.invoices.issuing import Desk
from oms.adapters.documents_table import documents_table
from oms.adapters.files import files
from oms.adapters.order_reader import order_reader
from oms.adapters.paper import printed
from oms.adapters.policies_table import policies_table
from oms.adapters.vault import vault
from oms.domain.invoicing import InvoicePolicy

ENVIRONMENT: tuple[str, ...] = (
    "ORDERS_TABLE",
    "CUSTOMERS_TABLE",
    "KEYS_TABLE",
    "VAULT_KEY_ID",
    "FILES_BUCKET",
)


def policy() -> InvoicePolicy:
    return policies_table().current("invoices", InvoicePolicy)[0]


def desk() -> Desk:
    return Desk(order_reader(), documents_table(), vault(), files(), printed, policy())

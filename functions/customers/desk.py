"""What profiles are made with."""

from __future__ import annotations

from functions.customers.learning import POLICY, Learning
from oms.adapters.customers_table import customers_table
from oms.adapters.identities_table import identities_table
from oms.adapters.order_reader import order_reader
from oms.adapters.policies_table import policies_table
from oms.adapters.vault import vault
from oms.domain.customers import CustomerPolicy


def learning() -> Learning:
    return Learning(customers_table(), identities_table(), vault(), order_reader(), policy)


def policy() -> CustomerPolicy:
    return policies_table().current(POLICY, CustomerPolicy)[0]

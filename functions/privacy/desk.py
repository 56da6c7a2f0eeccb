"""What exports and erasures take, and whose orders they are of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from oms.adapters.access_log import privacy_policy
from oms.adapters.customers_table import customers_table
from oms.adapters.documents_table import documents_table
from oms.adapters.erasures import Erasures, erasures
from oms.adapters.files import Files, files
from oms.adapters.identities_table import identities_table
from oms.adapters.labels_table import labels_table
from oms.adapters.order_reader import OrderReader, order_reader
from oms.adapters.paper import printed
from oms.adapters.person_keys import PersonKeys, person_keys
from oms.adapters.person_rows import PersonRows, person_rows
from oms.adapters.secrets import secrets
from oms.adapters.segments_table import segments_table
from oms.domain.contact import Contact
from oms.domain.customers import Profile
from oms.domain.errors import Refused
from oms.domain.invoicing import Document
from oms.domain.order import Order
from oms.domain.privacy import PrivacyPolicy

ENVIRONMENT: tuple[str, ...] = (
    *("ORDERS_TABLE", "CUSTOMERS_TABLE", "CHANNELS_TABLE", "REPORTS_TABLE", "JOBS_TABLE"),
    *("KEYS_TABLE", "VAULT_KEY_ID", "FILES_BUCKET", "SECRET_ID"),
)
AT_ONCE = 100
MAX_ORDERS = 2_000


class TooManyOrders(Refused):
    def __init__(self) -> None:
        super().__init__(f"the customer has more than {MAX_ORDERS:,} orders")


class Customers(Protocol):
    def get(self, customer_id: str) -> Any: ...
    def forget(self, customer_id: str) -> None: ...


class Segments(Protocol):
    def forget(self, customer_id: str) -> None: ...


class Documents(Protocol):
    def of_order(self, order_id: str) -> Iterable[Document]: ...


class Labels(Protocol):
    def of_order(self, order_id: str) -> Iterable[Any]: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """`identities_of`: all that a person is known as, the one that was asked for among them, first
    the one that the person has kept. `unbelieved`: under which mails are kept that nobody vouched
    for, by the address that they say they are from."""

    identities_of: Callable[[str], Sequence[str]]
    customers: Customers
    segments: Segments
    rows: PersonRows
    orders: OrderReader
    documents: Documents
    labels: Labels
    files: Files
    keys: PersonKeys
    register: Erasures
    policy: PrivacyPolicy
    printer: Callable[[Document, Contact], bytes] = printed
    unbelieved: Callable[[str], str] = lambda email: secrets().unbelieved_id(email)

    def profile(self, identities: Iterable[str]) -> Iterator[tuple[str, Profile]]:
        for each in identities:
            yield each, self.customers.get(each).profile

    def contacts(self, identities: Iterable[str]) -> dict[str, Contact]:
        found = (self.rows.contacts(each) for each in identities)
        return {name: contact for some in found for name, contact in some.items()}


def desk() -> Desk:
    return Desk(
        lambda customer_id: identities_table().person(customer_id).identities,
        customers_table(),
        segments_table(),
        person_rows(),
        order_reader(),
        documents_table(),
        labels_table(),
        files(),
        person_keys(),
        erasures(),
        privacy_policy(),
    )


def orders_of(orders: OrderReader, identities: Iterable[str]) -> list[Order]:
    """As they are now, oldest first."""
    ids = [each for identity in identities for each in order_ids(orders, identity)]
    found = orders.many(ids)
    return sorted(found.values(), key=lambda order: (order.placed_at, order.order_id))


def order_ids(orders: OrderReader, customer_id: str) -> Iterator[str]:
    start, count = None, 0
    while True:
        page = orders.by_customer(customer_id, start=start, limit=AT_ONCE)
        count += len(page.keys)
        if count > MAX_ORDERS:
            raise TooManyOrders
        yield from (pk.removeprefix("ORDER#") for pk, _ in page.keys)
        if (start := page.start) is None:
            return

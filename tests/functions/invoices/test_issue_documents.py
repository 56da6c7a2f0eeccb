"""Documents over real tables: numbers without gaps, each event one document, whatever happens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from functions.invoices.issuing import Desk, file_of, issue_all, print_again
from oms.adapters.documents_table import DocumentsTable
from oms.adapters.dynamodb import DynamoDB
from oms.domain.contact import Contact
from oms.domain.errors import NotFound
from oms.domain.invoicing import Document, DocumentKind, InvoicePolicy, Seller
from tests.functions.bulk.yard import FilesFake
from tests.functions.world import World, an_order, now, survives

pytestmark = pytest.mark.cloud


class Nobody:
    def contact(self, customer_id: str, order_id: str) -> Contact | None:
        return None


@dataclass
class Office:
    """A shelf for the paper, and a printer that writes what a document is."""

    world: World
    shelf: FilesFake = field(default_factory=FilesFake)
    policy: InvoicePolicy = field(default_factory=lambda: InvoicePolicy(seller=Seller("Us")))

    def documents(self, world: World | None = None) -> DocumentsTable:
        world = world or self.world
        return DocumentsTable(world.client, world.orders_name)

    def issue(self, order_id: str, world: World | None = None) -> list[Document]:
        return issue_all(self.desk(world), order_id, now())

    def desk(self, world: World | None = None) -> Desk:
        world = world or self.world
        return Desk(
            world.orders, self.documents(world), Nobody(), self.shelf, self.printed, self.policy
        )

    def printed(self, document: Document, contact: Contact) -> bytes:
        return f"{document.number} {document.draft.total} {contact.name}".encode()


@pytest.fixture
def office(dynamodb: DynamoDB) -> Office:
    return Office(World.new(dynamodb))


def shipped(world: World) -> str:
    order_id = world.place(an_order(("MUG", 2))).order_id
    world.receive("MUG", 2)
    world.pay(order_id)
    assert world.route(order_id) == "routed"
    world.pack(order_id)
    world.ship(order_id)
    world.pay(order_id)
    return order_id


def test_a_shipment_has_one_invoice_however_often_it_is_asked_for(office: Office) -> None:
    order_id = shipped(office.world)

    first, again = office.issue(order_id), office.issue(order_id)

    assert again == first
    assert [(x.number[-6:], x.draft.kind, x.draft.total) for x in first] == [
        ("000001", DocumentKind.INVOICE, 2500)
    ]
    assert office.shelf.stored[file_of(first[0])].decode().startswith(f"{first[0].number} 2500")


def test_an_order_that_has_not_shipped_has_no_documents(office: Office) -> None:
    order_id = office.world.place(an_order()).order_id

    assert office.issue(order_id) == []


def test_orders_that_are_invoiced_at_once_get_the_numbers_one_to_ten(office: Office) -> None:
    order_ids = [shipped(office.world) for _ in range(10)]

    with ThreadPoolExecutor(5) as threads:
        issued = list(threads.map(office.issue, order_ids + order_ids[::-1]))

    numbers = {document.number for documents in issued for document in documents}
    assert sorted(int(number[-6:]) for number in numbers) == list(range(1, 11))
    assert issued[:10] == issued[:9:-1]


def test_a_worker_that_dies_anywhere_leaves_no_gap_and_no_second_document(office: Office) -> None:
    orders = [shipped(office.world) for _ in range(2)]

    deaths = survives(office.world, lambda world: office.issue(orders[0], world))

    second = office.issue(orders[1])
    assert deaths > 4
    assert second[0].number[-6:] == "000002"
    assert len(list(office.documents().of_order(orders[0]))) == 1


def test_paper_that_was_never_printed_is_printed_when_it_is_asked_for(office: Office) -> None:
    order_id = shipped(office.world)
    document = office.issue(order_id)[0]
    name = file_of(document)
    lost = office.shelf.stored.pop(name)

    print_again(office.desk(), document, office.world.orders.get(order_id))

    assert office.shelf.stored[name] == lost


def test_a_document_is_found_by_its_number_and_others_are_not(office: Office) -> None:
    document = office.issue(shipped(office.world))[0]

    assert office.documents().numbered(document.number) == document
    for unknown in ("INV-1999-000001", "000001", "", "INV"):
        with pytest.raises(NotFound):
            office.documents().numbered(unknown)

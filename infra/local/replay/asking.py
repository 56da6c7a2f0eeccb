"""Invoice by invoice: what is asked of the API, and what is not."""

from collections import Counter
from collections.abc import Callable, Sequence

from infra.local.client import Client, Refusal
from infra.local.replay import journal as j
from infra.local.replay.cancellations import Ledger, Taken, by_invoice
from infra.local.replay.history import Invoice
from infra.local.replay.journal import Journal
from infra.local.replay.merchandise import Line, sort_cancellation, sort_sale
from infra.local.replay.orders import order_of
from infra.local.replay.patience import patiently

NOT_FOUND = 404
Job = Callable[[], None]


class Desk:
    """Reads invoices in time order; `refused` counts their rows by reason, as of this reading."""

    def __init__(self, api: Client, journal: Journal, ledger: Ledger) -> None:
        self.api, self.journal, self.ledger = api, journal, ledger
        self.refused: Counter[str] = Counter()

    def job(self, invoice: Invoice) -> Job | None:
        """What is to be asked; the ledger has it already, so that later invoices find it."""
        job = self.cancellation(invoice) if invoice.is_cancellation else self.sale(invoice)
        return None if self.journal.is_done(invoice.number) else job

    def sale(self, invoice: Invoice) -> Job:
        lines, refused = sort_sale(invoice)
        self.refused += refused
        self.ledger.record(invoice, lines)
        return lambda: self.place(invoice, lines)

    def cancellation(self, invoice: Invoice) -> Job:
        lines, refused = sort_cancellation(invoice)
        self.refused += refused
        taken = [each for line in lines for each in self.take(invoice.customer, line)]
        return lambda: self.cancel(invoice, taken)

    def take(self, customer: str, line: Line) -> list[Taken]:
        taken = self.ledger.take(customer, line)
        if why := shortfall(customer, line, taken):
            self.refused[why] += 1
        return taken

    def place(self, invoice: Invoice, lines: Sequence[Line]) -> None:
        if not lines:
            self.journal.done(invoice.number, j.EMPTY)
            return
        body = order_of(invoice, lines)
        try:
            order = patiently(lambda: self.api.post("/orders", body))
        except Refusal as refusal:
            if not lacks_stock(refusal):
                self.journal.done(invoice.number, f"{j.REFUSED}: {refusal}")
            return
        units = sum(line.quantity for line in lines)
        self.journal.done(invoice.number, j.PLACED, order["order_id"], units, body["total"])

    def cancel(self, invoice: Invoice, taken: Sequence[Taken]) -> None:
        outcomes = {
            self.cancel_of(invoice.number, number, lines)
            for number, lines in by_invoice(taken).items()
        }
        if j.LOST not in outcomes:
            self.journal.done(invoice.number, worst(outcomes))

    def cancel_of(self, cancellation: str, number: str, lines: Sequence[Taken]) -> str:
        """Under a key of its own: however often it is asked, the units are cancelled once."""
        order_id = self.journal.order_id(number)
        if not order_id:
            return f"{j.REFUSED}: the order was refused"
        body = {
            "reason": f"invoice {cancellation}",
            "lines": [
                {"line_id": f"line_{each.line_number}", "quantity": each.quantity} for each in lines
            ],
        }
        path, key = f"/orders/{order_id}/cancel", f"replay-{cancellation}-{order_id}"
        try:
            patiently(lambda: self.api.post(path, body, key=key))
        except Refusal as refusal:
            return self.refusal_of(number, refusal)
        units = sum(each.quantity for each in lines)
        pence = sum(each.quantity * each.pence for each in lines)
        self.journal.took_back(cancellation, number, units, pence)
        return j.CANCELLED

    def refusal_of(self, number: str, refusal: Refusal) -> str:
        if refusal.status != NOT_FOUND:
            return f"{j.REFUSED}: {refusal}"
        self.journal.forget(number)
        return j.LOST


def lacks_stock(refusal: Refusal) -> bool:
    """The cloud has lost the receipt that made a SKU known: the next round receives it again."""
    faults = refusal.answer.json().get("errors", [])
    return any(fault["field"].endswith(".sku") for fault in faults)


def shortfall(customer: str, line: Line, taken: Sequence[Taken]) -> str:
    """Why a line of a cancellation is not cancelled, or not all of it."""
    found = sum(each.quantity for each in taken)
    if found == line.quantity:
        return ""
    if not customer:
        return "cancellation by a guest: nobody's order"
    return "cancellation of more than was bought" if found else "cancellation of an unknown order"


def worst(outcomes: set[str]) -> str:
    """One refused among several is what a person wants to hear of."""
    if not outcomes:
        return j.EMPTY
    return max(outcomes, key=lambda outcome: outcome.startswith(j.REFUSED))

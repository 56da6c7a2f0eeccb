"""A person is erased: at once from all that is kept, and then for good.

First whatever the law makes us keep is put aside, then the person's keys are retired and all rows
and files go. When every worker knows it, `finish` destroys the keys: nothing that they have ever
sealed opens again, wherever a copy of it may be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from functions.privacy.desk import Desk, orders_of
from functions.privacy.strays import marks_of, remove, strays_of
from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import Item
from oms.adapters.erasures import Erasure
from oms.adapters.person_keys import SETTLED, Named
from oms.adapters.person_rows import CONTACT, PersonRows, kind_of
from oms.domain.contact import Contact
from oms.domain.customers import Profile
from oms.domain.errors import NotFound, Refused
from oms.domain.invoicing import Document
from oms.domain.order import Order
from oms.domain.payment import OperationKind

RETAINED, DOCUMENTS, LABELS = "retained", "documents", "labels"
MAX_TOLD = 10  # orders that are named as the reason
OLDEST = -1  # generation of what was sealed before there were keys of persons

Which = Callable[[Item], bool]


class NotYet(Refused):
    def __init__(self, reasons: Sequence[str]) -> None:
        more = f" and {len(reasons) - MAX_TOLD} more" if len(reasons) > MAX_TOLD else ""
        super().__init__("; ".join(reasons[:MAX_TOLD]) + more)


def erase(desk: Desk, customer_id: str, *, at: datetime, actor: str) -> Erasure:
    """Also again, where it was not finished; who was erased and is not known since, stays so."""
    identities = tuple(desk.identities_of(customer_id))
    root = identities[0]
    pending = desk.register.pending(root)
    if pending is None:
        orders = orders_of(desk.orders, identities)
        if is_unknown(desk, identities, orders):
            return _erased_before(desk, root)
        check_is_over(desk, orders)
        pending = _begin(desk, identities, orders, at, actor)
    return _take_away(desk, pending, at)


def is_unknown(desk: Desk, identities: Iterable[str], orders: Sequence[Order]) -> bool:
    """Nothing is kept of the person, or nothing since the last erasure."""
    if any(True for each in identities for _ in _personal(desk.rows, each)):
        return False
    return not orders or desk.register.done(next(iter(identities))) is not None


def check_is_over(desk: Desk, orders: Iterable[Order]) -> None:
    reasons = [f"{order.order_id} {why}" for order in orders if (why := goes_on(order))]
    if reasons and not desk.policy.erase_open_orders:
        raise NotYet(reasons)


def goes_on(order: Order) -> str:
    """Why its customer must be known, or empty."""
    if not order.is_final:
        return "is under way"
    if any(each.is_open for each in order.returns):
        return "has an open return"
    if order.payment.unsettled or any(order.owed(kind) for kind in OperationKind if _moves(kind)):
        return "has money on its way"
    return "is disputed" if order.payment.is_disputed else ""


def finish(desk: Desk, salvage: PersonRows, erasure: Erasure, at: datetime) -> Erasure:
    """What a worker has sealed for the person since, without knowing, is sealed again; then the
    keys are destroyed. Before `SETTLED` it is too early: the erasure as it is. Where whoever asked
    has died at it, it is taken up here."""
    if erasure.taken_at is None:
        return _take_away(desk, erasure, at)
    if at < erasure.taken_at + SETTLED:
        return erasure
    for named in erasure.keys:
        if named.name in erasure.identities and not desk.keys.is_destroyed(named):
            _move_on(desk, salvage, named, erasure.asked_at)
    for named in erasure.keys:
        desk.keys.destroy(named)
    return desk.register.finish(erasure, at)


def reapply(desk: Desk, erasure: Erasure) -> Counter[str]:
    """After rows came back from a backup: those that the person's destroyed keys have sealed, and
    those from before there were such keys, go again."""
    found: Counter[str] = Counter()
    for identity in erasure.identities:
        found += _forget(desk, identity, sealed_until(last_of(erasure, identity)))
        if not any(_personal(desk.rows, identity)):
            found += desk.rows.destroy(identity)
    for name in erasure.beside:
        remove(name, erasure.asked_at)
    return found


def _begin(
    desk: Desk, identities: Sequence[str], orders: Sequence[Order], at: datetime, actor: str
) -> Erasure:
    contacts = desk.contacts(identities)
    profiles = [profile for _, profile in desk.profile(identities)]
    strays = strays_of(marks_of(contacts.values(), profiles), desk.files, at)
    kept = retain(desk, orders, contacts, at)
    known = (*identities, *_unbelieved(desk, contacts.values(), profiles))
    keys = desk.keys.current((*known, *strays.sealed))
    new = Erasure(identities[0], known, at, actor, keys, strays.files)
    counts = {
        "retained documents": kept,
        "drafts": sum(name.startswith("drf_") for name in strays.sealed),
        "messages of shops": sum(name.startswith("msg_") for name in strays.sealed),
    }
    return desk.register.begin(new.counted({kind: n for kind, n in counts.items() if n}))


def _unbelieved(
    desk: Desk, contacts: Iterable[Contact], profiles: Iterable[Profile]
) -> Iterator[str]:
    """Who has written under an address of the person without a signature of its mail service."""
    emails = {contact.email for contact in contacts if contact.email}
    emails |= {each.value for profile in profiles for each in profile.emails}
    for each in sorted(map(desk.unbelieved, emails)):
        if any(_personal(desk.rows, each)):
            yield each


def retain(
    desk: Desk, orders: Iterable[Order], contacts: Mapping[str, Contact], at: datetime
) -> int:
    """Put documents aside that must be kept as they were sent, until the law lets them go."""
    kept = 0
    for order in orders if desk.policy.document_years else ():
        contact = contacts.get(order.contact_id)
        for document in desk.documents.of_order(order.order_id) if contact else ():
            if contact and (name := retained_name(desk, document, order.customer_id, at)):
                desk.files.write(name, [desk.printer(document, contact)])
                kept += 1
    return kept


def retained_name(desk: Desk, document: Document, customer_id: str, at: datetime) -> str:
    until = desk.policy.document_until(document.issued_at)
    if until <= at:
        return ""
    return f"{RETAINED}/{until:%Y-%m-%d}/{customer_id}/{document.number}.pdf"


def _take_away(desk: Desk, erasure: Erasure, at: datetime) -> Erasure:
    """What belongs to orders since it was asked for, stays: it may be done late, or again."""
    desk.keys.retire(erasure.keys)
    orders = orders_of(desk.orders, erasure.identities)
    since = {order.order_id for order in orders if order.placed_at >= erasure.asked_at}
    found: Counter[str] = Counter()
    for identity in erasure.identities:
        found += _forget(desk, identity, made_until(last_of(erasure, identity), since))
    for name in erasure.beside:
        remove(name, at)
    found += _remove_files(desk, erasure, [each for each in orders if each.order_id not in since])
    after = replace(erasure.counted(found), taken_at=erasure.taken_at or at)
    desk.register.save(after)
    return after


def _remove_files(desk: Desk, erasure: Erasure, orders: Iterable[Order]) -> Counter[str]:
    found: Counter[str] = Counter()
    exports = (export for each in erasure.identities for export in desk.rows.exports(each))
    names = [*erasure.files, *(name for export in exports for name in export.files)]
    for order in orders:
        names += papers(desk, order)
    for name in dict.fromkeys(names):
        if desk.files.find(name):
            desk.files.remove(name)
            found[f"files in {name.partition('/')[0]}"] += 1
    return found


def papers(desk: Desk, order: Order) -> Iterator[str]:
    """Names of files that have a name or an address on them."""
    for label in desk.labels.of_order(order.order_id):
        yield from label.documents
    for found in order.returns:
        yield from (name for name, _ in desk.files.named(f"{LABELS}/{found.return_id}."))
    for document in desk.documents.of_order(order.order_id):
        number = document.number
        yield f"{DOCUMENTS}/{number.rpartition('-')[0]}/{number}.pdf"


def _forget(desk: Desk, identity: str, which: Which) -> Counter[str]:
    """The profile first, as it names the rows that lead to it."""
    rows = list(_personal(desk.rows, identity))
    if any(db.text(row, "SK") == "PROFILE" and which(row) for row in rows):
        desk.customers.forget(identity)
        desk.segments.forget(identity)
    gone = [row for row in rows if which(row)]
    desk.rows.destroy(identity, which)
    return Counter(kind_of(row) for row in gone)


def _personal(rows: PersonRows, identity: str) -> Iterator[Item]:
    return (row for row in rows.rows(identity) if "key" in row)


def last_of(erasure: Erasure, identity: str) -> int:
    """The generation of the identity's key that goes with this erasure."""
    return max((x.generation for x in erasure.keys if x.name == identity), default=OLDEST)


def _generation(row: Item) -> int:
    """Of its key; a row that is not sealed is as old as any."""
    return db.number(row, "ring") if "ring" in row else OLDEST


def made_until(last: int, since: Container[str]) -> Which:
    """But for contacts of the orders `since`."""
    return lambda row: _generation(row) <= last and _order_of(row) not in since


def _order_of(row: Item) -> str:
    """Whose contact it is, or empty."""
    sort = db.text(row, "SK")
    return sort.removeprefix(CONTACT).partition("#")[0] if sort.startswith(CONTACT) else ""


def sealed_until(last: int) -> Which:
    return lambda row: "key" in row and _generation(row) <= last


def _move_on(desk: Desk, salvage: PersonRows, named: Named, since: datetime) -> None:
    contacts = salvage.contacts(named.name)
    for row in list(_personal(salvage, named.name)):
        if _generation(row) != named.generation:
            continue
        name = db.text(row, "SK").removeprefix(CONTACT)
        if name in contacts and _placed_since(desk, name.partition("#")[0], since):
            salvage.seal_again(named.name, row, contacts[name])
    _forget(desk, named.name, lambda row: 0 <= _generation(row) <= named.generation)


def _placed_since(desk: Desk, order_id: str, since: datetime) -> bool:
    try:
        return desk.orders.get(order_id).placed_at >= since
    except NotFound:
        return False


def _erased_before(desk: Desk, root: str) -> Erasure:
    if known := desk.register.done(root):
        return known
    raise NotFound("customer", root)


def _moves(kind: OperationKind) -> bool:
    return kind in (OperationKind.CAPTURE, OperationKind.REFUND)

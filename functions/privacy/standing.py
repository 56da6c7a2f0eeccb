"""How it stands with a person: what is kept, until when, and what of an erasure is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from functions.privacy.desk import Desk, order_ids
from oms.adapters.access_log import AccessLog, Read
from oms.adapters.erasures import Erasure
from oms.adapters.person_rows import kind_of
from oms.contracts.api.privacy import (
    ErasureView,
    KeptView,
    MadeExportView,
    PrivacyView,
    ReadView,
)
from oms.domain.privacy import PrivacyPolicy

NEWEST_READS = 20
NAMELESS = "orders, payments, credit and their ledgers, without a name: the books must balance"


def privacy_view(desk: Desk, log: AccessLog, customer_id: str) -> PrivacyView:
    identities = tuple(desk.identities_of(customer_id))
    erasure = desk.register.pending(identities[0]) or desk.register.done(identities[0])
    reads = [read for each in identities for read in log.page(each, NEWEST_READS).reads]
    reads.sort(key=lambda read: read.at, reverse=True)
    return PrivacyView(
        identities[0],
        list(identities),
        list(kept(desk, identities)),
        [
            MadeExportView(x.export_id, x.actor, x.at, x.until)
            for each in identities
            for x in desk.rows.exports(each)
        ],
        [read_view(each) for each in reads[:NEWEST_READS]],
        erasure_view(desk, erasure) if erasure else None,
    )


def kept(desk: Desk, identities: Iterable[str]) -> Iterator[KeptView]:
    found: Counter[str] = Counter()
    orders = 0
    for identity in identities:
        found.update(kind_of(row) for row in desk.rows.rows(identity))
        orders += sum(1 for _ in order_ids(desk.orders, identity))
    for category, count in sorted(found.items()):
        yield KeptView(category, count, until_of(category, desk.policy))
    yield KeptView("orders without a name", orders, "for the books, for good")
    for name, count in sorted(retained(desk, identities).items()):
        yield KeptView("invoices as they were sent", count, name)


def until_of(category: str, policy: PrivacyPolicy) -> str:
    return {
        "contact": f"{policy.contact_days} days after the end of its order",
        "read": f"{policy.access_log_days} days",
        "export": f"its files {policy.export_days} days",
    }.get(category, "until the person is erased")


def retained(desk: Desk, identities: Iterable[str]) -> Counter[str]:
    """By the day on which they are destroyed."""
    wanted = set(identities)
    names = (name.split("/") for name, _ in desk.files.named("retained/"))
    return Counter(until for _, until, customer_id, *_ in names if customer_id in wanted)


def erasure_view(desk: Desk, erasure: Erasure) -> ErasureView:
    counts = dict(erasure.counts)
    documents = counts.pop("retained documents", 0)
    return ErasureView(
        erasure.customer_id,
        "erased" if erasure.destroyed_at else "erasing",
        list(erasure.identities),
        erasure.asked_at,
        erasure.actor,
        counts,
        list(_stays(desk.policy, documents)),
        erasure.times,
        erasure.destroyed_at,
    )


def read_view(read: Read) -> ReadView:
    return ReadView(read.actor, read.what, read.why, read.at)


def _stays(policy: PrivacyPolicy, documents: int) -> Iterator[str]:
    yield NAMELESS
    yield f"who read and exported it, by customer id, for {policy.access_log_days} days"
    yield "that an address must not be written to, by a keyed digest of the address"
    if documents:
        years = policy.document_years
        yield f"{documents} invoices as they were sent, for {years} years after that of their issue"

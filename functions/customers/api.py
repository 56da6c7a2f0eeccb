"""Customers, for service and storefronts: find them, see and change what is known of them, say
which identities are one person. Whoever reads personal data is in the log of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from functions.customers.desk import learning
from functions.customers.learning import Learning
from functions.customers.order_pages import page_of
from functions.customers.showing import change_view, customer_view, summary
from oms.adapters.access_log import access_log
from oms.adapters.customers_table import EMAIL, NAME, PHONE, Change, Kept, mailbox
from oms.adapters.http_api import HttpApi, Request
from oms.adapters.order_reader import order_reader
from oms.adapters.profile_reader import profile_of
from oms.adapters.secrets import secrets
from oms.adapters.segments_table import segments_table
from oms.adapters.standings import standings
from oms.contracts.api.customers import (
    CustomerChangePage,
    CustomerChangesQuery,
    CustomerOrdersQuery,
    CustomerPage,
    CustomerPath,
    CustomerProfileView,
    CustomerQuery,
    GiveConsent,
    MergeCustomer,
    PutCustomer,
    SplitCustomer,
    TagCustomer,
)
from oms.contracts.api.views import OrderPage
from oms.contracts.invalid import Fault, InvalidRequest
from oms.domain.customers import (
    MAX_CONSENTS,
    MAX_TAGS,
    Consent,
    Preferences,
    Profile,
    asked_key,
    asked_phone,
    consented,
    has_phone,
    is_called,
    replaced,
    says_the_same,
)
from oms.domain.errors import Conflict, NotFound
from oms.domain.identities import Person

ENVIRONMENT: tuple[str, ...] = (
    "ORDERS_TABLE",
    "CUSTOMERS_TABLE",
    "KEYS_TABLE",
    "VAULT_KEY_ID",
    "SECRET_ID",
)

NOTICES = "notices"  # the purpose of what is written about orders

app = HttpApi("CustomersApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("GET", "/customers")
def find_customers(request: Request) -> CustomerPage:
    """Filters may leave a page short, never its cursor."""
    query, desk, at = request.read_query(CustomerQuery), learning(), datetime.now(UTC)
    kind, key, fits = _asked(query)
    page = desk.customers.found(kind, key, query.limit, query.cursor)
    known = desk.customers.many(page.customer_ids)
    found = [
        known[each] for each in page.customer_ids if each in known and fits(known[each].profile)
    ]
    if query.email and not found and not query.cursor:
        found = [*_new_here(secrets().customer_id(query.email), desk, at)]
    for kept in found:
        access_log().read(request.actor, kept.customer_id, "summary", f"search by {kind}", at)
    items = [summary(kept, desk.identities.person(kept.customer_id).root) for kept in found]
    return CustomerPage(items, page.cursor)


@app.route("GET", "/customers/{customer_id}")
def get_customer(request: Request) -> CustomerProfileView:
    return _shown(request, _person(request), "profile")


@app.route("PUT", "/customers/{customer_id}")
def put_customer(request: Request) -> CustomerProfileView:
    """Of a person of several identities, what is said is kept with the root."""
    said, person, at = request.read(PutCustomer), _person(request), datetime.now(UTC)
    desk, fields = learning(), said.fields
    shown = profile_of(person, desk.customers.many(person.identities))
    new = said.profile(at, request.actor)
    try:
        kept = desk.customers.change(
            person.root,
            lambda own: replaced(own, shown, new, fields, at),
            Change("profile", at, request.actor, {"fields": sorted(fields)}),
            expected=said.version,
        )
    except Conflict:
        if not says_the_same(shown, new, fields):
            raise
        segments_table().touch(person.root, at)
        return _shown(request, person, "profile")  # said before: its answer was lost
    _untag(person, {*shown.tags} - {*new.tags} if "tags" in fields else set(), desk)
    segments_table().touch(person.root, at)
    if "preferences" in fields:
        _prefer(shown, new.preferences, at)
    desk.match(kept, at)
    return _shown(request, desk.identities.person(person.root), "profile")


@app.route("POST", "/customers/{customer_id}/tags")
def tag_customer(request: Request) -> CustomerProfileView:
    said, person, at = request.read(TagCustomer), _person(request), datetime.now(UTC)
    noted = Change("tags", at, request.actor, said.model_dump())
    for customer_id in person.identities if said.remove else (person.root,):
        add = said.add if customer_id == person.root else []
        learning().customers.change(customer_id, _tagging(add, said.remove), noted)
    segments_table().touch(person.root, at)
    return _shown(request, person, "profile")


@app.route("POST", "/customers/{customer_id}/consents")
def give_consent(request: Request) -> CustomerProfileView:
    """Consent is the identity's that the person has kept; who withdraws it withdraws it for all of
    them, so that no split brings it back."""
    said, person, now = request.read(GiveConsent), _person(request), datetime.now(UTC)
    if said.at and said.at > now:
        raise InvalidRequest([Fault("at", "is in the future")])
    at = (said.at or now).astimezone(UTC)
    consent = Consent(said.purpose, said.channel, said.granted, at, said.how, request.actor)
    details = said.model_dump(exclude={"at"}) | {"at": at.isoformat()}
    noted = Change("consent", now, request.actor, details)
    for customer_id in (person.root,) if said.granted else person.identities:
        learning().customers.change(customer_id, _consenting(consent, said.at), noted)
    if said.purpose == NOTICES:
        _stand(profile_of(person, learning().customers.many(person.identities)), said, now)
    segments_table().touch(person.root, now)
    return _shown(request, person, "profile")


@app.route("GET", "/customers/{customer_id}/changes")
def get_changes(request: Request) -> CustomerChangePage:
    """Of one identity, whoever it was merged into."""
    query, customer_id = request.read_query(CustomerChangesQuery), _known(request)
    page = learning().customers.changes(customer_id, query.limit, query.cursor)
    access_log().read(request.actor, customer_id, "changes", request.route, datetime.now(UTC))
    return CustomerChangePage([change_view(customer_id, x) for x in page.changes], page.cursor)


@app.route("GET", "/customers/{customer_id}/orders")
def get_orders(request: Request) -> OrderPage:
    """No order shows who it goes to."""
    query, person = request.read_query(CustomerOrdersQuery), _person(request)
    return page_of(order_reader(), person.identities, query.limit, query.cursor)


@app.route("POST", "/customers/{customer_id}/merge")
def merge_customer(request: Request) -> CustomerProfileView:
    said, customer_id, at = request.read(MergeCustomer), _known(request), datetime.now(UTC)
    other, desk = _id_of(said.customer_id), learning()
    if other == customer_id:
        raise InvalidRequest([Fault("customer_id", "is the same customer")])
    _check_known(other, desk, at)
    notes = desk.notes(at, request.actor, said.reason)
    person = desk.identities.merge(customer_id, other, at=at, by=request.actor, notes=notes)
    return _shown(request, person, "profile")


@app.route("POST", "/customers/{customer_id}/split")
def split_customer(request: Request) -> CustomerProfileView:
    said, customer_id, at = request.read(SplitCustomer), _known(request), datetime.now(UTC)
    desk = learning()
    notes = desk.notes(at, request.actor, said.reason, "split")
    return _shown(request, desk.identities.split(customer_id, notes=notes), "profile")


def _stand(shown: Profile, said: GiveConsent, at: datetime) -> None:
    """Mails are written until somebody does not want them any more, texts once they do."""
    for each in shown.emails:
        address_id = secrets().customer_id(each.value)
        if said.channel == "sms":
            standings().agree_to_texts(address_id, at, agreed=said.granted)
        elif not said.granted:
            standings().stop_mails(address_id, at)


def _prefer(shown: Profile, said: Preferences, at: datetime) -> None:
    """Notices look it up by the address that they go to."""
    for each in shown.emails:
        address_id = secrets().customer_id(each.value)
        standings().prefer(address_id, at, locale=said.locale, time_zone=said.time_zone)


def _untag(person: Person, tags: set[str], desk: Learning) -> None:
    """A tag that the person has not any more is no identity's."""
    for customer_id in person.identities[1:] if tags else ():
        desk.customers.change(customer_id, _tagging([], [*tags]))


def _asked(query: CustomerQuery) -> tuple[str, str, Callable[[Profile], bool]]:
    """The kind of the index, its key, and who is really meant."""
    if query.email:
        address = mailbox(query.email)
        return EMAIL, address, lambda x: any(mailbox(e.value) == address for e in x.emails)
    if query.phone:
        number = asked_phone(query.phone, query.country or "")
        return PHONE, number, lambda x: has_phone(x, number)
    name = query.name or ""
    return NAME, asked_key(name), lambda x: is_called(x, name)


def _shown(request: Request, person: Person, what: str) -> CustomerProfileView:
    desk = learning()
    kept = desk.customers.many(person.identities)
    for customer_id in person.identities:
        access_log().read(request.actor, customer_id, what, request.route, datetime.now(UTC))
    suggested = desk.suggested(profile_of(person, kept), person)
    lifetime = desk.customers.lifetime(person.identities)
    return customer_view(person, kept, suggested, lifetime, segments_table().names(person.root))


def _person(request: Request) -> Person:
    return learning().identities.person(_known(request))


def _known(request: Request) -> str:
    customer_id = _id_of(CustomerPath.read(dict(request.path)).customer_id)
    _check_known(customer_id, learning(), datetime.now(UTC))
    return customer_id


def _id_of(said: str) -> str:
    return secrets().customer_id(said) if "@" in said else said


def _check_known(customer_id: str, desk: Learning, at: datetime) -> None:
    """Of whom nothing is kept yet, the orders tell."""
    if desk.customers.get(customer_id).version or any(_new_here(customer_id, desk, at)):
        return
    if not order_reader().listed(customer_id, None, 1):
        raise NotFound("customer", customer_id)


def _new_here(customer_id: str, desk: Learning, at: datetime) -> Iterator[Kept]:
    kept = desk.from_orders(customer_id, at)
    if kept.version:
        yield kept


def _tagging(add: list[str], remove: list[str]) -> Callable[[Profile], Profile]:
    def tagged(profile: Profile) -> Profile:
        tags = tuple(sorted({*profile.tags, *add} - {*remove}))
        if len(tags) > MAX_TAGS:
            raise InvalidRequest([Fault("add", f"makes {len(tags)} tags; at most {MAX_TAGS}")])
        return dataclasses.replace(profile, tags=tags)

    return tagged


def _consenting(consent: Consent, said_at: datetime | None) -> Callable[[Profile], Profile]:
    """The same again, of no other moment, is nothing new."""

    def said(profile: Profile) -> Profile:
        known = {x.key: x for x in profile.consents}
        before = known.get(consent.key)
        if before and not said_at and dataclasses.replace(consent, at=before.at) == before:
            return profile
        if len({consent.key, *known}) > MAX_CONSENTS:
            raise InvalidRequest([Fault("purpose", f"is one more than the {MAX_CONSENTS} kept")])
        return consented(profile, consent)

    return said

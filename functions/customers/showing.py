"""Customers as the API answers them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from oms.adapters.customers_table import Change, Kept, Lifetime
from oms.adapters.profile_reader import profile_of
from oms.contracts.api.customers import (
    ChannelIdentityView,
    ConsentView,
    CustomerAddressView,
    CustomerChangeView,
    CustomerProfileView,
    CustomerSummary,
    IdentityView,
    LifetimeView,
    MoneyFiguresView,
    PhoneView,
    PreferencesView,
    SightingView,
)
from oms.domain.customers import Place, Preferences, Profile, Sighting
from oms.domain.identities import Person
from oms.domain.phones import international


def customer_view(
    person: Person,
    kept: Mapping[str, Kept],
    suggested: list[str],
    lifetime: Lifetime,
    segments: Iterable[str],
) -> CustomerProfileView:
    known = kept.get(person.root, Kept(person.root))
    profile = profile_of(person, kept)
    return CustomerProfileView(
        customer_id=person.root,
        version=known.version,
        name=profile.name,
        names=_seen(profile.names),
        emails=_seen(profile.emails),
        phones=[*_phones(profile)],
        addresses=[*_addresses(profile.addresses)],
        channels=[
            ChannelIdentityView(x.channel, x.external_id, x.at, x.source) for x in profile.channels
        ],
        tags=list(profile.tags),
        consents=[*_consents(profile)],
        preferences=_preferences(profile.preferences),
        identities=[*_identities(person)],
        suggested=suggested,
        lifetime=lifetime_view(lifetime),
        segments=list(segments),
    )


def summary(kept: Kept, root: str) -> CustomerSummary:
    profile = kept.profile
    address = profile.addresses[0].address if profile.addresses else None
    return CustomerSummary(
        customer_id=kept.customer_id,
        name=profile.name,
        email=profile.emails[0].value if profile.emails else "",
        phone=profile.phones[0].number if profile.phones else "",
        city=address.city if address else "",
        country=address.country if address else "",
        merged_into="" if root == kept.customer_id else root,
    )


def change_view(customer_id: str, change: Change) -> CustomerChangeView:
    return CustomerChangeView(change.at, change.by, change.what, customer_id, dict(change.details))


def lifetime_view(lifetime: Lifetime) -> LifetimeView:
    money = [
        MoneyFiguresView(currency, dict(figures))
        for currency, figures in sorted(lifetime.money.items())
    ]
    first, last = lifetime.first_order_at, lifetime.last_order_at
    return LifetimeView(dict(lifetime.figures), money, first, last)


def _seen(sightings: Iterable[Sighting]) -> list[SightingView]:
    return [SightingView(x.value, x.at, x.source) for x in sightings]


def _phones(profile: Profile) -> Iterator[PhoneView]:
    for x in profile.phones:
        e164 = international(x.number, x.country)
        yield PhoneView(x.number, e164, x.country, x.verified, x.at, x.source)


def _addresses(places: Sequence[Place]) -> Iterator[CustomerAddressView]:
    for x in places:
        a = x.address
        yield CustomerAddressView(
            name=a.name,
            company=a.company,
            line1=a.line1,
            line2=a.line2,
            city=a.city,
            region=a.region,
            postal_code=a.postal_code,
            country=a.country,
            phone=a.phone,
            at=x.at,
            source=x.source,
        )


def _consents(profile: Profile) -> Iterator[ConsentView]:
    for x in profile.consents:
        yield ConsentView(x.purpose, x.channel, x.granted, x.at, x.how, x.by)


def _preferences(said: Preferences) -> PreferencesView:
    return PreferencesView(
        said.locale, said.time_zone, said.channel, said.quiet_from, said.quiet_until
    )


def _identities(person: Person) -> Iterator[IdentityView]:
    yield IdentityView(person.root)
    for x in person.links:
        yield IdentityView(x.child, x.parent, x.at, x.by)

"""Customers: who they are, what they agreed to, and which identities are one person."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from oms.contracts.api.credit import CustomerOrEmail
from oms.contracts.api.fields import (
    MAILBOX,
    PRINTABLE,
    Contract,
    Country,
    Cursor,
    Email,
    FreeText,
    Instant,
    Label,
    Reason,
    Slug,
    repeats,
)
from oms.contracts.api.orders import Address
from oms.contracts.api.views import At, View
from oms.contracts.invalid import Fault
from oms.domain.contact import PostalAddress
from oms.domain.customers import (
    MAX_ADDRESSES,
    MAX_CHANNELS,
    MAX_EMAILS,
    MAX_NAMES,
    MAX_PHONES,
    MAX_TAGS,
    ChannelIdentity,
    CustomerPolicy,
    Phone,
    Place,
    Preferences,
    Profile,
    Sighting,
    asked_key,
    asked_phone,
)

MAX_VERSION = 10**9
CUSTOMER_ID = r"^cus_[a-z0-9_]{1,60}$"


def _time_zone(name: str) -> str:
    try:
        if "/" in name or name == "UTC":
            zoneinfo.ZoneInfo(name)
            return name
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        pass
    raise PydanticCustomError("time_zone", "is no time zone, such as Europe/Paris")


CustomerId = Annotated[str, StringConstraints(pattern=CUSTOMER_ID)]
Number = Annotated[str, StringConstraints(min_length=5, max_length=40, pattern=PRINTABLE)]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$")]
TimeZone = Annotated[
    str,
    StringConstraints(max_length=60, pattern=r"^[A-Za-z0-9_+/-]+$"),
    AfterValidator(_time_zone),
]
Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Medium = Literal["email", "sms"]
SmallPage = Annotated[int, Field(strict=False, ge=1, le=50)]
Tags = Annotated[list[Slug], Field(max_length=MAX_TAGS)]


class CustomerPolicyGiven(Contract):
    """`merge_same_phone`: customers with one last name and one number, which both have proved to be
    theirs, become one by themselves; else they are only suggested."""

    merge_same_phone: bool = False

    def document(self) -> CustomerPolicy:
        return CustomerPolicy(self.merge_same_phone)


class CustomerPath(Contract):
    """An e-mail address stands for the customer who orders with it."""

    customer_id: CustomerOrEmail


class CustomerQuery(Contract):
    """One of `email`, `phone` and `name`. `country` says how a phone number is to be read that has
    no country of its own; names are found by how their words begin."""

    email: Annotated[str, StringConstraints(max_length=254, pattern=MAILBOX)] | None = None
    phone: Number | None = None
    name: Label | None = None
    country: Country | None = None
    cursor: Cursor | None = None
    limit: SmallPage = 20

    def faults(self) -> Iterator[Fault]:
        asked = [x for x in ("email", "phone", "name") if getattr(self, x) is not None]
        if not asked:
            yield Fault("email", "is missing, and so are phone and name")
        for more in asked[1:]:
            yield Fault(more, f"is asked for without {asked[0]}")
        if self.phone and not asked_phone(self.phone, self.country or ""):
            yield Fault("phone", "is no telephone number")
        if self.name and not asked_key(self.name):
            yield Fault("name", "has no word")


class CustomerOrdersQuery(Contract):
    cursor: Cursor | None = None
    limit: SmallPage = 20


class CustomerChangesQuery(Contract):
    cursor: Cursor | None = None
    limit: SmallPage = 20


class PhoneGiven(Contract):
    """`verified`: somebody made sure that it is the customer's."""

    number: Number
    country: Country | None = None
    verified: bool = False


class ChannelIdentityGiven(Contract):
    """`external_id` is what the channel calls the customer."""

    channel: Slug
    external_id: FreeText = ""


class PreferencesGiven(Contract):
    """`quiet_from` and `quiet_until` are local times (hh:mm), perhaps over midnight."""

    locale: Locale | None = None
    time_zone: TimeZone | None = None
    channel: Medium | None = None
    quiet_from: Clock | None = None
    quiet_until: Clock | None = None

    def faults(self) -> Iterator[Fault]:
        if (self.quiet_from is None) != (self.quiet_until is None):
            yield Fault("quiet_until", "comes with quiet_from, or both are left out")


class PutCustomer(Contract):
    """`version` is the one that was seen. A list replaces all that it names; what is absent stays
    as it is. What is taken out comes back with the next order that tells it."""

    version: Annotated[int, Field(ge=0, le=MAX_VERSION)]
    names: Annotated[list[Label], Field(max_length=MAX_NAMES)] | None = None
    emails: Annotated[list[Email], Field(max_length=MAX_EMAILS)] | None = None
    phones: Annotated[list[PhoneGiven], Field(max_length=MAX_PHONES)] | None = None
    addresses: Annotated[list[Address], Field(max_length=MAX_ADDRESSES)] | None = None
    channels: Annotated[list[ChannelIdentityGiven], Field(max_length=MAX_CHANNELS)] | None = None
    tags: Tags | None = None
    preferences: PreferencesGiven | None = None

    def faults(self) -> Iterator[Fault]:
        for place, phone in enumerate(self.phones or ()):
            if not asked_phone(phone.number, phone.country or ""):
                yield Fault(f"phones[{place}].number", "is no telephone number")
        for name in ("names", "emails", "tags"):
            for place in repeats(each.lower() for each in getattr(self, name) or ()):
                yield Fault(f"{name}[{place}]", "is there twice")
        for fault in self.preferences.faults() if self.preferences else ():
            yield Fault(f"preferences.{fault.field}", fault.reason)

    @property
    def fields(self) -> frozenset[str]:
        """What is said at all."""
        given = self.model_dump(exclude={"version"}, exclude_none=True)
        return frozenset(given)

    def profile(self, at: datetime, by: str) -> Profile:
        """What is said, and nothing else."""
        return Profile(
            names=_sightings(self.names or (), at, by),
            emails=_sightings(self.emails or (), at, by),
            phones=_phones(self.phones or (), at, by),
            addresses=_places(self.addresses or (), at, by),
            channels=_channels(self.channels or (), at, by),
            tags=tuple(sorted(self.tags or ())),
            preferences=_preferences(self.preferences or PreferencesGiven()),
        )


def _sightings(said: Sequence[str], at: datetime, by: str) -> tuple[Sighting, ...]:
    return tuple(Sighting(each, at, by) for each in said)


def _phones(said: Sequence[PhoneGiven], at: datetime, by: str) -> tuple[Phone, ...]:
    return tuple(Phone(x.number, at, by, x.country or "", x.verified) for x in said)


def _places(said: Sequence[Address], at: datetime, by: str) -> tuple[Place, ...]:
    return tuple(Place(PostalAddress(**x.model_dump()), at, by) for x in said)


def _channels(
    said: Sequence[ChannelIdentityGiven], at: datetime, by: str
) -> tuple[ChannelIdentity, ...]:
    return tuple(ChannelIdentity(x.channel, at, by, x.external_id) for x in said)


def _preferences(said: PreferencesGiven) -> Preferences:
    given = {name: value or "" for name, value in said.model_dump().items()}
    return Preferences(**given)


class TagCustomer(Contract):
    add: Tags = Field(default_factory=list)
    remove: Tags = Field(default_factory=list)

    def faults(self) -> Iterator[Fault]:
        if not self.add and not self.remove:
            yield Fault("add", "is empty, and so is remove")
        for place, tag in enumerate(self.remove):
            if tag in self.add:
                yield Fault(f"remove[{place}]", "is added as well")


class GiveConsent(Contract):
    """`how` it was given or withdrawn: a checkbox, a call, a link. `at`: when, if not just now."""

    purpose: Slug = "marketing"
    channel: Medium
    granted: bool
    how: Reason
    at: Instant | None = None


class MergeCustomer(Contract):
    """`customer_id` is merged into the customer of the path, whose identity the person keeps."""

    customer_id: CustomerOrEmail
    reason: FreeText = ""


class SplitCustomer(Contract):
    reason: FreeText = ""


class SightingView(View):
    """`source`: the order that told it last, or who said it."""

    value: str
    at: At
    source: str


class PhoneView(View):
    """`e164` is empty where its country cannot be told."""

    number: str
    e164: str
    country: str
    verified: bool
    at: At
    source: str


class CustomerAddressView(View):
    name: str
    company: str
    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: str
    phone: str
    at: At
    source: str


class ChannelIdentityView(View):
    channel: str
    external_id: str
    at: At
    source: str


class ConsentView(View):
    purpose: str
    channel: str
    granted: bool
    at: At
    how: str
    by: str


class PreferencesView(View):
    locale: str
    time_zone: str
    channel: str
    quiet_from: str
    quiet_until: str


class IdentityView(View):
    """`merged_into`, by whom and when: empty for the one that the person has kept."""

    customer_id: str
    merged_into: str = ""
    merged_at: At | None = None
    merged_by: str = ""


class MoneyFiguresView(View):
    """Minor units of the currency."""

    currency: str
    figures: dict[str, int]


class LifetimeView(View):
    """Counted over all identities, as far as the reports have come: `figures` such as orders and
    units, and those that are money by their currency."""

    figures: dict[str, int]
    money: list[MoneyFiguresView]
    first_order_at: At | None = None
    last_order_at: At | None = None


class CustomerProfileView(View):
    """Of the person that `customer_id` and the other `identities` are. `suggested`: customers who
    may be the same person; `segments`: those that the person belongs to."""

    customer_id: str
    version: int
    name: str
    names: list[SightingView]
    emails: list[SightingView]
    phones: list[PhoneView]
    addresses: list[CustomerAddressView]
    channels: list[ChannelIdentityView]
    tags: list[str]
    consents: list[ConsentView]
    preferences: PreferencesView
    identities: list[IdentityView]
    suggested: list[str]
    lifetime: LifetimeView
    segments: list[str]


class CustomerSummary(View):
    """`merged_into`: the identity that the person has kept, where it is another one."""

    customer_id: str
    name: str
    email: str
    phone: str
    city: str
    country: str
    merged_into: str = ""


class CustomerPage(View):
    items: list[CustomerSummary]
    cursor: str | None = None


class CustomerChangeView(View):
    """`what`: profile, tags, consent, merged, split; `details` say what exactly."""

    at: At
    by: str
    what: str
    customer_id: str
    details: dict[str, Any]


class CustomerChangePage(View):
    items: list[CustomerChangeView]
    cursor: str | None = None


def is_customer_id(text: str) -> bool:
    return re.fullmatch(CUSTOMER_ID, text) is not None

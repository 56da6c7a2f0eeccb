"""What is known of a customer: seen on orders, and said by people.

All of it is personal: it lives in the vault only, never in an event or a log. What orders tell may
come in any order and more than once: the newest sighting of a thing counts, the newest things are
kept, so the profile is the same whatever came first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from functools import reduce
from typing import Any, Protocol, TypeVar

from oms.domain.contact import Contact, PostalAddress
from oms.domain.ids import name_of
from oms.domain.phones import at_home, international, without_country

MAX_NAMES, MAX_EMAILS, MAX_PHONES, MAX_ADDRESSES, MAX_CHANNELS = 5, 5, 5, 20, 20
MAX_TAGS, MAX_CONSENTS, MAX_HIDDEN = 50, 20, 50
MAX_TOKENS = 8  # of all names, that a customer is found by
MAX_NAME_TOKENS = 4  # of one name: its first ones and its last one
PREFIXES = (6, 4, 3)  # letters of a name that are enough to find it; of shorter names, all
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CustomerPolicy:
    """`merge_same_phone`: customers with one last name and one number, which both have proved to be
    theirs, become one by themselves; else they are only suggested."""

    merge_same_phone: bool = False


@dataclass(frozen=True, slots=True)
class Sighting:
    """A name or an e-mail address; `source`: the order that told it last, or who said it."""

    value: str
    at: datetime
    source: str

    @property
    def key(self) -> str:
        return " ".join(self.value.lower().split())


@dataclass(frozen=True, slots=True)
class Phone:
    """`number` as it was written; `country` says how it is to be read; `verified`: somebody made
    sure that it is the customer's."""

    number: str
    at: datetime
    source: str
    country: str = ""
    verified: bool = False

    @property
    def key(self) -> str:
        return international(self.number, self.country) or at_home(self.number) or self.number


@dataclass(frozen=True, slots=True)
class Place:
    address: PostalAddress
    at: datetime
    source: str

    @property
    def key(self) -> str:
        a = self.address
        parts = (a.name, a.company, a.line1, a.line2, a.city, a.region, a.postal_code, a.country)
        return name_of(*map(folded, parts))


@dataclass(frozen=True, slots=True)
class ChannelIdentity:
    """Where the customer buys; `external_id` is what the channel calls them, where we know it."""

    channel: str
    at: datetime
    source: str
    external_id: str = ""

    @property
    def key(self) -> str:
        return f"{self.channel}\x1f{self.external_id}"


@dataclass(frozen=True, slots=True)
class Consent:
    """For a purpose, on a channel: `how` it was given or withdrawn, and `by` whom it was noted."""

    purpose: str
    channel: str
    granted: bool
    at: datetime
    how: str
    by: str

    @property
    def key(self) -> str:
        return f"{self.purpose}\x1f{self.channel}"


@dataclass(frozen=True, slots=True)
class Preferences:
    """Empty: nothing was said. Quiet hours are local times (hh:mm), perhaps over midnight."""

    locale: str = ""
    time_zone: str = ""
    channel: str = ""
    quiet_from: str = ""
    quiet_until: str = ""

    def is_quiet(self, local: time) -> bool:
        if not self.quiet_from or not self.quiet_until:
            return False
        start, end = time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_until)
        return start <= local < end if start <= end else local >= start or local < end


@dataclass(frozen=True, slots=True)
class Hidden:
    """A thing of this kind that people took out: what saw it before does not bring it back."""

    kind: str
    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Profile:
    """Of one identity, or of all of a person's joined."""

    names: tuple[Sighting, ...] = ()
    emails: tuple[Sighting, ...] = ()
    phones: tuple[Phone, ...] = ()
    addresses: tuple[Place, ...] = ()
    channels: tuple[ChannelIdentity, ...] = ()
    tags: tuple[str, ...] = ()
    consents: tuple[Consent, ...] = ()
    preferences: Preferences = field(default=Preferences())
    hidden: tuple[Hidden, ...] = ()

    @property
    def name(self) -> str:
        return self.names[0].value if self.names else ""

    @property
    def is_somebody(self) -> bool:
        return bool(self.names or self.emails or self.phones or self.addresses)

    def consents_to(self, purpose: str, channel: str) -> bool:
        """Who never said anything, did not consent."""
        key = f"{purpose}\x1f{channel}"
        return any(each.granted for each in self.consents if each.key == key)


class Seen(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def source(self) -> str: ...


S = TypeVar("S", bound=Seen)
KINDS: dict[str, int] = {
    "names": MAX_NAMES,
    "emails": MAX_EMAILS,
    "phones": MAX_PHONES,
    "addresses": MAX_ADDRESSES,
    "channels": MAX_CHANNELS,
}


def seen_on(order_id: str, contact: Contact, channel: str, at: datetime) -> Profile:
    """What an order tells of its customer, by itself."""
    address = contact.address
    name = contact.name or (address.name if address else "")
    number = contact.phone or (address.phone if address else "")
    country = address.country if address else ""
    return Profile(
        names=(Sighting(name, at, order_id),) if folded(name) else (),
        emails=(Sighting(contact.email, at, order_id),) if contact.email else (),
        phones=(Phone(number, at, order_id, country),) if number else (),
        addresses=(Place(address, at, order_id),) if address and address.line1 else (),
        channels=(ChannelIdentity(channel, at, order_id),),
    )


def joined(profiles: Iterable[Profile]) -> Profile:
    """All of them as one; of what contradicts itself the newest, preferences of the first that has
    some."""
    return reduce(_joined, profiles, Profile())


def _joined(one: Profile, other: Profile) -> Profile:
    hidden = newest((*one.hidden, *other.hidden), MAX_HIDDEN, lambda x: (x.kind, x.key))
    both: dict[str, Any] = {
        kind: _kept(kind, (*getattr(one, kind), *getattr(other, kind)), hidden) for kind in KINDS
    }
    return Profile(
        **both,
        tags=tuple(sorted({*one.tags, *other.tags}))[:MAX_TAGS],
        consents=_consents((*one.consents, *other.consents)),
        preferences=one.preferences if one.preferences != Preferences() else other.preferences,
        hidden=hidden,
    )


def _kept(kind: str, seen: Sequence[S], hidden: Sequence[Hidden]) -> tuple[S, ...]:
    gone = {each.key: each.at for each in hidden if each.kind == kind}
    shown = [each for each in seen if each.key not in gone or each.at > gone[each.key]]
    proved = {each.key for each in shown if getattr(each, "verified", False)}
    found = newest(shown, KINDS[kind], lambda each: each.key)
    return tuple(
        replace(each, verified=True) if each.key in proved and isinstance(each, Phone) else each
        for each in found
    )


class Dated(Protocol):
    @property
    def at(self) -> datetime: ...


D = TypeVar("D", bound=Dated)


def newest(things: Iterable[D], most: int, key: Callable[[D], object]) -> tuple[D, ...]:
    """Of each thing the newest, and of all of them the newest ones; what is as new is told apart by
    what it says, so that their order does not matter."""
    found: dict[object, D] = {}
    for each in sorted(things, key=_age):
        found[key(each)] = each
    return tuple(sorted(found.values(), key=_age, reverse=True)[:most])


def _age(thing: Dated) -> tuple[datetime, str]:
    return thing.at, repr(thing)


def _consents(consents: Iterable[Consent]) -> tuple[Consent, ...]:
    """Who withdraws in the same moment has withdrawn."""
    ordered = sorted(consents, key=lambda each: (each.at, not each.granted, repr(each)))
    found = {each.key: each for each in ordered}
    return tuple(found[key] for key in sorted(found))[:MAX_CONSENTS]


def consented(profile: Profile, consent: Consent) -> Profile:
    return replace(profile, consents=_consents((*profile.consents, consent)))


def replaced(
    own: Profile, shown: Profile, said: Profile, fields: Collection[str], at: datetime
) -> Profile:
    """What one identity keeps when people say these fields of what is shown of the person: what is
    not there any more is hidden, what is new or different was seen now (`said` has that moment
    everywhere), what another identity has as it stands stays with that."""
    changes, hidden = dict[str, Any](), list(shown.hidden)
    for kind in KINDS.keys() & fields:
        before = {each.key: each for each in getattr(shown, kind)}
        after = {each.key: each for each in getattr(said, kind)}
        hidden = [x for x in hidden if x.kind != kind or x.key not in after]
        hidden += [Hidden(kind, key, at) for key in before if key not in after]
        news = {key: x for key, x in after.items() if not is_as_before(before.get(key), x)}
        kept = {x.key: x for x in getattr(own, kind) if x.key in after} | news
        changes[kind] = _kept(kind, tuple(kept.values()), ())
    changes |= {name: getattr(said, name) for name in ("tags", "preferences") if name in fields}
    changes["hidden"] = newest(hidden, MAX_HIDDEN, lambda x: (x.kind, x.key))
    return replace(own, **changes)


def is_as_before(before: Seen | None, after: Seen) -> bool:
    """But for when and by whom it was seen."""
    if before is None:
        return False
    return replace(after, at=before.at, source=before.source) == before  # type: ignore[type-var]


def says_the_same(shown: Profile, said: Profile, fields: Collection[str]) -> bool:
    for kind in fields:
        before, after = getattr(shown, kind), getattr(said, kind)
        if kind in KINDS:
            known = {each.key: each for each in before}
            if len(known) != len(after):
                return False
            if not all(is_as_before(known.get(each.key), each) for each in after):
                return False
        elif before != after:
            return False
    return True


def folded(text: str) -> str:
    """Without case, accents and differences of writing; words are apart by one space."""
    wide = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    plain = "".join(c for c in wide if not unicodedata.combining(c))
    return " ".join(unicodedata.normalize("NFKC", plain).split())


def words(name: str) -> tuple[str, ...]:
    """Of a name: its first words and its last one."""
    found = re.findall(r"[^\W_]+", folded(name).replace("'", "").replace("’", ""))
    return tuple(found if len(found) <= MAX_NAME_TOKENS else (*found[:3], found[-1]))


def last_name(name: str) -> str:
    """As far as that can be told: the last of several words."""
    found = words(name)
    return found[-1] if len(found) > 1 else ""


def name_keys(names: Iterable[str]) -> tuple[str, ...]:
    """What a customer of these names is found by."""
    tokens = list(dict.fromkeys(word for name in names for word in words(name)))[:MAX_TOKENS]
    return tuple(dict.fromkeys(key for token in tokens for key in _prefixes(token)))


def _prefixes(token: str) -> list[str]:
    found = [token[:size] for size in PREFIXES if len(token) >= size]
    return found if len(token) >= PREFIXES[-1] else [f"={token}"]


def asked_key(name: str) -> str:
    """The one key that the fewest others share with who is asked for; empty: there is no word."""
    found = sorted(words(name), key=len)
    return _prefixes(found[-1])[0] if found else ""


def is_called(profile: Profile, asked: str) -> bool:
    """Each word that is asked for begins a word of one of the names; a short one is all of it."""
    wanted = words(asked)
    return bool(wanted) and any(_answers(words(each.value), wanted) for each in profile.names)


def _answers(have: Sequence[str], wanted: Sequence[str]) -> bool:
    return all(any(_begins(word, want) for word in have) for want in wanted)


def _begins(word: str, want: str) -> bool:
    return word.startswith(want) if len(want) >= PREFIXES[-1] else word == want


def phone_keys(phone: Phone) -> tuple[str, ...]:
    """With its country, and without: not everybody who asks says it."""
    number = international(phone.number, phone.country)
    found = (number, without_country(number) if number else at_home(phone.number))
    return tuple(key for key in found if key)


def asked_phone(said: str, country: str = "") -> str:
    return international(said, country) or at_home(said)


def has_phone(profile: Profile, key: str) -> bool:
    return any(key in phone_keys(phone) for phone in profile.phones)


def pairs(profile: Profile) -> tuple[tuple[str, str, bool], ...]:
    """Number, last name, and whether it was verified: who shares them may be the same person."""
    names = dict.fromkeys(name for each in profile.names if (name := last_name(each.value)))
    return tuple(
        (number, name, phone.verified)
        for phone in profile.phones
        if (number := international(phone.number, phone.country))
        for name in names
    )[:MAX_TOKENS]

"""What is known of a person, of all identities together, for whoever asks for one of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Protocol

from oms.adapters.customers_table import Kept, customers_table
from oms.adapters.identities_table import identities_table
from oms.domain.customers import Profile, joined
from oms.domain.identities import Person


class Customers(Protocol):
    def many(self, customer_ids: tuple[str, ...]) -> Mapping[str, Kept]: ...


class Identities(Protocol):
    def person(self, customer_id: str) -> Person: ...


class ProfileReader:
    """Who reads for people writes it into the access log (`oms.adapters.access_log`)."""

    def __init__(self, customers: Customers, identities: Identities) -> None:
        self._customers, self._identities = customers, identities

    def person(self, customer_id: str) -> Person:
        return self._identities.person(customer_id)

    def profile(self, customer_id: str) -> Profile:
        """Of somebody of whom nothing is kept: an empty one."""
        person = self.person(customer_id)
        return profile_of(person, self._customers.many(person.identities))


def profile_of(person: Person, kept: Mapping[str, Kept]) -> Profile:
    """The root's own first: what it prefers counts."""
    return joined(kept[each].profile for each in person.identities if each in kept)


@cache
def profile_reader() -> ProfileReader:
    """Needs CUSTOMERS_TABLE, KEYS_TABLE, VAULT_KEY_ID and SECRET_ID."""
    return ProfileReader(customers_table(), identities_table())

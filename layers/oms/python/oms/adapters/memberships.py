"""Looks at customers, and puts them into the segments that they belong to now."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Protocol

from oms.adapters import dynamodb as db
from oms.adapters.customers_table import customers_table
from oms.adapters.identities_table import identities_table
from oms.adapters.lifetimes import lifetimes_table
from oms.adapters.profile_reader import ProfileReader
from oms.adapters.segments_table import (
    Definitions,
    SegmentsTable,
    Stale,
    Standing,
    days_of,
    segments_table,
)
from oms.domain.customers import Profile
from oms.domain.errors import Contended
from oms.domain.identities import Person
from oms.domain.reporting.customers import Lifetime
from oms.domain.segments.membership import Figures, figures_of, memberships, turns_at

ATTEMPTS = 10
AT_ONCE = 50  # that are due
LOOK_BACK = timedelta(days=3)  # where nobody has swept yet
A_DAY = timedelta(days=1)

IsLate = Callable[[], bool]


class Lifetimes(Protocol):
    def many(self, customer_ids: Iterable[str]) -> Sequence[Lifetime]: ...


class Persons(Protocol):
    def person(self, customer_id: str) -> Person: ...
    def profile_of(self, person: Person) -> Profile: ...


@dataclass(frozen=True, slots=True)
class Members:
    """`look` may be asked for anybody, at any time, as often as one likes."""

    segments: SegmentsTable
    lifetimes: Lifetimes
    persons: Persons
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def follow(self, customer_ids: Iterable[str], threads: Executor) -> int:
        """All of them, by definitions that are still the newest when they are done: whatever is
        defined later finds them."""
        wanted = list(dict.fromkeys(customer_ids))
        while wanted:
            known = self.segments.definitions()
            if not known.revision:
                break
            list(threads.map(partial(self.look, known=known), wanted))
            if self.segments.revision() == known.revision:
                break
        return len(wanted)

    def look(self, customer_id: str, known: Definitions | None = None) -> None:
        """The person of this identity, with all the others."""
        for each in self.persons.person(customer_id).identities:
            self._insist(each, known)

    def sweep(self, threads: Executor, is_late: IsLate) -> int:
        """Those that are due; a day is done when nothing of it is left."""
        now, done = self.clock(), 0
        today = now.astimezone(UTC).date()
        first = self.segments.swept_through() or today - LOOK_BACK
        for day in days_of(first, now):
            rows = self.segments.due(day, now)
            while together := list(islice(rows, AT_ONCE)):
                if is_late():
                    return done
                self.follow([due.customer_id for due in together], threads)
                list(threads.map(self.segments.done, together))
                done += len(together)
            self._swept(first, day, today)
        return done

    def figures(self, person: Person, *, with_profile: bool) -> Figures:
        profile = self.persons.profile_of(person) if with_profile else Profile()
        return figures_of(self.lifetimes.many(person.identities), profile)

    def _swept(self, first: date, day: date, today: date) -> None:
        """Of today there will be more; of yesterday somebody may write this very moment."""
        if first <= day < today - A_DAY:
            self.segments.sweep_from(day + A_DAY)

    def _insist(self, customer_id: str, known: Definitions | None) -> None:
        for attempt in range(ATTEMPTS):
            before = self.segments.standing(customer_id)
            after = self._now(before, known or self.segments.definitions())
            if replace(after, version=before.version) == before:
                return None
            try:
                return self.segments.stand(before, after, self.clock())
            except Stale:
                known = None
                time.sleep(db.full_jitter(attempt))
        raise Contended(f"the segments of {customer_id} are written by others all the time")

    def _now(self, before: Standing, known: Definitions) -> Standing:
        """What was looked at by a newer revision is looked at by that one again."""
        if known.revision < before.revision:
            known = self.segments.definitions()
        person, now = self.persons.person(before.customer_id), self.clock()
        asks = any(each.asks_profiles for each in known.segments)
        figures = self.figures(person, with_profile=asks)
        names = memberships(known.segments, figures, now)
        is_root = person.root == before.customer_id
        return Standing(
            before.customer_id,
            names,
            names if is_root else (),
            known.revision,
            _whole(turns_at(known.segments, figures, now)) if is_root else None,
            before.version,
        )


def _whole(at: datetime | None) -> datetime | None:
    """Rows have milliseconds: the first one that is not too early."""
    if at is None or at.microsecond % 1000 == 0:
        return at
    return at + timedelta(microseconds=1000 - at.microsecond % 1000)


class PersonsOfTables:
    """Profiles of persons, unlogged: nobody sees them, they are only counted by."""

    def __init__(self, reader: ProfileReader) -> None:
        self._reader = reader

    def person(self, customer_id: str) -> Person:
        return self._reader.person(customer_id)

    def profile_of(self, person: Person) -> Profile:
        return self._reader.profile(person.root)


def members() -> Members:
    """Needs CUSTOMERS_TABLE, KEYS_TABLE and VAULT_KEY_ID."""
    reader = ProfileReader(customers_table(), identities_table())
    return Members(segments_table(), lifetimes_table(), PersonsOfTables(reader))

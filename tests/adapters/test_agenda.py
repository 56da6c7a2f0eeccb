"""Deadlines in the stock table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from oms.adapters.agenda import Agenda, NotDue
from oms.adapters.dynamodb import transact
from oms.domain.agenda import LONGEST, TRIES, Due
from tests.tables import create_table

pytestmark = pytest.mark.cloud

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def agenda(dynamodb: Any) -> Agenda:
    return Agenda(dynamodb, create_table(dynamodb, "stock", f"stock-{uuid4().hex[:12]}"))


def write(agenda: Agenda, *entries: Due) -> None:
    for entry in entries:
        writes = agenda.writes(entry.kind, entry.subject, entry.at, entry.tries)
        transact(agenda._client, writes)


def test_what_is_due_comes_oldest_first_and_nothing_before_its_time(agenda: Agenda) -> None:
    entries = [Due("expire_hold", f"hld_{n}", AT + n * SECOND) for n in range(20)]
    write(agenda, *reversed(entries))

    assert agenda.due(AT + 9 * SECOND, 100) == entries[:10]
    assert agenda.due(AT - SECOND, 100) == []
    assert agenda.due(AT + 60 * SECOND, 5) == entries[:5]
    assert agenda.overdue(AT + 14 * SECOND) == 15


def test_what_is_due_at_this_very_moment_is_due(agenda: Agenda) -> None:
    write(agenda, entry := Due("expire_hold", "hld_1", AT))

    assert agenda.due(AT, 10) == [entry]


def test_subjects_of_any_letters_are_read_as_they_were_written(agenda: Agenda) -> None:
    write(agenda, entry := Due("routing_window", "SKU#a#b ü~", AT, tries=2))

    assert agenda.due(AT, 10) == [entry]


def test_what_is_done_or_removed_is_not_due_any_more(agenda: Agenda) -> None:
    one, other = Due("a", "1", AT), Due("a", "2", AT)
    write(agenda, one, other)

    agenda.done(one)
    transact(agenda._client, agenda.removal(other.kind, other.subject, other.at))
    transact(agenda._client, agenda.removal(other.kind, other.subject, other.at))

    assert agenda.due(AT, 10) == []


def test_what_failed_comes_again_later_and_is_moved_once(agenda: Agenda) -> None:
    write(agenda, entry := Due("a", "1", AT))
    later = entry.after_failure(AT)

    agenda.move(entry, later)

    assert agenda.due(AT, 10) == []
    assert agenda.due(later.at, 10) == [later]
    with pytest.raises(NotDue):
        agenda.move(entry, later)
    assert agenda.due(later.at, 10) == [later]


def test_a_failing_entry_waits_longer_each_time_and_is_hopeless_after_an_hour() -> None:
    entry, pauses = Due("a", "1", AT), []
    while not entry.is_hopeless:
        later = entry.after_failure(entry.at)
        pauses.append(later.at - entry.at)
        entry = later

    assert pauses == sorted(pauses)
    assert len(pauses) == TRIES
    assert timedelta(minutes=30) < sum(pauses, timedelta()) < 2 * LONGEST
    assert entry.after_failure(AT).at - AT == LONGEST

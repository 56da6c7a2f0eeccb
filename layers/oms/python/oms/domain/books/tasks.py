"""A difference as a task: what it is about, what is proposed, and who has decided what.

The same subject and rule are the same task for ever: found again it is updated, gone it is closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from oms.domain.errors import IllegalTransition
from oms.domain.ids import name_of

BY_ITSELF = "books"  # who closes what is gone


class TaskState(StrEnum):
    """`accepted`: somebody has it in hand; `dismissed`: it may stay as it is."""

    OPEN = "open"
    ACCEPTED = "accepted"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"


UNDECIDED = frozenset({TaskState.OPEN, TaskState.ACCEPTED})


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would mend it, in words and as a command with its fields.

    Without a command only a person can mend it, by what the words say.
    """

    words: str
    command: str = ""
    fields: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A difference with its proposal, as a rule has found it."""

    kind: str
    subject: str
    rule: str
    expected: int
    actual: int
    proposal: Proposal

    @property
    def task_id(self) -> str:
        return task_id_of(self.kind, self.subject, self.rule)


@dataclass(frozen=True, slots=True)
class Task:
    """`by` and `why` are of the last decision; `version` counts the writes of its row."""

    task_id: str
    kind: str
    subject: str
    rule: str
    expected: int
    actual: int
    proposal: Proposal
    found_at: datetime
    seen_at: datetime
    state: TaskState = TaskState.OPEN
    by: str = ""
    why: str = ""
    version: int = 1

    @classmethod
    def of(cls, found: Found, at: datetime) -> Self:
        return cls(
            found.task_id,
            found.kind,
            found.subject,
            found.rule,
            found.expected,
            found.actual,
            found.proposal,
            found_at=at,
            seen_at=at,
        )

    @property
    def is_open(self) -> bool:
        return self.state in UNDECIDED

    @property
    def difference(self) -> int:
        return self.actual - self.expected

    def seen(self, found: Found, at: datetime) -> Task:
        """Found again: what was resolved is open again; what was dismissed stays so, while its
        figures do."""
        same = (found.expected, found.actual) == (self.expected, self.actual)
        if self.is_open or (self.state is TaskState.DISMISSED and same):
            return replace(
                self,
                expected=found.expected,
                actual=found.actual,
                proposal=found.proposal,
                seen_at=max(at, self.seen_at),
            )
        return replace(Task.of(found, at), version=self.version)

    def gone(self, at: datetime) -> Task:
        """It is not there any more; whoever has decided is still named."""
        if not self.is_open:
            return self
        return replace(self, state=TaskState.RESOLVED, seen_at=at, by=BY_ITSELF, why="it is gone")

    def accepted(self, by: str, why: str = "") -> Task:
        self._must_be_open("be accepted")
        return replace(self, state=TaskState.ACCEPTED, by=by, why=why)

    def resolved(self, by: str, why: str = "") -> Task:
        if self.state is TaskState.RESOLVED:
            return self
        self._must_be_open("be resolved")
        return replace(self, state=TaskState.RESOLVED, by=by, why=why)

    def dismissed(self, by: str, why: str) -> Task:
        if self.state is TaskState.DISMISSED:
            return self
        self._must_be_open("be dismissed")
        return replace(self, state=TaskState.DISMISSED, by=by, why=why)

    def _must_be_open(self, what: str) -> None:
        if not self.is_open:
            raise IllegalTransition(self.task_id, self.state, what)


def task_id_of(kind: str, subject: str, rule: str) -> str:
    return f"tsk_{name_of('task', kind, subject, rule)}"

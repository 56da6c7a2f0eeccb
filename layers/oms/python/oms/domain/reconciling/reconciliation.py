"""One file of a statement, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from oms.domain.ids import name_of
from oms.domain.jobs import Job
from oms.domain.reconciling.entries import Scope, StatementKind
from oms.domain.reconciling.judging import NOTHING, Figures

KIND = "reconciliation"  # of long jobs


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """`digest` names the file's content; `currency` is that of lines that name none. `same_as`:
    another one has read that content of the same statement; `superseded_by`: another content has
    taken its place."""

    reconciliation_id: str
    scope: Scope
    format: str
    actor: str
    at: datetime
    digest: str
    figures: Figures = NOTHING
    lines: int = 0
    refused: int = 0
    finished_at: datetime | None = None
    same_as: str = ""
    supersedes: str = ""
    superseded_by: str = ""
    currency: str = ""

    def reads_as(self, other: Reconciliation) -> bool:
        """The same content in the same way: nothing else can come of it."""
        mine = self.digest, self.scope, self.format, self.currency
        return mine == (other.digest, other.scope, other.format, other.currency)


def statement_of(scope: Scope) -> str:
    """The name of the statement, whatever file it comes in."""
    return name_of("statement", *scope.statement)


def scope_of(job: Job) -> Scope:
    said = job.params
    return Scope(
        StatementKind(said["statement"]),
        said["source"],
        date.fromisoformat(said["first"]),
        date.fromisoformat(said["last"]),
        said.get("channel", ""),
        said.get("provider", ""),
        said["tolerance"],
        said["look_back"],
    )

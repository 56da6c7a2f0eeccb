"""Long jobs of segments: who belongs to them after a definition has changed, and files of members.

Both may do a step twice: looking at a customer again changes nothing, and each step of a file
writes a part of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Protocol
from uuid import uuid4

from oms.adapters.jobs_table import Step
from oms.adapters.memberships import Members
from oms.adapters.segments_table import Member, SegmentsTable
from oms.contracts import csv_rows
from oms.domain.customers import Profile
from oms.domain.jobs import Job, JobFailed, Slice, SlicePlan
from oms.domain.segments.membership import Figures

REFRESH, EXPORT = "segment_refresh", "segment_export"
SLICES, THREADS = 4, 8
PAGE = 200  # members that one part of a file has
OF_FIGURES = (
    *("customer_id", "since", "orders", "units", "returned_units", "spent"),
    *("first_order_at", "last_order_at", "channels", "countries"),
)
PERSONAL = ("name", "email", "phone")

Log = Callable[[str, str, str], None]  # actor, customer, why


class Files(Protocol):
    def read(self, name: str) -> Iterator[bytes]: ...
    def write(self, name: str, pieces: Iterable[bytes]) -> None: ...


class SegmentRefresh:
    """Every customer is looked at, in parts of the table, side by side."""

    def __init__(self, members: Members) -> None:
        self._members = members

    def slices(self, job: Job) -> Sequence[SlicePlan]:  # noqa: ARG002
        return [SlicePlan({"segment": number, "of": SLICES}) for number in range(SLICES)]

    def work(self, job: Job, part: Slice) -> Iterator[Step]:  # noqa: ARG002
        cursor = part.cursor or {"after": None, "ended": False}
        done = part.progress.done
        with ThreadPoolExecutor(THREADS) as threads:
            while not cursor["ended"]:
                segment, of = part.params["segment"], part.params["of"]
                found, after = self._members.segments.lives(segment, of, cursor["after"])
                self._members.follow(found, threads)
                cursor = {"after": after, "ended": after is None}
                done += len(found)
                yield Step(cursor=cursor, done=len(found), total=done)

    def finish(self, job: Job, parts: Sequence[Slice]) -> dict[str, str]:  # noqa: ARG002
        return {}


class SegmentExport:
    """`log`: who reads whose profile, before it is in a file."""

    def __init__(self, files: Files, members: Members, log: Log) -> None:
        self._files, self._members, self._log = files, members, log

    def slices(self, job: Job) -> Sequence[SlicePlan]:
        if not any(x.segment.name == job.params["segment"] for x in self._table.all()):
            raise JobFailed(f"there is no segment {job.params['segment']} any more")
        return [SlicePlan({})]

    def work(self, job: Job, part: Slice) -> Iterator[Step]:
        cursor = part.cursor or {"after": None, "parts": [], "ended": False}
        done = part.progress.done
        while not cursor["ended"]:
            page = self._table.members(job.params["segment"], PAGE, cursor["after"])
            name = f"jobs/{job.job_id}/parts/{uuid4().hex}.csv"
            if page.members:
                rows = [self._row(job, each) for each in page.members]
                self._files.write(name, [csv_rows.written(rows).encode()])
            parts = [*cursor["parts"], name] if page.members else cursor["parts"]
            cursor = {"after": page.cursor, "parts": parts, "ended": page.cursor is None}
            done += len(page.members)
            yield Step(cursor=cursor, done=len(page.members), total=done)

    def finish(self, job: Job, parts: Sequence[Slice]) -> dict[str, str]:
        name = f"jobs/{job.job_id}/members.csv"
        self._files.write(name, self._all(job, parts))
        return {"members": name}

    @property
    def _table(self) -> SegmentsTable:
        return self._members.segments

    def _row(self, job: Job, member: Member) -> tuple[object, ...]:
        person = self._members.persons.person(member.customer_id)
        figures = self._members.figures(person, with_profile=False)
        if not job.params["personal"]:
            return figures_row(member, figures)
        for identity in person.identities:
            self._log(job.actor, identity, f"export of the segment {job.params['segment']}")
        profile = self._members.persons.profile_of(person)
        return (*figures_row(member, figures), *personal_row(profile))

    def _all(self, job: Job, parts: Sequence[Slice]) -> Iterator[bytes]:
        head = (*OF_FIGURES, *(PERSONAL if job.params["personal"] else ()))
        yield csv_rows.written([head]).encode()
        for part in parts:
            for name in part.cursor["parts"]:
                yield from self._files.read(name)


def figures_row(member: Member, known: Figures) -> tuple[object, ...]:
    """What was spent is by currency, in minor units: `EUR 1200; USD 300`."""
    spent = "; ".join(f"{currency} {amount}" for currency, amount in sorted(known.spent.items()))
    return (
        member.customer_id,
        member.since.isoformat(),
        known.orders,
        known.units,
        known.returned_units,
        spent,
        _said(known.first_order_at),
        _said(known.last_order_at),
        " ".join(sorted(known.channels)),
        " ".join(sorted(known.countries)),
    )


def personal_row(profile: Profile) -> tuple[str, str, str]:
    email = profile.emails[0].value if profile.emails else ""
    phone = profile.phones[0].number if profile.phones else ""
    return profile.name, email, phone


def _said(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at else ""

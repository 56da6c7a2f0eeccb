"""What names a person and is not kept under the person: drafts, messages of shops, order files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oms.adapters.channel_inbox import ChannelInbox, Kept, channel_inbox
from oms.adapters.drafts_table import DraftsTable, drafts_table
from oms.adapters.files import Files
from oms.adapters.jobs_table import JobsTable, jobs_table
from oms.adapters.vault import Unreadable
from oms.domain.contact import Contact
from oms.domain.customers import Profile
from oms.domain.errors import NotFound, Refused
from oms.domain.jobs import UNFINISHED

AT_ONCE = 100
LOADED = ("imports/", "jobs/")  # folders of lists; their names begin with those of their jobs
MAILED = "mail/"  # what customers wrote, until it is taken in
SHORTEST = 7  # characters of a number that tells one person from another
# What an address may begin after: also what JSON, an URL or a mail writes for it.
BEFORE = r"(?:(?<![\w.+-])|(?<=\\[bfnrt])|(?<=\\u[0-9a-f]{4})|(?<=[%=][0-9a-f]{2}))"
AFTER = r"(?!\w|[.-]\w)"


class Importing(Refused):
    def __init__(self, job_id: str) -> None:
        super().__init__(f"a file that names the person is being loaded by {job_id}")


@dataclass(frozen=True, slots=True)
class Marks:
    """What tells one person: any of `alone`, or all of one of `together`; in lower case."""

    alone: frozenset[str]
    together: frozenset[tuple[str, str]]

    def are_in(self, text: str) -> bool:
        said = text.lower()
        if any(_is_in(each, said) for each in self.alone):
            return True
        return any(one in said and other in said for one, other in self.together)


@dataclass(frozen=True, slots=True)
class Strays:
    """`sealed`: names of drafts, messages and loads, each sealed by a key of its own."""

    sealed: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def marks_of(contacts: Iterable[Contact], profiles: Iterable[Profile]) -> Marks:
    alone, together = set[str](), set[tuple[str, str]]()
    for contact in contacts:
        address = contact.address
        alone |= {contact.email, *_numbers(contact.phone, address.phone if address else "")}
        if address:
            names = {contact.name, address.name}
            together |= {(each, address.line1) for each in names if each and address.line1}
    for profile in profiles:
        alone |= {each.value for each in profile.emails}
        alone |= set(_numbers(*(each.number for each in profile.phones)))
    return Marks(
        frozenset(each.lower() for each in alone if each),
        frozenset((one.lower(), other.lower()) for one, other in together),
    )


def _is_in(mark: str, said: str) -> bool:
    """An address as a whole: joann@shop.example and ann@shop.example.au are others."""
    if mark not in said or "@" not in mark:
        return mark in said
    return re.search(f"{BEFORE}{re.escape(mark)}{AFTER}", said) is not None


def _numbers(*numbers: str) -> Iterator[str]:
    return (each for each in numbers if len(each) >= SHORTEST)


def strays_of(marks: Marks, shelf: Files, now: datetime) -> Strays:
    if not marks.alone and not marks.together:
        return Strays()
    lists = tuple(_lists(shelf, jobs_table(), marks))
    sealed = (*_drafts(drafts_table(), marks, now), *_messages(channel_inbox(), marks))
    mails = _naming(shelf, MAILED, marks)
    return Strays((*sealed, *dict.fromkeys(map(_job_of, lists))), (*lists, *mails))


def remove(name: str, at: datetime) -> None:
    """A draft, or a message; also twice. Rows of a load go by themselves, and do not open."""
    if name.startswith("drf_"):
        drafts_table().remove(name)
    elif name.startswith("msg_"):
        with suppress(NotFound, Unreadable):
            channel_inbox().dismiss(name, at)


def _drafts(table: DraftsTable, marks: Marks, now: datetime) -> Iterator[str]:
    cursor: str | None = None
    while True:
        page = table.page(AT_ONCE, cursor)
        for each in page.drafts:
            if marks.are_in(_said(table, each.draft_id, now)):
                yield each.draft_id
        if (cursor := page.cursor) is None:
            return


def _said(table: DraftsTable, draft_id: str, now: datetime) -> str:
    try:
        return json.dumps(dict(table.get(draft_id, now).said), ensure_ascii=False)
    except (NotFound, Unreadable):
        return ""


def _messages(inbox: ChannelInbox, marks: Marks) -> Iterator[str]:
    cursor: str | None = None
    while True:
        page = inbox.page(AT_ONCE, cursor)
        for each in page.messages:
            if marks.are_in(_told(inbox, each)):
                yield each.message_id
        if (cursor := page.cursor) is None:
            return


def _told(inbox: ChannelInbox, kept: Kept) -> str:
    """What it said, as it came and as it is read."""
    try:
        call = inbox.get(kept.message_id).call
    except (NotFound, Unreadable):
        return ""
    if call is None:
        return ""
    body = call.body.decode(errors="replace")
    return "\n".join([body, *_plain(body), *_texts(call.query)])


def _plain(body: str) -> Iterator[str]:
    try:
        yield json.dumps(json.loads(body), ensure_ascii=False)
    except ValueError:
        return


def _texts(query: Mapping[str, Any]) -> Iterator[str]:
    return (str(value) for value in query.values())


def _lists(shelf: Files, jobs: JobsTable, marks: Marks) -> Iterator[str]:
    """A file that is loaded at this moment is not taken away."""
    for folder in LOADED:
        for name in _naming(shelf, folder, marks):
            _check_is_over(jobs, name)
            yield name


def _naming(shelf: Files, folder: str, marks: Marks) -> Iterator[str]:
    for name, _ in shelf.named(folder):
        if marks.are_in(b"".join(shelf.read(name)).decode(errors="replace")):
            yield name


def _job_of(name: str) -> str:
    return name.split("/")[1].removesuffix(".csv")


def _check_is_over(jobs: JobsTable, name: str) -> None:
    job_id = _job_of(name)
    try:
        if jobs.get(job_id).status in UNFINISHED:
            raise Importing(job_id)
    except NotFound:
        return

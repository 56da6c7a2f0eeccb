"""Mails that customers write, read by the standard library: whatever is in them, nothing is raised.

Files are named and not kept, quotations of what we wrote are left out, and what a machine answered
is told apart from what a person wrote (RFC 3834).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from email.policy import EmailPolicy
from email.utils import parseaddr
from html import unescape

from oms.domain.inquiries.model import MAX_LETTERS

MAX_BYTES = 2_000_000  # of a mail: what is behind is not read
MAX_SUBJECT = 200
MAX_HEADER = 2_000  # characters of one that are read: to read it takes their square
MAX_PARTS = 200
MAX_BOUNDARIES = 30  # of parts within parts
MAX_DROPPED = 20
MAX_NAME = 100
BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
MACHINES = re.compile(r"(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)([+.-].*)?")
MAILBOX = re.compile(r"[^@\s<>\x00-\x1f]{1,64}@[^@\s<>\x00-\x1f]{1,190}\.[^@\s<>\x00-\x1f]+")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
WROTE = re.compile(r"(On|Am|Le|El|Em) .{5,200}(wrote|schrieb.*|a écrit|escribió|escreveu) ?:")
FAILED = frozenset({"FAIL"})
TOO_DEEP = "parts within parts, too many to be read"
TAG = re.compile(r"<(!--|[!?]|/?([A-Za-z][A-Za-z0-9]*))[^<>]*>?")
LONG_REFERENCE = re.compile(r"&#[0-9]{10,};?")
BLOCKS = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "table", "blockquote"})
SILENT = frozenset({"script", "style", "head", "title"})


class _Policy(EmailPolicy):
    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:MAX_HEADER]


@dataclass(frozen=True, slots=True)
class IncomingMail:
    """`recipients` as the mail itself names them; `dropped`: what was in it and is not kept."""

    sender: str
    name: str
    subject: str
    text: str
    recipients: tuple[str, ...]
    dropped: tuple[str, ...]
    automatic: bool
    spam: bool
    virus: bool


def read_mail(octets: bytes) -> IncomingMail:
    cut = len(octets) > MAX_BYTES
    message, unread = _parsed(octets[:MAX_BYTES])
    sender, name = _sender(message)
    text, rest = _shortened(_text(message))
    files = tuple(_files(message))[:MAX_DROPPED]
    return IncomingMail(
        sender,
        name,
        _line(_header(message, "Subject"), MAX_SUBJECT),
        text,
        tuple(_recipients(message)),
        (*rest, *files, *unread, *(["the end of a large mail"] if cut else [])),
        is_automatic(message, sender),
        _header(message, "X-SES-Spam-Verdict").upper() in FAILED,
        _header(message, "X-SES-Virus-Verdict").upper() in FAILED,
    )


def _parsed(octets: bytes) -> tuple[EmailMessage, list[str]]:
    """And what of it is not read: of a mail of boxes in boxes only its headers are."""
    whole = octets.lower().count(b"boundary") <= MAX_BOUNDARIES
    try:
        found = (BytesParser if whole else BytesHeaderParser)(policy=_Policy()).parsebytes(octets)
    except RecursionError:
        whole, found = False, BytesHeaderParser(policy=_Policy()).parsebytes(octets)
    assert isinstance(found, EmailMessage)
    return found, [] if whole else [TOO_DEEP]


def is_automatic(message: EmailMessage, sender: str) -> bool:
    """A machine's answer, a list, a bounce: to answer it, or to open anything, may never end."""
    submitted = _header(message, "Auto-Submitted").partition(";")[0].strip().lower()
    local = sender.partition("@")[0].lower()
    return (
        submitted not in ("", "no")
        or _header(message, "Precedence").strip().lower() in BULK
        or _header(message, "Return-Path").strip() == "<>"
        or any(_header(message, name) for name in ("List-Id", "List-Unsubscribe", "X-Autoreply"))
        or message.get_content_type() in ("multipart/report", "message/delivery-status")
        or not sender
        or bool(MACHINES.fullmatch(local))
    )


def _header(message: EmailMessage, name: str) -> str:
    """The first of its name: the mail service writes its own above all others."""
    try:
        return str(message.get(name, ""))
    except Exception:  # noqa: BLE001  (the parser of headers fails in many ways on strange ones)
        return ""


def _sender(message: EmailMessage) -> tuple[str, str]:
    """The address and the name; empty where it is no mailbox."""
    name, address = parseaddr(_header(message, "From"))
    if not MAILBOX.fullmatch(address) or len(address) > 254:
        return "", ""
    return address, _line(name, MAX_NAME)


def _recipients(message: EmailMessage) -> Iterator[str]:
    for field in ("To", "Cc", "Delivered-To"):
        try:
            found = message.get(field)
        except Exception:  # noqa: BLE001  (likewise)
            continue
        if isinstance(found, AddressHeader):
            yield from (each.addr_spec for each in found.addresses[:50])


def _text(message: EmailMessage) -> str:
    """Of the part that a person would read first: plain, or what is written in the HTML."""
    for kind in ("text/plain", "text/html"):
        for part in _parts(message):
            if part.get_content_type() == kind and not _is_file(part):
                said = _content(part)
                return said if kind == "text/plain" else text_of_html(said)
    return ""


def _parts(message: EmailMessage) -> Iterator[EmailMessage]:
    for number, part in enumerate(message.walk()):
        if number >= MAX_PARTS:
            return
        if isinstance(part, EmailMessage) and not part.is_multipart():
            yield part


def _content(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    octets = payload if isinstance(payload, bytes) else b""
    charset = part.get_content_charset() or "utf-8"
    try:
        return octets.decode(charset, errors="replace")
    except (LookupError, ValueError):  # no charset, or one that has its own mind
        return octets.decode("utf-8", errors="replace")


def _is_file(part: EmailMessage) -> bool:
    try:
        return part.get_content_disposition() == "attachment" or bool(part.get_filename())
    except Exception:  # noqa: BLE001  (likewise)
        return True


def _files(message: EmailMessage) -> Iterator[str]:
    for part in _parts(message):
        if _is_file(part) or part.get_content_maintype() != "text":
            payload = part.get_payload(decode=True)
            size = len(payload) if isinstance(payload, bytes) else 0
            yield f"{_file_name(part)} ({size:,} bytes)"


def _file_name(part: EmailMessage) -> str:
    try:
        name = part.get_filename() or ""
    except Exception:  # noqa: BLE001  (likewise)
        name = ""
    return _line(name, MAX_NAME) or part.get_content_type()


def _shortened(text: str) -> tuple[str, list[str]]:
    """What was written now, as much of it as is kept; and what was left out."""
    said = CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    said = "\n".join(_without_quotation(said.split("\n"))).strip() or said
    if len(said) <= MAX_LETTERS:
        return said, []
    return said[:MAX_LETTERS], [f"{len(said) - MAX_LETTERS:,} more characters of the text"]


def _without_quotation(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if WROTE.fullmatch(line.strip()):
            return
        if not line.startswith(">"):
            yield line


def _line(text: str, most: int) -> str:
    return " ".join(CONTROL.sub("", text).split())[:most]


def text_of_html(html: str) -> str:
    """The words, a line for each block; scripts and styles are none. In one pass, as whoever writes
    a mail says how long it takes to read it."""
    said = "".join(_said(html))
    return re.sub(r"(?<![ \t])[ \t]*\n\s*\n\s*", "\n\n", said).strip()


def _said(html: str) -> Iterator[str]:
    at = 0
    while tag := TAG.search(html, at):
        yield _words(html[at : tag.start()])
        name = (tag[2] or "").lower()
        yield "\n" if name in BLOCKS else ""
        at = _end(html, tag, name)
    yield _words(html[at:])


def _end(html: str, tag: re.Match[str], name: str) -> int:
    """Where the words go on; nowhere where a comment or a script has no end."""
    if tag[1] == "!--":
        end = html.find("-->", tag.start(1))
        return end + len("-->") if end >= 0 else len(html)
    if name in SILENT and tag[1] == tag[2]:
        close = re.compile(rf"</{name}[^<>]*>?", re.IGNORECASE).search(html, tag.end())
        return close.end() if close else len(html)
    return tag.end()


def _words(text: str) -> str:
    return re.sub(r"\s+", " ", unescape(LONG_REFERENCE.sub("", text)))

"""Shops on other platforms, what they call our items, and what they said that nobody understood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from oms.contracts.api.fields import Code, Contract, Cursor, FreeText, Identity, Label, PageSize
from oms.contracts.api.views import At, View
from oms.contracts.invalid import Fault
from oms.domain.shops import Told

MAX_MAPPED = 500
HERE = ("127.0.0.1", "localhost")
ADDRESS = re.compile(
    r"(https?)://([a-z0-9.-]+)(?::([1-9][0-9]{0,4}))?((?:/[a-z0-9._~!$&'()*+,;=:%-]*)*)",
    re.ASCII | re.IGNORECASE,
)
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII | re.IGNORECASE)
INSIDE = frozenset({"internal", "local", "localhost", "localdomain", "lan", "home", "corp"})
MAX_PORT = 65_535

Url = Annotated[str, StringConstraints(max_length=300)]
Heard = Annotated[Told, Field(strict=False)]
Setting = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]


class PutShop(Contract):
    """All of it. `told`: what it hears from us; `polled`: it is asked for orders that webhooks have
    lost; `locations`: theirs by ours; `settings`: words of its platform's adapter. Credentials are
    secrets, and never here."""

    base_url: Url = ""
    told: Annotated[list[Heard], Field(max_length=len(Told))] = Field(default_factory=list)
    polled: bool = False
    locations: Annotated[dict[Identity, Label], Field(max_length=200)] = Field(default_factory=dict)
    settings: Annotated[dict[Setting, FreeText], Field(max_length=50)] = Field(default_factory=dict)

    def faults(self) -> Iterator[Fault]:
        if self.base_url and (why := _wrong_address(self.base_url)):
            yield Fault("base_url", why)
        if self.polled and not self.base_url:
            yield Fault("base_url", "is missing, and the shop is to be asked")
        for name, said in self.settings.items():
            if name.endswith("_url") and said and (why := _wrong_address(said)):
                yield Fault(f"settings.{name}", why)  # credentials are sent there as well


def _wrong_address(url: str) -> str:
    found = ADDRESS.fullmatch(url)
    if found is None:
        return "is no https:// address without user, query or fragment"
    scheme, host, port, path = found.groups()
    if int(port or 0) > MAX_PORT or {".", ".."} & set(path.split("/")):
        return "has a port or a path that is none"
    if host in HERE:  # where stands of other systems are; from elsewhere nobody gets there
        return ""
    if scheme.lower() == "http":
        return "must be https://"
    return "" if _is_public_name(host) else "must name a host of the public network"


def _is_public_name(host: str) -> bool:
    """Of two labels at least, and no IP address in any of its spellings."""
    *labels, last = host.lower().split(".")
    named = all(map(LABEL.fullmatch, (*labels, last)))
    return bool(labels and named) and last not in INSIDE and not last[0].isdecimal()


class MapSkus(Contract):
    """SKUs by what the platform calls its items: the id of a variant, or `product:<id>`."""

    skus: Annotated[dict[Code, Code], Field(min_length=1, max_length=MAX_MAPPED)]


class InboxQuery(Contract):
    cursor: Cursor | None = None
    limit: PageSize = 50


class ShopView(View):
    """`polled_since`: what has changed since then is asked for next; `poll_error`: why the last
    time ended early."""

    shop: str
    channel: str
    base_url: str
    told: list[str]
    polled: bool
    locations: dict[str, str]
    settings: dict[str, str]
    polled_since: At | None = None
    poll_error: str = ""


class ShopPage(View):
    items: list[ShopView]


class SkusView(View):
    shop: str
    skus: dict[str, str]


class InboxView(View):
    """`state`: failed, until it is done (applied) or dismissed. `order_id`: what it is about, where
    that is known."""

    message_id: str
    shop: str
    state: str
    reason: str
    topic: str
    at: At
    order_id: str = ""


class InboxPage(View):
    items: list[InboxView]
    cursor: str | None = None


class InboxMessageView(InboxView):
    """What was said, for who may see it (scope `ops`), while it is kept: `body` as text, `headers`
    as they came; of what was only to be asked for, `fetch`."""

    body: str | None = None
    headers: dict[str, str] | None = None
    fetch: dict[str, Any] | None = None


class ReplayView(View):
    """`outcome` as of the message itself: accepted, duplicate or ignored."""

    message_id: str
    outcome: str
    order_id: str = ""
    ignored: str = ""

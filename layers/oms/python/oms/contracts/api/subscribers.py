"""Other systems that are told of events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal

from msgspec import field
from pydantic import Field, StringConstraints

from oms.contracts.api.fields import Contract, Cursor, FreeText, Instant, PageSize, Slug, repeats
from oms.contracts.api.views import At, View
from oms.contracts.invalid import Fault
from oms.contracts.webhook_schemas import subscribable

LONGEST_REPLAY = timedelta(days=31)
TypeName = Annotated[str, StringConstraints(max_length=100)]
TypeNames = Annotated[list[TypeName], Field(max_length=100)]


class PutSubscriber(Contract):
    """`url`: by https, at a public address. Without `types` it is told of every event; with
    `channels`, of those of orders of these channels alone."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
    types: TypeNames = Field(default_factory=list)
    channels: Annotated[list[Slug], Field(max_length=100)] = Field(default_factory=list)
    description: FreeText = ""
    enabled: bool = True

    def faults(self) -> Iterator[Fault]:
        yield from _unknown(self.types)
        for place in repeats(self.channels):
            yield Fault(f"channels[{place}]", "is given twice")


class RotateSecret(Contract):
    """For so long the secrets before it are signed with as well."""

    overlap_hours: Annotated[int, Field(ge=0, le=168)] = 24


class StartReplay(Contract):
    """Events from `from` on and before `to`, of these types or of all that the subscriber wants;
    also such as happened before it was there."""

    start: Annotated[Instant, Field(alias="from")]
    end: Annotated[Instant, Field(alias="to")]
    types: TypeNames = Field(default_factory=list)

    def faults(self) -> Iterator[Fault]:
        yield from _unknown(self.types)
        if self.end <= self.start:
            yield Fault("to", "is not after from")
        elif self.end - self.start > LONGEST_REPLAY:
            yield Fault("to", f"is more than {LONGEST_REPLAY.days} days after from")


class WebhookDeliveryQuery(Contract):
    """Without a status: all, the latest events first."""

    status: Literal["waiting", "dead"] | None = None
    cursor: Cursor | None = None
    limit: PageSize = 50


def _unknown(types: list[str]) -> Iterator[Fault]:
    known = subscribable()
    for place, name in enumerate(types):
        if name not in known:
            yield Fault(f"types[{place}]", "is no type of event that is published")
    for place in repeats(types):
        yield Fault(f"types[{place}]", "is given twice")


class WebhookSecretView(View, omit_defaults=True):
    """`ends_at`: until then it is signed with as well."""

    made_at: At
    ends_at: At | None = None


class SubscriberView(View, omit_defaults=True):
    """`failures` in a row; `why_disabled`: where nobody asked for it to be. `secret` is told once,
    when it is made."""

    subscriber_id: str
    url: str
    types: list[str]
    channels: list[str]
    description: str
    enabled: bool
    created_at: At
    since: At
    why_disabled: str = ""
    failures: int = 0
    failing_since: At | None = None
    secrets: list[WebhookSecretView] = field(default_factory=list)
    secret: str = ""


class SubscriberPage(View):
    items: list[SubscriberView]


class NewSecret(View):
    """Told once."""

    secret: str
    secrets: list[WebhookSecretView]


class WebhookAttemptView(View, omit_defaults=True):
    """Without a `status_code` there was no answer. `excerpt` is of what was answered, cleaned."""

    at: At
    status_code: int = 0
    milliseconds: int = 0
    error: str = ""
    excerpt: str = ""


class WebhookDeliveryView(View, omit_defaults=True):
    """`webhook_id` is the same however often it is sent; `at`: when the event happened. `tries`
    count since it was queued, or asked for again; `attempts` are the last of all."""

    delivery_id: str
    webhook_id: str
    event_id: str
    type: str
    status: str
    at: At
    since: At
    due_at: At | None = None
    finished_at: At | None = None
    tries: int = 0
    replay_id: str = ""
    order_id: str = ""
    attempts: list[WebhookAttemptView] = field(default_factory=list)


class WebhookDeliveryPage(View):
    """A page may have fewer than were asked for, or none, and a cursor."""

    items: list[WebhookDeliveryView]
    cursor: str | None = None


class SubscriberReplayView(View, omit_defaults=True, rename={"start": "from", "end": "to"}):
    """`queued`: how many messages it has queued so far."""

    replay_id: str
    subscriber_id: str
    status: str
    start: At
    end: At
    asked_at: At
    actor: str
    types: list[str] = field(default_factory=list)
    queued: int = 0
    finished_at: At | None = None


class EventTypeSummary(View):
    """`source`: of the bus."""

    type: str
    version: int
    source: str
    description: str


class EventTypePage(View):
    items: list[EventTypeSummary]


class EventTypeView(View):
    """`schema`: JSON Schema of the message."""

    type: str
    version: int
    source: str
    description: str
    schema: dict[str, Any]

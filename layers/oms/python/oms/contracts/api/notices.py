"""What customers are told: templates, previews, what was sent, and the policy of it all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from oms.contracts.api.fields import Contract, FreeText, Identity, Label, Slug, repeats
from oms.contracts.api.views import At, View
from oms.contracts.invalid import Fault
from oms.domain.notices.brands import Brand, NoticePolicy
from oms.domain.notices.composing import Sources
from oms.domain.notices.kinds import KINDS
from oms.domain.notices.templates import MAX_SOURCE
from oms.domain.notices.wording import TEXTS

_DEFAULT = NoticePolicy()
MAX_BRANDS = 50


def _told(event: str) -> str:
    if event not in KINDS:
        raise PydanticCustomError("event", "is no event that customers are told of")
    return event


Event = Annotated[str, StringConstraints(max_length=60), AfterValidator(_told)]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")]
Picture = Annotated[str, StringConstraints(max_length=500, pattern=r"^(https://[^\s\"'<>]+)?$")]
Source = Annotated[str, StringConstraints(max_length=MAX_SOURCE, strip_whitespace=False)]
Hour = Annotated[int, Field(ge=0, le=23)]
Version = Annotated[int, Field(ge=0, le=10**9)]
AskedVersion = Annotated[Version | None, Field(strict=False)]
Sample = Literal["usual", "bare", "long"]


class BrandGiven(Contract):
    """Who writes: its name, its colour, the address of its picture, its postal address, where
    customers write to, and the channels whose customers hear from it."""

    brand: Slug
    title: FreeText = ""
    colour: Colour = Brand().colour
    logo: Picture = ""
    address: FreeText = ""
    support: FreeText = ""
    channels: Annotated[list[Slug], Field(max_length=200)] = Field(default_factory=list)


class NoticePolicyGiven(Contract):
    """`quiet_from` and `quiet_to` are hours of the customer's day; equal, there is no quiet.
    `texts`: events of which text messages tell, too; `silent`: of which nobody is told."""

    brands: Annotated[list[BrandGiven], Field(max_length=MAX_BRANDS)] = Field(default_factory=list)
    quiet_from: Hour = _DEFAULT.quiet_from
    quiet_to: Hour = _DEFAULT.quiet_to
    quiet_mails: bool = _DEFAULT.quiet_mails
    texts: Annotated[list[Event], Field(max_length=50)] = Field(default_factory=list)
    silent: Annotated[list[Event], Field(max_length=50)] = Field(default_factory=list)
    language: Locale = _DEFAULT.language

    def faults(self) -> Iterator[Fault]:
        for place in repeats(each.brand for each in self.brands):
            yield Fault(f"brands[{place}].brand", "is there twice")
        channels = [(x, y) for x, each in enumerate(self.brands) for y in each.channels]
        for place in repeats(channel for _, channel in channels):
            found, channel = channels[place]
            yield Fault(f"brands[{found}].channels", f"{channel} has a brand already")
        for place, each in enumerate(self.silent):
            if not KINDS[each].optional:
                yield Fault(f"silent[{place}]", f"customers have to be told of {each}")
        if self.language not in TEXTS:
            yield Fault("language", f"is none of {', '.join(TEXTS)}")

    def document(self) -> NoticePolicy:
        return NoticePolicy(
            brands=tuple(
                Brand(**{**each.model_dump(), "channels": tuple(each.channels)})
                for each in self.brands
            ),
            quiet_from=self.quiet_from,
            quiet_to=self.quiet_to,
            quiet_mails=self.quiet_mails,
            texts=tuple(self.texts),
            silent=tuple(self.silent),
            language=self.language,
        )


class TemplateSources(Contract):
    """`{{name}}` is a value, `{{#name}}…{{/name}}` stands for each of a list or once for a value,
    `{{^name}}…{{/name}}` where there is none. `html` is what stands between the brand's head and
    foot. Without `sms` no text message is sent."""

    subject: Source
    html: Source
    text: Source
    sms: Source = ""

    def sources(self) -> Sources:
        return Sources(self.subject, self.html, self.text, self.sms)


class TemplateName(Contract):
    """`brand`: one brand's, or `any`."""

    locale: Locale = "en"
    brand: Slug = "any"


class PutTemplate(TemplateName, TemplateSources):
    event: Event


class TemplateQuery(TemplateName):
    """Without a version: the one in use."""

    version: AskedVersion = None


class ActivateTemplate(TemplateName):
    """Version 0 is the built-in template."""

    version: Version


class RollBackTemplate(TemplateName):
    pass


class PreviewTemplate(TemplateName):
    """Of these sources; else of this version; else of the one in use. For a sample order, or for
    an event of a real one, with a made-up name."""

    event: Event
    template: TemplateSources | None = None
    version: Version | None = None
    sample: Sample = "usual"
    order_id: Identity | None = None
    event_id: Label | None = None

    def faults(self) -> Iterator[Fault]:
        if (self.order_id is None) != (self.event_id is None):
            yield Fault("event_id", "order_id and event_id belong together")


class NoticeView(View):
    """`medium`: mail or sms. `again`: staff asked for it. `outcome` is what was heard of it since:
    bounces, complained, not delivered."""

    notice_id: str
    event_id: str
    event: str
    medium: str
    again: bool
    state: str
    at: At
    reason: str = ""
    template: str = ""
    locale: str = ""
    brand: str = ""
    until: str = ""
    outcome: str = ""
    parts: int = 0


class NoticesView(View):
    items: list[NoticeView]


class AllowedView(View):
    """Whether the order's address was not written to, before."""

    was_suppressed: bool


class VariableView(View):
    """`rows`: the names that each row of a list has; null for a value."""

    name: str
    meaning: str
    rows: list[str] | None


class TemplateView(View):
    """Version 0 is the built-in one."""

    event: str
    locale: str
    brand: str
    version: int
    in_use: bool
    saved_by: str
    saved_at: At | None
    subject: str
    html: str
    text: str
    sms: str
    versions: list[int]
    variables: list[VariableView]


class OwnTemplateView(View):
    locale: str
    brand: str
    version: int
    previous: int


class TemplateSummary(View):
    """`optional`: customers may say that they do not want to hear of it."""

    event: str
    optional: bool
    built_in: list[str]
    own: list[OwnTemplateView]


class TemplatesView(View):
    items: list[TemplateSummary]


class PreviewView(View):
    """`sms_parts`: how many messages it is paid for as."""

    subject: str
    text: str
    html: str
    sms: str
    sms_parts: int

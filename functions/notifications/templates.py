"""Templates as staff see them: saved when they can be used, tried with sample orders."""

from __future__ import annotations

from functions.notifications.desk import notice_policy
from functions.notifications.send_waiting import told_of
from oms.adapters.order_reader import order_reader
from oms.adapters.templates_table import EVERY_BRAND, Active, InUse, Name, TemplatesTable
from oms.contracts.api.notices import (
    OwnTemplateView,
    PreviewTemplate,
    PreviewView,
    TemplateSummary,
    TemplatesView,
    TemplateView,
    VariableView,
)
from oms.contracts.invalid import Fault, InvalidRequest
from oms.domain.errors import NotFound
from oms.domain.notices.brands import Brand
from oms.domain.notices.checking import faults, sample
from oms.domain.notices.composing import Composed, Frame, Sources, built_in, compose
from oms.domain.notices.kinds import KINDS
from oms.domain.notices.templates import Values
from oms.domain.notices.text_messages import parts_of
from oms.domain.notices.variables import Told, values_of
from oms.domain.notices.wording import TEXTS, language_of

SHOWN_VERSIONS = 50
BUILT_IN_BY = "system"
SAMPLE_PAGE = "https://shop.example/track/sample"
SAMPLE_CHOICES = "https://shop.example/notices/unsubscribe/sample"
SAMPLE_NAME = "Ada Example"
SAMPLE_BRAND = Brand(title="Example Shop", address="1 Main Street, Austin, TX 78701, USA")


def must_work(event: str, sources: Sources, place: str = "") -> None:
    """A template that names what there is not, or writes what mail clients do not show, is not
    saved."""
    found = [Fault(f"{place}{part}", wrong) for part, wrong in faults(KINDS[event], sources)]
    if found:
        raise InvalidRequest(found)


def templates_view(table: TemplatesTable) -> TemplatesView:
    active = table.active()
    return TemplatesView([_summary(event, active) for event in KINDS])


def _summary(event: str, active: Active) -> TemplateSummary:
    own = [
        _own(key, used)
        for key, used in sorted(active.templates.items())
        if key.startswith(f"{event}#")
    ]
    return TemplateSummary(event, KINDS[event].optional, list(TEXTS), own)


def _own(key: str, used: InUse) -> OwnTemplateView:
    _, locale, brand = key.split("#")
    return OwnTemplateView(locale, brand, used.version, used.previous)


def template_view(table: TemplatesTable, name: Name, version: int | None) -> TemplateView:
    used = table.active().templates.get(name.key, InUse(0)).version
    asked = used if version is None else version
    saved = table.get(name, asked) if asked else None
    sources = saved.sources if saved else built_in(name.event, language_of(name.locale))
    return TemplateView(
        event=name.event,
        locale=name.locale,
        brand=name.brand,
        version=asked,
        in_use=asked == used,
        saved_by=saved.saved_by if saved else BUILT_IN_BY,
        saved_at=saved.saved_at if saved else None,
        subject=sources.subject,
        html=sources.html,
        text=sources.text,
        sms=sources.sms,
        versions=[each.version for each in table.versions(name, SHOWN_VERSIONS)],
        variables=_variables(name.event),
    )


def _variables(event: str) -> list[VariableView]:
    return [
        VariableView(each.name, each.meaning, None if each.rows is None else sorted(each.rows))
        for each in KINDS[event].variables
    ]


def preview(table: TemplatesTable, said: PreviewTemplate) -> Composed:
    name = Name(said.event, said.locale, said.brand)
    if said.template:
        sources = said.template.sources()
        must_work(said.event, sources, "template.")
    else:
        sources = _kept(table, name, said.version)
    choices = SAMPLE_CHOICES if KINDS[said.event].optional else ""
    return compose(sources, _values(said), Frame(_brand(said.brand), said.locale, choices))


def _kept(table: TemplatesTable, name: Name, version: int | None) -> Sources:
    if version:
        return table.get(name, version).sources
    used = table.used(name.event, name.locale, name.brand) if version is None else None
    return used[0] if used else built_in(name.event, language_of(name.locale))


def _values(said: PreviewTemplate) -> Values:
    if said.order_id is None or said.event_id is None:
        return sample(KINDS[said.event], said.sample, language_of(said.locale))
    told = told_of(said.order_id, order_reader().fact(said.order_id, number_in(said.event_id)))
    if told["type"] != said.event:
        raise NotFound(said.event, said.event_id)
    order = order_reader().get(said.order_id)
    language = language_of(said.locale)
    return values_of(Told(said.event, order, told["data"], language), SAMPLE_NAME, SAMPLE_PAGE)


def number_in(event_id: str) -> int:
    """Of an event of the order: its id ends with it, and it alone will do."""
    number = event_id.rpartition("#")[2]
    if not (number.isascii() and number.isdigit() and len(number) <= 6):
        raise NotFound("event", event_id[:40])
    return int(number)


def _brand(brand: str) -> Brand:
    policy = notice_policy()
    found = policy.named("default" if brand == EVERY_BRAND else brand)
    return found or SAMPLE_BRAND


def preview_view(said: Composed) -> PreviewView:
    parts = parts_of(said.sms) if said.sms else 0
    return PreviewView(said.subject, said.text, said.html, said.sms, parts)

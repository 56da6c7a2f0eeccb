"""How an inquiry begins, whoever opens it: by the page, by mail, by staff."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from oms.adapters.inquiries_table import Opening
from oms.adapters.inquiry_texts import Correspondent, TextKind, Written
from oms.adapters.policies_table import policies_table
from oms.domain.inquiries import commands as c
from oms.domain.inquiries.deciding import open_inquiry
from oms.domain.inquiries.model import Origin, Priority
from oms.domain.inquiries.policy import ServicePolicy

POLICY = "service"


@dataclass(frozen=True, slots=True)
class Ask:
    """`key` names its text; `internal`: a note of ours is all that is written yet."""

    inquiry_id: str
    customer_id: str
    origin: Origin
    written: Written
    category: str
    priority: Priority = Priority.NORMAL
    order_id: str = ""
    line_id: str = ""
    return_id: str = ""
    follows: str = ""
    language: str = "en"
    key: str = ""
    fingerprint: str = ""
    internal: bool = False
    correspondent: Correspondent = field(default_factory=Correspondent)


def opening(ask: Ask, policy: ServicePolicy, at: datetime) -> Opening:
    """Staff open as many as they like."""
    command = c.OpenInquiry(
        ask.inquiry_id,
        ask.customer_id,
        ask.category,
        ask.priority,
        ask.origin,
        ask.order_id,
        ask.line_id,
        ask.return_id,
        ask.follows,
        ask.language,
        ask.key,
    )
    return Opening(
        open_inquiry(command, policy, at),
        ask.written,
        TextKind.NOTE if ask.internal else TextKind.MESSAGE,
        ask.correspondent,
        ask.fingerprint,
        None if ask.origin is Origin.STAFF else policy.most_open,
    )


def service_policy() -> ServicePolicy:
    return policies_table().current(POLICY, ServicePolicy)[0]

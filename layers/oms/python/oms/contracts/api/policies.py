"""Policies: documents that change what is decided, saved in versions."""

from __future__ import annotations

from typing import Annotated, Any, Protocol

from pydantic import Field

from oms.contracts.api.customers import CustomerPolicyGiven
from oms.contracts.api.fields import Contract
from oms.contracts.api.inquiry_policy import ServicePolicyGiven
from oms.contracts.api.invoices import InvoicePolicyGiven
from oms.contracts.api.notices import NoticePolicyGiven
from oms.contracts.api.privacy import PrivacyPolicyGiven
from oms.contracts.api.promises import PromisePolicyGiven
from oms.contracts.api.refunds import RefundPolicyGiven
from oms.contracts.api.reports import ReportPolicyGiven
from oms.contracts.api.return_policy import ReturnPolicyGiven
from oms.contracts.api.screening import HoldPolicyGiven
from oms.contracts.api.tracking_policy import TrackingPolicyGiven
from oms.contracts.api.views import At, View

Version = Annotated[int, Field(ge=0, le=10**9)]


class PolicyGiven(Protocol):
    """What is said of a policy: `{}` is its default, and `document` what decisions are made by."""

    @classmethod
    def read(cls, data: Any) -> PolicyGiven: ...

    def document(self) -> Any: ...


# Each room adds its line: the name of a policy, and the contract of its document.
POLICIES: dict[str, type[PolicyGiven]] = {
    "holds": HoldPolicyGiven,
    "returns": ReturnPolicyGiven,
    "refunds": RefundPolicyGiven,
    "invoices": InvoicePolicyGiven,
    "promises": PromisePolicyGiven,
    "privacy": PrivacyPolicyGiven,
    "tracking": TrackingPolicyGiven,
    "notices": NoticePolicyGiven,
    "reports": ReportPolicyGiven,
    "service": ServicePolicyGiven,
    "customers": CustomerPolicyGiven,
}


def kind_of(name: str) -> type[Any]:
    """The dataclass of the policy's document."""
    return type(POLICIES[name].read({}).document())


class PolicyQuery(Contract):
    """Without a version: the one in force."""

    version: Annotated[Version | None, Field(strict=False)] = None


class PutPolicy(Contract):
    """`version` is the one that was seen: 0 where none was saved yet."""

    version: Version
    document: dict[str, Any]


class PolicySummary(View):
    """Version 0 is the default, which nobody saved."""

    name: str
    version: int
    saved_by: str
    saved_at: At | None = None


class PolicyView(View):
    name: str
    version: int
    saved_by: str
    saved_at: At | None
    document: dict[str, Any]


class PoliciesView(View):
    items: list[PolicySummary]

"""What is kept of a person: asked for, exported, erased; and the policy that says for how long."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from oms.contracts.api.credit import CustomerOrEmail
from oms.contracts.api.fields import Contract, Cursor, PageSize
from oms.contracts.api.views import At, View
from oms.domain.privacy import PrivacyPolicy

Days = Annotated[int, Field(ge=1, le=36_500)]


class OfPerson(Contract):
    customer_id: CustomerOrEmail


class ReadsQuery(Contract):
    cursor: Cursor | None = None
    limit: PageSize = 50


class PrivacyPolicyGiven(Contract):
    """Days: of contacts after the end of their order, of exports, of the log of reads. Years: of
    invoices after the year of their issue; 0 where no law makes you keep them.
    `erase_open_orders`: an erasure does not wait for orders that are under way."""

    contact_days: Days = 730
    export_days: Annotated[int, Field(ge=1, le=30)] = 7
    access_log_days: Days = 730
    document_years: Annotated[int, Field(ge=0, le=100)] = 10
    erase_open_orders: bool = False

    def document(self) -> PrivacyPolicy:
        return PrivacyPolicy(
            self.contact_days,
            self.export_days,
            self.access_log_days,
            self.document_years,
            self.erase_open_orders,
        )


class ReadView(View):
    """`actor` read `what`, and `why`."""

    actor: str
    what: str
    why: str
    at: At


class ReadsPage(View):
    """Newest first."""

    items: list[ReadView]
    cursor: str | None = None


class ExportView(View):
    """The files are deleted at `expires_at`; the links end after a quarter of an hour."""

    export_id: str
    customer_id: str
    made_at: At
    expires_at: At
    json: str
    page: str


class MadeExportView(View):
    export_id: str
    actor: str
    made_at: At
    expires_at: At


class ErasureView(View):
    """`status`: `erasing`: all is gone, the person's keys are about to be; `erased`: so are they.
    `counts`: what was there, by its kind. `stays`: what is kept, and why."""

    customer_id: str
    status: str
    identities: list[str]
    asked_at: At
    actor: str
    counts: dict[str, int]
    stays: list[str]
    times: int
    destroyed_at: At | None = None


class KeptView(View):
    """`until` says when it goes, in words."""

    category: str
    count: int
    until: str


class PrivacyView(View):
    customer_id: str
    identities: list[str]
    kept: list[KeptView]
    exports: list[MadeExportView]
    reads: list[ReadView]
    erasure: ErasureView | None = None

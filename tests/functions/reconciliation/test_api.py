"""Statements are announced, uploaded and started; what came of them is listed page by page."""

from __future__ import annotations

from typing import Any

import pytest

from functions.reconciliation import api
from oms.contracts.api.reconciliation import ReconcileStatement, StatementLineQuery
from oms.contracts.invalid import InvalidRequest
from oms.domain.errors import NotFound
from tests.functions.doors import House, ask
from tests.functions.doors import house as house
from tests.functions.reconciliation.test_payouts import HEAD
from tests.functions.reconciliation.yard import Office
from tests.tables import create_table

SAID = {
    "kind": "payouts",
    "source": "stripe",
    "period": {"first": "2026-03-01", "last": "2026-03-31"},
    "size": 10,
}


@pytest.fixture
def office(dynamodb: Any) -> Office:
    return Office.new(dynamodb)


@pytest.fixture
def opened(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    table = create_table(house.cloud.client("dynamodb"), "jobs", f"jobs-{id(house)}")
    monkeypatch.setenv("JOBS_TABLE", table)
    monkeypatch.setenv("JOB_QUEUE", house.environment["FETCH_QUEUE"])
    return house


@pytest.mark.cloud
def test_a_statement_is_announced_uploaded_and_started(opened: House) -> None:
    content = (HEAD + "ch_1,capture,15.00,,USD,2026-03-03,\n").encode()
    said = {**SAID, "size": len(content), "format": "generic"}
    status, announced = ask(api, "POST /reconciliations", said)
    identity = announced["reconciliation"]["reconciliation_id"]
    assert (status, announced["reconciliation"]["status"]) == (200, "queued")

    early, _ = ask(api, "POST /reconciliations/{id}/start", id=identity)
    opened.cloud.client("s3").put_object(
        Bucket=opened.environment["FILES_BUCKET"], Key=f"imports/{identity}.csv", Body=content
    )
    status, started = ask(api, "POST /reconciliations/{id}/start", id=identity)

    assert early == 409
    assert (status, started["reconciliation_id"], started["format"]) == (200, identity, "generic")
    status, listed = ask(api, "GET /reconciliations/{id}/lines", id=identity)
    assert (status, listed["items"]) == (200, [])


@pytest.mark.cloud
def test_what_is_not_there_is_not_found(opened: House) -> None:
    for route in ("GET /reconciliations/{id}", "GET /reconciliations/{id}/lines"):
        status, problem = ask(api, route, id="job_none")
        assert (status, problem["title"]) == (404, "Not found")
    status, page = ask(api, "GET /reconciliations")
    assert (status, page) == (200, {"items": [], "cursor": None})


@pytest.mark.cloud
def test_lines_are_listed_page_by_page_each_once_and_by_their_outcome(office: Office) -> None:
    for number in range(4):
        office.paid_order(str(number))
    text = "".join(f"ch_{number},capture,15.00,,USD,2026-03-03,\n" for number in range(3))
    done = office.reconciled(HEAD + text + "ch_9,capture,1.00,,USD,2026-03-03,\n")
    identity = done.reconciliation_id

    found: list[tuple[str, bool]] = []
    cursor: str | None = None
    while True:
        query = StatementLineQuery(limit=2, cursor=cursor)
        page = api.lines(office.desk, identity, query)
        found += [(each.outcome, each.task_id != "") for each in page.items]
        if (cursor := page.cursor) is None:
            break
    matched = api.lines(office.desk, identity, StatementLineQuery.read({"outcome": "matched"}))

    assert sorted(found) == [
        *[("matched", False)] * 3,
        ("missing_here", True),
        ("missing_there", True),
    ]
    assert [each.stated.reference for each in matched.items if each.stated] == [
        "ch_0",
        "ch_1",
        "ch_2",
    ]


@pytest.mark.cloud
def test_a_reconciliation_shows_its_figures_and_files(office: Office) -> None:
    office.paid_order("1")
    done = office.reconciled(HEAD + "ch_1,capture,15.00,0.74,USD,2026-03-03,\n")

    view = api.seen(office.desk, done.reconciliation_id)

    assert view.status == "done"
    assert [(each.outcome, each.count, each.stated, each.ours) for each in view.sums] == [
        ("matched", 1, 1500, 1500)
    ]
    assert [(each.currency, each.amount) for each in view.fees] == [("USD", 74)]
    assert set(view.files) == {"result"}


@pytest.mark.cloud
def test_another_job_is_no_reconciliation(office: Office) -> None:
    job = office.asked("stock_import", size=1)

    with pytest.raises(NotFound, match="no reconciliation"):
        api.seen(office.desk, job.job_id)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"format": "ups"}, "format"),
        ({"format": "xml"}, "format"),
        ({"period": {"first": "2026-03-02", "last": "2026-03-01"}}, "period.last"),
        ({"period": {"first": "2024-03-02", "last": "2026-03-01"}}, "period"),
        ({"period": {"first": "0001-01-01", "last": "0001-01-31"}}, "period.first"),
        ({"period": {"first": "9999-12-01", "last": "9999-12-31"}}, "period.last"),
        ({"size": 0}, "size"),
        ({"kind": "taxes"}, "kind"),
        ({"currency": "XXX"}, "currency"),
        ({"kind": "channel_orders", "channel": "web"}, "channel"),
    ],
)
def test_each_fault_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        ReconcileStatement.read({**SAID, **change})

    assert field in [fault.field for fault in refused.value.faults]


def test_a_source_that_we_know_is_read_by_its_own_columns_and_any_other_by_ours() -> None:
    assert ReconcileStatement.read(SAID).read_as == "stripe"
    assert ReconcileStatement.read({**SAID, "source": "mollie"}).read_as == "generic"

"""Segments, as people define them, and what follows for customers."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from functions.bulk.work_job import Crew, work
from functions.segments import api, follow_customers
from functions.segments.api import Desk, app, refreshed
from oms.adapters.access_log import access_log
from oms.adapters.event_log import event_log
from oms.adapters.job_queue import Task
from oms.adapters.jobs_table import JobsTable
from oms.adapters.memberships import members
from oms.adapters.segment_jobs import EXPORT, REFRESH, SegmentExport, SegmentRefresh
from oms.adapters.segments_table import SegmentsTable, segments_table
from oms.contracts.routes import ROUTES
from oms.domain.jobs import Job, JobStatus
from tests.functions.bulk.yard import FilesFake
from tests.functions.customers.people import learned, ordered, told
from tests.functions.doors import House, ask, house
from tests.functions.world import Crash, Mortal, now
from tests.tables import create_table

pytestmark = pytest.mark.cloud

__all__ = ["house"]

ONE = "/segments/{segment}"
BUYERS = [{"name": "any", "when": {"min_orders": 1}}]


@dataclass
class Yard:
    """Jobs that are worked on when we say so."""

    jobs: JobsTable
    files: FilesFake = field(default_factory=FilesFake)
    tasks: list[Task] = field(default_factory=list)

    def send(self, tasks: Any) -> None:
        self.tasks += tasks

    def work_all(self) -> None:
        def log(actor: str, customer_id: str, why: str) -> None:
            access_log().read(actor, customer_id, "profile", why, now())

        kinds: Any = {
            REFRESH: lambda: SegmentRefresh(members()),
            EXPORT: lambda: SegmentExport(self.files, members(), log),
        }
        crew = Crew(self.jobs, self, kinds, lambda: False, now)
        while self.tasks:
            work(crew, self.tasks.pop(0))


@pytest.fixture
def yard(house: House, monkeypatch: pytest.MonkeyPatch) -> Yard:
    client = house.cloud.client("dynamodb")
    name = house.environment["ORDERS_TABLE"].replace("orders", "jobs")
    made = Yard(JobsTable(client, create_table(client, "jobs", name)))
    monkeypatch.setattr(api, "desk", lambda: Desk(segments_table(), made.jobs, made))
    return made


def put(name: str, version: int, rules: Any = None, **more: Any) -> tuple[int, Any]:
    said = {"version": version, "rules": BUYERS if rules is None else rules, **more}
    return ask(api, f"PUT {ONE}", said, segment=name)


def listed(name: str) -> list[str]:
    status, page = ask(api, f"GET {ONE}/members", segment=name)
    assert status == 200, page
    return [each["customer_id"] for each in page["items"]]


def bought(house: House, *emails: str) -> list[str]:
    orders = [ordered(house, email, at=now() - timedelta(days=2)) for email in emails]
    learned(house, *orders)
    follow_customers.handler({}, None)
    return sorted(order.customer_id for order in orders)


def test_it_answers_its_routes_and_no_others() -> None:
    ours = {(route.method, route.path) for route in ROUTES if route.function_id == "SegmentsApi"}

    assert app.routes == ours


def test_a_definition_finds_customers_of_long_ago_and_a_new_one_lets_them_go(
    house: House, yard: Yard
) -> None:
    ids = bought(house, "ada@example.com", "bob@example.com")
    status, shown = put("buyers", 0, title="Who buys")
    assert (status, shown["version"], listed("buyers")) == (200, 1, [])
    yard.work_all()
    assert listed("buyers") == ids
    assert yard.jobs.get(shown["job_id"]).status is JobStatus.DONE

    put("buyers", 1, [{"name": "many", "when": {"min_orders": 2}}])
    yard.work_all()
    assert listed("buyers") == []
    assert segments_table().names(ids[0]) == ()

    put("buyers", 2)
    yard.work_all()
    status, gone = ask(api, f"DELETE {ONE}", segment="buyers")
    assert (status, gone["deleted"]) == (200, True)
    yard.work_all()
    assert segments_table().names(ids[0]) == ()
    assert ask(api, f"GET {ONE}", segment="buyers")[0] == 404
    assert ask(api, f"GET {ONE}", query="version=1", segment="buyers")[1]["title"] == "Who buys"
    assert put("buyers", 0)[1]["version"] == 5
    yard.work_all()
    assert listed("buyers") == ids


def test_what_is_said_again_is_saved_once_and_what_is_overtaken_is_told(
    house: House, yard: Yard
) -> None:
    first, again = put("buyers", 0), put("buyers", 0)
    assert again == first
    assert put("buyers", 0, title="another")[0] == 409
    assert put("buyers", 1, title="another")[1]["version"] == 2


@pytest.mark.parametrize(
    ("when", "place"),
    [
        ({}, "rules[0].when"),
        ({"min_spent": 5}, "rules[0].when.currency"),
        ({"min_orders": 3, "max_orders": 2}, "rules[0].when.max_orders"),
        (
            {"ordered_within_days": 30, "not_ordered_for_days": 30},
            "rules[0].when.not_ordered_for_days",
        ),
        ({"countries": ["XX"]}, "rules[0].when.countries[0]"),
        ({"min_recency": 6}, "rules[0].when.min_recency"),
        ({"tags": ["a"], "without_tags": ["a"]}, "rules[0].when.without_tags[0]"),
        ({"colour": "red"}, "rules[0].when.colour"),
    ],
)
def test_what_means_nothing_is_refused_with_its_field(
    house: House, yard: Yard, when: Any, place: str
) -> None:
    status, problem = put("odd", 0, [{"name": "odd", "when": when}])

    assert (status, [each["field"] for each in problem["errors"]]) == (422, [place])
    assert segments_table().definitions().revision == 0


def test_an_export_has_every_member_and_personal_data_only_for_who_may(
    house: House, yard: Yard
) -> None:
    ids = bought(house, "ada@example.com", "bob@example.com")
    put("buyers", 0)
    yard.work_all()
    status, refused = ask(api, f"POST {ONE}/exports", {"personal": True}, segment="buyers")
    assert (status, refused["title"]) == (403, "Forbidden")

    _, job = ask(api, f"POST {ONE}/exports", {}, segment="buyers")
    yard.work_all()
    head, *rows = exported(yard, job)
    assert head.startswith("customer_id,since,orders,units")
    assert sorted(row.split(",")[0] for row in rows) == ids
    assert "ada@example.com" not in "".join(rows)
    assert access_log().page(ids[0]).reads == ()

    personal = Job("job_p", EXPORT, {"segment": "buyers", "personal": True}, "user:9", now())
    api.started(api.desk(), personal)
    yard.work_all()
    assert "ada@example.com" in "".join(exported(yard, {"job_id": "job_p"}))
    (read,) = access_log().page(ids[0]).reads
    assert (read.actor, read.what) == ("user:9", "profile")


def exported(yard: Yard, job: Any) -> list[str]:
    done = yard.jobs.get(job["job_id"])
    assert done.status is JobStatus.DONE
    return yard.files.stored[done.results["members"]].decode().splitlines()


def test_what_customers_do_while_a_definition_changes_is_not_forgotten(
    house: House, yard: Yard
) -> None:
    """One looked at them by the older definitions, after the job had passed."""
    old = segments_table().definitions()
    put("buyers", 0)
    yard.work_all()
    order = ordered(house)
    event_log().append(told(house, order))
    follow_customers.handler({}, None)

    members().look(order.customer_id, old)

    assert listed("buyers") == [order.customer_id]


@pytest.mark.parametrize("after", [False, True])
def test_who_dies_while_a_segment_is_saved_leaves_one_that_can_be_said_again(
    house: House, yard: Yard, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    ids = bought(house, "ada@example.com")
    table, jobs = house.environment["CUSTOMERS_TABLE"], yard.jobs._table
    for dies_at in range(1, 12):
        mortal: Any = Mortal(house.cloud.client("dynamodb"), dies_at, after)
        dying = Desk(SegmentsTable(mortal, table), JobsTable(mortal, jobs), yard)
        name = f"buyers-{dies_at}"
        with monkeypatch.context() as patch, suppress(Crash):
            patch.setattr(api, "desk", lambda dying=dying: dying)
            put(name, 0)
        yard.tasks.clear()  # and what was sent is lost
        assert put(name, 0)[1]["version"] == 1

    refreshed(api.desk(), segments_table().revision())
    put("last", 0)
    yard.work_all()
    assert {each.segment.name for each in segments_table().all()} == {
        "last",
        *(f"buyers-{dies_at}" for dies_at in range(1, 12)),
    }
    assert listed("buyers-3") == listed("last") == ids

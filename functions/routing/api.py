"""Rule sets: saved with their tests, tried on a share of the orders, rolled back. And the answer to
"why from there?" for every order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from functions.routing.explanations import routing_view
from functions.routing.rule_documents import rule_set_of
from functions.routing.simulations import Desk, simulation_view, start_simulation
from oms.adapters.http_api import HttpApi, Problem, Request, Response
from oms.adapters.job_queue import job_queue
from oms.adapters.jobs_table import jobs_table
from oms.adapters.order_reader import order_reader
from oms.adapters.rule_sets_table import Active, RuleSetsTable, SavedRuleSet, rule_sets_table
from oms.contracts.api.fields import Contract, Identity
from oms.contracts.api.routing import (
    ActivateRuleSet,
    JsonSchemaView,
    RoutingQuery,
    RoutingView,
    RuleSetGiven,
    RuleSetQuery,
    RuleSetSummary,
    RuleSetsView,
    RuleSetView,
    SimulateRouting,
    SimulationView,
)
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.contracts.invalid import Fault
from oms.domain.errors import NotFound
from oms.domain.routing.deciding import route_order
from oms.domain.routing.rules import Example, ExampleResult, RuleSet

ENVIRONMENT: tuple[str, ...] = ("JOBS_TABLE", "JOB_QUEUE", "ORDERS_TABLE", "STOCK_TABLE")
MAX_VERSION_DIGITS = 9
EXAMPLES_SECONDS = 10.0  # for all of them together

app = HttpApi("RoutingApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


class OfOrder(Contract):
    order_id: Identity


class OfJob(Contract):
    job_id: Identity


@app.route("GET", "/orders/{order_id}/routing")
def get_routing(request: Request) -> RoutingView:
    order_id = OfOrder.read(dict(request.path)).order_id
    asked = request.read_query(RoutingQuery).location
    return routing_view(order_reader(), rule_sets_table(), order_id, asked)


@app.route("GET", "/routing/rule-sets")
def get_rule_sets(request: Request) -> RuleSetsView:
    asked = request.read_query(RuleSetQuery)
    return rule_sets_view(rule_sets_table(), asked.limit, _version_in(asked.cursor))


@app.route("GET", "/routing/rule-sets/schema")
def get_schema(request: Request) -> JsonSchemaView:  # noqa: ARG001  (nothing is asked)
    return JsonSchemaView(RuleSetGiven.model_json_schema())


@app.route("POST", "/routing/rule-sets")
def post_rule_set(request: Request) -> Response:
    said = request.read(RuleSetGiven)
    rule_set = rule_set_of(said, version=0)
    must_pass(rule_set)
    document = said.model_dump(mode="json", exclude_defaults=True)
    at = datetime.now(UTC)
    saved = rule_sets_table().save(rule_set, document, at=at, actor=request.actor)
    view = rule_set_view(saved, rule_sets_table().active())
    return Response(201 if saved.saved_at == at else 200, view)


@app.route("GET", "/routing/rule-sets/{version}")
def get_rule_set(request: Request) -> RuleSetView:
    table = rule_sets_table()
    return rule_set_view(table.get(version_of(request)), table.active())


@app.route("POST", "/routing/rule-sets/{version}/activate")
def post_activation(request: Request) -> RuleSetsView:
    version, said = version_of(request), request.read(ActivateRuleSet)
    table = rule_sets_table()
    table.activate(version, said.percent, at=datetime.now(UTC), actor=request.actor)
    return rule_sets_view(table, 50, None)


@app.route("POST", "/routing/rule-sets/rollback")
def post_rollback(request: Request) -> RuleSetsView:
    table = rule_sets_table()
    table.roll_back(at=datetime.now(UTC), actor=request.actor)
    return rule_sets_view(table, 50, None)


@app.route("POST", "/routing/simulations")
def post_simulation(request: Request) -> Response:
    said = request.read(SimulateRouting)
    rule_sets_table().get(said.rule_set)
    view = start_simulation(
        Desk(jobs_table(), job_queue()),
        said,
        at=datetime.now(UTC),
        actor=request.actor,
        once=request.idempotency_key,
    )
    return Response(body=view, ids={"job_id": view.job_id})


@app.route("GET", "/routing/simulations/{job_id}")
def get_simulation(request: Request) -> SimulationView:
    return simulation_view(jobs_table(), OfJob.read(dict(request.path)).job_id)


def must_pass(rule_set: RuleSet, clock: Callable[[], float] = perf_counter) -> None:
    """A rule set that does not do what its own examples say is not saved."""
    faults = list(_failing(rule_set, clock))
    if faults:
        raise Problem(422, "The rule set fails its own examples", errors=faults)


def _failing(rule_set: RuleSet, clock: Callable[[], float]) -> Iterator[Fault]:
    late = clock() + EXAMPLES_SECONDS
    for place, example in enumerate(rule_set.examples):
        left = late - clock()
        if left <= 0:
            yield Fault(f"examples[{place}]", "there was no time left for it: split the examples")
            return
        result = _tried(example, rule_set, left, clock)
        if not result.is_as_expected:
            yield Fault(f"examples[{place}]", told(result))


def _tried(
    example: Example, rule_set: RuleSet, seconds: float, clock: Callable[[], float]
) -> ExampleResult:
    decision = route_order(example.snapshot, rule_set, budget=seconds, clock=clock, runner_up=False)
    return ExampleResult(example, decision)


def told(result: ExampleResult) -> str:
    example, decision = result.example, result.decision
    expected = f"{example.outcome} from {', '.join(example.location_ids) or 'nowhere'}"
    came = f"{decision.outcome} from {', '.join(result.location_ids) or 'nowhere'}"
    rejected = ", ".join(f"{each.location_id}: {each.reason}" for each in decision.rejected)
    why = "; ".join(each for each in (decision.reason, rejected) if each)
    return f"{example.name!r} expects {expected}; it is {came}" + (f" ({why})" if why else "")


def version_of(request: Request) -> int:
    said = request.path["version"]
    if not _is_version(said):
        raise NotFound("rule set", said[:20])
    return int(said)


def _is_version(said: str) -> bool:
    return said.isascii() and said.isdigit() and len(said) <= MAX_VERSION_DIGITS


def _version_in(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    told = decode_cursor(cursor).get("version", "")
    if not _is_version(told):
        raise BadCursor
    return int(told)


def rule_sets_view(table: RuleSetsTable, limit: int, start: int | None) -> RuleSetsView:
    found, more = table.page(limit, start)
    active = table.active()
    return RuleSetsView(
        items=[_summary(each, active) for each in found],
        active=active.version,
        canary=active.canary,
        percent=active.percent,
        previous=active.previous,
        cursor=encode_cursor({"version": str(more)}) if more is not None else None,
    )


def rule_set_view(saved: SavedRuleSet, active: Active) -> RuleSetView:
    summary = _summary(saved, active)
    return RuleSetView(
        version=summary.version,
        name=summary.name,
        state=summary.state,
        saved_at=summary.saved_at,
        saved_by=summary.saved_by,
        percent=summary.percent,
        document=dict(saved.document),
    )


def _summary(saved: SavedRuleSet, active: Active) -> RuleSetSummary:
    version = saved.rule_set.version
    states = {active.version: "active"} | ({active.canary: "canary"} if active.canary else {})
    return RuleSetSummary(
        version=version,
        name=saved.rule_set.name,
        state=states.get(version, "saved"),
        saved_at=saved.saved_at,
        saved_by=saved.saved_by,
        percent=active.percent if version == active.canary else None,
    )

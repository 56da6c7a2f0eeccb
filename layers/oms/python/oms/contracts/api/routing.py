"""Rule sets as documents, simulations, and why an order was routed as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from oms.contracts.api.fields import (
    MAX_QUANTITY,
    Amount,
    Code,
    Contract,
    Country,
    Currency,
    Cursor,
    Day,
    FreeText,
    Identity,
    Label,
    PageSize,
    Quantity,
    Slug,
    UnitPrice,
    backwards,
    repeats,
)
from oms.contracts.api.views import At, BasisView, PromiseStandingView, View
from oms.contracts.invalid import Fault

Kind = Literal["warehouse", "store", "third_party", "vendor"]
Objective = Literal["cheapest", "fastest", "fewest_boxes"]
Tier = Literal["promise", "arrival", "shipments", "cost", "stock_health", "distance"]
Splits = Annotated[int, Field(ge=0, le=50)]
Percent = Annotated[int, Field(ge=1, le=99)]
Names = Annotated[list[Label], Field(max_length=100)]
Places = Annotated[list[Identity], Field(max_length=500)]
Kinds = Annotated[list[Kind], Field(max_length=4)]
Stock = Annotated[int, Field(ge=0, le=MAX_QUANTITY)]


class WhenGiven(Contract):
    """Orders that a rule speaks of: every condition that is given must hold."""

    channels: Annotated[list[Slug], Field(max_length=100)] = Field(default_factory=list)
    tags_any: Names = Field(default_factory=list)
    tags_all: Names = Field(default_factory=list)
    min_value: Amount | None = None
    max_value: Amount | None = None
    customer_tiers: Names = Field(default_factory=list)
    countries: Annotated[list[Country], Field(max_length=250)] = Field(default_factory=list)
    methods: Names = Field(default_factory=list)
    segments: Names = Field(default_factory=list)


class ThenGiven(Contract):
    """What a rule asks for; locations by id, by kind, or by a tag of theirs, but for those that it
    spares."""

    exclude: Places = Field(default_factory=list)
    only: Places = Field(default_factory=list)
    exclude_kinds: Kinds = Field(default_factory=list)
    only_kinds: Kinds = Field(default_factory=list)
    exclude_tags: Names = Field(default_factory=list)
    only_tags: Names = Field(default_factory=list)
    except_for: Places = Field(default_factory=list)
    max_splits: Splits | None = None
    objective: Objective | None = None
    cost_band: UnitPrice | None = None
    split_penalty: UnitPrice | None = None
    allow_partial: bool | None = None
    hard_promise: bool | None = None

    def faults(self) -> Iterator[Fault]:
        """By which nobody would be left."""
        spared = set(self.except_for)
        if self.only and not set(self.only) - set(self.exclude) | set(self.only) & spared:
            yield Fault("then.only", "names no location that is not excluded as well")
        if self.only_kinds and not set(self.only_kinds) - set(self.exclude_kinds) and not spared:
            yield Fault("then.only_kinds", "names no kind that is not excluded as well")


class RuleGiven(Contract):
    name: Label
    when: WhenGiven = WhenGiven.model_construct()
    then: ThenGiven

    def faults(self) -> Iterator[Fault]:
        least, most = self.when.min_value, self.when.max_value
        if least is not None and most is not None and most < least:
            yield Fault("when.max_value", "is less than min_value")
        yield from self.then.faults()


class PartGiven(Contract):
    item: Code
    quantity: Quantity = 1


class WantedGiven(Contract):
    """`takes`: the stock items of one unit; empty: one of the item named like the SKU."""

    sku: Code
    quantity: Quantity
    takes: Annotated[list[PartGiven], Field(max_length=50)] = Field(default_factory=list)
    tags: Names = Field(default_factory=list)


class DestinationGiven(Contract):
    country: Country
    region: FreeText = ""
    postal_code: FreeText = ""


class ExampleOrder(Contract):
    channel: Slug = "web"
    currency: Currency = "EUR"
    value: Amount = 0
    destination: DestinationGiven
    method: Label = "standard"
    lines: Annotated[list[WantedGiven], Field(min_length=1, max_length=50)]
    tags: Names = Field(default_factory=list)
    customer_tier: FreeText = ""
    segments: Names = Field(default_factory=list)
    deliver_by: Day | None = None
    pickup_location: FreeText = ""
    allow_partial: bool = False


class ExampleLocation(Contract):
    """`stock` is what the order may take, by stock item; `unit_cost` is that of any unit."""

    location_id: Identity
    kind: Kind = "warehouse"
    country: Country
    stock: Annotated[dict[Code, Stock], Field(max_length=200)]
    fixed_cost: UnitPrice = 0
    unit_cost: UnitPrice = 0
    capacity: Stock | None = None
    closed: FreeText = ""
    methods: Names = Field(default_factory=list)
    handles: Names = Field(default_factory=list)
    tags: Names = Field(default_factory=list)
    pickup: bool = False
    deliver_by: Day | None = None
    distance_km: Annotated[int, Field(ge=0, le=25_000)] | None = None
    cover_days: Annotated[dict[Code, Stock], Field(max_length=200)] = Field(default_factory=dict)


class Expectation(Contract):
    outcome: Literal["routed", "backordered"] = "routed"
    locations: Places = Field(default_factory=list)


class ExampleGiven(Contract):
    """A test of the rule set: this order, in this network, must be routed so."""

    name: Label
    order: ExampleOrder
    locations: Annotated[list[ExampleLocation], Field(min_length=1, max_length=100)]
    expect: Expectation

    def faults(self) -> Iterator[Fault]:
        ids = [each.location_id for each in self.locations]
        if len(set(ids)) < len(ids):
            yield Fault("locations", "name a location twice")


class RuleSetGiven(Contract):
    """A rule set is saved as a new version when all its examples come out as they expect.

    `tiers` replace the preset of `objective`. Plans within `cost_band` of the cheapest count as
    equally dear. `max_splits` 1 allows two shipments. A location that rejected an order is not
    asked again for `exclusion_hours`. Orders that want an item of which fewer than `scarce_below`
    units are left wait for `window_seconds` and are routed together.
    """

    name: Label
    objective: Objective = "fewest_boxes"
    tiers: Annotated[list[Tier], Field(max_length=6)] = Field(default_factory=list)
    cost_band: UnitPrice = 0
    split_penalty: UnitPrice = 0
    max_splits: Splits | None = None
    hard_promise: bool = False
    exclusion_hours: Annotated[int, Field(ge=0, le=24 * 90)] = 24
    window_seconds: Annotated[int, Field(ge=0, le=900)] = 0
    scarce_below: Stock = 0
    rules: Annotated[list[RuleGiven], Field(max_length=200)] = Field(default_factory=list)
    examples: Annotated[list[ExampleGiven], Field(max_length=50)] = Field(default_factory=list)

    def faults(self) -> Iterator[Fault]:
        yield from _repeated("tiers", self.tiers)
        yield from _repeated("rules", [rule.name for rule in self.rules])
        yield from _repeated("examples", [example.name for example in self.examples])
        yield from _within("rules", self.rules)
        yield from _within("examples", self.examples)


def _within(field: str, members: Sequence[RuleGiven | ExampleGiven]) -> Iterator[Fault]:
    for place, each in enumerate(members):
        for fault in each.faults():
            yield Fault(f"{field}[{place}].{fault.field}", fault.reason)


def _repeated(field: str, names: Sequence[str]) -> Iterator[Fault]:
    return (
        Fault(f"{field}[{place}]", f"{names[place]!r} is there twice") for place in repeats(names)
    )


class ActivateRuleSet(Contract):
    """`percent` of the orders, the same ones every time, as a canary; without it: all of them."""

    percent: Percent | None = None


class RoutingQuery(Contract):
    """`location`: explain this one only."""

    location: Identity | None = None


class RuleSetQuery(Contract):
    cursor: Cursor | None = None
    limit: PageSize = 50


class SimulateRouting(Contract):
    """Route the decisions of these days again, from what was known then, by another rule set."""

    rule_set: Annotated[int, Field(ge=0, le=999_999_999)]
    first_day: Annotated[Day, Field(alias="from")]
    last_day: Annotated[Day, Field(alias="to")]
    channel: Slug | None = None

    def faults(self) -> Iterator[Fault]:
        yield from backwards(self.first_day, self.last_day)
        if (self.last_day - self.first_day).days > 366:
            yield Fault("to", "is more than a year after from")


class RuleSetView(View):
    """`document` is what was saved, word for word."""

    version: int
    name: str
    state: str
    saved_at: At | None
    saved_by: str
    document: dict[str, Any]
    percent: int | None = None


class RuleSetSummary(View):
    version: int
    name: str
    state: str
    saved_at: At | None
    saved_by: str
    percent: int | None = None


class RuleSetsView(View):
    """`active` 0 is the rule set that is there before anybody saves one."""

    items: list[RuleSetSummary]
    active: int
    canary: int | None = None
    percent: int | None = None
    previous: int | None = None
    cursor: str | None = None


class PlannedView(View):
    """`basis`: what the day of arrival was made of."""

    location_id: str
    lines: dict[str, int]
    cost: int
    ship_on: str | None = None
    ship_by: At | None = None
    deliver_by: str | None = None
    basis: BasisView | None = None


class RunnerUpView(View):
    location_ids: list[str]
    cost: int


class ChangeView(View, omit_defaults=True):
    """`subject` is the method, tag, rule or stock item; `amount` units, days or minor units."""

    kind: str
    words: str
    subject: str = ""
    amount: int = 0


class LocationVerdictView(View):
    """`to_win`: what would have to change, all of it, for the location to be chosen.

    `wins` false: not even that would do. `reasons` are all that spoke against it.
    """

    location_id: str
    verdict: str
    reasons: list[str]
    words: str
    to_win: list[ChangeView]
    wins: bool
    what_if: str


class WantedView(View):
    line_id: str
    sku: str
    quantity: int


class KnownLocationView(View, omit_defaults=True):
    """What the decision knew of a location; `available` by stock item, costs in minor units.

    `closed`, `refused` and `unreachable` say why it ships nothing, not this order, not there.
    """

    location_id: str
    kind: str
    available: dict[str, int]
    fixed_cost: int
    unit_costs: dict[str, int]
    capacity: int | None = None
    closed: str = ""
    refused: str = ""
    unreachable: str = ""
    ship_by: At | None = None
    deliver_by: str | None = None
    distance_km: int | None = None


class RoutingDecisionView(View):
    """`event` is what became of the decision: routed, planned, backordered, deferred ….

    `inputs` are what was known at the moment of the decision, not what is known now: of all
    locations, or, where one is asked for or they are too many, of that and the chosen ones. A
    decision that was made before inputs were kept has none (`kept` false), and says what its record
    says.
    """

    seq: int
    at: At
    event: str
    kept: bool
    outcome: str
    rule_set: str
    rule_set_version: int
    objective: str
    rules: list[str]
    plan: list[PlannedView]
    cost: int
    proved: bool
    lower_bound: int
    runner_up: RunnerUpView | None
    backordered: dict[str, int]
    wanted: list[WantedView]
    inputs: list[KnownLocationView]
    locations: list[LocationVerdictView]
    words: str
    reason: str = ""


class RoutingView(View):
    """Oldest first. None of an order that has not been routed yet. `promise`: what its customer was
    promised, and of what that was made."""

    order_id: str
    decisions: list[RoutingDecisionView]
    promise: PromiseStandingView | None = None


class SimulatedView(View):
    """Of all orders together; `late_share` is of shipments, `load` in units per location."""

    orders: int
    shipments: int
    cost: int
    late_share: float
    backordered_orders: int
    load: dict[str, int]


class SimulationView(View, rename={"first_day": "from", "last_day": "to"}):
    """`before` is as it was decided then, `after` as the other rule set decides; the same orders:
    of each its first decision that gave work to a location.

    `changed` are orders that go elsewhere. Decisions without kept inputs are `skipped`. The figures
    are those so far; `looked_at` counts orders, `days_done` of `days` are done.
    """

    job_id: str
    status: str
    rule_set: int
    first_day: str
    last_day: str
    channel: str
    days_done: int
    days: int
    looked_at: int
    skipped: int
    changed: int
    before: SimulatedView
    after: SimulatedView
    started_at: At | None = None
    finished_at: At | None = None
    reason: str = ""


class JsonSchemaView(View):
    """JSON Schema 2020-12."""

    schema: dict[str, Any]

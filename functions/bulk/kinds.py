"""The kinds of long jobs. To add one: a class with `Kind`'s three methods, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache

from functions.bulk import export_stock, load_orders, load_stock
from functions.bulk.export_stock import StockExport
from functions.bulk.kind import Kind
from functions.bulk.load_orders import OrderImport
from functions.bulk.load_stock import StockImport
from oms.adapters import reconciling, segment_jobs
from oms.adapters.access_log import access_log
from oms.adapters.agenda import agenda
from oms.adapters.books_table import tasks
from oms.adapters.capacity_slots import capacity_slots
from oms.adapters.costs_table import costs_table
from oms.adapters.files import files
from oms.adapters.hold_rules import hold_rules
from oms.adapters.items_table import items_table
from oms.adapters.jobs_table import jobs_table
from oms.adapters.labels_table import labels_table
from oms.adapters.memberships import members
from oms.adapters.network_table import network_table
from oms.adapters.order_reader import order_reader
from oms.adapters.orders_table import orders_table
from oms.adapters.our_side import OurSide
from oms.adapters.person_keys import Box, person_keys
from oms.adapters.placing import Desk
from oms.adapters.reconciling import Reconciling
from oms.adapters.routing import rerouting, simulation
from oms.adapters.routing.knowledge import knowledge
from oms.adapters.routing.rerouting import Rerouting, TakingBack
from oms.adapters.routing.simulation import RoutingSimulation
from oms.adapters.rule_sets_table import rule_sets_table
from oms.adapters.secrets import secrets
from oms.adapters.segment_jobs import SegmentExport, SegmentRefresh
from oms.adapters.statements_table import statements_table
from oms.adapters.stock_counts import stock_counts
from oms.adapters.vault import vault
from oms.contracts.api.orders import ChannelOrder


@cache
def stock_import() -> Kind:
    return StockImport(files(), stock_counts(), jobs_table())


@cache
def stock_export() -> Kind:
    return StockExport(files(), stock_counts().page)


@cache
def order_import() -> Kind:
    desk = Desk(
        orders_table(),
        secrets().customer_id,
        vault().contact_write,
        resolve=items_table().resolve,
        rules=hold_rules(),
    )

    def place(said: ChannelOrder, actor: str) -> object:
        return desk.place(said, at=datetime.now(UTC), actor=actor, request_key=None)

    return OrderImport(files(), place, jobs_table(), Box(person_keys()))


@cache
def routing_simulation() -> Kind:
    return RoutingSimulation(order_reader(), rule_sets_table())


def reroute_work() -> Kind:
    """It looks at what is open by now."""
    orders = orders_table(with_stock=True)
    taking_back = TakingBack(orders, agenda(), knowledge())
    at = datetime.now(UTC)
    return Rerouting(orders, network_table(), capacity_slots(), taking_back, at)


@cache
def reconciliation() -> Kind:
    return Reconciling(
        files(),
        jobs_table(),
        OurSide(order_reader(), labels_table()),
        statements_table(),
        costs_table(),
        tasks(),
        lambda: datetime.now(UTC),
    )


@cache
def segment_refresh() -> Kind:
    return SegmentRefresh(members())


@cache
def segment_export() -> Kind:
    def log(actor: str, customer_id: str, why: str) -> None:
        access_log().read(actor, customer_id, "profile", why, datetime.now(UTC))

    return SegmentExport(files(), members(), log)


KINDS: Mapping[str, Callable[[], Kind]] = {
    load_stock.KIND: stock_import,
    export_stock.KIND: stock_export,
    load_orders.KIND: order_import,
    simulation.KIND: routing_simulation,
    rerouting.KIND: reroute_work,
    reconciling.KIND: reconciliation,
    segment_jobs.REFRESH: segment_refresh,
    segment_jobs.EXPORT: segment_export,
}

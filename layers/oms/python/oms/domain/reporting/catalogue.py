"""Every report that is counted of events: its rows, and who counts them."""

from __future__ import annotations

from oms.domain.reporting import customers, fulfillment, inventory, returned, sales
from oms.domain.reporting.base import Projection
from oms.domain.reporting.description import (
    DAY,
    HOUR,
    MONTH,
    Axis,
    Lookup,
    Report,
    added,
    average,
    hours,
    less,
    ratio,
)

SALES = Report(
    sales.SALES,
    axes=(
        Axis(
            sales.MARKET,
            ("channel", "currency", "country"),
            (
                "orders",
                "units",
                "gross",
                "discounts",
                "shipping",
                "taxes",
                "cancelled_orders",
                "cancelled_units",
                "cancelled",
                "refund_count",
                "refunded",
                "returned_units",
                "returned",
            ),
            frozenset({HOUR, DAY, MONTH}),
        ),
        Axis(
            sales.SKU,
            ("sku", "currency"),
            (
                "orders",
                "units",
                "gross",
                "discounts",
                "taxes",
                "cancelled_units",
                "cancelled",
                "returned_units",
                "returned",
            ),
            most_days=92,
        ),
        Axis(
            sales.LOCATION,
            ("location", "currency"),
            ("shipped_units", "shipped_gross", "shipped_discounts"),
        ),
        Axis(sales.BUYERS, ("currency",), ("customers",), frozenset({MONTH}), distinct=True),
        Axis(
            sales.BUYERS_BY_COUNTRY,
            ("currency", "country"),
            ("customers",),
            frozenset({MONTH}),
            distinct=True,
        ),
    ),
    derived=(
        added("refunds", "cancelled", "returned"),
        less("net", "gross", "discounts", "cancelled", "returned"),
        less("shipped_net", "shipped_gross", "shipped_discounts"),
    ),
    lookups=(Lookup("category", "sku"),),
    default=(DAY, "channel"),
    money=frozenset(
        {
            "gross",
            "discounts",
            "shipping",
            "taxes",
            "cancelled",
            "refunded",
            "returned",
            "refunds",
            "net",
            "shipped_gross",
            "shipped_discounts",
            "shipped_net",
        }
    ),
)

FULFILLMENT = Report(
    fulfillment.FULFILLMENT,
    axes=(
        Axis(
            fulfillment.LOCATION,
            ("location", "delivery"),
            (
                "assigned",
                "shipped",
                "shipped_units",
                "arrived",
                "rejected",
                "short_picked",
                "missing_units",
                "due",
                "on_time",
                "promised",
                "kept",
                *fulfillment.OF_STEPS,
            ),
        ),
        Axis(
            fulfillment.CARRIER,
            ("carrier",),
            ("sent", "parcels", "arrived", "promised", "kept", "transit_seconds", "transit_count"),
        ),
        Axis(
            fulfillment.MARKET,
            ("channel", "currency", "country"),
            ("routed_orders", "split_orders", "boxes", "planned_cost"),
        ),
    ),
    derived=(
        ratio("on_time_share", "on_time", "due"),
        ratio("rejection_rate", "rejected", "assigned"),
        ratio("split_rate", "split_orders", "routed_orders"),
        average("cost_to_serve", "planned_cost", "routed_orders"),
        ratio("promise_accuracy", "kept", "promised"),
        hours("picking_hours", "picking"),
        hours("packing_hours", "packing"),
        hours("leaving_hours", "leaving"),
        hours("transit_hours", "transit"),
    ),
    default=(DAY, "location"),
    money=frozenset({"planned_cost", "cost_to_serve"}),
)

RETURNS = Report(
    returned.RETURNS,
    axes=(
        Axis(
            returned.MARKET,
            ("channel", "currency", "country"),
            (
                "sold_units",
                "returns",
                "declined",
                "asked_units",
                "received_units",
                "damaged_units",
                *returned.JUDGED,
                "refused_units",
                "credited",
                "goods",
                "fees",
            ),
        ),
        Axis(
            returned.SKU,
            ("sku", "currency"),
            (
                "sold_units",
                "asked_units",
                "received_units",
                "damaged_units",
                *returned.JUDGED,
                "refused_units",
                "goods",
            ),
            most_days=92,
        ),
        Axis(returned.REASON, ("reason", "resolution"), ("asked_units",)),
        Axis(returned.DISPOSITION, ("disposition", "location"), ("judged_units",)),
    ),
    derived=(
        ratio("return_rate", "received_units", "sold_units"),
        ratio("damaged_share", "damaged_units", "received_units"),
    ),
    lookups=(Lookup("category", "sku"),),
    default=(DAY, "channel"),
    money=frozenset({"credited", "goods", "fees"}),
)

CUSTOMERS = Report(
    customers.CUSTOMERS,
    axes=(
        Axis(
            customers.MARKET,
            ("channel", "currency", "country"),
            ("new_customers", "orders", "guest_orders", "net"),
        ),
        Axis(
            customers.COHORT,
            ("cohort", "months_since", "currency"),
            ("cohort_customers", "orders", "net"),
        ),
        *(
            Axis(name, ("currency", *of), ("customers",), distinct=True)
            for name, of in customers.BUYERS.items()
        ),
        Axis(customers.COHORT_BUYERS, ("cohort", "currency"), ("customers",), distinct=True),
        Axis(
            customers.COHORT_BUYERS_SINCE,
            ("cohort", "months_since", "currency"),
            ("customers",),
            distinct=True,
        ),
    ),
    derived=(
        less("returning_orders", "orders", "new_customers", "guest_orders"),
        less("returning_customers", "customers", "new_customers"),
        average("lifetime_value", "net", "cohort_customers"),
    ),
    default=(DAY,),
    money=frozenset({"net", "lifetime_value"}),
)

# Each report adds its line, here and below. That of customers is made of what is kept of them, by
# a function of its own (functions/segments/follow_customers.py), that of inventory of the stock's
# movements (functions/reports/count_inventory.py).
REPORTS: dict[str, Report] = {
    each.name: each for each in (SALES, FULFILLMENT, RETURNS, CUSTOMERS, inventory.REPORT)
}
PROJECTIONS: tuple[Projection, ...] = (
    sales.Sales(),
    fulfillment.Fulfillment(),
    returned.Returns(),
)

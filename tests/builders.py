"""Orders for tests, by their own commands: a history that the domain itself allows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide import decide, facts, place
from oms.domain.decide.editing import previewed
from oms.domain.edits import Changes
from oms.domain.fulfillment import Quantity
from oms.domain.ids import fulfillment_order_id, order_id_of
from oms.domain.lines import Discount, Line, Shipping, Tax
from oms.domain.order import Fact
from oms.domain.payment import OperationStatus
from oms.domain.routing import Destination
from oms.domain.tracking import Scan, TrackingStatus, scan

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
RECORD = e.RoutingRecord(cost=500, runner_up=(), runner_up_cost=None, rejected=(), proved=True)


def line(
    number: int = 1,
    *,
    sku: str = "",
    quantity: int = 1,
    unit_price: int = 1000,
    discount: int = 0,
    tax: int = 0,
) -> Line:
    return Line(
        line_id=f"line_{number}",
        sku=sku or f"SKU-{number}",
        quantity=quantity,
        unit_price=unit_price,
        discounts=(Discount("OFF", discount),) if discount else (),
        taxes=(Tax("VAT", "0.2", tax),) if tax else (),
    )


def placement(*lines: Line, **changes: Any) -> c.PlaceOrder:
    said: dict[str, Any] = {
        "channel": "web",
        "external_id": "1",
        "currency": "USD",
        "customer_id": "cus_ada",
        "placed_at": NOW,
        "destination": Destination("US", "TX", "787"),
        "lines": lines or (line(),),
        "discounts": (),
        "shipping": Shipping("standard", 500),
        "tax_included": False,
        "provider": "test",
    }
    return c.PlaceOrder(**{**said, **changes})


class Story:
    """An order and all its facts, told command by command."""

    def __init__(self, command: c.PlaceOrder | None = None) -> None:
        command = command or placement()
        order_id = order_id_of(command.channel, command.external_id)
        recorded, self.order = facts(order_id, None, place(command), NOW, "client:shop")
        self.facts: list[Fact] = list(recorded)
        self.at = NOW

    @property
    def order_id(self) -> str:
        return self.order.order_id

    def do(self, *commands: c.Command) -> Story:
        for command in commands:
            self.at += timedelta(minutes=1)
            decided = decide(command, self.order)
            if decided:
                recorded, self.order = facts(self.order_id, self.order, decided, self.at, "test")
                self.facts += recorded
        return self

    def authorized(self) -> Story:
        return self.do(paid("op_1"))

    def routed(self, *plans: tuple[str, dict[str, int]]) -> Story:
        """To one location, unless told which location takes how much of which line."""
        whole = {x.line_id: x.open for x in self.order.lines if x.open}
        return self.do(c.RecordRouting(self.plan(*(plans or (("austin", whole),))), RECORD))

    def plan(self, *plans: tuple[str, dict[str, int]]) -> tuple[e.Assigned, ...]:
        first = len(self.order.fulfillment_orders) + 1
        return tuple(
            e.Assigned(
                fulfillment_order_id(self.order_id, number), location, quantities(lines.items())
            )
            for number, (location, lines) in enumerate(plans, first)
        )

    def packed(self, number: int = 1) -> Story:
        identity = self.box(number)
        return self.do(c.PickFulfillmentOrder(identity), c.PackFulfillmentOrder(identity))

    def shipped(self, number: int = 1, tracking_number: str = "") -> Story:
        tracking_number = tracking_number or f"EZ{number}"
        return self.packed(number).do(
            c.ShipFulfillmentOrder(self.box(number), self.parcels(number, tracking_number))
        )

    def parcels(self, number: int, tracking_number: str) -> tuple[e.PackedParcel, ...]:
        lines = self.order.fulfillment_order(self.box(number)).lines
        return (e.PackedParcel("easypost", tracking_number, lines),)

    def captured(self) -> Story:
        """Every operation that was asked for succeeds."""
        return self.do(*(paid(x.operation_id) for x in self.order.payment.unsettled))

    def delivered(self, tracking_number: str = "EZ1") -> Story:
        return self.do(scans(tracking_number, TrackingStatus.DELIVERED))

    def edited(self, edit_id: str, changes: Changes, **more: Any) -> Story:
        """As it comes to now; what it costs more is still to be authorized."""
        due = previewed(self.order, changes).due
        return self.do(c.ApplyEdit(edit_id, changes, "the customer asked", due, **more))

    def box(self, number: int) -> str:
        return fulfillment_order_id(self.order_id, number)

    def events(self, kind: type[Any]) -> list[Any]:
        return [fact.event for fact in self.facts if isinstance(fact.event, kind)]


def paid(operation_id: str, status: OperationStatus = OperationStatus.SUCCEEDED) -> c.Command:
    return c.RecordPaymentResult(operation_id, 1, status, reference=f"ref_{operation_id}")


def quantities(lines: Iterable[tuple[str, int]]) -> tuple[Quantity, ...]:
    return tuple(Quantity(line_id, quantity) for line_id, quantity in lines)


def scanned(
    tracking_number: str, status: TrackingStatus, hours: int = 1, since: datetime = NOW
) -> Scan:
    at = since + timedelta(days=1, hours=hours)
    return scan("easypost", tracking_number, status, at, status.value)


def scans(tracking_number: str, *statuses: TrackingStatus, since: datetime = NOW) -> c.RecordScans:
    each = tuple(
        scanned(tracking_number, status, hour, since) for hour, status in enumerate(statuses)
    )
    return c.RecordScans("easypost", tracking_number, each)

"""What a customer sees of an order on its tracking page: no name, no address, no price."""

from __future__ import annotations

from oms.contracts.api.views import At, View


class TrackedScanView(View):
    """`at` is the carrier's time."""

    status: str
    at: At


class TrackedItemView(View):
    sku: str
    quantity: int


class TrackedParcelView(View):
    """`timeline` is newest first. `expected_on`: the day that was promised, empty where none was or
    it is there; `page` is the carrier's own."""

    carrier: str
    tracking_number: str
    status: str
    items: list[TrackedItemView]
    timeline: list[TrackedScanView]
    expected_on: str = ""
    page: str = ""


class TrackedPickupView(View):
    """`until` when they are kept there."""

    location_id: str
    status: str
    items: list[TrackedItemView]
    until: At | None = None


class TrackedWaitingView(View):
    """Units that are not on their way yet; `expected_on` a day, where stock is lacking and it is
    known when it comes."""

    status: str
    items: list[TrackedItemView]
    expected_on: str = ""


class TrackedReturnRowView(View):
    return_id: str
    status: str
    requested_at: At


class TrackedOrderView(View):
    """`status`: preparing, waiting, on_its_way, out_for_delivery, ready_for_pickup, attention,
    delivered or cancelled. `can_return`: there is something that the policy takes back."""

    number: str
    status: str
    placed_at: At
    expected_on: str
    parcels: list[TrackedParcelView]
    pickups: list[TrackedPickupView]
    waiting: list[TrackedWaitingView]
    cancelled: list[TrackedItemView]
    returns: list[TrackedReturnRowView]
    can_return: bool

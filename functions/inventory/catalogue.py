"""Stock items and sales channels between the API's words and the domain's."""

from __future__ import annotations

from collections.abc import Mapping

from functions.inventory.levels import component_views
from oms.adapters.items_table import Wanted
from oms.contracts.api.inventory import (
    BackordersGiven,
    BackordersView,
    ChannelView,
    FormerSkuView,
    ItemView,
    PutChannel,
    PutItem,
    SafetyStockView,
)
from oms.domain.availability import Channel, OnShortage
from oms.domain.items import (
    Attributes,
    BackorderMode,
    Backorders,
    Policy,
    SafetyStock,
    StockItem,
)


def wanted(said: PutItem) -> Wanted:
    return Wanted(
        attributes_of(said),
        policy_of(said),
        tuple((each.sku, each.quantity) for each in said.components),
    )


def attributes_of(said: PutItem) -> Attributes:
    return Attributes(
        weight_g=said.weight_g,
        length_mm=said.length_mm,
        width_mm=said.width_mm,
        height_mm=said.height_mm,
        tags=tuple(sorted(set(said.tags))),
        category=said.category,
        unit_cost=said.unit_cost,
        cost_currency=said.cost_currency or "",
    )


def policy_of(said: PutItem) -> Policy:
    safety = (
        SafetyStock(each.units, each.channel or "", each.location or "")
        for each in said.safety_stock
    )
    backorders = backorders_of(said.backorders)
    return Policy(said.low_stock, tuple(safety), backorders, said.daily_sales)


def backorders_of(said: BackordersGiven) -> Backorders:
    return Backorders(
        mode=BackorderMode(said.mode),
        cancel_after_days=said.cancel_after_days,
        release_on=said.release_on,
        partial=said.partial,
        limit=said.limit,
    )


def item_view(item: StockItem, components: Mapping[str, StockItem]) -> ItemView:
    attributes, policy = item.attributes, item.policy
    return ItemView(
        item_id=item.item,
        sku=item.sku,
        active=item.active,
        former_skus=[FormerSkuView(each.sku, each.until) for each in item.former],
        components=component_views(item, components),
        weight_g=attributes.weight_g,
        length_mm=attributes.length_mm,
        width_mm=attributes.width_mm,
        height_mm=attributes.height_mm,
        tags=list(attributes.tags),
        category=attributes.category,
        unit_cost=attributes.unit_cost,
        cost_currency=attributes.cost_currency or None,
        low_stock=policy.low_stock,
        daily_sales=policy.daily_sales,
        safety_stock=[safety_view(each) for each in policy.safety_stock],
        backorders=backorders_view(policy.backorders),
    )


def safety_view(each: SafetyStock) -> SafetyStockView:
    return SafetyStockView(each.units, each.channel or None, each.location or None)


def backorders_view(each: Backorders) -> BackordersView:
    return BackordersView(
        each.mode, each.cancel_after_days, each.release_on, each.partial, each.limit
    )


def channel_of(channel: str, said: PutChannel) -> Channel:
    locations = None if said.locations is None else tuple(sorted(set(said.locations)))
    return Channel(channel, locations, said.safety_stock, OnShortage(said.on_shortage))


def channel_view(channel: Channel) -> ChannelView:
    locations = None if channel.locations is None else list(channel.locations)
    return ChannelView(channel.channel, locations, channel.safety_stock, channel.on_shortage)

"""The channels we know. To add one: a file here, a line below, payloads among the tests."""

from __future__ import annotations

from oms.adapters.channels.base import Channel
from oms.adapters.channels.shop_api import ShopApi
from oms.adapters.channels.shopify import Shopify

CHANNELS: dict[str, Channel] = {channel.code: channel for channel in (Shopify(),)}

SHOP_APIS: dict[str, ShopApi] = {}

"""Goods that a platform sells without a SKU: adapters call them what the platform does, and a shop
says what that is here."""

from __future__ import annotations

import re
from collections.abc import Mapping

from oms.adapters.shops_table import ShopsTable
from oms.contracts.api.orders import ChannelOrder, OrderLine

BY_THE_PLATFORM = re.compile(r"(variant|product|line):.+")


def named_by_the_platform(sku: str) -> bool:
    """`variant:<id>`, `product:<id>` or `line:<id>`: there was no SKU."""
    return bool(BY_THE_PLATFORM.fullmatch(sku))


def mapped(said: ChannelOrder, shops: ShopsTable) -> ChannelOrder:
    """With our SKUs, as far as somebody has said which they are: of `variant:7` or of its id."""
    names = [line.sku for line in said.lines if named_by_the_platform(line.sku)]
    if not names:
        return said
    asked = {each for name in names for each in (name, _id(name))}
    ours = shops.skus(said.channel, asked)
    lines = [_called(line, ours) for line in said.lines]
    return said.model_copy(update={"lines": lines})


def _called(line: OrderLine, ours: Mapping[str, str]) -> OrderLine:
    if not named_by_the_platform(line.sku):
        return line
    sku = ours.get(line.sku) or ours.get(_id(line.sku))
    return line.model_copy(update={"sku": sku}) if sku else line


def _id(name: str) -> str:
    return name.partition(":")[2]

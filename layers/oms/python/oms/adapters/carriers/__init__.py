"""The carriers we know. To add one: a file here, a line below, payloads among the tests."""

from __future__ import annotations

from oms.adapters.carriers.base import Carrier
from oms.adapters.carriers.easypost import EasyPost
from oms.adapters.carriers.manual import Manual
from oms.adapters.carriers.sandbox import Sandbox

CARRIERS: dict[str, Carrier] = {
    carrier.code: carrier for carrier in (EasyPost(), Manual(), Sandbox())
}

"""The payment providers we know. To add one: a file here, a line below, the conformance suite."""

from __future__ import annotations

from oms.adapters.payments.base import Provider
from oms.adapters.payments.external import External
from oms.adapters.payments.sandbox import Sandbox

PROVIDERS: dict[str, Provider] = {provider.code: provider for provider in (Sandbox(), External())}

"""The payment providers we know. To add one: a file here, a line below, the conformance suite."""

from __future__ import annotations

from oms.adapters.payments.bank_transfer import BankTransfer
from oms.adapters.payments.base import Provider
from oms.adapters.payments.by_hand import ByHand
from oms.adapters.payments.cash_on_delivery import CashOnDelivery
from oms.adapters.payments.exchange import Exchange
from oms.adapters.payments.external import External
from oms.adapters.payments.sandbox import Sandbox
from oms.adapters.payments.store_credit import Credit
from oms.adapters.payments.stripe import Stripe
from oms.domain.store_credit import GIFT_CARD, STORE_CREDIT

PROVIDERS: dict[str, Provider] = {
    provider.code: provider
    for provider in (
        Sandbox(),
        External(),
        Stripe(),
        CashOnDelivery(),
        BankTransfer(),
        Credit(STORE_CREDIT),
        Credit(GIFT_CARD),
        Exchange(Credit(STORE_CREDIT)),
    )
}
BY_HAND = frozenset(code for code, provider in PROVIDERS.items() if isinstance(provider, ByHand))
SETTINGS = ("SECRET_ID", "STRIPE_API")  # of every function that asks a provider

"""Each payment provider, with what a test needs to ask it: the conformance suite has them all.

To join: a line in STANDS.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

import pytest

from infra.local.install import ROOT
from infra.local.memory_rows import MemoryRows
from oms.adapters.credit_ledger import CreditLedger
from oms.adapters.payments import PROVIDERS
from oms.adapters.payments.base import Provider
from oms.adapters.payments.store_credit import Credit
from oms.adapters.payments.stripe import Stripe
from oms.adapters.payments.stripe_client import client
from oms.domain.payment import OperationKind
from oms.domain.store_credit import PREFIXES, Deed, EntryKind, read_reference, worth
from tests.fakes_psp import FakePsp

KEY_OF_STRIPE = "sk_test_conformance"


def one_token(token: str) -> Callable[[str], str]:
    return lambda currency: token


of_the_sandbox = one_token("tok_ok")


@dataclass(frozen=True)
class Stand:
    """`token`: a good one, by currency. `pending`: what somebody has to confirm first.

    `asked_of`: amount and currency, in the provider's units, of an authorization on its books;
    None where there are no books. `remembers`: it can tell a key that it has never seen.
    """

    provider: Provider
    token: Callable[[str], str] = of_the_sandbox
    declined: str = ""
    pending: frozenset[OperationKind] = frozenset()
    renews: bool = True
    remembers: bool = True
    asked_of: Callable[[str], tuple[int, str]] | None = None


@pytest.fixture(scope="session")
def stripe_address() -> Iterator[str]:
    with stripe_server() as address:
        yield address


@contextmanager
def stripe_server() -> Iterator[str]:
    """localstripe on a port of its own."""
    port = free_port()
    command = [sys.executable, "-m", "tests.stripe_server", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        await_listener(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_listener(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, "localstripe did not start"
            assert time.monotonic() < deadline, "localstripe does not answer"
            time.sleep(0.05)
        else:
            return


def of_stripe(request: pytest.FixtureRequest) -> Stand:
    connection = client(KEY_OF_STRIPE, request.getfixturevalue("stripe_address"))

    def asked_of(reference: str) -> tuple[int, str]:
        intent = connection.v1.payment_intents.retrieve(reference)
        return intent.amount, intent.currency

    return Stand(
        Stripe(lambda: connection),
        token=one_token("pm_card_visa"),
        declined="pm_card_chargeCustomerFail",
        asked_of=asked_of,
    )


def of_fake(request: pytest.FixtureRequest) -> Stand:
    fake = FakePsp()

    def asked_of(reference: str) -> tuple[int, str]:
        by_key = {f"fake_{it.key}": it for it in fake.movements}
        return by_key[reference].amount, by_key[reference].currency.lower()

    return Stand(fake, declined="tok_declined", asked_of=asked_of)


def by_hand(code: str, renews: bool, *pending: OperationKind) -> Stand:
    provider = PROVIDERS[code]
    return Stand(provider, pending=frozenset(pending), renews=renews, remembers=False)


def of_credit(code: str) -> Stand:
    """Its token is an account with money in that currency."""
    ledger = CreditLedger(MemoryRows(), "orders")  # type: ignore[arg-type]
    at, numbers = datetime.now(UTC), count(1)

    def token(currency: str) -> str:
        account_id = f"{PREFIXES[code]}cus_{next(numbers)}_{currency}"
        deed = Deed(EntryKind.ISSUED, 100_000, currency)
        ledger.post(account_id, deed, at=at, actor="test", key=f"issue {account_id}")
        return account_id

    def asked_of(reference: str) -> tuple[int, str]:
        account_id, hold = read_reference(reference)
        account = ledger.find(account_id)
        assert account
        return worth(ledger.hold(account_id, hold).held), account.currency.lower()

    provider = Credit(code, lambda: ledger)
    return Stand(provider, token, declined=f"{PREFIXES[code]}cus_poor_USD", asked_of=asked_of)


CAPTURE, REFUND, AUTHORIZE = OperationKind.CAPTURE, OperationKind.REFUND, OperationKind.AUTHORIZE
STANDS: dict[str, Callable[[pytest.FixtureRequest], Stand]] = {
    "test": lambda request: Stand(PROVIDERS["test"], declined="tok_declined", remembers=False),
    "external": lambda request: Stand(PROVIDERS["external"], remembers=False),
    "fake": of_fake,
    "stripe": of_stripe,
    "cash_on_delivery": lambda request: by_hand("cash_on_delivery", True, CAPTURE, REFUND),
    "bank_transfer": lambda request: by_hand("bank_transfer", False, AUTHORIZE, REFUND),
    "store_credit": lambda request: of_credit("store_credit"),
    "gift_card": lambda request: of_credit("gift_card"),
}

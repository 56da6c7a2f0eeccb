"""The connection to Stripe, by its own library, which is read when Stripe is first asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from oms.adapters.payments.base import AmbiguousOutcome, Result
from oms.adapters.payments.stripe_amounts import NotPayable
from oms.adapters.secrets import secrets
from oms.domain.payment import OperationStatus
from oms.settings import setting

KEY = "stripe_key"  # in the secret, beside `stripe`, the signing secrets of its webhooks
SECONDS = 8.0
MOVED_ON = "payment_intent_unexpected_state"


class NotConnected(RuntimeError):
    """The account's key is missing, unknown or may not do it: nobody was asked for money."""


def connected() -> Any:
    key = secrets().of(KEY)
    if key is None:
        raise NotConnected(f"the secret has no {KEY}")
    return client(key, setting("STRIPE_API"))


@lru_cache(maxsize=2)
def client(key: str, address: str) -> Any:
    """One attempt for each call: whoever calls again, calls with the same idempotency keys."""
    import stripe

    return stripe.StripeClient(
        key,
        base_addresses={"api": address},
        http_client=stripe.RequestsClient(timeout=SECONDS),
        max_network_retries=0,
    )


def asked(call: Callable[[], Result]) -> Result:
    """What Stripe said; `AmbiguousOutcome` where nobody can tell what it has done.

    A key that was used for another request, and too many requests at once, are no answers about
    the money: the look-up gives one. Reasons are Stripe's codes: its texts may repeat a token.
    """
    import stripe

    try:
        return call()
    except NotPayable as error:
        return Result(OperationStatus.FAILED, reason=str(error))
    except stripe.CardError as error:
        return Result(OperationStatus.FAILED, reason=_words(error.code, _bank_said(error)))
    except stripe.InvalidRequestError as error:
        if error.code == MOVED_ON:
            raise AmbiguousOutcome(str(error.code)) from None
        return Result(OperationStatus.FAILED, reason=_words(error.code, error.param))
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise NotConnected(type(error).__name__) from None
    except stripe.StripeError as error:
        raise AmbiguousOutcome(type(error).__name__) from None


def found(call: Callable[[], Result | None]) -> Result | None:
    """None also for what Stripe does not know."""
    import stripe

    try:
        return call()
    except stripe.InvalidRequestError:
        return None
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise NotConnected(type(error).__name__) from None
    except stripe.StripeError as error:
        raise AmbiguousOutcome(type(error).__name__) from None


def _bank_said(error: Any) -> str | None:
    said = getattr(error, "error", None)
    return getattr(said, "decline_code", None) if said else None


def _words(*words: str | None) -> str:
    return ": ".join(word for word in words if word) or "refused"

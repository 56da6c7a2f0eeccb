"""The keys to the pages on which owners of addresses choose what they hear of."""

from __future__ import annotations

import hmac

from oms.adapters.secrets import secrets


def token_of(address_id: str) -> str:
    """Opens the choices of one address, and nothing else; it names nobody."""
    return f"{address_id}-{secrets().digest('unsubscribe', address_id)}"


def address_of(token: str) -> str | None:
    """The id of the address; None for a token that is not ours."""
    address_id = token.rpartition("-")[0]
    is_ours = hmac.compare_digest(token_of(address_id).encode(), token.encode())
    return address_id if is_ours else None

"""In which roles somebody asks, by the claims of his token."""

from __future__ import annotations

from collections.abc import Mapping

from oms.domain.refund_policy import MACHINE


def roles(claims: Mapping[str, str]) -> frozenset[str]:
    """Of a person those of their groups, which the gateway writes as `[a b]`; else the client's."""
    if "username" in claims:
        return frozenset(claims.get("cognito:groups", "").strip("[]").replace(",", " ").split())
    return frozenset((MACHINE, f"client:{claims.get('client_id', '')}"))

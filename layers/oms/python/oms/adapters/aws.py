"""Clients of AWS, by botocore alone: boto3 adds a quarter to a cold start and nothing we use."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.session import Session

POOL = 16


def client(
    service: str, *, read_timeout: float = 10, attempts: int = 4, signature: str | None = None
) -> Any:
    """A client with short patience; safe to share between threads, so callers keep theirs."""
    config = Config(
        connect_timeout=2,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
        tcp_keepalive=True,
        max_pool_connections=POOL,
        signature_version=signature,
    )
    return _session().create_client(service, config=config)


@cache
def _session() -> Session:
    return botocore.session.get_session()

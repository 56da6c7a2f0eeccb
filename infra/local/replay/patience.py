"""Asking an API whose cloud may be restarted meanwhile."""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import BotoCoreError

from infra.local.client import BUSY, Refusal, Unreachable
from infra.local.cloud import CloudError

T = TypeVar("T")
PATIENCE = 15 * 60
PAUSE = 2.0
PASSING = BUSY | {500}


def patiently(ask: Callable[[], T]) -> T:
    """The answer, asked for again as long as it may come; what is refused stays refused."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except (CloudError, OSError, BotoCoreError) as error:
            if not may_pass(error) or time.monotonic() > deadline:
                raise
            print(f"baton: {error}; trying again", file=sys.stderr)
            time.sleep(PAUSE)


def may_pass(error: Exception) -> bool:
    if isinstance(error, Refusal):
        return error.status in PASSING
    return isinstance(error, (Unreachable, OSError, BotoCoreError))

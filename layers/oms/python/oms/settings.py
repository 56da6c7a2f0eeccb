"""The environment of a function, read when it is asked for and never at import."""

from __future__ import annotations

import os


class MissingSetting(RuntimeError):
    def __init__(self, name: str) -> None:
        super().__init__(f"the environment variable {name} is missing or empty")
        self.name = name


def setting(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise MissingSetting(name)
    return value


def is_local() -> bool:
    """On the embedded cloud; other systems are stands on the same machine then."""
    return bool(os.environ.get("AWS_ENDPOINT_URL"))

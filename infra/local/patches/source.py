"""Refuse to patch what is no longer what the patch was written for."""

import hashlib
import inspect
from typing import Any


class SourceChanged(Exception):
    def __init__(self, name: str, found: str) -> None:
        super().__init__(
            f"{name} changed in the emulator (now {found}): "
            "read its new source, then adapt or delete the patch"
        )


def digest(target: Any) -> str:
    text = target if isinstance(target, str) else inspect.getsource(target)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def replace(module: Any, name: str, expected: str, replacement: Any) -> Any:
    """Put `replacement` in the place of `module.name`; answers what was there."""
    original = getattr(module, name)
    require(f"{module.__name__}.{name}", original, expected)
    setattr(module, name, replacement)
    return original


def require(name: str, target: Any, expected: str) -> None:
    found = digest(target)
    if found != expected:
        raise SourceChanged(name, found)


def edit(module: Any, name: str, expected: str, *changes: tuple[str, str]) -> None:
    """Give `module.name`, wherever it is referred to, its own source with a few lines changed."""
    original = getattr(module, name)
    require(f"{module.__name__}.{name}", original, expected)
    text = inspect.getsource(original)
    for before, after in changes:
        if text.count(before) != 1:
            raise SourceChanged(name, f"{before!r} is there {text.count(before)} times")
        text = text.replace(before, after)
    namespace: dict[str, Any] = {}
    exec(compile(text, f"<patched {name}>", "exec"), vars(module), namespace)
    original.__code__ = namespace[name].__code__

"""Who an order goes to. Personal data: it lives in the vault only, never in an event or a log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PostalAddress:
    country: str
    name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    email: str = ""
    name: str = ""
    phone: str = ""
    address: PostalAddress | None = None

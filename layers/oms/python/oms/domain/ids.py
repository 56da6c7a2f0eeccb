"""Identities that are computed, not drawn: the same thing has the same name by construction."""

from __future__ import annotations

import base64
import hashlib

from oms.domain.errors import NotFound


def name_of(*seed: str) -> str:
    """130 bits of its SHA-256."""
    digest = hashlib.sha256("\x1f".join(seed).encode()).digest()
    return base64.b32encode(digest).decode()[:26].lower()


def order_id_of(channel: str, external_id: str) -> str:
    """The same channel order is the same order by construction."""
    return f"ord_{name_of(channel, external_id)}"


def fulfillment_order_id(order_id: str, number: int) -> str:
    return f"ful_{order_id.removeprefix('ord_')}-{number}"


def order_of_fulfillment(identity: str) -> str:
    """The order is in the id; what is no such id belongs to no order."""
    if not identity.startswith("ful_") or "-" not in identity:
        raise NotFound("fulfillment order", identity)
    return "ord_" + identity.removeprefix("ful_").rpartition("-")[0]


def return_id(order_id: str, number: int) -> str:
    return f"ret_{order_id.removeprefix('ord_')}-{number}"


def credit_id(order_id: str, number: int) -> str:
    return f"crd_{order_id.removeprefix('ord_')}-{number}"


def order_of_return(identity: str) -> str:
    """The order is in the id; what is no such id belongs to no order."""
    if not identity.startswith("ret_") or "-" not in identity:
        raise NotFound("return", identity)
    return "ord_" + identity.removeprefix("ret_").rpartition("-")[0]


def order_of_parcel(owner: str) -> str:
    """Of what a parcel carries: a fulfillment order, or a return on its way back."""
    return order_of_return(owner) if owner.startswith("ret_") else order_of_fulfillment(owner)


def label_id(fulfillment_order_id: str, *seed: str) -> str:
    """80 bits tell the labels of a fulfillment order apart."""
    named = name_of("label", fulfillment_order_id, *seed)[:16]
    return f"lbl_{fulfillment_order_id.removeprefix('ful_')}-{named}"


def order_of_label(identity: str) -> str:
    """The order is in the id; what is no such id belongs to no order."""
    if not identity.startswith("lbl_") or identity.count("-") < 2:
        raise NotFound("label", identity)
    return "ord_" + identity.removeprefix("lbl_").rsplit("-", 2)[0]

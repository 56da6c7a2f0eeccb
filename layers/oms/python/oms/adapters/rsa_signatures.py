"""Signatures that a sender makes with a key of its own: what is stored here is its public half."""

from __future__ import annotations

import base64
import binascii
import json
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

LONGEST = 2_000  # of a signature, as text: 8,192 bits are 1,368


def is_signed(octets: bytes, signature: str, public_key: str) -> bool:
    """RSA-SHA256 (PKCS #1 v1.5), base64; `public_key` is PEM, base64 of its DER on one
    line, or a JSON Web Key."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    key, given = _key(public_key), _octets(signature)
    if key is None or not given:
        return False
    try:
        key.verify(given, octets, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=64)
def _key(text: str) -> RSAPublicKey | None:
    """None for what is no RSA key: nothing is signed with it."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    try:
        if text.lstrip().startswith("{"):
            return _web_key(text)
        if "BEGIN" in text:
            key = serialization.load_pem_public_key(text.encode())
        else:
            key = serialization.load_der_public_key(base64.b64decode(text))
    except (ValueError, TypeError, LookupError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey) else None


def _web_key(text: str) -> RSAPublicKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    said = json.loads(text)
    return RSAPublicNumbers(_number(said["e"]), _number(said["n"])).public_key()


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if len(text) <= LONGEST else b""
    except (binascii.Error, ValueError):
        return b""

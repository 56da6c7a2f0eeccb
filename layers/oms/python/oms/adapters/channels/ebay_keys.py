"""eBay's signatures: ECDSA on P-256, by the public key that the header names.

    x-ebay-signature = base64 of {"alg", "kid", "signature": base64 of DER, "digest": "SHA1"}

The secret is eBay's public key (PEM, or its base64 on one line), or an object of them by `kid`.
Source: the Notification API, `getPublicKey`.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

DIGESTS = frozenset({"SHA1", "SHA256"})
LONGEST_HEADER = 4_000


def is_signed(header: str, body: bytes, secret: str) -> bool:
    said = _said(header)
    key = _key(secret, said.get("kid"))
    signature = _decoded(said.get("signature"))
    digest = str(said.get("digest", "")).upper().replace("-", "")
    return bool(key and signature and digest in DIGESTS) and _fits(key, signature, body, digest)


def _said(header: str) -> dict[str, Any]:
    try:
        found = json.loads(_decoded(header[:LONGEST_HEADER]))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _decoded(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        return b""


def _key(secret: str, kid: Any) -> bytes:
    """In DER; empty where there is none for this `kid`."""
    if secret.lstrip().startswith("{"):
        try:
            known = json.loads(secret)
        except ValueError:
            return b""
        found = known.get(kid) if isinstance(kid, str) else None
        secret = found if isinstance(found, str) else ""
    lines = secret.replace("\\n", "\n").splitlines()
    return _decoded("".join(x.strip() for x in lines if not x.startswith("-----")))


def _fits(key: bytes, signature: bytes, body: bytes, digest: str) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        known = load_der_public_key(key)
    except (ValueError, UnsupportedAlgorithm):
        return False
    if not isinstance(known, ec.EllipticCurvePublicKey) or known.curve.name != "secp256r1":
        return False
    # SHA-1 is what eBay signs with: of a body that eBay itself writes
    hashed = hashes.SHA1() if digest == "SHA1" else hashes.SHA256()
    try:
        known.verify(signature, body, ec.ECDSA(hashed))
    except InvalidSignature:
        return False
    return True

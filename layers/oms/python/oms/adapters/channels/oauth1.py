"""Requests signed by OAuth 1.0a with HMAC-SHA256, as integrations of Magento are (RFC 5849 §3)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlsplit

METHOD = "HMAC-SHA256"
USUAL_PORTS = {"https": ":443", "http": ":80"}  # not signed


def authorization(
    method: str,
    url: str,
    credentials: Mapping[str, str],
    nonce: str = "",
    timestamp: str = "",
) -> str:
    """The header's value. `consumer_key`, `consumer_secret`, `access_token` and
    `access_token_secret` are the integration's; a body in JSON is not signed."""
    said = {
        "oauth_consumer_key": credentials.get("consumer_key", ""),
        "oauth_nonce": nonce or secrets.token_hex(16),
        "oauth_signature_method": METHOD,
        "oauth_timestamp": timestamp or str(int(time.time())),
        "oauth_token": credentials.get("access_token", ""),
        "oauth_version": "1.0",
    }
    names = ("consumer_secret", "access_token_secret")
    key = "&".join(_escaped(credentials.get(name, "")) for name in names)
    signed = hmac.digest(key.encode(), base_string(method, url, said).encode(), hashlib.sha256)
    said["oauth_signature"] = base64.b64encode(signed).decode()
    return "OAuth " + ", ".join(f'{name}="{_escaped(x)}"' for name, x in sorted(said.items()))


def base_string(method: str, url: str, said: Mapping[str, str]) -> str:
    """What is signed: §3.4.1."""
    split = urlsplit(url)
    given = [*parse_qsl(split.query, keep_blank_values=True), *said.items()]
    pairs = sorted((_escaped(name), _escaped(value)) for name, value in given)
    parameters = "&".join(f"{name}={value}" for name, value in pairs)
    scheme = split.scheme.lower()
    place = split.netloc.lower().removesuffix(USUAL_PORTS.get(scheme, ""))
    address = f"{scheme}://{place}{split.path or '/'}"
    return "&".join((method.upper(), _escaped(address), _escaped(parameters)))


def _escaped(text: str) -> str:
    return quote(text, safe="-._~")

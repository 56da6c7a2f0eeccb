"""Where a subscriber may be called: by HTTPS, at a public address."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from oms.domain.public_addresses import is_public

LONGEST_URL = 2_000
HTTPS = 443
FREE_PORTS = 1024  # and above
PRIVATE_NAMES = ("localhost", "local", "internal", "lan", "test", "invalid")
PUBLIC_ONLY = frozenset({"https"})


def why_no_address(url: str, schemes: Collection[str] = PUBLIC_ONLY) -> str:
    """What is wrong with where a subscriber wants to be called; empty where nothing is.

    With other schemes than HTTPS it is one on this machine. Of a name only whoever calls it knows
    the address, at the moment of the call."""
    if len(url) > LONGEST_URL or not all("!" <= each <= "~" for each in url) or "\\" in url:
        return f"is no URL of at most {LONGEST_URL:,} visible ASCII characters"
    try:
        found = urlsplit(url)
        return _why_not(found, HTTPS if found.port is None else found.port, schemes)
    except ValueError:
        return "is no URL"


def _why_not(found: SplitResult, port: int, schemes: Collection[str]) -> str:
    host = (found.hostname or "").rstrip(".")
    if found.scheme not in schemes:
        return "does not begin with https://"
    if "@" in found.netloc:
        return "names a user"
    if found.fragment:
        return "has a fragment"
    if port != HTTPS and port < FREE_PORTS:
        return f"has a port that is neither {HTTPS} nor above {FREE_PORTS - 1}"
    if not host:
        return "names no host"
    return _why_no_host(host) if set(schemes) == PUBLIC_ONLY else ""


def _why_no_host(host: str) -> str:
    if (address := _address(host)) is not None:
        return "" if is_public(address) else "is no public address"
    labels = host.split(".")
    if len(labels) < 2 or not all(labels) or labels[-1] in PRIVATE_NAMES:
        return "names no public host"
    return "names no public host" if host.endswith(".home.arpa") else ""


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return _loosely_written(host)


def _loosely_written(host: str) -> IPv4Address | None:
    """As resolvers read it: 2130706433, 0x7f.1 and 0177.0.0.1 are all 127.0.0.1."""
    try:
        *leading, last = [_number(each) for each in host.split(".")]
    except ValueError:
        return None
    if len(leading) > 3:
        return None
    whole = sum(each << 8 * (3 - place) for place, each in enumerate(leading)) + last
    return IPv4Address(whole & 0xFFFFFFFF)


def _number(text: str) -> int:
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    return int(text, 8 if text.startswith("0") and text != "0" else 10)

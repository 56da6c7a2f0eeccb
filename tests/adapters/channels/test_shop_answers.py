"""What is kept of a shop's own words."""

from __future__ import annotations

from base64 import b64encode

from oms.adapters.channels.shop_answers import without_secrets
from oms.adapters.channels.shop_api import Access
from oms.adapters.web import Https

ACCESS = Access(
    "shopify", "mugs", "https://mugs.example.com", {"id": "ck_1", "key": "cs_2"}, Https()
)


def test_neither_a_credential_nor_anybodys_address_is_kept() -> None:
    pair = b64encode(b"ck_1:cs_2").decode()
    said = f"no cs_2 for <ada@example.com>, ask {pair} or ada+1@example.com; "

    kept = without_secrets(ACCESS, said + "x" * 400)

    assert len(kept) == 300
    assert not any(word in kept for word in ("ck_1", "cs_2", pair, "ada", "example.com"))

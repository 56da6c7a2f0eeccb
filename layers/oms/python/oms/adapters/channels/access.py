"""How a shop's API is reached: its address from the shops, its credentials from the secrets."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from oms.adapters.channels.shop_api import Access
from oms.adapters.secrets import Secrets, secrets
from oms.adapters.web import Answer, Web, web
from oms.domain.errors import OmsError
from oms.domain.shops import Shop


class NotReachable(OmsError):
    """Something of the shop's access has not been put in; `why` says what."""

    def __init__(self, shop: str, why: str) -> None:
        super().__init__(f"{shop}: {why}")
        self.shop, self.why = shop, why


def access_of(shop: Shop, known: Secrets | None = None, by: Web | None = None) -> Access:
    """Raises NotReachable where the shop has no address, nobody has stored its credentials, or
    they were stored for another address."""
    if not shop.base_url:
        raise NotReachable(shop.name, "the shop has no base_url")
    if not (credentials := (known or secrets()).credentials(shop.name)):
        raise NotReachable(shop.name, "the shop has no credentials")
    settings = dict(shop.settings)
    for name, given in (("base_url", shop.base_url), ("token_url", settings.get("token_url", ""))):
        if given and not _is_for(credentials, name, given):
            raise NotReachable(shop.name, f"its credentials are for another {name}")
    return Access(
        shop.channel,
        shop.shop,
        shop.base_url.rstrip("/"),
        credentials,
        by or web(),
        dict(shop.locations),
        settings,
    )


def _is_for(credentials: Mapping[str, str], name: str, given: str) -> bool:
    """Where the secret names the shop's address, whoever may change shops cannot have its
    credentials sent elsewhere."""
    if "base_url" not in credentials:
        return True
    return credentials.get(name, "").rstrip("/") == given.rstrip("/")


class Paced:
    """Calls with so much time between them that there are no more than so many in a second."""

    def __init__(
        self,
        by: Web,
        per_second: float,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._by, self._gap, self._pause, self._clock = by, 1 / per_second, pause, clock
        self._next = clock()

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        if (wait := self._next - self._clock()) > 0:
            self._pause(wait)
        self._next = self._clock() + self._gap
        return self._by.call(method, url, headers=headers, body=body)

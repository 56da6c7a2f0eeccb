"""Labels bought of EasyPost, by its own library, which is read when EasyPost is first asked.

A purchase is a shipment of theirs, made before it is paid for: whoever keeps its id can only buy
that one, and it is bought once. Its `reference` is our key. Services are called by their carrier
and its name for them: `USPS.Priority`. Weights are told in ounces and sides in inches, rounded up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

from oms.adapters.carriers.labels import (
    PDF,
    PNG,
    Bought,
    HandOver,
    Label,
    LabelRefused,
    Manifest,
    NotConnected,
    Parcel,
    Rate,
    Shipment,
    Unanswered,
    Voided,
    Voiding,
)
from oms.adapters.secrets import secrets
from oms.adapters.web import Unreachable, Web, web
from oms.domain.contact import PostalAddress
from oms.domain.currencies import NotAnAmount, minor_units
from oms.settings import setting

CODE = "easypost"
SECONDS = 8  # for one call
BOUGHT_BEFORE = "SHIPMENT.POSTAGE.EXISTS"
TRY_AGAIN = frozenset({408, 409, 425, 429})
GIVEN_BACK = frozenset({"submitted", "refunded"})
NOT_GIVEN_BACK = frozenset({"rejected", "not_applicable"})
NANOGRAMS_PER_OUNCE = 28_349_523_125
RETURN_G = 1_000  # of goods that nobody has weighed
T = TypeVar("T")


class EasyPostLabels:
    code = CODE

    def __init__(self, connected: Callable[[], Any], web: Callable[[], Web]) -> None:
        self._connected, self._web = connected, web

    def rates(self, shipment: Shipment) -> tuple[Rate, ...]:
        found = _asked(lambda client: client.shipment.create(**_wanted(shipment)), self._connected)
        return tuple(sorted(_rates(found), key=lambda rate: (rate.amount, rate.service)))

    def prepare(self, shipment: Shipment, key: str) -> str:
        found = self._referred_to(key)
        return str((found or self._made(shipment, key)).id)

    def buy(self, shipment: Shipment, service: str, key: str, prepared: str = "") -> Label:
        found = self._shipment(prepared or self.prepare(shipment, key))
        if not found.get("postage_label"):
            found = self._bought(found, service)
        return self._label(found)

    def void(self, label: Bought, at: datetime) -> Voided:  # noqa: ARG002  (they know the deadline)
        status = self._shipment(label.label_id).get("refund_status")
        if status in GIVEN_BACK:
            return Voided(Voiding.ALREADY)
        if status in NOT_GIVEN_BACK:
            return Voided(Voiding.REFUSED, f"easypost: {status}")
        return self._given_back(label.label_id)

    def manifest(self, hand_over: HandOver) -> Manifest:
        """A scan form: one shipment is on one, so the first tells whether there is one already."""
        ids = [label.label_id for label in hand_over.labels]
        known = self._shipment(ids[0]).get("scan_form")
        form = known if known and known.get("form_url") else self._scan_form(ids)
        if form.get("status") == "failed" or not form.get("form_url"):
            raise LabelRefused("easypost: there is no scan form for these parcels")
        return Manifest(self._downloaded(form.form_url), PDF, str(form.id))

    def create_return(self, parcel: Parcel) -> Label:
        """The cheapest: nobody asked for more. Our key alone tells whether it was made before."""
        if (found := self._referred_to(parcel.key)) is None:
            said = _returned(parcel)
            found = _asked(lambda client: client.shipment.create(**said), self._connected)
        if not found.get("postage_label"):
            cheapest = min(_rates(found), key=lambda rate: rate.amount, default=None)
            if cheapest is None:
                raise LabelRefused(f"{CODE}: no carrier takes such a parcel back")
            found = self._bought(found, cheapest.service)
        return self._label(found)

    def _shipment(self, shipment_id: str) -> Any:
        return _asked(lambda client: client.shipment.retrieve(shipment_id), self._connected)

    def _referred_to(self, key: str) -> Any | None:
        """One that was made under this key, when its answer was lost."""
        try:
            return self._shipment(key)
        except LabelRefused:
            return None

    def _made(self, shipment: Shipment, key: str) -> Any:
        said = {**_wanted(shipment), "reference": key}
        return _asked(lambda client: client.shipment.create(**said), self._connected)

    def _bought(self, found: Any, service: str) -> Any:
        rate = {"id": _rate_id(found, service)}
        try:
            return _asked(lambda client: client.shipment.buy(found.id, rate=rate), self._connected)
        except LabelRefused as error:
            if BOUGHT_BEFORE not in str(error):
                raise
        return self._shipment(found.id)

    def _label(self, found: Any) -> Label:
        rate = found.selected_rate
        pdf, zpl = (self._converted(found, each) for each in ("PDF", "ZPL"))
        picture = b"" if pdf else self._downloaded(found.postage_label.label_url)
        return Label(
            CODE,
            found.tracking_code,
            pdf or picture,
            PDF if pdf else PNG,
            zpl=zpl,
            service=_service(rate),
            cost=_amount(rate),
            currency=rate.currency,
            label_id=found.id,
        )

    def _converted(self, found: Any, kind: str) -> bytes:
        """Nothing where this carrier's labels cannot be had as such."""
        try:
            had = _asked(
                lambda client: client.shipment.label(found.id, file_format=kind), self._connected
            )
        except LabelRefused:
            return b""
        url = had.postage_label.get(f"label_{kind.lower()}_url")
        return self._downloaded(url) if url else b""

    def _given_back(self, shipment_id: str) -> Voided:
        try:
            found = _asked(lambda client: client.shipment.refund(shipment_id), self._connected)
        except LabelRefused as error:
            return Voided(Voiding.REFUSED, str(error))
        status = found.get("refund_status")
        if status in GIVEN_BACK:
            return Voided(Voiding.VOIDED)
        return Voided(Voiding.REFUSED, f"easypost: {status}")

    def _scan_form(self, ids: list[str]) -> Any:
        shipments = [{"id": each} for each in ids]
        return _asked(lambda client: client.scan_form.create(shipments=shipments), self._connected)

    def _downloaded(self, url: str) -> bytes:
        """Their files lie elsewhere, over TLS, and are fetched without our key."""
        if urlsplit(url).scheme != "https" and urlsplit(url).hostname != "127.0.0.1":
            raise Unanswered(CODE, "a document is not behind TLS")
        try:
            answer = self._web().call("GET", url)
        except Unreachable as error:
            raise Unanswered(CODE, str(error)) from None
        if answer.status != 200:
            raise Unanswered(CODE, f"a document answers {answer.status}")
        return answer.body


class EasyPostReturns:
    code, suffix = CODE, "pdf"

    def __init__(self, labels: EasyPostLabels) -> None:
        self._labels = labels

    def create(self, parcel: Parcel) -> Label:
        if not parcel.receiver.country:
            raise LabelRefused("the receiver has no country")
        return self._labels.create_return(parcel)


@cache
def easypost_labels() -> EasyPostLabels:
    return EasyPostLabels(connected, web)


def connected() -> Any:
    key = secrets().credentials(CODE).get("key")
    if not key:
        raise NotConnected(f"{CODE} is not connected: its key is missing")
    return client(key, setting("EASYPOST_API"))


@lru_cache(maxsize=2)
def client(key: str, address: str) -> Any:
    """`address` with the version: `https://api.easypost.com/v2`."""
    import easypost

    return easypost.EasyPostClient(key, api_base=address, timeout=SECONDS)


def _asked(call: Callable[[Any], T], connected: Callable[[], Any]) -> T:
    """Their codes are told, never their texts: these may repeat an address."""
    found = connected()
    from easypost.errors import EasyPostError

    try:
        return call(found)
    except EasyPostError as error:
        status = getattr(error, "http_status", None) or 0
        code, name = getattr(error, "code", None), type(error).__name__
    if status in (401, 403):
        raise NotConnected(f"{CODE} is not connected: it answers {status}")
    if 400 <= status < 500 and status not in TRY_AGAIN:
        raise LabelRefused(f"{CODE}: {_word(code, status)}")
    raise Unanswered(CODE, str(status or name))


def _word(code: Any, status: int) -> str:
    known = isinstance(code, str) and re.fullmatch(r"[A-Z0-9_.]{1,80}", code)
    return str(code) if known else f"it answers {status}"


def _wanted(shipment: Shipment) -> dict[str, Any]:
    sides = {
        name: _inches(mm)
        for name, mm in (
            ("length", shipment.length_mm),
            ("width", shipment.width_mm),
            ("height", shipment.height_mm),
        )
        if mm
    }
    return {
        "from_address": _address(shipment.sender),
        "to_address": _address(shipment.receiver),
        "parcel": {"weight": _ounces(shipment.weight_g), **sides},
        "options": {"print_custom_1": shipment.reference},
    }


def _returned(parcel: Parcel) -> dict[str, Any]:
    """Told as the parcel once went out: `is_return` makes them change the addresses."""
    return {
        "is_return": True,
        "reference": parcel.key,
        "from_address": _address(parcel.receiver),
        "to_address": _address(parcel.sender),
        "parcel": {"weight": _ounces(parcel.weight_g or RETURN_G)},
        "options": {"print_custom_1": parcel.reference},
    }


def _address(address: PostalAddress) -> dict[str, str]:
    said = {
        "name": address.name,
        "company": address.company,
        "street1": address.line1,
        "street2": address.line2,
        "city": address.city,
        "state": address.region,
        "zip": address.postal_code,
        "country": address.country,
        "phone": address.phone,
    }
    return {name: value for name, value in said.items() if value}


def _ounces(grams: int) -> float:
    return -(-grams * 10**10 // NANOGRAMS_PER_OUNCE) / 10


def _inches(millimetres: int) -> float:
    return -(-millimetres * 100 // 254) / 10


def _rates(found: Any) -> Iterator[Rate]:
    """Those whose amount can be paid to the cent."""
    for rate in found.get("rates") or ():
        try:
            amount = _amount(rate)
        except NotAnAmount:
            continue
        days = rate.get("delivery_days")
        by = _day(rate.get("delivery_date"))
        yield Rate(CODE, _service(rate), amount, rate.currency, days, by, rate.id)


def _rate_id(found: Any, service: str) -> str:
    """The cheapest of its name: accounts may have several of one carrier."""
    rates = [rate for rate in _rates(found) if rate.service == service]
    if not rates:
        raise LabelRefused(f"{CODE}: no {service} for such a parcel")
    return min(rates, key=lambda rate: rate.amount).rate_id


def _service(rate: Any) -> str:
    return f"{rate.carrier}.{rate.service}"


def _amount(rate: Any) -> int:
    return minor_units(str(rate.rate), str(rate.currency))


def _day(text: Any) -> date | None:
    try:
        return datetime.fromisoformat(text).date()
    except (TypeError, ValueError):
        return None

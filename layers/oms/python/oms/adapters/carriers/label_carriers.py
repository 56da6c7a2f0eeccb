"""Whose labels can be had. To add a carrier: a class beside `easypost_labels`, a line below, the
conformance suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from oms.adapters.carriers.labels import PDF, Label, LabelRefused, Labels, Parcel, ReturnLabels
from oms.domain.ids import name_of
from oms.domain.network.rates import Card


class SandboxLabels:
    """The built-in carrier `test`: labels of parcels that nobody moves but tests."""

    code, suffix = "test", "pdf"

    def create(self, parcel: Parcel) -> Label:
        from oms.adapters.carriers.label_paper import printed

        if not parcel.receiver.country:
            raise LabelRefused("the receiver has no country")
        number = f"TR{name_of('return label', parcel.key)[:16].upper()}"
        qr = f"test-return:{number}"
        return Label(self.code, number, printed(parcel, number, qr), PDF, qr)


LABELS: dict[str, ReturnLabels] = {labels.code: labels for labels in (SandboxLabels(),)}


def return_labels(code: str) -> ReturnLabels | None:
    """Of this carrier; None where customers choose one."""
    if code != "easypost":
        return LABELS.get(code)
    from oms.adapters.carriers.easypost_labels import EasyPostReturns, easypost_labels

    return EasyPostReturns(easypost_labels())


def _easypost() -> Labels:
    from oms.adapters.carriers.easypost_labels import easypost_labels

    return easypost_labels()


PROVIDERS: Mapping[str, Callable[[], Labels]] = {"easypost": _easypost}


def labels_of(carriers: Sequence[str], cards: Sequence[Card]) -> dict[str, Labels]:
    """By carrier: a provider by its name, any other by its card, where it has one."""
    from oms.adapters.carriers.table_carrier import TableCarrier

    found: dict[str, Labels] = {}
    by_carrier = {card.carrier: card for card in cards if card.charges}
    for carrier in carriers:
        if carrier in PROVIDERS:
            found[carrier] = PROVIDERS[carrier]()
        elif carrier in by_carrier:
            found[carrier] = TableCarrier(by_carrier[carrier])
    return found

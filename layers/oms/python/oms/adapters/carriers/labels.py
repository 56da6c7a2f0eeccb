"""Labels for parcels that come back. To add a carrier: a class here or beside, a line below, the
conformance suite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from oms.domain.contact import PostalAddress
from oms.domain.errors import OmsError
from oms.domain.ids import name_of


class LabelRefused(OmsError):
    """The carrier will not take such a parcel: another time it would say the same."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a label is asked for. `key`: the same key is the same label; `reference` is printed."""

    key: str
    reference: str
    sender: PostalAddress
    receiver: PostalAddress


@dataclass(frozen=True, slots=True)
class Label:
    """`document` is to be printed; whoever has no printer shows `qr` as a picture where parcels are
    taken: it names nobody."""

    carrier: str
    tracking_number: str
    document: bytes
    media_type: str
    qr: str = ""


class ReturnLabels(Protocol):
    @property
    def code(self) -> str:
        """Of the carrier whose webhooks tell of these parcels."""

    @property
    def suffix(self) -> str:
        """Of the document's file name."""

    def create(self, parcel: Parcel) -> Label:
        """Raises LabelRefused; anything else may be tried again under the same key."""


class SandboxLabels:
    """The built-in carrier `test`: labels of parcels that nobody moves but tests."""

    code, suffix = "test", "pdf"

    def create(self, parcel: Parcel) -> Label:
        from oms.adapters.carriers.label_paper import printed

        if not parcel.receiver.country:
            raise LabelRefused("the receiver has no country")
        number = f"TR{name_of('return label', parcel.key)[:16].upper()}"
        qr = f"test-return:{number}"
        return Label(self.code, number, printed(parcel, number, qr), "application/pdf", qr)


LABELS: dict[str, ReturnLabels] = {labels.code: labels for labels in (SandboxLabels(),)}

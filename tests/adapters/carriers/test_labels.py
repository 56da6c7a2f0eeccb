"""What every carrier's labels are: the same under the same key, and nobody's by their number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oms.adapters.carriers import CARRIERS
from oms.adapters.carriers.labels import LABELS, LabelRefused, Parcel, ReturnLabels
from oms.domain.contact import PostalAddress

ADA = PostalAddress("US", "Ada Byron", "", "1 Main St", "", "Austin", "TX", "78701", "+1 512 1")
RENO = PostalAddress("US", "Reno", region="NV", postal_code="89501")
PARCEL = Parcel("ret_a-1", "ret_a-1", ADA, RENO)
EMPTY = Parcel("ret_b-1", "ret_b-1", PostalAddress("US"), RENO)  # the customer was forgotten

every_carrier = pytest.mark.parametrize("labels", LABELS.values(), ids=list(LABELS))


@every_carrier
def test_the_same_key_is_the_same_label(labels: ReturnLabels) -> None:
    assert labels.create(PARCEL) == labels.create(PARCEL)


@every_carrier
def test_another_key_is_another_number(labels: ReturnLabels) -> None:
    numbers = {
        labels.create(replace(PARCEL, key=f"ret_a-{number}")).tracking_number
        for number in range(20)
    }

    assert len(numbers) == 20


@every_carrier
def test_a_label_can_be_printed_and_its_parcel_followed(labels: ReturnLabels) -> None:
    label = labels.create(PARCEL)

    assert label.carrier in CARRIERS
    assert label.media_type == {"pdf": "application/pdf"}[labels.suffix]
    assert label.document.startswith(b"%PDF-")
    assert 0 < len(label.tracking_number) <= 100


@every_carrier
def test_what_is_told_of_a_label_names_nobody(labels: ReturnLabels) -> None:
    label = labels.create(PARCEL)

    for told in (label.tracking_number, label.qr):
        assert not any(word in told for word in ("Ada", "Byron", "Main", "78701", "512"))


@every_carrier
def test_a_customer_of_whom_nothing_is_known_any_more_can_send_goods_back(
    labels: ReturnLabels,
) -> None:
    assert labels.create(EMPTY).tracking_number


@every_carrier
def test_a_parcel_to_nowhere_is_refused(labels: ReturnLabels) -> None:
    with pytest.raises(LabelRefused):
        labels.create(replace(PARCEL, receiver=PostalAddress("")))


def test_a_name_in_any_writing_is_printed() -> None:
    parcel = replace(PARCEL, sender=replace(ADA, name="<b>陶 & Ада 한국"))

    assert LABELS["test"].create(parcel).document.startswith(b"%PDF-")

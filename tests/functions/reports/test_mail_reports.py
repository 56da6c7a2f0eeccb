"""A report is mailed to each of its readers once for its days, as a picture and a table."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from functions.reports.letters import MOST_BARS, letter_of
from functions.reports.mail_reports import Desk, NotAllSent, mail_all
from functions.reports.rendering import Answer
from oms.adapters.charts import Chart, png
from oms.adapters.charts import written as written_mark
from oms.adapters.letters import Letter, written
from oms.adapters.mail_claims import CLAIM_LASTS, MailClaims
from oms.domain.reporting.catalogue import REPORTS
from oms.domain.reporting.mailing import Due, ReportMail
from oms.domain.reporting.query import Asked, Period, Row, compared, plan, same, tabulated
from tests.tables import create_table

MONDAY = datetime(2026, 3, 2, 7, tzinfo=UTC)
WEEK = Period(date(2026, 2, 23), date(2026, 3, 1))
MAIL = ReportMail("weekly", "sales", ("ops@example.com", "cfo@example.com"), compare="previous")


def kept(day: str, gross: int, currency: str = "EUR") -> Row:
    return Row(day, ("web", currency, "DE"), {"orders": 2, "gross": gross, "discounts": 100})


def an_answer(*rows: Row) -> Answer:
    of = plan(REPORTS["sales"], Asked(WEEK, ("day",)))
    earlier, shift = compared(WEEK, "previous")
    before = tabulated(of, of.axis, [kept("2026-02-16", 5_000)], lambda *_: {}, shift)
    return Answer(of, tabulated(of, of.axis, rows, lambda *_: {}, same), earlier, before)


@pytest.fixture
def claims(dynamodb: Any) -> MailClaims:
    name = f"reports-{uuid4().hex[:12]}"
    return MailClaims(dynamodb, create_table(dynamodb, "reports", name))


class Post:
    def __init__(self, broken: str = "") -> None:
        self.sent: list[tuple[str, str]] = []
        self.broken = broken

    def send(self, address: str, letter: Letter) -> None:
        if address == self.broken:
            raise ConnectionError
        self.sent.append((address, letter.subject))


def desk(claims: MailClaims, post: Post) -> Desk:
    return Desk(
        lambda _: an_answer(kept("2026-02-23", 123_450)), lambda _: b"png", post.send, claims
    )


@pytest.mark.cloud
def test_each_reader_gets_it_once_however_often_the_hour_comes(claims: MailClaims) -> None:
    post = Post()

    for hours in (0, 1, 2, 23, 24):
        mail_all([MAIL], "UTC", MONDAY + timedelta(hours=hours), desk(claims, post))

    assert [address for address, _ in post.sent] == list(MAIL.to)
    assert post.sent[0][1] == "Sales, 2026-02-23 to 2026-03-01: orders 2"


@pytest.mark.cloud
def test_who_could_not_be_reached_is_tried_again_and_nobody_else(claims: MailClaims) -> None:
    broken, mended = Post("cfo@example.com"), Post()

    with pytest.raises(NotAllSent):
        mail_all([MAIL], "UTC", MONDAY, desk(claims, broken))
    mail_all([MAIL], "UTC", MONDAY + timedelta(hours=1), desk(claims, mended))

    assert [address for address, _ in broken.sent] == ["ops@example.com"]
    assert [address for address, _ in mended.sent] == ["cfo@example.com"]


@pytest.mark.cloud
def test_who_died_in_the_middle_of_it_is_replaced_after_a_while(claims: MailClaims) -> None:
    assert claims.claim("weekly/x", MONDAY)

    assert not claims.claim("weekly/x", MONDAY + timedelta(minutes=1))
    assert claims.claim("weekly/x", MONDAY + CLAIM_LASTS + timedelta(seconds=1))


def test_the_mail_has_the_figures_for_eyes_and_for_readers_of_text() -> None:
    drawn: list[Chart] = []

    def draw(chart: Chart) -> bytes:
        drawn.append(chart)
        return png(chart)

    mail = ReportMail(**{**_fields(MAIL), "figures": ("net", "orders")})
    answer = an_answer(kept("2026-02-23", 123_450), kept("2026-02-24", 700))
    letter = letter_of(Due(mail, WEEK), answer, draw)
    message = message_from_bytes(
        bytes(written("shop@example.com", "ops@example.com", letter)), policy=policy.default
    )

    assert message["Subject"] == "Sales, 2026-02-23 to 2026-03-01: net 1,239.50 EUR"
    text = message.get_body(("plain",))
    page = message.get_body(("html",))
    assert text
    assert page
    for said in ("1,233.50 EUR", "6.00 EUR", "2026-02-24"):
        assert said in text.get_content()
        assert said in page.get_content()
    (picture,) = [p for p in message.walk() if p.get_content_type() == "image/png"]
    assert f"cid:{str(picture['Content-ID']).strip('<>')}" in page.get_content()
    assert Image.open(io.BytesIO(picture.get_content())).format == "PNG"
    (chart,) = drawn
    assert [float(each) for each in chart.series["net"]] == [1233.5, 6.0]
    assert [float(each) for each in chart.series["before"]] == [49.0, 0.0]


def test_of_several_currencies_one_is_drawn_and_every_total_says_its_own() -> None:
    drawn: list[Chart] = []

    def draw(chart: Chart) -> bytes:
        drawn.append(chart)
        return b""

    days = ("2026-02-23", "2026-02-24")
    answer = an_answer(*(kept(each, 700, code) for each in days for code in ("EUR", "JPY")))
    letter = letter_of(Due(MAIL, WEEK), answer, draw)

    assert letter.subject.endswith("orders 4 (EUR), 4 (JPY)")
    (chart,) = drawn
    assert chart.title == "Orders, EUR"
    assert list(chart.labels) == list(days)
    assert "JPY" in letter.text


@given(st.floats(0.001, 10_000_000))
def test_marks_of_an_axis_that_are_not_the_same_are_written_differently(value: float) -> None:
    assert written_mark(value) != written_mark(value * 1.2)


def test_what_somebody_named_a_channel_is_text_and_no_markup() -> None:
    of = plan(REPORTS["sales"], Asked(WEEK, ("channel",)))
    row = Row("2026-02-23", ("<img src=x>", "EUR", "DE"), {"gross": 1})
    answer = Answer(of, tabulated(of, of.axis, [row], lambda *_: {}, same))

    letter = letter_of(Due(MAIL, WEEK), answer, lambda _: b"")

    assert "<img src=x>" not in letter.html
    assert "&lt;img src=x&gt;" in letter.html


def test_no_more_bars_are_drawn_than_eyes_can_tell_apart() -> None:
    drawn: list[Chart] = []

    def draw(chart: Chart) -> bytes:
        drawn.append(chart)
        return b""

    of = plan(REPORTS["sales"], Asked(WEEK, ("channel",)))
    rows = [Row("2026-02-23", (f"shop-{n}", "EUR", "DE"), {"gross": 1}) for n in range(500)]
    answer = Answer(of, tabulated(of, of.axis, rows, lambda *_: {}, same))

    letter = letter_of(Due(MAIL, WEEK), answer, draw)

    assert len(drawn[0].labels) == MOST_BARS
    assert "and 460 more rows" in letter.text


def _fields(mail: ReportMail) -> dict[str, Any]:
    return {name: getattr(mail, name) for name in mail.__slots__}

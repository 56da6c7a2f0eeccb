"""Mails of any bytes: reading one never fails, and what is read can be kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.adapters.incoming_mail import MAX_BYTES, MAX_SUBJECT, TOO_DEEP, read_mail, text_of_html
from oms.domain.inquiries.model import MAX_LETTERS

LINES = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from(
            [
                b"From: a@example.com",
                b"Subject: =?utf-8?q?=ff?=",
                b"To: b@example.com, <c@",
                b"Content-Type: multipart/mixed; boundary=b",
                b"Content-Type: text/html; charset=utf-16",
                b"Content-Type: message/rfc822",
                b"Content-Disposition: attachment; filename*0*=utf-8''%ff",
                b"Content-Transfer-Encoding: quoted-printable",
                b"",
                b"--b",
                b"--b--",
                b"<p>",
                b"=ZZ",
            ]
        ),
    ),
    max_size=25,
)


@given(LINES)
def test_reading_a_mail_never_fails_and_what_is_read_is_bounded_text(lines: list[bytes]) -> None:
    found = read_mail(b"\r\n".join(lines))

    assert len(found.text) <= MAX_LETTERS
    assert len(found.subject) <= MAX_SUBJECT
    f"{found.text}{found.subject}{found.name}{found.sender}{found.dropped}".encode()
    assert found.automatic or found.sender


HEAD = b"From: a@example.com\nSubject: Hello\n"


@pytest.mark.parametrize("charset", ["idna", "undefined", '"a\0b"', "no-such", "hex", "utf-16"])
def test_a_charset_that_has_its_own_mind_fails_no_mail(charset: str) -> None:
    mail = HEAD + f"Content-Type: text/plain; charset={charset}\n\nWhere is it?".encode()

    assert read_mail(mail).subject == "Hello"


@pytest.mark.parametrize(
    "boxes",
    [
        b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3_000)
        ),
        b"Content-Type: message/rfc822\n\n" * 3_000,
    ],
)
def test_of_a_mail_of_boxes_in_boxes_the_headers_are_read(boxes: bytes) -> None:
    found = read_mail(HEAD + boxes + b"\n\nWhere is it?")

    assert (found.sender, found.subject) == ("a@example.com", "Hello")
    assert TOO_DEEP in found.dropped


@pytest.mark.parametrize(
    "piece", ["<a ", "<!--", "</", '<a b="', "<b> </b>", "<script>", "<", "&", "\n ", "&#9999999"]
)
def test_the_time_to_read_html_grows_with_its_length_alone(piece: str) -> None:
    """With its square it would take hours: the mails that are read are this long."""
    assert len(text_of_html(piece * (MAX_BYTES // len(piece)))) <= MAX_BYTES


def test_html_is_read_as_its_words() -> None:
    html = (
        "<html><head><title>no</title></head><body><!-- <p>no</p> --><style>p{}</style>"
        "<p>Dear&nbsp;all &amp; everyone,<br/>it is &lt;late&gt;</p><SCRIPT>if (a<b) no</SCRIPT >"
        "<p class='a'>Bye&#" + "9" * 5_000 + ";</p>"
    )

    assert text_of_html(html) == "Dear all & everyone,\nit is <late>\n\nBye"


def test_a_header_without_end_is_read_for_its_beginning() -> None:
    mail = HEAD + b"Content-Type: text/plain; " + b"a=b;" * 400_000 + b"\n\nWhere is it?"

    assert read_mail(mail).text == "Where is it?"

"""Mails of any bytes: reading one never fails, and what is read can be kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oms.adapters.incoming_mail import MAX_SUBJECT, read_mail
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

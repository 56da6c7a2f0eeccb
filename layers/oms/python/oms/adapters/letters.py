"""Mails with a picture in them, to people who work here, by SES."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from functools import cache
from typing import Any

from oms.adapters import aws
from oms.settings import setting

PICTURE = "picture"  # what the page calls it: <img src="cid:picture">


@dataclass(frozen=True, slots=True)
class Letter:
    """`picture`: PNG; the HTML shows it as `cid:picture`."""

    subject: str
    text: str
    html: str
    picture: bytes


def post(address: str, letter: Letter) -> None:
    message = written(setting("SENDER_EMAIL"), address, letter)
    _client().send_email(
        FromEmailAddress=setting("SENDER_EMAIL"),
        Destination={"ToAddresses": [address]},
        Content={"Raw": {"Data": bytes(message)}},
    )


def written(sender: str, address: str, letter: Letter) -> EmailMessage:
    """The same for who reads text; the picture belongs to the page."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = letter.subject, sender, address
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    page = message.get_payload()[1]  # type: ignore[index]
    page.add_related(letter.picture, "image", "png", cid=f"<{PICTURE}>")  # type: ignore[union-attr]
    return message


@cache
def _client() -> Any:
    """SES sends again what it is asked for again: the client asks once."""
    return aws.client("sesv2", attempts=1)

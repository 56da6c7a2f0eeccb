"""Mails to customers, by SES."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from oms.adapters import aws
from oms.settings import setting


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    text: str
    html: str


class Mailer:
    def __init__(self, client: Any, sender: str) -> None:
        self._client = client
        self._sender = sender

    def send(self, address: str, mail: Mail) -> None:
        self._client.send_email(
            FromEmailAddress=self._sender,
            Destination={"ToAddresses": [address]},
            Content={
                "Simple": {
                    "Subject": _utf8(mail.subject),
                    "Body": {"Text": _utf8(mail.text), "Html": _utf8(mail.html)},
                }
            },
        )


@cache
def mailer() -> Mailer:
    """SES sends again what it is asked for again: the client asks once."""
    return Mailer(aws.client("sesv2", attempts=1), setting("SENDER_EMAIL"))


def _utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}

"""Mails to customers, by SES."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from oms.adapters import aws
from oms.settings import setting


@dataclass(frozen=True, slots=True)
class Mail:
    """`headers` are further ones; `about` comes back with what the mail service says of the mail:
    ids, never anything of a person."""

    subject: str
    text: str
    html: str
    headers: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)


class Mailer:
    """`reports`: the configuration set that has bounces and complaints told, or empty."""

    def __init__(self, client: Any, sender: str, reports: str = "") -> None:
        self._client = client
        self._sender = sender
        self._reports = reports

    def send(self, address: str, mail: Mail) -> None:
        headers = [{"Name": name, "Value": value} for name, value in mail.headers.items()]
        tags = [{"Name": name, "Value": value} for name, value in mail.about.items()]
        self._client.send_email(
            FromEmailAddress=self._sender,
            Destination={"ToAddresses": [address]},
            Content={
                "Simple": {
                    "Subject": _utf8(mail.subject),
                    "Body": {"Text": _utf8(mail.text), "Html": _utf8(mail.html)},
                    **({"Headers": headers} if headers else {}),
                }
            },
            **({"EmailTags": tags} if tags else {}),
            **({"ConfigurationSetName": self._reports} if self._reports else {}),
        )


@cache
def mailer() -> Mailer:
    return new_mailer("")


def new_mailer(reports: str) -> Mailer:
    """SES sends again what it is asked for again: the client asks once."""
    return Mailer(aws.client("sesv2", attempts=1), setting("SENDER_EMAIL"), reports)


def _utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}

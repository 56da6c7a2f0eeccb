"""How customers are reached: mails by SES, text messages by SNS, behind one port."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol

from oms.adapters.mail import Mail, Mailer, new_mailer
from oms.adapters.text_messages import TextMessages, new_text_messages
from oms.settings import setting


class Messenger(Protocol):
    def mail(self, address: str, mail: Mail) -> None: ...
    def text(self, number: str, text: str) -> int:
        """To a number in E.164; how many parts it is."""


@dataclass(frozen=True, slots=True)
class AwsMessenger:
    mails: Mailer
    texts: TextMessages

    def mail(self, address: str, mail: Mail) -> None:
        self.mails.send(address, mail)

    def text(self, number: str, text: str) -> int:
        return self.texts.send(number, text)


@cache
def messenger() -> Messenger:
    return AwsMessenger(new_mailer(setting("MAIL_REPORTS")), new_text_messages())

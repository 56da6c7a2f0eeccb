"""A messenger that keeps what it is given, and refuses what the real ones refuse."""

from __future__ import annotations

from dataclasses import dataclass, field

from oms.adapters.mail import Mail
from oms.adapters.text_messages import NoNumber, TooLong
from oms.domain.notices.text_messages import MAX_PARTS, number_of, parts_of


class MailRefused(Exception):
    pass


@dataclass
class FakeMessenger:
    mails: list[tuple[str, Mail]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    refuses: bool = False

    def mail(self, address: str, mail: Mail) -> None:
        if self.refuses:
            raise MailRefused
        self.mails.append((address, mail))

    def text(self, number: str, text: str) -> int:
        if not number or number_of(number) != number:
            raise NoNumber
        if (parts := parts_of(text)) > MAX_PARTS:
            raise TooLong
        self.texts.append((number, text))
        return parts

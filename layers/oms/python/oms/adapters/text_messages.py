"""Text messages to customers, by SNS."""

from __future__ import annotations

from typing import Any

from oms.adapters import aws
from oms.domain.notices.text_messages import MAX_PARTS, number_of, parts_of

SENT_AS = "AWS.SNS.SMS."


class NoNumber(Exception):
    """It is not of E.164: nobody knows in which country it is somebody's."""


class TooLong(Exception):
    """It would be more parts than a notice is worth."""


class TextMessages:
    def __init__(self, client: Any) -> None:
        self._client = client

    def send(self, number: str, text: str) -> int:
        """How many parts it is paid for."""
        if not number or number_of(number) != number:
            raise NoNumber
        if (parts := parts_of(text)) > MAX_PARTS:
            raise TooLong
        self._client.publish(
            PhoneNumber=number,
            Message=text,
            MessageAttributes={
                f"{SENT_AS}SMSType": {"DataType": "String", "StringValue": "Transactional"}
            },
        )
        return parts


def new_text_messages() -> TextMessages:
    """SNS sends again what it is asked for again: the client asks once."""
    return TextMessages(aws.client("sns", attempts=1))

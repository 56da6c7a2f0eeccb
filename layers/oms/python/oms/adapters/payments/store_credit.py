"""The providers `store_credit` and `gift_card`: money of our own ledger.

The token of an authorization is the account; references are `credit:<account>:<authorization>`,
and `credit:<account>` for money that is paid out to an account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from oms.adapters.credit_ledger import CreditLedger, Posted, credit_ledger
from oms.adapters.payments.base import AmbiguousOutcome, Ignored, Notice, Result
from oms.domain.errors import Contended, Refused
from oms.domain.payment import OperationKind, OperationStatus
from oms.domain.store_credit import (
    GIFT_CARD,
    PREFIXES,
    BadReference,
    Deed,
    EntryKind,
    read_reference,
    reference_to,
)

KINDS = {
    OperationKind.AUTHORIZE: EntryKind.HELD,
    OperationKind.CAPTURE: EntryKind.TAKEN,
    OperationKind.VOID: EntryKind.RELEASED,
    OperationKind.REFUND: EntryKind.GIVEN_BACK,
}
NO_ACCOUNT = "there is no such account"


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Credit:
    code: str
    ledger: Callable[[], CreditLedger] = credit_ledger
    now: Callable[[], datetime] = _now
    prepaid: bool = field(default=False, init=False)

    def authorize(
        self, key: str, amount: int, currency: str, token: str, order_id: str = ""
    ) -> Result:
        """`token` is the account, never a card's code."""
        deed = Deed(EntryKind.HELD, amount, currency, hold=key, order_id=order_id)
        return self._answer(self._account(token), deed, key)

    def renew(
        self, key: str, amount: int, currency: str, reference: str, order_id: str = ""
    ) -> Result:
        """More of the same account's money; what is held never lapses."""
        account_id, _ = self._read(reference)
        return self.authorize(key, amount, currency, account_id, order_id)

    def capture(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return self._move(EntryKind.TAKEN, key, amount, currency, reference)

    def void(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return self._move(EntryKind.RELEASED, key, amount, currency, reference)

    def refund(self, key: str, amount: int, currency: str, reference: str) -> Result:
        """To the authorization that it was taken on, or to the account that it names."""
        return self._move(EntryKind.GIVEN_BACK, key, amount, currency, reference)

    def look_up(
        self,
        key: str,
        kind: OperationKind,
        token: str = "",
        reference: str = "",
    ) -> Result | None:
        posted = self.ledger().posted(key)
        return _result(key, posted) if posted and posted.kind is KINDS[kind] else None

    def verify(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        return False

    def read(self, body: bytes) -> Notice | Ignored:
        return Ignored("our own ledger answers at once")

    def _move(
        self, kind: EntryKind, key: str, amount: int, currency: str, reference: str
    ) -> Result:
        account_id, hold = self._read(reference)
        if not hold and kind is not EntryKind.GIVEN_BACK:
            account_id = ""
        return self._answer(account_id, Deed(kind, amount, currency, hold=hold), key)

    def _answer(self, account_id: str, deed: Deed, key: str) -> Result:
        """A no is kept as well: whoever asks at the same moment hears the same. An account that is
        none of ours is not: it may be anything."""
        ledger, at = self.ledger(), self.now()
        if not account_id:
            return _result(key, ledger.refuse("", deed, at=at, key=key, why=NO_ACCOUNT))
        try:
            posted = ledger.post(account_id, deed, at=at, actor="system", key=key)
        except Refused as error:
            posted = ledger.refuse(account_id, deed, at=at, key=key, why=str(error))
        except Contended:
            raise AmbiguousOutcome(key) from None
        return _result(key, posted)

    def _read(self, reference: str) -> tuple[str, str]:
        try:
            account_id, hold = read_reference(reference)
        except BadReference:
            return "", ""
        return (account_id, hold) if self._is_ours(account_id) else ("", "")

    def _account(self, token: str) -> str:
        """Empty where it is none of ours."""
        if self.code == GIFT_CARD and self._is_ours(token):
            return self.ledger().card(token)
        return token if self._is_ours(token) else ""

    def _is_ours(self, account_id: str) -> bool:
        return account_id.startswith(PREFIXES[self.code])


def _result(key: str, posted: Posted) -> Result:
    if posted.refused:
        return Result(OperationStatus.FAILED, reason=posted.refused)
    hold = key if posted.kind is EntryKind.HELD else posted.hold
    return Result(OperationStatus.SUCCEEDED, reference_to(posted.account_id, hold))

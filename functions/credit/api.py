"""Store credit and gift cards: see, issue, correct, cancel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from oms.adapters.credit_ledger import CreditLedger, EntryPage, Posted, credit_ledger
from oms.adapters.http_api import HttpApi, Problem, Request, Response
from oms.adapters.identities_table import identities_table
from oms.adapters.secrets import secrets
from oms.contracts.api.credit import (
    AdjustCredit,
    CancelGiftCard,
    CreditEntryView,
    CreditLotView,
    CreditQuery,
    GiftCardBalanceView,
    GiftCardCode,
    GiftCardQuery,
    GiftCardView,
    IssueCredit,
    IssueGiftCard,
    MergedCreditView,
    OfCustomer,
    OfGiftCard,
    StoreCreditView,
)
from oms.contracts.api.fields import Contract
from oms.domain.errors import Conflict, NotFound
from oms.domain.gift_cards import code_of
from oms.domain.ids import name_of
from oms.domain.store_credit import (
    CreditAccount,
    Deed,
    Entry,
    EntryKind,
    Lot,
    is_card_of_return,
    store_credit_account,
    worth,
)

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "STOCK_TABLE", "CUSTOMERS_TABLE", "SECRET_ID")

REPEATED_FOR = timedelta(days=1)  # a card's code, to who asks again under the key of its issue

app = HttpApi("CreditApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("GET", "/customers/{customer_id}/store-credit")
def get_store_credit(request: Request) -> StoreCreditView:
    query, customer_id = request.read_query(CreditQuery), _customer_id(request)
    account_id = store_credit_account(customer_id, query.currency)
    page = ledger().entries(account_id, query.cursor, query.limit)
    return store_credit_view(customer_id, query.currency, page)


@app.route("POST", "/customers/{customer_id}/store-credit")
def issue_store_credit(request: Request) -> Response:
    said = request.read(IssueCredit)
    deed = Deed(EntryKind.ISSUED, said.amount, said.currency, said.expires_on, reason=said.reason)
    return _posted_to_customer(request, deed)


@app.route("POST", "/customers/{customer_id}/store-credit/adjustments")
def adjust_store_credit(request: Request) -> Response:
    said = request.read(AdjustCredit)
    deed = Deed(EntryKind.ADJUSTED, said.amount, said.currency, reason=said.reason)
    return _posted_to_customer(request, deed)


@app.route("POST", "/gift-cards")
def issue_gift_card(request: Request) -> Response:
    said, key, at = request.read(IssueGiftCard), _key(request), datetime.now(UTC)
    code = code_of(secrets().gift_card_seed(request.actor, key))
    gift_card_id = secrets().gift_card_id(code)
    deed = Deed(EntryKind.ISSUED, said.amount, said.currency, said.expires_on, reason=said.reason)
    posted = _post(request, gift_card_id, deed, key, at)
    shown = code if at - posted.at < REPEATED_FOR else ""
    view = gift_card_view(gift_card_id, ledger().entries(gift_card_id), shown)
    return Response(_status(posted, at), view, ids={"gift_card_id": gift_card_id})


@app.route("POST", "/gift-cards/lookup")
def look_up_gift_card(request: Request) -> GiftCardBalanceView:
    """Whatever keeps a card from being spent, whoever asks hears the same."""
    gift_card_id = secrets().gift_card_id(request.read(GiftCardCode).code)
    account = ledger().find(ledger().card(gift_card_id))
    lots = lasting(account, datetime.now(UTC).date()) if account else ()
    if account is None or not lots:
        raise Problem(404, "Not found", "there is no gift card with this code that can be spent")
    available, soonest = worth(lots), lots[0].expires_on
    return GiftCardBalanceView(account.account_id, account.currency, available, _text(soonest))


@app.route("GET", "/gift-cards/{gift_card_id}")
def get_gift_card(request: Request) -> GiftCardView:
    query, gift_card_id = request.read_query(GiftCardQuery), _gift_card_id(request)
    return gift_card_view(gift_card_id, ledger().entries(gift_card_id, query.cursor, query.limit))


@app.route("POST", "/gift-cards/{gift_card_id}/code")
def give_code(request: Request) -> GiftCardView:
    """The same key, the same code; nobody else hears it, and it is kept nowhere."""
    gift_card_id, key = _gift_card_id(request), _key(request)
    request.read(Contract)
    _card(gift_card_id)
    code = code_of(secrets().gift_card_seed(request.actor, f"{gift_card_id} {key}"))
    if not is_card_of_return(gift_card_id):
        raise Conflict("the card has a code already")
    ledger().give_code(gift_card_id, secrets().gift_card_id(code))
    return gift_card_view(gift_card_id, ledger().entries(gift_card_id), code)


@app.route("POST", "/gift-cards/{gift_card_id}/cancel")
def cancel_gift_card(request: Request) -> GiftCardView:
    """Again, and what orders have given back meanwhile is written off as well."""
    said, gift_card_id = request.read(CancelGiftCard), _gift_card_id(request)
    deed = Deed(EntryKind.CANCELLED, reason=said.reason)
    key = request.idempotency_key or f"after {_card(gift_card_id).version}"
    _post(request, gift_card_id, deed, key, datetime.now(UTC))
    return gift_card_view(gift_card_id, ledger().entries(gift_card_id))


def ledger() -> CreditLedger:
    return credit_ledger(with_agenda=True)


def lasting(account: CreditAccount, today: date) -> tuple[Lot, ...]:
    """What can be spent, the first to expire first."""
    return () if account.cancelled else tuple(x for x in account.lots if not x.is_over(today))


def store_credit_view(customer_id: str, currency: str, page: EntryPage) -> StoreCreditView:
    """Of a customer who never had any: nothing."""
    account_id = store_credit_account(customer_id, currency)
    account = ledger().find(account_id) or CreditAccount(account_id, currency)
    return StoreCreditView(
        account_id=account_id,
        customer_id=customer_id,
        currency=currency,
        balance=account.balance,
        held=account.held,
        available=account.available,
        lots=_lots(account),
        entries=_entries(page.entries),
        cursor=page.cursor,
        merged=[*_merged(customer_id, currency)],
    )


def _merged(customer_id: str, currency: str) -> Iterator[MergedCreditView]:
    """Accounts of the same person's other identities: shown here, spent there."""
    for other in identities_table().person(customer_id).identities:
        account_id = store_credit_account(other, currency)
        account = ledger().find(account_id) if other != customer_id else None
        if account is not None:
            sums = account.balance, account.held, account.available
            yield MergedCreditView(account_id, other, *sums)


def gift_card_view(gift_card_id: str, page: EntryPage, code: str = "") -> GiftCardView:
    account = _card(gift_card_id)
    return GiftCardView(
        gift_card_id=gift_card_id,
        currency=account.currency,
        balance=account.balance,
        held=account.held,
        available=account.available,
        lots=_lots(account),
        entries=_entries(page.entries),
        cancelled=account.cancelled,
        code=code,
        cursor=page.cursor,
    )


def _card(gift_card_id: str) -> CreditAccount:
    if (account := ledger().find(gift_card_id)) is None:
        raise NotFound("gift card", gift_card_id)
    return account


def _posted_to_customer(request: Request, deed: Deed) -> Response:
    customer_id, at = _customer_id(request), datetime.now(UTC)
    account_id = store_credit_account(customer_id, deed.currency)
    posted = _post(request, account_id, deed, _key(request), at)
    view = store_credit_view(customer_id, deed.currency, ledger().entries(account_id))
    return Response(_status(posted, at), view)


def _post(request: Request, account_id: str, deed: Deed, key: str, at: datetime) -> Posted:
    """Each client has keys of its own, for each account and kind of deed."""
    once = name_of(request.actor, account_id, deed.kind, key)
    return ledger().post(account_id, deed, at=at, actor=request.actor, key=once)


def _status(posted: Posted, at: datetime) -> int:
    return 201 if posted.at == at else 200


def _key(request: Request) -> str:
    if (key := request.idempotency_key) is None:
        said = "money is issued once for each key: send one, and the same one again"
        raise Problem(400, "Idempotency-Key is missing", said)
    return key


def _customer_id(request: Request) -> str:
    said = OfCustomer.read(dict(request.path)).customer_id
    return secrets().customer_id(said) if "@" in said else said


def _gift_card_id(request: Request) -> str:
    return OfGiftCard.read(dict(request.path)).gift_card_id


def _lots(account: CreditAccount) -> list[CreditLotView]:
    return [CreditLotView(lot.amount, _text(lot.expires_on)) for lot in account.lots]


def _entries(entries: Sequence[Entry]) -> list[CreditEntryView]:
    return [
        CreditEntryView(x.seq, x.kind, x.amount, x.at, x.actor, x.order_id, x.reason)
        for x in entries
    ]


def _text(day: date | None) -> str:
    return day.isoformat() if day else ""

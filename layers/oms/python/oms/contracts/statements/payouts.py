"""What payment providers state: captures, refunds, disputes, and what they keep for them.

Columns as each documents them: Stripe's itemized payout reconciliation and balance change reports,
Adyen's settlement details report, PayPal's settlement report (STL), and one of our own.
"""

from __future__ import annotations

from collections.abc import Mapping

from oms.contracts.statements.rows import Format, Row, Wrong, within
from oms.domain.currencies import EXPONENTS
from oms.domain.reconciling.entries import Entry, EntryKind

_K = EntryKind

# Stripe's reporting categories; any other moves the balance beside our operations.
STRIPE: Mapping[str, tuple[EntryKind, bool]] = {
    "charge": (_K.CAPTURE, False),
    "charge_failure": (_K.CAPTURE, True),
    "partial_capture_reversal": (_K.CAPTURE, True),
    "refund": (_K.REFUND, False),
    "refund_failure": (_K.REFUND, True),
    "dispute": (_K.CHARGEBACK, False),
    "dispute_reversal": (_K.CHARGEBACK_REVERSED, False),
    "fee": (_K.FEE, False),
    "network_cost": (_K.FEE, False),
    "tax": (_K.FEE, False),
}
STRIPE_NEEDED = ("balance_transaction_id", "reporting_category", "currency", "gross", "fee")


def stripe(row: Row) -> Entry:
    """Of what was paid in another currency than it is settled in, what the buyer has paid."""
    kind, is_part = STRIPE.get(row.text("reporting_category"), (_K.ASIDE, False))
    settled = row.money("currency")
    gross = row.amount("gross", settled)
    amount, currency = _customer_facing(row, gross, settled)
    return Entry(
        row.line,
        kind,
        amount,
        currency,
        references=_stripe_references(row, kind),
        identity=row.name("balance_transaction_id", needed=True),
        order=row.name("payment_metadata[order_id]"),
        fee=row.amount("fee", settled, empty=0),
        fee_currency=settled,
        on=row.day("created_utc") or row.day("created"),
        is_part=is_part,
    )


def _customer_facing(row: Row, gross: int, settled: str) -> tuple[int, str]:
    if not row.text("customer_facing_amount"):
        return gross, settled
    currency = row.money("customer_facing_currency")
    amount = abs(row.amount("customer_facing_amount", currency))
    return (amount if gross >= 0 else -amount), currency


def _stripe_references(row: Row, kind: EntryKind) -> tuple[str, ...]:
    names = {
        _K.CAPTURE: ("charge_id", "payment_intent_id", "source_id"),
        _K.REFUND: ("source_id", "refund_id"),
    }.get(kind, ("source_id", "dispute_id"))
    return _given(*(row.name(each) for each in names))


# Adyen's record types; the money of a refund that comes back is a part of the refund.
ADYEN: Mapping[str, tuple[EntryKind, bool]] = {
    "Settled": (_K.CAPTURE, False),
    "Refunded": (_K.REFUND, False),
    "RefundedReversed": (_K.REFUND, True),
    "Chargeback": (_K.CHARGEBACK, False),
    "SecondChargeback": (_K.CHARGEBACK, False),
    "ChargebackReversed": (_K.CHARGEBACK_REVERSED, False),
    "Fee": (_K.FEE, False),
    "MiscCosts": (_K.FEE, False),
    "PaymentCost": (_K.FEE, False),
    "InvoiceDeduction": (_K.FEE, False),
}
ADYEN_FEES = ("Commission (NC)", "Markup (NC)", "Scheme Fees (NC)", "Interchange (NC)")
ADYEN_NEEDED = (
    *("Psp Reference", "Merchant Reference", "Type", "Modification Reference", "Creation Date"),
    *("Gross Currency", "Gross Debit (GC)", "Gross Credit (GC)"),
    *("Net Currency", "Net Debit (NC)", "Net Credit (NC)"),
)


def adyen(row: Row) -> Entry:
    kind, is_part = ADYEN.get(row.text("Type"), (_K.ASIDE, False))
    net = row.money("Net Currency")
    gross_currency = row.money("Gross Currency") if row.text("Gross Currency") else net
    amount = _credit(row, "Gross {} (GC)", gross_currency)
    currency = gross_currency
    if not amount:  # what is of no payment has a net side only
        amount, currency = _credit(row, "Net {} (NC)", net), net
    fee = sum(row.amount(each, net, empty=0) for each in ADYEN_FEES)
    modification, original = row.name("Modification Reference"), row.name("Psp Reference")
    return Entry(
        row.line,
        kind,
        amount,
        currency,
        references=_given(modification, original if kind is _K.CAPTURE else ""),
        identity=f"{row.text('Type')}:{modification}" if modification else "",
        order=row.name("Merchant Reference"),
        fee=fee,
        fee_currency=net,
        on=row.day("Creation Date"),
        is_part=is_part,
    )


def _credit(row: Row, columns: str, currency: str) -> int:
    taken = row.amount(columns.format("Debit"), currency, empty=0)
    return row.amount(columns.format("Credit"), currency, empty=0) - taken


PAYPAL_HEADER = ("CH", "SB")  # the first cells of the line of columns, and of lines of the body
PAYPAL_NEEDED = (
    *("Transaction ID", "Invoice ID", "PayPal Reference ID", "Transaction Event Code"),
    *("Transaction Completion Date", "Transaction Debit or Credit", "Gross Transaction Amount"),
    *("Gross Transaction Currency", "Fee Debit or Credit", "Fee Amount", "Fee Currency"),
)
# Amounts are whole numbers of the smallest unit that PayPal knows: these have none of theirs.
PAYPAL_WHOLE = frozenset({"HUF", "JPY", "TWD"})
SIGNS = {"CR": 1, "DR": -1}


def paypal(row: Row) -> Entry:
    code = row.name("Transaction Event Code", needed=True)
    kind = _paypal_kind(code)
    currency = row.money("Gross Transaction Currency")
    side = "Transaction Debit or Credit"
    amount = _paypal_amount(row, "Gross Transaction Amount", side, currency)
    fee_currency = row.money("Fee Currency") if row.text("Fee Currency") else currency
    fee = 0
    if row.text("Fee Amount"):
        fee = -_paypal_amount(row, "Fee Amount", "Fee Debit or Credit", fee_currency)
    own = row.name("Transaction ID", needed=True)
    return Entry(
        row.line,
        kind,
        amount,
        currency,
        references=(own,),
        identity=f"{own}:{code}",
        order=row.name("Invoice ID"),
        fee=fee,
        fee_currency=fee_currency,
        on=row.day("Transaction Completion Date"),
    )


def _paypal_kind(code: str) -> EntryKind:
    """By the groups of PayPal's event codes: T00 payments, T01 fees, T1107 refunds; T1106 and T1201
    take money back for the buyer, T1202 and T1205 give it back to us."""
    exact = {
        "T1107": _K.REFUND,
        "T1106": _K.CHARGEBACK,
        "T1201": _K.CHARGEBACK,
        "T1205": _K.CHARGEBACK_REVERSED,
        "T1202": _K.CHARGEBACK_REVERSED,
    }
    groups = {"T00": _K.CAPTURE, "T01": _K.FEE}
    return exact.get(code) or groups.get(code[:3], _K.ASIDE)


def _paypal_amount(row: Row, column: str, side: str, currency: str) -> int:
    text, sign = row.text(column), SIGNS.get(row.text(side))
    if sign is None:
        raise Wrong(side, "is neither CR nor DR")
    if not (text.isascii() and text.isdigit()):
        raise Wrong(column, "is no whole number of the smallest unit")
    if len(text) > 15:
        raise Wrong(column, "is more than anybody pays")
    scale = 10 ** EXPONENTS[currency] if currency in PAYPAL_WHOLE else 1
    return within(column, sign * int(text) * scale)


KINDS = {
    "capture": _K.CAPTURE,
    "refund": _K.REFUND,
    "fee": _K.FEE,
    "chargeback": _K.CHARGEBACK,
    "chargeback_reversed": _K.CHARGEBACK_REVERSED,
}
TAKEN = frozenset({_K.REFUND, _K.CHARGEBACK, _K.FEE})
GENERIC_NEEDED = ("reference", "kind", "amount", "currency")


def generic(row: Row) -> Entry:
    """Amounts without a sign: the kind says which way the money went."""
    kind = KINDS.get(row.text("kind"))
    if kind is None:
        raise Wrong("kind", f"is none of {', '.join(KINDS)}")
    currency = row.money("currency")
    amount = row.amount("amount", currency)
    if amount < 0:
        raise Wrong("amount", "is negative")
    order = row.name("order")
    reference = row.name("reference", needed=not order)
    return Entry(
        row.line,
        kind,
        -amount if kind in TAKEN else amount,
        currency,
        references=_given(reference),
        identity=row.name("id"),
        order=order,
        fee=row.amount("fee", currency, empty=0),
        fee_currency=currency,
        on=row.day("date"),
    )


def _given(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


PAYOUTS = {
    "stripe": Format(STRIPE_NEEDED, stripe),
    "adyen": Format(ADYEN_NEEDED, adyen),
    "paypal": Format(PAYPAL_NEEDED, paypal, header=PAYPAL_HEADER[0], body=PAYPAL_HEADER[1]),
    "generic": Format(GENERIC_NEEDED, generic),
}

"""What came of a replay, in a page."""

import resource
import sys

from infra.local.replay import journal as j
from infra.local.replay.journal import Books, Journal
from infra.local.replay.replay import Outcome
from infra.local.replay.settling import STUCK

SHOWN = 10
RESTING = {"": "still moving"}


def tell(outcome: Outcome, journal: Journal) -> bool:
    """True when every order rests and everything balances."""
    counts, states, books = journal.outcomes(), journal.states(), journal.books()
    say("read", f"{outcome.invoices:,} invoices, {outcome.asked:,} of them asked of the API now")
    say("accepted", f"{counts.get(j.PLACED, 0):,} orders")
    units = journal.cancelled_units()
    say("cancelled", f"{units:,} units by {counts.get(j.CANCELLED, 0):,} invoices")
    say("empty", f"{counts.get(j.EMPTY, 0):,} invoices without merchandise or a match")
    if outcome.lost:
        say("lost", f"{outcome.lost:,} invoices by the cloud: the same command asks again")
    tell_refused(outcome, counts)
    tell_rate(outcome)
    tell_rest(states)
    tell_books(books, outcome)
    at_rest = not outcome.lost and not states.get("") and not states.get(STUCK)
    return at_rest and books.balanced and not outcome.differences


def tell_refused(outcome: Outcome, counts: dict[str, int]) -> None:
    refused = {o: n for o, n in counts.items() if o.startswith(j.REFUSED)}
    say("refused", f"{sum(refused.values()):,} invoices by the API")
    for reason, count in list(refused.items())[:SHOWN]:
        say("", f"{count:>9,}  {reason.removeprefix(j.REFUSED + ': ')}")
    say("told apart", f"{outcome.refused.total():,} rows")
    for reason, count in outcome.refused.most_common():
        say("", f"{count:>9,}  {reason}")


def tell_rate(outcome: Outcome) -> None:
    rate = f"{outcome.asked / outcome.seconds:.1f} invoices/s, " if outcome.asked else ""
    say("rate", f"{rate}{outcome.whole_seconds:.0f} s in all, {megabytes()} MB of memory at most")


def megabytes() -> int:
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest // (2**20 if sys.platform == "darwin" else 2**10)


def tell_rest(states: dict[str, int]) -> None:
    told = (f"{count:,} {RESTING.get(state, state)}" for state, count in sorted(states.items()))
    say("orders", ", ".join(told) or "none")


def tell_books(books: Books, outcome: Outcome) -> None:
    ours = f"{books.units:,} units, {pounds(books.pence)} placed less cancelled"
    theirs = f"{books.seen_units:,} units, {pounds(books.seen_pence)} by the orders"
    say("units and money", f"{ours}; {theirs}: {verdict(books.balanced)}")
    if (told := outcome.reported) is not None:
        figures = f"{told.units:,} units, {pounds(told.pence)} by the sales report of its channel"
        alike = told == (books.units, books.pence)
        say("sales report", f"{figures}: {'the same' if alike else 'NOT the same'}")
    say("books", verdict(not outcome.differences))
    for each in outcome.differences[:SHOWN]:
        say("", f"{each['subject']}: {each['rule']}: {each['expected']}, not {each['actual']}")


def verdict(balanced: bool) -> str:
    return "balanced" if balanced else "NOT balanced"


def pounds(pence: int) -> str:
    return f"£{pence // 100:,}.{pence % 100:02}"


def say(title: str, text: str) -> None:
    print(f"  {title:<16}{text}")

"""Who belongs to a segment, and when the clock alone will next change that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from oms.domain.customers import Profile
from oms.domain.reporting.customers import Lifetime
from oms.domain.segments.definition import Scores, Segment, SegmentWhen


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one person, of all identities together. `spent`: by currency, minor units."""

    orders: int = 0
    units: int = 0
    returned_units: int = 0
    spent: Mapping[str, int] = field(default_factory=dict)
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    channels: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    consents: frozenset[tuple[str, str]] = frozenset()


def figures_of(lives: Iterable[Lifetime], profile: Profile) -> Figures:
    lives, spent = list(lives), Counter[str]()
    for life in lives:
        spent.update(life.money.get("spent", {}))
    firsts = [life.first.at for life in lives if life.first]
    lasts = [life.last_at for life in lives if life.last_at]
    return Figures(
        sum(life.figures.get("orders", 0) for life in lives),
        sum(life.figures.get("units", 0) for life in lives),
        sum(life.figures.get("returned_units", 0) for life in lives),
        dict(spent),
        min(firsts, default=None),
        max(lasts, default=None),
        frozenset[str]().union(*(life.channels for life in lives)),
        frozenset[str]().union(*(life.countries for life in lives)),
        frozenset(profile.tags),
        frozenset((x.purpose, x.channel) for x in profile.consents if x.granted),
    )


def memberships(segments: Iterable[Segment], figures: Figures, now: datetime) -> tuple[str, ...]:
    """The names of those that the person belongs to, in their order."""
    return tuple(sorted(each.name for each in segments if belongs(each, figures, now)))


def belongs(segment: Segment, figures: Figures, now: datetime) -> bool:
    return any(all(_fits(rule.when, segment.scores, figures, now)) for rule in segment.rules)


def turns_at(segments: Iterable[Segment], figures: Figures, now: datetime) -> datetime | None:
    """The next instant at which a threshold of days passes: until then, nothing but an event or a
    change of the person changes a membership."""
    instants = (at for each in segments for at in _turns(each, figures) if at > now)
    return min(instants, default=None)


def _turns(segment: Segment, figures: Figures) -> Iterator[datetime]:
    last, first = figures.last_order_at, figures.first_order_at
    for when in (rule.when for rule in segment.rules):
        for days in (when.ordered_within_days, when.not_ordered_for_days):
            if last and days is not None:
                yield last + timedelta(days=days)
        if first and when.first_order_within_days is not None:
            yield first + timedelta(days=when.first_order_within_days)
        if last and when.min_recency is not None:
            yield from (last + timedelta(days=days) for days in segment.scores.recency)


def _fits(when: SegmentWhen, scores: Scores, known: Figures, now: datetime) -> Iterator[bool]:
    spent = known.spent.get(when.currency, 0)
    yield when.min_spent is None or spent >= when.min_spent
    yield when.below_spent is None or spent < when.below_spent
    yield when.min_orders is None or known.orders >= when.min_orders
    yield when.max_orders is None or known.orders <= when.max_orders
    yield from _of_days(when, known, now)
    yield from _of_rates(when, known)
    yield when.min_recency is None or recency(scores, known, now) >= when.min_recency
    yield when.min_frequency is None or _score(scores.frequency, known.orders) >= when.min_frequency
    yield when.min_money is None or _score(scores.money, spent) >= when.min_money
    yield not when.channels or not known.channels.isdisjoint(when.channels)
    yield not when.countries or not known.countries.isdisjoint(when.countries)
    yield not when.tags or not known.tags.isdisjoint(when.tags)
    yield known.tags.isdisjoint(when.without_tags)
    agreed = (each for each in when.consents if (each.purpose, each.channel) in known.consents)
    yield not when.consents or any(True for _ in agreed)


def _of_days(when: SegmentWhen, known: Figures, now: datetime) -> Iterator[bool]:
    """On the threshold itself, the days have passed."""
    last, first = known.last_order_at, known.first_order_at
    yield when.ordered_within_days is None or _is_within(last, when.ordered_within_days, now)
    yield when.not_ordered_for_days is None or (
        last is not None and not _is_within(last, when.not_ordered_for_days, now)
    )
    within = when.first_order_within_days
    yield within is None or _is_within(first, within, now)


def _is_within(at: datetime | None, days: int, now: datetime) -> bool:
    return at is not None and now < at + timedelta(days=days)


def _of_rates(when: SegmentWhen, known: Figures) -> Iterator[bool]:
    returned, units = known.returned_units * 100, known.units
    least, most = when.min_return_rate, when.max_return_rate
    yield least is None or (units > 0 and returned >= least * units)
    yield most is None or (units > 0 and returned <= most * units)


def recency(scores: Scores, known: Figures, now: datetime) -> int:
    return 1 + sum(_is_within(known.last_order_at, days, now) for days in scores.recency)


def _score(thresholds: Iterable[int], value: int) -> int:
    return 1 + sum(value >= each for each in thresholds)

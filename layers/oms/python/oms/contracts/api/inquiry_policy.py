"""The policy of inquiries, as it is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import Field

from oms.contracts.api.fields import Contract, Day, Slug, repeats
from oms.contracts.api.network import MAX_DAYS_OFF, OpeningGiven, TimeZone, minutes
from oms.contracts.invalid import Fault
from oms.domain.inquiries.policy import CATEGORIES, Category, Hours, ServicePolicy, Target

PriorityName = Literal["low", "normal", "high", "urgent"]
Minutes = Annotated[int, Field(ge=1, le=365 * 24 * 60)]
_DEFAULT = ServicePolicy()


class CategoryGiven(Contract):
    """`offered`: customers choose it on their page."""

    code: Slug
    offered: bool = True


class TargetGiven(Contract):
    """Minutes of open hours. Without a category or a priority it is for any."""

    category: Slug | Literal[""] = ""
    priority: PriorityName | Literal[""] = ""
    first_answer: Minutes
    resolution: Minutes


def _categories() -> list[CategoryGiven]:
    return [CategoryGiven(code=each.code, offered=each.offered) for each in CATEGORIES]


def _targets() -> list[TargetGiven]:
    return [TargetGiven.model_validate(asdict(each)) for each in _DEFAULT.targets]


class ServicePolicyGiven(Contract):
    """The clock counts in the `opening` hours, always where there are none, and not on
    `holidays`."""

    categories: Annotated[list[CategoryGiven], Field(min_length=1, max_length=100)] = Field(
        default_factory=_categories
    )
    targets: Annotated[list[TargetGiven], Field(max_length=500)] = Field(default_factory=_targets)
    time_zone: TimeZone = "UTC"
    opening: Annotated[list[OpeningGiven], Field(max_length=100)] = Field(default_factory=list)
    holidays: Annotated[list[Day], Field(max_length=MAX_DAYS_OFF)] = Field(default_factory=list)
    close_after_days: Annotated[int, Field(ge=1, le=365)] = _DEFAULT.close_after_days
    most_open: Annotated[int, Field(ge=1, le=100)] = _DEFAULT.most_open
    mail_category: Slug = _DEFAULT.mail_category

    def faults(self) -> Iterator[Fault]:
        known = {each.code for each in self.categories}
        for place in repeats(each.code for each in self.categories):
            yield Fault(f"categories[{place}].code", "is given twice")
        for place, each in enumerate(self.targets):
            if each.category and each.category not in known:
                yield Fault(f"targets[{place}].category", f"{each.category} is no category")
        for place in repeats((each.category, each.priority) for each in self.targets):
            yield Fault(f"targets[{place}]", "is for the category and priority of another one")
        for place, hours in enumerate(self.opening):
            if minutes(hours.opens) >= minutes(hours.closes):
                yield Fault(f"opening[{place}]", "closes before it opens")
        if self.mail_category not in known:
            yield Fault("mail_category", f"{self.mail_category} is no category")

    def document(self) -> ServicePolicy:
        return ServicePolicy(
            tuple(Category(each.code, each.offered) for each in self.categories),
            tuple(
                Target(each.category, each.priority, each.first_answer, each.resolution)
                for each in self.targets
            ),
            self.time_zone,
            tuple(Hours(each.weekday, each.opens, each.closes) for each in self.opening),
            tuple(sorted(set(self.holidays))),
            self.close_after_days,
            self.most_open,
            self.mail_category,
        )

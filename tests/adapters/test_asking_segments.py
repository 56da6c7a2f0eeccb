"""Orders whose rules ask for segments: nothing is read where none does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from oms.adapters.hold_rules import HoldRules
from oms.adapters.routing.knowledge import Knowledge
from oms.contracts.api.routing import WhenGiven
from oms.contracts.api.screening import HoldPolicyGiven
from oms.domain.routing.rules import Rule, RuleSet, When
from oms.domain.screening import HoldPolicy
from tests.functions.world import an_order, now


@dataclass
class Asked:
    names: tuple[str, ...] = ("abusers",)
    of: list[str] = field(default_factory=list)

    def __call__(self, customer_id: str) -> tuple[str, ...]:
        self.of.append(customer_id)
        return self.names


def held(asked: Asked, *segments: str) -> list[str]:
    when = {"segments": [*segments]} if segments else {"channels": ["till"]}
    rule: dict[str, Any] = {"name": "watch", "when": when, "then": {"type": "fraud"}}
    policy: HoldPolicy = HoldPolicyGiven.read({"rules": [rule]}).document()
    rules = HoldRules(lambda: policy, lambda *_: (), asked)
    return [each.type for each in rules.holds(an_order(), "cus_ada", now())]


def test_a_hold_rule_asks_for_segments_only_where_it_names_some() -> None:
    asked = Asked()
    assert held(asked) == []
    assert asked.of == []
    assert held(asked, "abusers") == ["fraud"]
    assert held(asked, "vips") == []
    assert asked.of == ["cus_ada", "cus_ada"]


def test_a_rule_set_asks_for_segments_only_where_a_rule_names_some() -> None:
    asked: Any = Asked()
    unused: Any = None
    known = Knowledge(unused, unused, unused, asked)
    plain = RuleSet("plain", 1, rules=(Rule("all"),))
    theirs = RuleSet("theirs", 1, rules=(Rule("vips", When(segments=("vips",))),))

    assert known.segments_for(plain, "cus_ada") == ()
    assert asked.of == []
    assert known.segments_for(theirs, "cus_ada") == ("abusers",)
    assert WhenGiven.read({"segments": ["vips"]}).segments == ["vips"]

"""Answers that are written once: their blanks are filled when one is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Formatter

from oms.domain.errors import Refused

BLANKS = frozenset({"customer_name", "order_number", "reference", "tracking_page"})
DEFAULT = "en"


@dataclass(frozen=True, slots=True)
class Wording:
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class CannedAnswer:
    """`category`: of the inquiries that it is for; empty: of all."""

    answer_id: str
    title: str
    wordings: tuple[Wording, ...]
    category: str = ""

    def wording(self, language: str) -> str:
        """In that language, else in English, else in the first that there is."""
        known = {each.language: each.text for each in self.wordings}
        return known.get(language) or known.get(DEFAULT) or self.wordings[0].text


@dataclass(frozen=True, slots=True)
class CannedAnswers:
    answers: tuple[CannedAnswer, ...] = ()

    def with_answer(self, answer: CannedAnswer) -> CannedAnswers:
        others = (each for each in self.answers if each.answer_id != answer.answer_id)
        return CannedAnswers(tuple(sorted((*others, answer), key=lambda each: each.answer_id)))


def faults_of(text: str) -> Iterator[str]:
    """What is wrong with its blanks: `{name}`, each of a name that is known, and nothing more."""
    try:
        for _, name, form, conversion in Formatter().parse(text):
            if name is not None and (name not in BLANKS or form or conversion):
                yield f"{{{name}}} is none of {', '.join(sorted(BLANKS))}"
    except ValueError:
        yield "has a brace that is not closed; a brace itself is written twice"


def filled(text: str, values: Mapping[str, str]) -> str:
    """`Refused` where nothing is known for one of its blanks."""
    for _, name, _, _ in Formatter().parse(text):
        if name is not None and not values.get(name):
            raise Refused(f"nothing is known for {{{name}}}")
    return text.format_map(values)

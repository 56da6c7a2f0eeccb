"""Canned answers: texts with blanks, in languages, kept as a policy in versions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from oms.adapters.policies_table import PoliciesTable, policies_table
from oms.domain.errors import Conflict, NotFound, Refused
from oms.domain.inquiries.canned import CannedAnswer, CannedAnswers

NAME = "canned_answers"
TRIES = 3
MOST = 300


@dataclass(frozen=True, slots=True)
class CannedAnswersTable:
    policies: PoliciesTable

    def all(self) -> CannedAnswers:
        return self.policies.newest(NAME, CannedAnswers).document

    def get(self, answer_id: str) -> CannedAnswer:
        found = next((each for each in self.all().answers if each.answer_id == answer_id), None)
        if found is None:
            raise NotFound("canned answer", answer_id)
        return found

    def put(self, answer: CannedAnswer, at: datetime, actor: str) -> None:
        """In the place of the one of its id; others that are changed at the same time stay."""
        for attempt in range(TRIES):
            saved = self.policies.newest(NAME, CannedAnswers)
            if answer in saved.document.answers:
                return
            document = saved.document.with_answer(answer)
            if len(document.answers) > MOST:
                raise Refused(f"{MOST} canned answers are kept")
            try:
                self.policies.save(NAME, document, expected=saved.version, at=at, actor=actor)
            except Conflict:
                if attempt == TRIES - 1:
                    raise
            else:
                return


@cache
def canned_answers() -> CannedAnswersTable:
    return CannedAnswersTable(policies_table())

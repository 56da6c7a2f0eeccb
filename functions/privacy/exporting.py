"""Everything about a person in two files, which are deleted after some days."""

from __future__ import annotations

import json
from datetime import datetime

from functions.privacy.desk import Desk
from functions.privacy.gathering import Sources, gathered
from functions.privacy.readable import page
from oms.adapters.person_rows import Export
from oms.domain.errors import NotFound
from oms.domain.ids import name_of

FOLDER = "exports"


def export(desk: Desk, sources: Sources, customer_id: str, *, at: datetime, actor: str) -> Export:
    """The files' names begin with the day on which they are deleted."""
    found = gathered(desk, sources, customer_id, at)
    root = found["customer_id"]
    if not any((found["orders"], found["other_contacts"], found["inquiries"], _known(found))):
        raise NotFound("customer", customer_id)
    until = desk.policy.export_until(at)
    export_id = f"exp_{name_of('export', root, at.isoformat(), actor)}"
    start = f"{FOLDER}/{until:%Y-%m-%d}/{root}/{export_id}"
    texts = {
        f"{start}.json": json.dumps(found, indent=1, ensure_ascii=False),
        f"{start}.html": page(found),
    }
    made = Export(export_id, actor, at, until, tuple(texts))
    desk.rows.note_export(root, made)
    for name, text in texts.items():
        desk.files.write(name, [text.encode()])
    return made


def _known(found: dict[str, object]) -> bool:
    profiles = found["profiles"]
    assert isinstance(profiles, list)
    return any(profile.get(kind) for profile in profiles for kind in ("names", "emails", "phones"))

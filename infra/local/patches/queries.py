"""A query looks at the rows that its sort key's beginning allows, as an ordered store does.

Unpatched: the key condition is parsed and evaluated for every row of the partition, which makes a
query of a stock item slower with each movement that it ever had.
"""

import re
from collections.abc import Mapping
from typing import Any

from ministack.services import dynamodb

from infra.local.patches.source import edit

BEGINNING = re.compile(r"begins_with\s*\(\s*[\w#]+\s*,\s*(:\w+)\s*\)")


def apply() -> None:
    dynamodb._possible_rows = possible_rows
    edit(
        dynamodb,
        "_query",
        "50c2e7ec69e9",
        (
            'candidates = list(table["items"].get(pk_val, {}).values())',
            'candidates = _possible_rows(table["items"].get(pk_val, {}), key_cond, eav)',
        ),
    )


def possible_rows(rows: Mapping[str, Any], condition: str, values: Mapping[str, Any]) -> list[Any]:
    """By sort key; the condition itself is evaluated for these as ever."""
    found = BEGINNING.search(condition or "")
    prefix = values.get(found[1], {}).get("S") if found else None
    if prefix is None:
        return list(rows.values())
    return [row for sort, row in rows.items() if str(sort).startswith(prefix)]

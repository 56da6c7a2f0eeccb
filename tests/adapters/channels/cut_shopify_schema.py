"""Cuts Shopify's published Admin schema down to what our queries speak of.

The npm package @shopify/dev-mcp (ISC licence) brings the introspection of each version as
`dist/data/admin_<version>.json.gz`. To take over another version: change VERSION, then

    python -m tests.adapters.channels.cut_shopify_schema admin_<version>.json.gz

writes tests/contracts/channels/shopify/admin.graphql. What a query asks for and the published
schema does not know is an error here.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_client_schema,
    get_named_type,
    is_composite_type,
    is_leaf_type,
    parse,
    validate,
    visit,
)
from graphql.utilities.print_schema import print_type

from oms.adapters.channels.shopify_queries import DOCUMENTS, VERSION

SCHEMA = Path(__file__).parents[2] / "contracts/channels/shopify/admin.graphql"
BUILT_IN = frozenset({"String", "Int", "Float", "Boolean", "ID"})


class Used(Visitor):
    """Fields by their types, and the types that are named."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info, self.fields = info, defaultdict[str, set[str]](set)

    def enter_field(self, *_: Any) -> None:
        parent, field = self.info.get_parent_type(), self.info.get_field_def()
        if parent is not None and field is not None and field.ast_node is None:
            self.fields[parent.name].add(self._name(field))
            if is_composite_type(of := get_named_type(field.type)):
                self.fields[of.name] |= set()

    def enter_inline_fragment(self, *_: Any) -> None:
        if (found := self.info.get_type()) is not None:
            self.fields[get_named_type(found).name] |= set()

    def _name(self, field: Any) -> str:
        parent: Any = self.info.get_parent_type()
        return next(str(name) for name, each in parent.fields.items() if each is field)


def used(schema: GraphQLSchema) -> dict[str, set[str]]:
    fields: dict[str, set[str]] = defaultdict(set)
    for document in map(parse, DOCUMENTS):
        if errors := validate(schema, document):
            raise SystemExit("\n".join(map(str, errors)))
        info = TypeInfo(schema)
        found = Used(info)
        visit(document, TypeInfoVisitor(info, found))
        for name, names in found.fields.items():
            fields[name] |= names
    return fields


def inputs(schema: GraphQLSchema, fields: dict[str, set[str]]) -> set[str]:
    """Types of all arguments and of what those hold, and of the fields that are leaves."""
    reached, todo = set[str](), list[Any]()
    for name, names in fields.items():
        for each in names:
            field = schema.type_map[name].fields[each]  # type: ignore[attr-defined]
            todo += [field.type, *(arg.type for arg in field.args.values())]
    while todo:
        found = get_named_type(todo.pop())
        if found.name in reached or found.name in fields:
            continue
        reached.add(found.name)
        if isinstance(found, GraphQLInputObjectType):
            todo += [each.type for each in found.fields.values()]
    return reached - BUILT_IN


def plain(each: Any) -> tuple[str, Any]:
    """Some field of a type that is only asked for what it can be."""
    for name, field in each.fields.items():
        of = get_named_type(field.type)
        if is_leaf_type(of) and of.name in BUILT_IN:
            return name, field
    raise SystemExit(f"{each.name} has no plain field")


def bare(each: Any) -> Any:
    """Without what it says of itself."""
    for holder in (each, *getattr(each, "fields", {}).values()):
        holder.description = None
        holder.deprecation_reason = None
        for arg in getattr(holder, "args", {}).values():
            arg.description = arg.deprecation_reason = None
    if isinstance(each, GraphQLEnumType):
        for value in each.values.values():
            value.description = value.deprecation_reason = None
    return each


def cut(schema: GraphQLSchema, fields: dict[str, set[str]]) -> str:
    """Interfaces first: what implements them takes their fields over."""
    named = sorted({*fields, *inputs(schema, fields)})
    types: list[Any] = [schema.type_map[name] for name in named]
    for each in sorted(types, key=lambda x: not isinstance(x, GraphQLInterfaceType)):
        if isinstance(each, GraphQLObjectType | GraphQLInterfaceType):
            narrow(each, fields)
        elif isinstance(each, GraphQLUnionType):
            each.types = tuple(x for x in each.types if x.name in fields)
    return "\n\n".join(print_type(bare(each)) for each in types)


def narrow(each: Any, fields: dict[str, set[str]]) -> None:
    kept = {k: v for k, v in each.fields.items() if k in fields[each.name]}
    each.interfaces = tuple(x for x in each.interfaces if x.name in fields)
    inherited = {k for interface in each.interfaces for k in interface.fields}
    kept |= {k: each.fields[k] for k in sorted(inherited)}
    each.fields = kept or dict([plain(each)])


def main() -> None:
    published = json.loads(gzip.decompress(Path(sys.argv[1]).read_bytes()))
    schema = build_client_schema(published.get("data", published))
    said = f"# Shopify's Admin schema {VERSION}, cut to what is asked of it here; not edited.\n\n"
    roots = "schema {\n  query: QueryRoot\n  mutation: Mutation\n}\n\n"
    directive = "directive @idempotent(key: String!) on FIELD\n\n"
    SCHEMA.write_text(said + roots + directive + cut(schema, used(schema)) + "\n")


if __name__ == "__main__":
    main()

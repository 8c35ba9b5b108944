"""The catalog: what the shop sells. Edited as a whole under one revision, read by settling and by doors.

An item is a kind, an id and a body (JSON): what is known of it. What an edit leaves out stays as it was, what it tells
as None is taken away. Edits come one after the other, each in its own transaction, so whoever sees a revision sees
every item of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, LiteralString

from msgspec import Struct
from psycopg.types.json import Jsonb

from shuke.books.load import REVISION, Connection
from shuke.engine.catalog import Good
from shuke.values.instants import Instant

SKU: Final = "sku"
PRODUCT: Final = "product"
CATEGORY: Final = "category"
BRAND: Final = "brand"
KINDS: Final = (SKU, PRODUCT, CATEGORY, BRAND)

DEPTH_MOST: Final = 12
"""How many categories may lie in each other."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

HOLD: LiteralString = "select revision from catalog for update"

RAISE: LiteralString = "update catalog set revision = %s"

ITEMS: LiteralString = """
    select kind, id, revision, archived_at, body
    from catalog_item join unnest(%s::text[], %s::text[]) as asked (kind, id) using (kind, id)
"""

WRITE: LiteralString = """
    insert into catalog_item (kind, id, revision, archived_at, body)
    select kind, id, %s, archived_at, body
    from unnest(%s::text[], %s::text[], %s::timestamptz[], %s::jsonb[]) as told (kind, id, archived_at, body)
    on conflict (kind, id) do update
    set revision = excluded.revision, archived_at = excluded.archived_at, body = excluded.body
"""

PAGE: LiteralString = """
    select kind, id, revision, archived_at, body from catalog_item
    where kind = %(kind)s and id > %(after)s and (%(archived)s or archived_at is null) and body @> %(told)s
    order by id limit %(most)s
"""

ATTRIBUTES: LiteralString = """
    select distinct name from catalog_item, jsonb_object_keys(body -> 'attributes') as name
    where kind = %s order by name limit %s
"""

# With the revision in the same statement, what is read is known to be of it. An SKU nobody has described is a null.
GOODS: LiteralString = f"""
    select {REVISION}, asked.id, s.body, p.body
    from unnest(%s::text[]) as asked (id)
    left join catalog_item s on s.kind = 'sku' and s.id = asked.id
    left join catalog_item p on p.kind = 'product' and p.id = s.body ->> 'product'
"""

TREE: LiteralString = f"""
    select {REVISION}, c.id, c.body ->> 'parent'
    from (values (1)) as one left join catalog_item c on c.kind = 'category' and c.body ? 'parent'
"""

CHANGED: LiteralString = "select kind, id from catalog_item where revision > %s limit %s"


class Item(Struct):
    """Something of the catalog. ``revision`` is that of the catalog when it last changed."""

    kind: str
    id: str
    revision: int
    archived_at: Instant | None
    body: dict[str, Any]


class Edited(Struct):
    """What an edit came to: how many items it ``made``, ``changed`` and found as they were, and what its items name
    that nobody has described: (kind, id)."""

    revision: int
    made: int = 0
    changed: int = 0
    unchanged: int = 0
    undescribed: list[tuple[str, str]] = []


class Astray(Exception):
    """A category would lie in itself, or more than ``DEPTH_MOST`` deep: ``code`` says which."""

    def __init__(self, code: str, category: str) -> None:
        self.code, self.category = code, category
        super().__init__(f"{category}: {code}")


Told = Mapping[tuple[str, str], Mapping[str, Any]]
"""(kind, id) → what an edit tells; ``archived`` is true or false."""


# -- Edits ------------------------------------------------------------------------------------------------


async def edit(connection: Connection, told: Told, *, at: Instant) -> Edited:
    """Bring the catalog up to what is told, in the transaction at hand. Raises ``Astray``; then nothing may be kept."""
    cursor = await connection.execute(HOLD)
    row = await cursor.fetchone()
    assert row is not None  # made with the table
    edited = Edited(row[0])
    was = {(item.kind, item.id): item for item in await items(connection, list(told))}
    writes = []
    for key, fields in told.items():
        before = was.get(key)
        after = _merged(before, key, fields, at)
        if before is not None and (before.body, before.archived_at) == (after.body, after.archived_at):
            edited.unchanged += 1
            continue
        edited.changed += before is not None
        edited.made += before is None
        writes.append(after)
    if writes:
        edited.revision += 1
        await _write(connection, writes, edited.revision)
        if any(item.kind == CATEGORY for item in writes):
            _, tree = await read_tree(connection)
            for category in tree:
                above(tree, category)
    edited.undescribed = await _undescribed(connection, told)
    return edited


def _merged(before: Item | None, key: tuple[str, str], fields: Mapping[str, Any], at: Instant) -> Item:
    body = dict(before.body) if before is not None else {}
    archived_at = before.archived_at if before is not None else None
    for name, value in fields.items():
        if name == "archived":
            archived_at = (archived_at or at) if value else None
        elif value is None:
            body.pop(name, None)
        else:
            body[name] = value
    return Item(*key, 0, archived_at, body)


async def _write(connection: Connection, writes: Sequence[Item], revision: int) -> None:
    arguments = (
        revision,
        [item.kind for item in writes],
        [item.id for item in writes],
        [None if item.archived_at is None else _EPOCH + timedelta(microseconds=item.archived_at) for item in writes],
        [Jsonb(item.body) for item in writes],
    )
    await connection.execute(WRITE, arguments)
    await connection.execute(RAISE, (revision,))


def above(tree: Mapping[str, str], category: str) -> list[str]:
    """The categories that ``category`` lies in, the nearest first; ``tree`` maps each to the one it lies in.

    Raises ``Astray``.
    """
    found: list[str] = []
    at = tree.get(category)
    while at is not None:
        if at == category or at in found:
            raise Astray("category_in_itself", category)
        found.append(at)
        if len(found) >= DEPTH_MOST:
            raise Astray("category_too_deep", category)
        at = tree.get(at)
    return found


_NAMES: Final = (("product", PRODUCT), ("category", CATEGORY), ("brand", BRAND), ("parent", CATEGORY))


async def _undescribed(connection: Connection, told: Told) -> list[tuple[str, str]]:
    named = {
        (kind, fields[name])
        for fields in told.values()
        for name, kind in _NAMES
        if fields.get(name) is not None and (kind, fields[name]) not in told
    }
    known = {(item.kind, item.id) for item in await items(connection, list(named))} if named else set()
    return sorted(named - known)


# -- Reading ----------------------------------------------------------------------------------------------


async def items(connection: Connection, keys: Sequence[tuple[str, str]]) -> list[Item]:
    """The items with these (kind, id), as far as there are any."""
    cursor = await connection.execute(ITEMS, ([kind for kind, _ in keys], [id_ for _, id_ in keys]))
    return [_item(*row) for row in await cursor.fetchall()]


async def page(
    connection: Connection,
    kind: str,
    *,
    after: str,
    most: int,
    archived: bool = False,
    told: Mapping[str, str] | None = None,
) -> list[Item]:
    """Items of one kind in the order of their ids, those after ``after``; ``archived`` ones only if asked for, and
    only those of which all of ``told`` is known."""
    asked = {"kind": kind, "after": after, "most": most, "archived": archived, "told": Jsonb(dict(told or {}))}
    cursor = await connection.execute(PAGE, asked)
    return [_item(*row) for row in await cursor.fetchall()]


async def attributes_of(connection: Connection, kind: str, *, most: int) -> list[str]:
    """The names of the attributes that items of a kind have, in order, not more than ``most``."""
    cursor = await connection.execute(ATTRIBUTES, (kind, most))
    return [name for (name,) in await cursor.fetchall()]


def _item(kind: str, id_: str, revision: int, archived_at: datetime | None, body: dict[str, Any]) -> Item:
    at = None if archived_at is None else (archived_at - _EPOCH) // timedelta(microseconds=1)
    return Item(kind, id_, revision, at, body)


# -- Reading for settling ---------------------------------------------------------------------------------


async def read_goods(connection: Connection, skus: Sequence[str]) -> tuple[int, dict[str, Good | None]]:
    """The revision, and what the catalog says of these SKUs at it; None of those nobody has described."""
    cursor = await connection.execute(GOODS, (list(skus),), prepare=True)
    rows = await cursor.fetchall()
    return rows[0][0], {sku: None if body is None else good_of(body, product) for _, sku, body, product in rows}


def good_of(body: Mapping[str, Any], product: Mapping[str, Any] | None) -> Good:
    """An SKU is what it says itself, else what its product says; tags and attributes of both are its own."""
    of = product or {}
    attributes = {**of.get("attributes", {}), **body.get("attributes", {})}
    return Good(
        body.get("category", of.get("category")),
        body.get("brand", of.get("brand")),
        body.get("product"),
        body.get("cost"),
        body.get("list_price"),
        list(dict.fromkeys([*of.get("tags", ()), *body.get("tags", ())])) or None,
        attributes or None,
    )


async def read_tree(connection: Connection) -> tuple[int, dict[str, str]]:
    """The revision, and for each category that lies in another, in which."""
    cursor = await connection.execute(TREE, prepare=True)
    rows = await cursor.fetchall()
    return rows[0][0], {id_: parent for _, id_, parent in rows if id_ is not None}


async def changed_since(connection: Connection, revision: int, *, most: int) -> list[tuple[str, str]]:
    """(kind, id) of what changed behind ``revision``, not more than ``most`` of it."""
    cursor = await connection.execute(CHANGED, (revision, most), prepare=True)
    return await cursor.fetchall()

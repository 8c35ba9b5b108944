"""What this process remembers of the catalog, right after every edit.

Settling reads the catalog's revision together with the members. Where it is the one remembered, an order costs no
query: its SKUs are looked up here, and those met for the first time are fetched for the whole batch at once. Where it
is not, what changed since is forgotten. A view is of one revision and never changes its mind, so an order is never
described half by one edit and half by the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from shuke.books import catalog
from shuke.books.catalog import PRODUCT, SKU
from shuke.books.load import Connection
from shuke.engine.activity import Line
from shuke.engine.catalog import Catalogued, Good
from shuke.values.names import composed

MOST: Final = 100_000
"""SKUs remembered by one process, some hundred bytes each. Beyond it starts with none again."""

CHANGED_MOST: Final = 10_000
"""Where so much has changed, everything is forgotten: looking it up again is cheaper."""


class View:
    """The catalog at one revision, as far as it was asked for."""

    __slots__ = ("_above", "_tree", "goods", "revision")

    def __init__(self, revision: int, tree: dict[str, str], goods: dict[str, Good | None]) -> None:
        self.revision = revision
        self.goods = goods
        self._tree = tree
        self._above: dict[str, list[str]] = {}

    def of(self, lines: Sequence[Line]) -> Catalogued | None:
        """What the catalog says of the goods in these lines; None where it says nothing."""
        found = Catalogued()
        for line in lines:
            sku, category = line.sku, line.category
            if sku is not None:
                good = self.goods.get(composed(sku))
                if good is not None:
                    found.goods[sku] = good
                    if category is None:
                        category = good.category
            if category is not None and (known := composed(category)) in self._tree:
                found.above[category] = self._above_of(known)
        return None if found.is_empty else found

    def _above_of(self, category: str) -> list[str]:
        found = self._above.get(category)
        if found is None:
            found = self._above[category] = catalog.above(self._tree, category)
        return found


class Goods:
    """What one process remembers of one tenant's catalog."""

    def __init__(self, *, most: int = MOST, changed_most: int = CHANGED_MOST) -> None:
        self._view = View(0, {}, {})
        self._most, self._changed_most = most, changed_most

    def __len__(self) -> int:
        """How many SKUs are remembered."""
        return len(self._view.goods)

    async def view(self, connection: Connection, revision: int, bought: Iterable[Sequence[Line]]) -> View:
        """The catalog, at ``revision`` or a later one, with the goods that are ``bought``."""
        skus = {composed(line.sku) for lines in bought for line in lines if line.sku is not None}
        view = self._view
        while True:
            if view.revision < revision:
                view = await self._renewed(connection, view)
            missing = [sku for sku in skus if sku not in view.goods]
            if not missing:
                return view
            revision, found = await catalog.read_goods(connection, missing)
            if revision == view.revision:
                if len(view.goods) + len(found) > self._most:
                    view = View(revision, view._tree, {sku: view.goods[sku] for sku in skus if sku in view.goods})
                    self._keep(view)
                view.goods.update(found)

    async def _renewed(self, connection: Connection, old: View) -> View:
        """The catalog as it is now, with what has not changed since ``old``."""
        revision, tree = await catalog.read_tree(connection)
        goods: dict[str, Good | None] = {}
        if old.goods:
            changed = await catalog.changed_since(connection, old.revision, most=self._changed_most)
            if len(changed) < self._changed_most:
                skus = {id_ for kind, id_ in changed if kind == SKU}
                products = {id_ for kind, id_ in changed if kind == PRODUCT}
                goods = {
                    sku: good
                    for sku, good in old.goods.items()
                    if sku not in skus and (good is None or good.product not in products)
                }
        view = View(revision, tree, goods)
        self._keep(view)
        return view

    def _keep(self, view: View) -> None:
        if view.revision >= self._view.revision:
            self._view = view

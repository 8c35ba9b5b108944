"""The catalog while orders are settled: right after an edit, in every process, and again when the log is proved."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from shuke.books import catalog
from shuke.books.catalog import BRAND, CATEGORY, PRODUCT, SKU, Astray, Edited
from shuke.engine.activity import UNPRICED, Line, Purchase
from shuke.engine.cart import Quote
from shuke.engine.catalog import Catalogued, Good
from shuke.engine.effects import Refused
from shuke.runtime.goods import Goods
from shuke.runtime.quotes import Quotes
from shuke.runtime.settle import Settler
from tests.shop import COFFEE, NOON, Shop, open_shop, order, told

pytestmark = pytest.mark.database

PROGRAM = COFFEE + "  - {id: more, asset: points, lines: line.categories has drinks, give: {fixed: 100}}\n"


@pytest.fixture
async def shop(books_url: str, tenant: str) -> AsyncIterator[Shop]:
    async with open_shop(books_url, tenant=tenant, program=PROGRAM) as opened:
        yield opened


async def edit(shop: Shop, told: Mapping[tuple[str, str], Mapping[str, Any]]) -> Edited:
    async with shop.connections.connection() as connection:
        return await catalog.edit(connection, told, at=NOON)


TEA = {
    (CATEGORY, "tea"): {"name": "Tea", "parent": "drinks"},
    (PRODUCT, "oolong"): {"category": "tea", "brand": "Hill", "tags": ["leaf"], "attributes": {"roast": "dark"}},
    (SKU, "T1"): {"product": "oolong", "cost": 320, "list_price": 900, "tags": ["new"], "attributes": {"size": "100"}},
}


async def kept(shop: Shop, order_id: str) -> Any:
    """What is kept of the catalog beside the order's activity."""
    [(context,)] = await shop.rows("select context from activity where key = %s", (order_id,))
    return None if context is None else context["catalog"]


async def points(shop: Shop, settler: Settler, order_id: str, *lines: Line) -> int:
    """What an order earns; whoever settles it is told."""
    before = await shop.available("ann")
    [answer] = await settler.settle([order("ann", order_id, *lines)])
    assert answer.status == "settled"
    return await shop.available("ann") - before


async def test_an_edit_is_right_for_the_next_order_in_every_process(shop: Shop):
    other = Settler(shop.connections)  # what another process has: a memory of its own
    tea = Line(800, sku="T1")
    assert await points(shop, other, "o1", tea) == 8
    assert await points(shop, shop.settler, "o2", tea) == 8
    await edit(shop, TEA)
    assert await points(shop, other, "o3", tea) == 108
    await edit(shop, {(SKU, "T1"): {"category": "cups"}})
    assert await points(shop, other, "o4", tea) == 8
    await edit(shop, {(SKU, "T1"): {"category": None}})
    assert await points(shop, shop.settler, "o5", tea) == 108
    assert await points(shop, other, "o6", tea) == 108
    await edit(shop, {(CATEGORY, "tea"): {"parent": None}})
    assert await points(shop, other, "o7", tea) == 8
    await edit(shop, {(CATEGORY, "tea"): {"parent": "drinks"}})
    await edit(shop, {(PRODUCT, "oolong"): {"category": "cups"}})
    assert await points(shop, other, "o8", tea) == 8
    assert await shop.findings() == []


async def test_what_the_catalog_said_is_kept_and_the_log_settles_again_after_it_has_changed(shop: Shop):
    await edit(shop, TEA)
    await shop.settle(order("ann", "o1", Line(800, sku="T1"), Line(500, sku="X"), Line(100, category="tea")))
    await edit(shop, {key: dict.fromkeys(fields) | {"archived": True} for key, fields in TEA.items()})
    await shop.settle(order("ann", "o2", Line(800, sku="T1")))
    assert await kept(shop, "o1") == {
        "goods": {
            "T1": {
                "category": "tea",
                "brand": "Hill",
                "product": "oolong",
                "cost": 320,
                "list_price": 900,
                "tags": ["leaf", "new"],
                "attributes": {"roast": "dark", "size": "100"},
            }
        },
        "above": {"tea": ["drinks"]},
    }
    assert await kept(shop, "o2") == {"goods": {"T1": {}}}
    assert await shop.available("ann") == 14 + 100 + 8
    assert await shop.findings() == []


async def test_what_is_kept_of_the_catalog_is_proved(shop: Shop):
    await edit(shop, TEA)
    await shop.settle(order("ann", "o1", Line(800, sku="T1")))
    found = await shop.findings(after="update activity set context = null where key = 'o1'")
    assert [finding.code for finding in found][:1] == ["replay_answer"]


async def test_nothing_is_kept_where_the_catalog_says_nothing(shop: Shop):
    await shop.settle(order("ann", "o1", Line(800, sku="T1")))
    await edit(shop, TEA)
    await shop.settle(order("ann", "o2", Line(800, sku="X1"), Line(100)), told("checked_in", "ann", key="c1"))
    assert await shop.rows("select key from activity where context is not null") == []


async def test_a_repeat_after_an_edit_gets_the_first_answer(shop: Shop):
    await edit(shop, TEA)
    asked = order("ann", "o1", Line(800, sku="T1"))
    [first] = await shop.settle(asked)
    await edit(shop, {(SKU, "T1"): {"category": "cups"}})
    [again] = await Settler(shop.connections).settle([asked])
    assert again.repeated
    assert again.body == first.body


async def test_a_cart_is_quoted_at_the_catalogs_prices(shop: Shop):
    await edit(shop, TEA)
    quotes = Quotes(shop.connections, shop.settler)
    cart = Purchase("c1", [Line(UNPRICED, 2, "T1")], priced=False)
    found = (await quotes.of(cart, member_id=None, at=NOON)).quote
    assert isinstance(found, Quote)
    assert found.payable == 1800
    await edit(shop, {(SKU, "T1"): {"list_price": None}})
    refused = (await quotes.of(cart, member_id="ann", at=NOON)).quote
    assert refused == Refused("price_unknown", {"line": 1, "sku": "T1"})


async def test_an_sku_is_one_however_unicode_writes_it(shop: Shop):
    await edit(shop, {**TEA, (SKU, "caf\u00e9"): {"category": "tea"}})
    assert await points(shop, shop.settler, "o1", Line(100, sku="cafe\u0301")) == 101
    assert await shop.findings() == []


async def test_the_books_agree_when_somebody_is_erased_whose_orders_the_catalog_described(shop: Shop):
    await edit(shop, TEA)
    await shop.settle(order("ann", "o1", Line(800, sku="T1", attributes={"engraved": "for Ann"})))
    [answer] = await shop.settle(told("member.erased", "ann", key="e1"))
    assert answer.status == "settled"
    assert (await kept(shop, "o1"))["goods"]["T1"]["category"] == "tea"
    assert await shop.findings() == []


# -- Memory -----------------------------------------------------------------------------------------------


async def seen(shop: Shop, goods: Goods, *skus: str, revision: int) -> Catalogued | None:
    lines = [Line(1, sku=sku) for sku in skus]
    async with shop.connections.connection() as connection:
        return (await goods.view(connection, revision, [lines])).of(lines)


async def test_a_view_is_of_one_revision_also_where_an_edit_comes_between(shop: Shop):
    goods = Goods()
    made = await edit(shop, {(SKU, "A"): {"brand": "1"}, (SKU, "B"): {"brand": "1"}})
    await seen(shop, goods, "A", revision=made.revision)
    await edit(shop, {(SKU, "A"): {"brand": "2"}, (SKU, "B"): {"brand": "2"}})
    both = await seen(shop, goods, "A", "B", revision=made.revision)  # as read before the edit
    assert both == Catalogued({"A": Good(brand="2"), "B": Good(brand="2")})


async def test_an_older_revision_than_is_remembered_is_no_reason_to_forget(shop: Shop):
    goods = Goods()
    first = await edit(shop, {(SKU, "A"): {"brand": "1"}})
    second = await edit(shop, {(SKU, "A"): {"brand": "2"}})
    assert await seen(shop, goods, "A", revision=second.revision) == Catalogued({"A": Good(brand="2")})
    assert await seen(shop, goods, "A", revision=first.revision) == Catalogued({"A": Good(brand="2")})


async def test_memory_is_bounded(shop: Shop):
    goods = Goods(most=3)
    skus = [f"S{number}" for number in range(8)]
    revision = (await edit(shop, {(SKU, sku): {"brand": sku} for sku in skus})).revision
    for first in range(0, 8, 2):
        pair = skus[first : first + 2]
        assert await seen(shop, goods, *pair, "none", revision=revision) == Catalogued(
            {sku: Good(brand=sku) for sku in pair}
        )
        assert len(goods) <= 3


async def test_after_more_edits_than_are_worth_reading_everything_is_looked_up_again(shop: Shop):
    goods = Goods(changed_most=2)
    revision = (await edit(shop, {(SKU, sku): {"brand": "1"} for sku in "ABC"})).revision
    await seen(shop, goods, *"ABC", revision=revision)
    revision = (await edit(shop, {(SKU, sku): {"brand": "2"} for sku in "ABC"})).revision
    assert await seen(shop, goods, *"ABC", revision=revision) == Catalogued({sku: Good(brand="2") for sku in "ABC"})


# -- Edits ------------------------------------------------------------------------------------------------


async def test_an_edit_says_what_it_came_to(shop: Shop):
    assert await edit(shop, TEA) == Edited(1, made=3, undescribed=[(BRAND, "Hill"), (CATEGORY, "drinks")])
    again = {**TEA, (SKU, "T1"): {"cost": 330}, (BRAND, "Hill"): {"name": "Hill Farm"}}
    assert await edit(shop, again) == Edited(2, made=1, changed=1, unchanged=2, undescribed=[(CATEGORY, "drinks")])
    assert await edit(shop, {(SKU, "T1"): {"cost": 330}}) == Edited(2, unchanged=1)


async def test_what_is_left_out_stays_and_null_takes_it_away(shop: Shop):
    await edit(shop, TEA)
    await edit(shop, {(SKU, "T1"): {"cost": None, "list_price": 950}})
    async with shop.connections.connection() as connection:
        [item] = await catalog.items(connection, [(SKU, "T1")])
    assert item.body == {"product": "oolong", "list_price": 950, "tags": ["new"], "attributes": {"size": "100"}}


@pytest.mark.parametrize(
    ("parents", "code"),
    [
        ({"a": "a"}, "category_in_itself"),
        ({"a": "b", "b": "c", "c": "a"}, "category_in_itself"),
        ({f"c{number}": f"c{number + 1}" for number in range(12)}, "category_too_deep"),
    ],
)
async def test_categories_are_a_tree(shop: Shop, parents: dict[str, str], code: str):
    with pytest.raises(Astray) as astray:
        await edit(shop, {(CATEGORY, id_): {"parent": parent} for id_, parent in parents.items()})
    assert astray.value.code == code
    assert await shop.rows("select revision from catalog") == [(0,)]


async def test_moving_a_branch_may_not_make_it_too_deep(shop: Shop):
    chain = {(CATEGORY, f"c{number}"): {"parent": f"c{number + 1}"} for number in range(8)}
    await edit(shop, {**chain, (CATEGORY, "x"): {"parent": "y"}, (CATEGORY, "y"): {"parent": "z"}})
    with pytest.raises(Astray):
        await edit(shop, {(CATEGORY, "c8"): {"parent": "x"}, (CATEGORY, "z"): {"parent": "q"}})

"""Lines that take over what the catalog says of their SKU."""

from typing import Any

import pytest

from shuke.engine import activity as of
from shuke.engine.activity import UNPRICED, Activity, Line, Purchase
from shuke.engine.cart import Quote
from shuke.engine.catalog import Catalogued, Good
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.effects import Refused
from shuke.engine.member import Member
from shuke.engine.quote import quote
from shuke.engine.step import step
from shuke.engine.turn import Context
from shuke.program.document import from_data
from tests.engine.till import NOON, at, program

OOLONG = Good(
    category="oolong", brand="Hill", product="tea", cost=320, list_price=900, tags=["new"], attributes={"roast": "dark"}
)
CATALOG = Catalogued({"T1": OOLONG, "CUP": Good(category="cups")}, {"oolong": ["tea", "drinks"], "tea": ["drinks"]})


def filled(line: Line, *, priced: bool = True) -> Line:
    purchase = Purchase("o1", [line], priced=priced)
    return CATALOG.fill(purchase, scale=2).lines[0]


def told(*lines: Line, **more: Any) -> Activity:
    return Activity(of.ORDER_PAID, "m1", at(NOON), "test", "o1", None, Purchase("o1", list(lines), **more))


def editions(**chapters: Any) -> Editions:
    return Editions([Compiled(from_data(program(**chapters)))])


def earned(rules: list[dict[str, Any]], *lines: Line, catalog: Catalogued | None = CATALOG) -> int:
    """Points that an order of these lines earns."""
    settled = step(editions(earning=rules), Member("m1", 0), told(*lines), Context(catalog=catalog))
    earned: dict[str, int] = settled.answer.get("earned", {})
    return earned.get("points", 0)


def scoped(lines: str, number: int = 0) -> dict[str, Any]:
    return {"id": f"r{number}", "asset": "points", "lines": lines, "give": {"per": {"amount": 1, "points": 1}}}


def test_a_line_that_names_only_its_sku_gets_the_rest_from_the_catalog():
    assert filled(Line(1600, 2, "T1")) == Line(
        1600,
        2,
        "T1",
        "oolong",
        "Hill",
        1800,
        ["new"],
        {"categories": ["oolong", "tea", "drinks"], "product": "tea", "cost": "3.20", "roast": "dark"},
    )


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"category": "gifts"}, {"category": "gifts"}),
        ({"brand": "Own"}, {"brand": "Own"}),
        ({"list_amount": 5000}, {"list_amount": 5000}),
        ({"tags": []}, {"tags": []}),
    ],
)
def test_what_the_caller_tells_wins(said: dict[str, Any], kept: dict[str, Any]):
    line = filled(Line(800, sku="T1", **said))
    assert {name: getattr(line, name) for name in kept} == kept


def test_an_attribute_that_is_told_wins_and_the_others_are_added():
    line = filled(Line(800, sku="T1", attributes={"roast": "light", "cost": "1", "gift": True}))
    assert line.attributes == {
        "categories": ["oolong", "tea", "drinks"],
        "product": "tea",
        "roast": "light",
        "cost": "1",
        "gift": True,
    }


def test_a_category_that_is_told_lies_where_the_catalog_says():
    assert filled(Line(800, category="tea")).attributes == {"categories": ["tea", "drinks"]}
    assert filled(Line(800, sku="T1", category="cups")).attributes == {
        "product": "tea",
        "cost": "3.20",
        "roast": "dark",
    }


@pytest.mark.parametrize("line", [Line(800), Line(800, sku="X9"), Line(800, category="cups")])
def test_a_line_the_catalog_knows_nothing_of_is_left_alone(line: Line):
    assert filled(line) is line


@pytest.mark.parametrize(
    ("condition", "points"),
    [
        ("line.category = oolong", 8),
        ("line.category = drinks", 0),
        ("line.categories has drinks", 8),
        ("line.categories has [cups, tea]", 8),
        ("line.categories has cups", 0),
        ("line.product = tea and line.roast = dark", 8),
        ("line.cost < 4", 8),
        ("line.list_amount > line.amount", 8),
        ("line.tag = new", 8),
    ],
)
def test_conditions_ask_for_what_the_catalog_says(condition: str, points: int):
    assert earned([scoped(condition)], Line(800, sku="T1")) == points


def test_without_a_catalog_the_categories_are_the_one_that_is_told():
    rule = [scoped("line.categories has drinks")]
    assert earned(rule, Line(800, category="drinks"), catalog=None) == 8
    assert earned(rule, Line(800, category="oolong"), catalog=None) == 0
    assert earned(rule, Line(800), catalog=None) == 0


def test_many_scopes_are_looked_up_by_every_category_of_a_line_and_count_it_once():
    others = [scoped(f"line.categories has c{number}", number) for number in range(2, 30)]
    rules = [scoped("line.categories has [drinks, tea]", 0), scoped("line.categories has cups", 1), *others]
    assert earned(rules, Line(800, sku="T1"), Line(500, sku="CUP"), Line(100)) == 8 + 5


# -- Carts ------------------------------------------------------------------------------------------------


def priced(*lines: Line, catalog: Catalogued | None = CATALOG) -> Quote | Refused:
    cart = Purchase("c1", list(lines), priced=False)
    return quote(editions(), None, cart, at=at(NOON), context=Context(catalog=catalog))


def test_a_cart_line_without_a_price_costs_what_the_catalog_says():
    found = priced(Line(UNPRICED, 3, "T1"), Line(450, sku="CUP"))
    assert isinstance(found, Quote)
    assert found.list_amounts == [2700, 450, 0, 0]


def test_a_price_that_is_told_for_a_cart_line_wins():
    found = priced(Line(1000, sku="T1"))
    assert isinstance(found, Quote)
    assert found.amounts == [1000, 0, 0]


@pytest.mark.parametrize("catalog", [CATALOG, None])
def test_a_cart_line_whose_price_nobody_knows_is_refused(catalog: Catalogued | None):
    found = priced(Line(450, sku="T1"), Line(UNPRICED, sku="CUP"), catalog=catalog)
    assert found == Refused("price_unknown", {"line": 2, "sku": "CUP"})


def test_a_cart_beyond_what_every_reader_keeps_exactly_is_refused():
    dear = Catalogued({"X": Good(list_price=10**12)})
    found = priced(Line(UNPRICED, 1_000_000, "X"), catalog=dear)
    assert isinstance(found, Refused)
    assert found.code == "amount_invalid"


def test_a_cart_that_was_held_stays_as_it_was_when_the_catalog_changes():
    shop = editions(earning=[scoped("line.categories has drinks")])
    cart = Purchase("c1", [Line(UNPRICED, 1, "T1")], priced=False)
    hold = Activity(of.CART_HELD, "m1", at(NOON), "test", "h1", {"hold": "h1"}, cart)
    held = step(shop, Member("m1", 0), hold, Context(catalog=CATALOG))
    assert held.refused is None
    paid = told(Line(0, 1, "T1"), hold="h1", priced=False)
    moved = Catalogued({"T1": Good(category="cups", list_price=5000)})
    settled = step(shop, held.member, paid, Context(catalog=moved))
    assert settled.refused is None
    assert (settled.answer["money"], settled.answer["earned"]) == (900, {"points": 9})

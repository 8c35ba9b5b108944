"""Audiences over HTTP: found by a condition, counted, explained, and told what is wrong with one."""

import pytest

from tests.web.conftest import Door

pytestmark = pytest.mark.database


@pytest.fixture
async def people(door: Door):
    for member, tags, city in (("ann", ["vip"], "Taipei"), ("ben", [], "Tainan"), ("cho", [], None)):
        told = {"member_id": member, "tags": tags, "traits": {"city": city} if city else {}}
        assert (await door.post("/v1/members", json=told)).status_code == 201
    for number, amount in enumerate((12_000, 3_000)):
        paid = {"order_id": f"o{number}", "member_id": "ben", "lines": [{"amount": amount}]}
        answer = await door.post("/v1/orders", json=paid)
        assert answer.status_code == 201, answer.text
    return door


async def found(door: Door, condition):
    answer = await door.post("/v1/audiences/search", json={"condition": condition})
    assert answer.status_code == 200, answer.text
    return sorted(item["member_id"] for item in answer.json()["items"])


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("tag vip", ["ann"]),
        ("spend(12 months) >= 150", ["ben"]),
        ("order.paid then order.paid within 1 day", ["ben"]),
        ({"any": ["tag vip", {"term": "trait.city", "not_in": ["Taipei"]}]}, ["ann", "ben"]),
        ({"first": "member.joined", "then_not": "order.paid", "within": "1 hours"}, []),
        ({"term": "member.joined", "op": ">", "value": {"ago": "1 days"}}, ["ann", "ben", "cho"]),
    ],
)
async def test_members_are_found_by_text_and_by_tree(people: Door, condition, ids):
    assert await found(people, condition) == ids


async def test_pages_of_an_audience_follow_each_other_to_the_end(people: Door):
    ids, cursor = [], None
    while True:
        told = {"condition": "member.months = 0", "limit": 1, **({"cursor": cursor} if cursor else {})}
        page = (await people.post("/v1/audiences/search", json=told)).json()
        ids += [item["member_id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(ids) == ["ann", "ben", "cho"]


async def test_a_count_says_whether_it_is_exact(people: Door):
    counted = (await people.post("/v1/audiences/count", json={"condition": "not tag vip"})).json()
    assert {name: counted[name] for name in ("condition", "members", "exact", "looked_at")} == {
        "condition": "not tag vip",
        "members": 2,
        "exact": True,
        "looked_at": 3,
    }


async def test_one_member_is_explained_part_by_part_in_the_callers_language(people: Door):
    told = {"condition": "spend(12 months) >= 200 and trait.city = Tainan"}
    answer = (await people.post("/v1/members/ben/explain", json=told)).json()
    assert (answer["holds"], answer["changes"]) == (False, ["spend(12 months) >= 200: 50 more of spend(12 months)"])
    assert answer["why"]["sentence"] == "1 of 2 hold; all must"
    assert answer["why"]["parts"][0] == {
        "text": "spend(12 months) >= 200",
        "holds": False,
        "sentence": "No: spend(12 months) >= 200. It is 150",
        "seen": "150",
        "wanted": "200",
        "missing": "50",
        "parts": [],
    }
    headers = {"Accept-Language": "zh-TW"}
    answer = (await people.post("/v1/members/cho/explain", json=told, headers=headers)).json()
    assert answer["why"]["parts"][1]["sentence"] == "不符合：trait.city = Tainan（沒有這項資料）"
    assert (await people.post("/v1/members/nobody/explain", json=told)).json()["code"] == "member_unknown"


@pytest.mark.parametrize(
    ("condition", "code", "said"),
    [
        ("spend(12 moons) > 5", "not_a_condition", "(character 10, at 'moons) > 5')"),
        ("order.amount > 5", "no_order", "there is no order where this condition is asked"),
        ("balance(point) > 5", "unknown_asset", "→ points"),
        ({"term": "trait.x", "op": ">", "value": 0.5}, "not_valid", "A value is a number"),
        ({"sometimes": True}, "not_valid", "Write all, any, not, always or term"),
    ],
)
async def test_what_is_wrong_with_a_condition_is_told_with_its_place(people: Door, condition, code, said):
    answer = await people.post("/v1/audiences/search", json={"condition": condition})
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/condition", code)
    assert said in error["detail"]

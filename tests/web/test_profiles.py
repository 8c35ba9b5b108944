"""The profile over HTTP: what is asked, what is known, what is missing, and what is refused in whose language."""

import pytest

from tests.shop import Shop
from tests.web.conftest import Door

pytestmark = pytest.mark.database

PROFILED = """
id: profiled
currency: USD
zone: Asia/Taipei
locales: [en, zh-Hant, zh-Hans]
assets: [{id: points, title: {en: Points, zh-Hant: 點數, zh-Hans: 积分}}]
profile:
  required_identities: [phone]
  traits:
    - id: birthday
      title: {en: Birthday, zh-Hant: 生日, zh-Hans: 生日}
      type: date
      required: true
      change_every: 1 year
    - id: skin
      title: {en: Skin, zh-Hant: 膚質, zh-Hans: 肤质}
      type: choice
      choices:
        - {id: dry, title: {en: Dry, zh-Hant: 乾性, zh-Hans: 干性}}
        - {id: oily, title: {en: Oily, zh-Hant: 油性, zh-Hans: 油性}}
    - {id: grade, title: {en: Grade, zh-Hant: 等第, zh-Hans: 等第}, type: text, changed_by: [merchant]}
earning:
  - {id: thanks, on: profile.completed, asset: points, give: {fixed: 50}}
"""


@pytest.fixture
async def door(serve):
    async with serve(PROFILED) as opened:
        yield opened


async def test_a_form_is_told_what_is_asked_known_and_missing_in_its_language(door: Door):
    await door.post("/v1/members", json={"member_id": "ann", "traits": {"skin": "dry", "other": 1}})
    shown = (await door.get("/v1/members/ann/profile", headers={"Accept-Language": "zh-TW"})).json()
    assert (shown["complete"], shown["completed_at"]) == (False, None)
    assert shown["missing"] == ["traits.birthday", "identities.phone"]
    assert [(one["trait"], one["title"], one["value"]) for one in shown["traits"]] == [
        ("birthday", "生日", None),
        ("skin", "膚質", "dry"),
        ("grade", "等第", None),
    ]
    assert shown["traits"][1]["choices"] == [{"choice": "dry", "title": "乾性"}, {"choice": "oily", "title": "油性"}]
    assert shown["traits"][2]["changed_by"] == ["merchant"]


async def test_completing_the_profile_is_rewarded_once_and_the_books_prove_it(door: Door):
    await door.post("/v1/members", json={"member_id": "ann", "identities": {"phone": "0912345678"}})
    told = {"traits": {"birthday": "1990-02-28"}, "by": "member"}
    for _ in range(2):
        assert (await door.patch("/v1/members/ann", json=told)).status_code == 200
    member = (await door.get("/v1/members/ann")).json()
    assert member["balances"] == {"points": 50}
    shown = (await door.get("/v1/members/ann/profile")).json()
    assert (shown["complete"], shown["missing"]) == (True, [])
    assert shown["completed_at"] is not None
    assert shown["traits"][0]["changeable_at"] is not None
    kinds = [item["type"] for item in (await door.get("/v1/members/ann/activities")).json()["items"]]
    assert kinds.count("profile.completed") == 1
    assert await Shop(door.shop.pool).findings() == []


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        ({"traits": {"birthday": "yesterday"}}, "trait_invalid", "生日必須是日期，例如 1990-02-28。"),
        ({"traits": {"skin": "green"}}, "trait_no_choice", "膚質須從選項中選擇：乾性、油性。"),
        ({"traits": {"grade": "a"}, "by": "member"}, "trait_not_changeable", "等第不能由會員本人更改。"),
    ],
)
async def test_what_does_not_fit_is_refused_in_the_callers_language(door: Door, change: dict, code: str, sentence: str):
    await door.post("/v1/members", json={"member_id": "ann"})
    refused = await door.patch("/v1/members/ann", json=change, headers={"Accept-Language": "zh-TW"})
    assert (refused.status_code, refused.json()["code"], refused.json()["detail"]) == (422, code, sentence)


async def test_a_birthday_she_changed_is_hers_to_change_again_in_a_year_and_the_shops_at_once(door: Door):
    await door.post("/v1/members", json={"member_id": "ann", "traits": {"birthday": "1990-02-28"}, "by": "member"})
    refused = await door.patch("/v1/members/ann", json={"traits": {"birthday": "1990-03-01"}, "by": "member"})
    assert (refused.status_code, refused.json()["code"]) == (422, "trait_changed_recently")
    shown = (await door.get("/v1/members/ann/profile")).json()["traits"][0]
    assert refused.json()["facts"] == {"trait": "birthday", "from": shown["changeable_at"]}
    corrected = await door.patch("/v1/members/ann", json={"traits": {"birthday": "1990-03-01"}})
    assert corrected.status_code == 200


async def test_nobody_tells_from_outside_that_a_profile_is_complete(door: Door):
    await door.post("/v1/members", json={"member_id": "ann"})
    told = {"type": "profile.completed", "member_id": "ann", "key": "k", "occurred_at": "2026-01-01T00:00:00Z"}
    answer = (await door.post("/v1/activities", json={"activities": [told]})).json()
    assert (answer["results"][0]["status"], answer["results"][0]["errors"][0]["code"]) == ("invalid", "told_elsewhere")
    assert (await door.get("/v1/members/ann")).json()["balances"] == {}


async def test_who_is_erased_has_no_profile_left(door: Door):
    told = {"member_id": "ann", "traits": {"birthday": "1990-02-28"}, "identities": {"phone": "0912345678"}}
    await door.post("/v1/members", json=told)
    assert (await door.post("/v1/members/ann/erase", json={})).status_code == 200
    shown = (await door.get("/v1/members/ann/profile")).json()
    assert (shown["completed_at"], [trait["value"] for trait in shown["traits"]]) == (None, [None, None, None])
    assert await Shop(door.shop.pool).findings() == []

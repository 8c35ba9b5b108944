"""Programs over HTTP: a draft that two may edit, looked through whatever it holds, published while others settle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
import pytest

from shuke.program.document import read, to_data
from tests.program.test_examination import HOSTILE
from tests.shop import COFFEE
from tests.web.conftest import Door

pytestmark = pytest.mark.database

YAML = {"Content-Type": "application/yaml"}
DOUBLE = COFFEE.replace("points: 1}", "points: 2}")
LESS = COFFEE.replace("points: 1}", "points: 0.5}").replace("12 months", "6 months")
Serve = Callable[[str | None], AbstractAsyncContextManager[Door]]


async def put(door: Door, text: str, *, over: str | None = None, **headers: str) -> httpx.Response:
    told = headers | ({"If-Match": over} if over else {})
    return await door.put("/v1/programs/draft", content=text.encode(), headers=YAML | told)


async def published(door: Door, text: str, **told: Any) -> dict[str, Any]:
    etag = (await put(door, text)).headers["etag"]
    answer = await door.post("/v1/programs/publish", json=told, headers={"If-Match": etag})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


# -- The draft --------------------------------------------------------------------------------------------


async def test_a_draft_with_problems_is_kept_and_says_them(door: Door) -> None:
    text = DOUBLE.replace("asset: points", "asset: pionts") + "# noch nicht fertig\n"
    kept = await put(door, text)
    assert kept.status_code == 200
    draft = kept.json()
    assert (draft["sound"], draft["errors"], draft["text"], draft["changed_by"]) == (False, 1, text, "test")
    (problem,) = [found for found in draft["problems"] if found["severity"] == "error"]
    assert (problem["path"], problem["suggestion"], problem["line"]) == ("earning[0].asset", "points", 8)
    assert draft["document"]["earning"][0]["asset"] == "pionts"
    shown = await door.get("/v1/programs/draft")
    assert (shown.json(), shown.headers["etag"]) == (draft, kept.headers["etag"])
    raw = await door.get("/v1/programs/draft", headers={"Accept": "application/yaml"})
    assert (raw.text, raw.headers["content-type"]) == (text, "application/yaml")


LANGUAGES = [
    ("zh-Hant", "沒有「pionts」這項資產。", "規則 base：每 1 得 1 points → 每 1 得 2 points（較有利）"),
    ("zh-Hans", "没有“pionts”这项资产。", "规则 base：每 1 得 1 points → 每 1 得 2 points（更有利）"),
    ("en", "There is no asset 'pionts'.", "Rule base: 1 point per 1 → 2 points per 1 (better)"),
]


@pytest.mark.parametrize(("language", "wrong", "change"), LANGUAGES)
async def test_problems_and_differences_are_told_in_the_callers_language(
    door: Door, language: str, wrong: str, change: str
) -> None:
    asked = {"Accept-Language": language, "Content-Type": "application/yaml"}
    broken = COFFEE.replace("asset: points", "asset: pionts")
    checked = await door.post("/v1/programs/check", content=broken, headers=asked)
    assert wrong in [problem["detail"] for problem in checked.json()["problems"]]
    assert checked.headers["content-language"] == language
    kept = await put(door, broken, **asked)
    assert wrong in [problem["detail"] for problem in kept.json()["problems"]]
    refused = await door.post(
        "/v1/programs/publish", json={}, headers={"If-Match": kept.headers["etag"], "Accept-Language": language}
    )
    assert (refused.status_code, refused.json()["errors"][0]["detail"]) == (409, wrong)
    told = {"after": {"text": DOUBLE}}
    compared = await door.post("/v1/programs/diff", json=told, headers={"Accept-Language": language})
    assert change in [found["detail"] for found in compared.json()["changes"]]
    told = {"after": {"text": "id: [coffee"}}
    unread = await door.post("/v1/programs/diff", json=told, headers={"Accept-Language": language})
    assert unread.status_code == 400
    starts = {"zh-Hant": "這不是 YAML：", "zh-Hans": "这不是 YAML：", "en": "This is not YAML: "}
    assert unread.json()["errors"][0]["detail"].startswith(starts[language])


async def test_a_draft_that_is_no_program_at_all_is_not_lost(door: Door) -> None:
    draft = (await put(door, "id: [coffee\n")).json()
    assert (draft["sound"], draft["document"], draft["text"]) == (False, None, "id: [coffee\n")


async def test_a_draft_may_be_written_as_json(door: Door) -> None:
    told = '{"id": "coffee", "currency": "USD", "zone": "UTC", "title": "\\ud83c\\udf75", "hold_minutes": 1E1}'
    kept = await door.put("/v1/programs/draft", content=told, headers={"Content-Type": "application/json"})
    assert kept.json()["document"] == {
        "id": "coffee", "currency": "USD", "zone": "UTC", "title": "🍵", "hold_minutes": 10
    }  # fmt: skip
    assert read(kept.json()["text"]).hold_minutes == 10


async def test_of_two_editors_of_one_draft_the_second_is_refused_and_nothing_is_lost(door: Door) -> None:
    first = (await put(door, COFFEE)).headers["etag"]
    async with door.other(await door.secret("programs:write", source="console")) as other:
        theirs = await put(other, DOUBLE, over=first)
        assert theirs.status_code == 200
        mine = await put(door, LESS, over=first, **{"Accept-Language": "zh-Hant"})
    assert mine.status_code == 412
    problem = mine.json()
    assert problem["code"] == "draft_changed"
    assert "草稿" in problem["detail"]
    assert (problem["facts"]["etag"], problem["facts"]["changed_by"]) == (theirs.headers["etag"], "console")
    assert (await put(door, LESS)).status_code == 412
    assert (await door.get("/v1/programs/draft")).json()["text"] == DOUBLE
    assert (await put(door, LESS, over=problem["facts"]["etag"])).status_code == 200


async def test_many_editors_at_once_replace_the_draft_they_read_once(door: Door) -> None:
    etag = (await put(door, COFFEE)).headers["etag"]
    answers = await asyncio.gather(*(put(door, f"{COFFEE}# {n}\n", over=etag) for n in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 7]


async def test_the_same_put_again_gets_the_same_answer(door: Door) -> None:
    first = await put(door, COFFEE, **{"Idempotency-Key": "k-1"})
    again = await put(door, COFFEE, **{"Idempotency-Key": "k-1"})
    assert (again.text, again.headers["etag"]) == (first.text, first.headers["etag"])
    assert again.headers["idempotent-replayed"] == "true"
    other = await put(door, DOUBLE, **{"Idempotency-Key": "k-1"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_draft_is_discarded_by_who_read_it(door: Door) -> None:
    etag = (await put(door, COFFEE)).headers["etag"]
    assert (await door.delete("/v1/programs/draft", headers={"If-Match": '"0"'})).status_code == 412
    gone = await door.delete("/v1/programs/draft", headers={"If-Match": etag})
    assert (gone.status_code, gone.json()["text"]) == (200, COFFEE)
    for answer in (await door.get("/v1/programs/draft"), await door.delete("/v1/programs/draft")):
        assert (answer.status_code, answer.json()["code"]) == (404, "draft_missing")


# -- Looking through --------------------------------------------------------------------------------------


async def test_whatever_the_text_holds_it_is_looked_through(door: Door) -> None:
    etag = None
    for name, (text, code) in HOSTILE.items():
        for kind in ("application/yaml", "application/json"):
            headers = {"Content-Type": kind}
            found = await door.post("/v1/programs/check", content=text.encode(), headers=headers)
            assert (name, found.status_code, found.json()["sound"]) == (name, 200, False)
            codes = {problem["code"] for problem in found.json()["problems"]}
            assert code in codes or kind == "application/json", name
        kept = await put(door, text, over=etag)
        assert (name, kept.status_code, kept.json()["text"]) == (name, 200, text)
        etag = kept.headers["etag"]


async def test_of_very_many_problems_the_first_are_told(door: Door) -> None:
    text = COFFEE + "".join(f"x{number}: 1\n" for number in range(3000))
    found = (await door.post("/v1/programs/check", content=text, headers=YAML)).json()
    assert (found["errors"], len(found["problems"])) == (3000, 100)


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"\xff", "application/yaml", 400, "invalid_request"),
        (b"id: a\0b", "text/yaml", 400, "invalid_request"),
        (b"id: a", "text/plain", 415, "wrong_type"),
        (b"id: a", "", 415, "wrong_type"),
        (b"#" * 1_000_001, "application/yaml", 413, "body_too_large"),
    ],
)
async def test_what_cannot_be_a_text_is_refused(door: Door, body: bytes, kind: str, status: int, code: str) -> None:
    answers = (
        await door.post("/v1/programs/check", content=body, headers={"Content-Type": kind}),
        await door.put("/v1/programs/draft", content=body, headers={"Content-Type": kind}),
    )
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(status, code)}


async def test_programs_are_compared_in_words(door: Door) -> None:
    await put(door, DOUBLE)
    found = (await door.post("/v1/programs/diff", json={})).json()
    (change,) = found["changes"]
    assert (change["effect"], change["chapter"], found["total"]) == ("better", "earning", 1)
    assert change["detail"] == "Rule base: 1 point per 1 → 2 points per 1 (better)"
    texts = {"before": {"text": DOUBLE}, "after": {"version": 1}}
    assert (await door.post("/v1/programs/diff", json=texts)).json()["changes"][0]["effect"] == "worse"


@pytest.mark.parametrize(
    ("told", "status", "code"),
    [
        ({"after": {"version": 9}}, 404, "version_unknown"),
        ({"after": {"draft": True}}, 404, "draft_missing"),
        ({"after": {"text": "id: ["}}, 400, "invalid_request"),
        ({"after": {"text": COFFEE, "version": 1}}, 400, "invalid_request"),
        ({"after": {}}, 400, "invalid_request"),
    ],
)
async def test_what_cannot_be_compared_is_said(door: Door, told: dict[str, Any], status: int, code: str) -> None:
    answer = await door.post("/v1/programs/diff", json=told)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_the_schema_is_one(door: Door) -> None:
    schema = await door.get("/v1/programs/schema")
    assert schema.headers["content-type"] == "application/schema+json"
    assert schema.json()["properties"]["currency"]["pattern"] == "^[A-Z]{3}$"


# -- Publishing -------------------------------------------------------------------------------------------


async def test_the_first_program_is_published_over_http(serve: Serve) -> None:
    async with serve(None) as door:
        assert (await door.get("/readyz")).status_code == 503
        version = await published(door, COFFEE, note="we open")
        assert (version["version"], version["status"], version["note"]) == (1, "in_force", "we open")
        assert version["effective_from"] == "1970-01-01T00:00:00Z"
        assert version["changes"] == {"total": 0, "changes": []}
        assert (await door.get("/readyz")).status_code == 200
        order = {"order_id": "o-1", "member_id": "ann", "lines": [{"amount": 1000}]}
        assert (await door.post("/v1/orders", json=order)).json()["earned"] == {"points": 10}


async def test_publishing_says_what_is_worse_for_members(door: Door) -> None:
    version = await published(door, LESS + "title: Coffee\n")
    assert [change["detail"] for change in version["worse"]] == [
        "Asset points: validity 12 months → 6 months (shorter)",
        "Rule base: 1 point per 1 → 0.5 points per 1 (worse)",
    ]
    assert version["changes"]["total"] == 3
    assert (await door.get("/v1/programs/draft")).status_code == 404
    order = {"order_id": "o-1", "member_id": "ann", "lines": [{"amount": 1000}]}
    assert (await door.post("/v1/orders", json=order)).json()["earned"] == {"points": 5}


async def test_publishing_again_with_the_same_key_gets_the_first_answer(door: Door) -> None:
    etag = (await put(door, DOUBLE)).headers["etag"]
    headers = {"If-Match": etag, "Idempotency-Key": "p-1"}
    answers = [await door.post("/v1/programs/publish", json={}, headers=headers) for _ in range(2)]
    assert answers[0].status_code == 201
    assert answers[0].text == answers[1].text
    assert len((await door.get("/v1/programs")).json()["items"]) == 2


@pytest.mark.parametrize(
    ("text", "told", "etag", "status", "code"),
    [
        (DOUBLE, {}, None, 412, "draft_changed"),
        (DOUBLE, {}, '"0"', 412, "draft_changed"),
        (None, {}, "*", 404, "draft_missing"),
        (COFFEE, {}, "*", 409, "version_unchanged"),
        ("id: [", {}, "*", 409, "program_not_sound"),
        (COFFEE.replace("asset: points", "asset: beans"), {}, "*", 409, "program_not_sound"),
        (DOUBLE, {"effective_from": "2020-01-01T00:00:00Z"}, "*", 422, "effective_in_the_past"),
        (DOUBLE, {"effective_from": "9999-12-31T23:59:59-12:00"}, "*", 400, "invalid_request"),
        (DOUBLE, {"note": "x" * 201}, "*", 400, "invalid_request"),
        (DOUBLE, {"note": "a\0b"}, "*", 400, "invalid_request"),
    ],
)
async def test_what_cannot_be_published_stays_a_draft(
    door: Door, text: str | None, told: dict[str, Any], etag: str | None, status: int, code: str
) -> None:
    if text is not None:
        await put(door, text)
    headers = {} if etag is None else {"If-Match": etag}
    answer = await door.post("/v1/programs/publish", json=told, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["detail"]
    assert [found["version"] for found in (await door.get("/v1/programs")).json()["items"]] == [1]
    assert (await door.get("/v1/programs/draft")).status_code == (404 if text is None else 200)


async def test_a_version_to_come_waits_and_another_may_replace_it(door: Door) -> None:
    await published(door, DOUBLE, effective_from="2999-01-01T00:00:00+08:00")
    back = await door.post("/v1/programs/roll-back", json={"version": 1})
    assert back.status_code == 201
    assert (back.json()["effective_from"], back.json()["restores"]) == ("2998-12-31T16:00:00Z", 1)
    items = (await door.get("/v1/programs")).json()["items"]
    assert [item["status"] for item in items] == ["scheduled", "archived", "in_force"]


async def test_rolling_back_says_so_and_what_it_takes_away(door: Door) -> None:
    await published(door, DOUBLE)
    back = (await door.post("/v1/programs/roll-back", json={"version": 1})).json()
    assert (back["version"], back["restores"], back["note"], back["status"]) == (3, 1, "Version 1 again", "in_force")
    assert [change["effect"] for change in back["worse"]] == ["worse"]
    for version, code in ((1, "version_unchanged"), (7, "version_unknown")):
        refused = await door.post("/v1/programs/roll-back", json={"version": version})
        assert refused.json()["code"] == code


async def test_versions_are_listed_in_pages_and_shown_whole(door: Door) -> None:
    for number in range(3):
        await published(door, f"{COFFEE}title: Coffee {number}\n")
    first = (await door.get("/v1/programs", params={"limit": 3})).json()
    rest = (await door.get("/v1/programs", params={"limit": 3, "cursor": first["next"]})).json()
    assert [item["version"] for item in (*first["items"], *rest["items"])] == [4, 3, 2, 1]
    assert rest["next"] is None
    shown = (await door.get("/v1/programs/1")).json()
    assert (shown["text"], shown["document"]) == (COFFEE, to_data(read(COFFEE)))
    assert shown["until"] == rest["items"][0]["until"] != None  # noqa: E711  # a comparison of values
    raw = await door.get("/v1/programs/1", headers={"Accept": "application/yaml, */*;q=0.1"})
    assert raw.text == COFFEE
    assert (await door.get("/v1/programs/99")).json()["code"] == "version_unknown"
    assert (await door.get("/v1/programs/99999999999999999999")).status_code == 400


async def test_a_key_for_reading_programs_publishes_none(door: Door) -> None:
    async with door.other(await door.secret("programs:read", source="board")) as reader:
        assert (await reader.post("/v1/programs/check", content=COFFEE, headers=YAML)).status_code == 200
        for answer in (
            await put(reader, COFFEE),
            await reader.delete("/v1/programs/draft"),
            await reader.post("/v1/programs/publish", json={}),
            await reader.post("/v1/programs/roll-back", json={"version": 1}),
        ):
            assert (answer.status_code, answer.json()["facts"]) == (403, {"scope": "programs:write"})


async def test_programs_are_published_while_orders_settle(door: Door) -> None:
    async def publish() -> None:
        for months in range(1, 6):
            await published(door, COFFEE.replace("12 months", f"{months} months"))

    async def sell(name: str) -> None:
        for number in range(25):
            order = {"order_id": f"{name}-{number}", "member_id": f"m{number % 7}", "lines": [{"amount": 1000}]}
            answer = await door.post("/v1/orders", json=order)
            assert (answer.status_code, answer.json()["earned"]) == (201, {"points": 10})

    await asyncio.gather(publish(), *(sell(f"s{n}") for n in range(4)))
    assert len((await door.get("/v1/programs")).json()["items"]) == 6

"""Who may call: keys by scope, their secrets, rotation and revocation, and how often they may call."""

import asyncio
import hashlib

import httpx
import pytest

from tests.web.conftest import Door

pytestmark = pytest.mark.database

TILL = {"name": "Till 3", "source": "till", "scopes": ["orders:write", "orders:read"]}
ORDER = {"order_id": "o-1", "member_id": "ann", "lines": [{"amount": 1000}]}


async def test_a_key_is_good_for_its_scopes_and_the_refusal_names_the_one_it_lacks(door: Door):
    made = (await door.post("/v1/keys", json=TILL)).json()
    async with door.other(made["secret"]) as till:
        assert (await till.post("/v1/orders", json=ORDER)).status_code == 201
        refused = await till.get("/v1/keys")
        assert refused.status_code == 403
        assert refused.json()["code"] == "scope_missing"
        assert refused.json()["facts"] == {"scope": "keys:read"}


async def test_a_secret_is_shown_once_and_only_its_digest_is_kept(door: Door):
    headers = {"Idempotency-Key": "k"}
    first = (await door.post("/v1/keys", json=TILL, headers=headers)).json()
    again = (await door.post("/v1/keys", json=TILL, headers=headers)).json()
    assert again == first | {"secret": None}
    assert "secret" not in (await door.get(f"/v1/keys/{first['key_id']}")).json()
    async with door.shop.pool.connection() as connection:
        cursor = await connection.execute("select to_jsonb(api_key)::text, encode(digest, 'hex') from api_key")
        kept = await cursor.fetchall()
        cursor = await connection.execute("select answer::text from request")
        answers = await cursor.fetchall()
    assert not any(first["secret"] in str(row) for row in (*kept, *answers))
    assert hashlib.sha256(first["secret"].encode()).hexdigest() in {digest for _, digest in kept}


async def test_nobody_gives_a_key_more_than_he_has(door: Door):
    async with door.other(await door.secret("keys:write", "orders:read")) as other:
        refused = await other.post("/v1/keys", json=TILL)
        assert refused.json()["facts"] == {"scope": "orders:write"}
        assert (await other.post("/v1/keys", json=TILL | {"scopes": ["orders:read"]})).status_code == 201


async def test_a_rotated_key_keeps_its_source_so_that_repeats_are_known_across_the_change(door: Door):
    old = (await door.post("/v1/keys", json=TILL)).json()
    new = (await door.post(f"/v1/keys/{old['key_id']}/rotate", json={"overlap_minutes": 60})).json()
    async with door.other(old["secret"]) as before, door.other(new["secret"]) as after:
        headers = {"Idempotency-Key": "k"}
        first = await before.post("/v1/orders", json=ORDER, headers=headers)
        again = await after.post("/v1/orders", json=ORDER, headers=headers)
        assert again.text == first.text
        assert again.headers["Idempotent-Replayed"] == "true"
    assert (await door.get(f"/v1/keys/{old['key_id']}")).json()["expires_at"] is not None


async def test_a_key_rotated_without_overlap_and_a_revoked_key_are_good_for_nothing(door: Door):
    old = (await door.post("/v1/keys", json=TILL)).json()
    async with door.other(old["secret"]) as before:
        assert (await before.get("/v1/orders/x")).status_code == 404
        new = (await door.post(f"/v1/keys/{old['key_id']}/rotate", json={"overlap_minutes": 0})).json()
        ended = await before.get("/v1/orders/x")
        assert (ended.status_code, ended.json()["code"]) == (401, "key_expired")
    async with door.other(new["secret"]) as after:
        assert (await after.get("/v1/orders/x")).status_code == 404
        assert (await door.post(f"/v1/keys/{new['key_id']}/revoke")).json()["revoked_at"] is not None
        ended = await after.get("/v1/orders/x")
        assert (ended.status_code, ended.json()["code"]) == (401, "key_revoked")
        assert ended.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("ended", ["revoke", "rotate"])
async def test_a_key_that_has_ended_is_not_made_good_again_by_rotating_it(door: Door, ended: str):
    old = f"/v1/keys/{(await door.post('/v1/keys', json=TILL)).json()['key_id']}"
    told = {"overlap_minutes": 0} if ended == "rotate" else None
    assert (await door.post(f"{old}/{ended}", json=told)).status_code in (200, 201)
    kept = (await door.get("/v1/keys")).json()
    refused = await door.post(f"{old}/rotate", json={"overlap_minutes": 60})
    assert (refused.status_code, refused.json()["code"]) == (409, "key_ended")
    assert (await door.get("/v1/keys")).json() == kept


async def test_of_a_revocation_and_a_rotation_at_once_no_good_key_is_left_that_nobody_meant(door: Door):
    for _ in range(5):
        made = (await door.post("/v1/keys", json=TILL)).json()
        old = f"/v1/keys/{made['key_id']}"
        rotated, revoked = await asyncio.gather(
            door.post(f"{old}/rotate", json={"overlap_minutes": 60}), door.post(f"{old}/revoke")
        )
        assert revoked.status_code == 200
        assert (rotated.status_code, rotated.json().get("code")) in ((201, None), (409, "key_ended"))
        assert (await door.get(old)).json()["revoked_at"] is not None


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "key_missing"),
        ("", "key_missing"),
        ("Bearer", "key_missing"),
        ("Digest x", "key_missing"),
        ("Basic !!!", "key_missing"),
        ("Bearer shk_guess", "key_unknown"),
        ("Basic c2hrX2d1ZXNzOg==", "key_unknown"),
        ("Bearer " + "x" * 5000, "key_unknown"),
        ("Bearer ' or 1=1 --", "key_unknown"),
    ],
)
async def test_without_a_good_key_nothing_is_read(door: Door, header: str | None, code: str):
    async with door.other(None) as stranger:
        headers = {} if header is None else {"Authorization": header}
        refused = await stranger.post("/v1/orders", content=b"{", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (401, code)


async def test_a_key_that_calls_too_often_is_told_when_to_come_again(door: Door):
    async with door.other(await door.secret("orders:read", per_minute=3)) as busy:
        answers = [await busy.get("/v1/orders/x") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [404, 404, 404, 429, 429]
        assert answers[0].headers["RateLimit-Policy"] == '"key";q=3;w=60'
        assert answers[0].headers["RateLimit"].startswith('"key";r=2;t=')
        assert 0 < int(answers[3].headers["Retry-After"]) <= 20
        assert answers[3].json()["facts"]["per_minute"] == 3


@pytest.mark.parametrize(
    ("path", "told", "what"),
    [
        ("/v1/activities", {"member_id": "ann", "occurred_at": "2026-05-01T12:00:00Z"}, "activities"),
        ("/v1/batch", {"userId": "ann", "timestamp": "2026-05-01T12:00:00Z"}, "batch"),
    ],
)
async def test_a_batch_counts_by_what_it_holds(door: Door, path: str, told: dict, what: str):
    secret = await door.secret("activities:write", "orders:read", "track", per_minute=10)
    sent = 0

    async def tell(count: int) -> httpx.Response:
        nonlocal sent
        sent += count
        keys = ("key", "type", "ran") if what == "activities" else ("messageId", "type", "page")
        items = [told | {keys[0]: f"{what}-{sent}-{n}", keys[1]: keys[2]} for n in range(count)]
        return await busy.post(path, json={what: items}, headers={"Idempotency-Key": None})

    async with door.other(secret) as busy:
        left = [(await tell(count)).headers["RateLimit"].partition(";t=")[0] for count in (1, 100, 101, 250)]
        assert left == ['"key";r=9', '"key";r=8', '"key";r=6', '"key";r=3']
        more = await tell(1000)  # worth ten requests, where three are left
        assert (more.status_code, more.headers["RateLimit"].partition(";t=")[0]) == (200, '"key";r=0')
        assert 90 < int(more.headers["RateLimit"].partition(";t=")[2]) <= 102
        for refused in (await tell(1), await busy.get("/v1/orders/x")):
            assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
            assert 35 < int(refused.headers["Retry-After"]) <= 48


async def test_when_a_key_was_last_used_is_written_down(door: Door):
    key_id = (await door.get("/v1/keys")).json()["items"][0]["key_id"]
    assert (await door.get(f"/v1/keys/{key_id}")).json()["last_used_at"] is None
    await door.app.state.gate.remember_use()
    assert (await door.get(f"/v1/keys/{key_id}")).json()["last_used_at"] is not None


async def test_keys_come_in_pages(door: Door):
    for number in range(4):
        await door.secret("track", source=f"s{number}")
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        page = (await door.get("/v1/keys", params={"cursor": cursor, "limit": 2})).json()
        seen += [key["key_id"] for key in page["items"]]
        cursor, pages = page["next"], pages + 1
    assert (len(seen), len(set(seen)), pages) == (5, 5, 3)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Idempotency-Key": None}, 400, "idempotency_key_missing"),
        ({"Idempotency-Key": "a b"}, 400, "idempotency_key_invalid"),
        ({"Idempotency-Key": "x" * 201}, 400, "idempotency_key_invalid"),
    ],
)
async def test_a_write_needs_a_key_under_which_it_is_done_once(door: Door, headers: dict, status: int, code: str):
    refused = await door.post("/v1/orders", json=ORDER, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


async def test_two_requests_for_a_key_at_once_make_one_key(door: Door):
    headers = {"Idempotency-Key": "k"}
    made = await asyncio.gather(*(door.post("/v1/keys", json=TILL, headers=headers) for _ in range(6)))
    assert len({answer.json()["key_id"] for answer in made}) == 1
    assert sum(answer.json()["secret"] is not None for answer in made) == 1
    other = await door.post("/v1/keys", json=TILL | {"name": "Till 4"}, headers=headers)
    assert other.json()["code"] == "idempotency_key_reused"


async def test_a_scope_there_is_not_and_a_source_of_our_own_are_refused(door: Door):
    for wrong in ({"scopes": ["everything"]}, {"source": "shuke:import"}, {"scopes": []}, {"per_minute": 0}):
        refused = await door.post("/v1/keys", json=TILL | wrong)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")

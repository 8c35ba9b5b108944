"""One request, one activity, once: what makes a request the same as one before, and what a repeat is answered."""

from typing import Annotated, Any
from urllib.parse import quote

import pytest
from fastapi import Query

from shuke.books.load import Connection
from shuke.web.api.callers import Call, writing
from shuke.web.api.contract import Shown
from shuke.web.api.routes import doors
from tests.web.conftest import Door

pytestmark = pytest.mark.database

ONCE = {"Idempotency-Key": "k-1"}
REUSED = (422, "idempotency_key_reused")


def order(number: str, member: str = "ann", amount: int = 1000) -> dict[str, Any]:
    return {"order_id": number, "member_id": member, "lines": [{"amount": amount}]}


# -- What is the same request -----------------------------------------------------------------------------


@pytest.mark.parametrize("one", ["o-1", "#1001", "a?b", "a/b", "é", "a b"])
@pytest.mark.parametrize("other", ["o-2", "#1002", "a?c", "a/c", "ê", "a c"])
async def test_a_key_used_for_one_order_is_no_key_for_another_whatever_they_are_called(
    door: Door, one: str, other: str
):
    for number in (one, other):
        assert (await door.post("/v1/orders", json=order(number))).status_code == 201
    done = await door.post(f"/v1/orders/{quote(one, safe='')}/refund", json={"amount": 100}, headers=ONCE)
    again = await door.post(f"/v1/orders/{quote(one, safe='')}/refund", json={"amount": 100}, headers=ONCE)
    assert (done.status_code, again.text, again.headers["Idempotent-Replayed"]) == (200, done.text, "true")
    for path in (f"{quote(other, safe='')}/refund", f"{quote(one, safe='')}/cancel"):
        refused = await door.post(f"/v1/orders/{path}", json={"amount": 100} if "refund" in path else {}, headers=ONCE)
        assert (refused.status_code, refused.json()["code"]) == REUSED


async def test_what_a_request_is_conditional_on_is_part_of_it(door: Door):
    text = b"id: coffee\ncurrency: TWD\nzone: Asia/Taipei\n"
    kind = {"Content-Type": "application/yaml"}
    first = await door.put("/v1/programs/draft", content=text, headers=kind)
    told = {**kind, "If-Match": first.headers["etag"], **ONCE}
    done = await door.put("/v1/programs/draft", content=text + b"# two\n", headers=told)
    again = await door.put("/v1/programs/draft", content=text + b"# two\n", headers=told)
    assert (done.status_code, again.text, again.headers["Idempotent-Replayed"]) == (200, done.text, "true")
    for match in ({"If-Match": done.headers["etag"]}, {"If-Match": "*"}, {"If-Match": None}):
        refused = await door.put("/v1/programs/draft", content=text + b"# two\n", headers=told | match)  # type: ignore[arg-type]  # None: none
        assert (refused.status_code, refused.json()["code"]) == REUSED


class Told(Shown):
    size: int


async def test_what_stands_behind_the_question_mark_is_part_of_it(door: Door):
    router = doors("Test")

    @router.post("/things", status_code=201, response_model=Told)
    async def make(call: Annotated[Call, writing("orders:write")], size: Annotated[int, Query()] = 1) -> Any:
        async def act(connection: Connection) -> Told:
            return Told(size=size)

        return await call.once(act)

    door.app.include_router(router)
    first = await door.post("/v1/things?size=2", headers=ONCE)
    again = await door.post("/v1/things?size=2", headers=ONCE)
    assert (first.json(), again.json(), again.headers["Idempotent-Replayed"]) == ({"size": 2}, {"size": 2}, "true")
    for address in ("/v1/things?size=3", "/v1/things"):
        refused = await door.post(address, headers=ONCE)
        assert (refused.status_code, refused.json()["code"]) == REUSED

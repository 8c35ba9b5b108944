"""Messages by Segment's HTTP tracking specification become activities, or say why not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.activity import ORDER_PAID, UPDATED, Activity, Brought, Line, Named, Purchase
from shuke.engine.step import ACTS
from shuke.intake.ecommerce import Money
from shuke.intake.messages import (
    AHEAD,
    KINDS,
    MAX_MESSAGE,
    REACH,
    Message,
    Unreadable,
    read_body,
    read_messages,
)
from shuke.intake.tracking import ACTIVITIES, MEMBERS, ORDERS, TOLD, Desk, orders_in, overtaking, slug_of, translate
from shuke.program.checks.triggers import check_trigger
from shuke.replay.history.checks import Refusal
from shuke.values.instants import MINUTE, SECOND, parse_instant

ALL = frozenset((ORDERS, MEMBERS, ACTIVITIES))


def instant(text: str) -> int:
    return parse_instant(text, zone="UTC")


RECEIVED = instant("2026-11-22T12:00:00")


def desk(*scopes: str, **purchases: Purchase) -> Desk:
    told = {("ann", order_id): purchase for order_id, purchase in purchases.items()}
    return Desk("track:web", frozenset(scopes) or ALL, Money("USD", 2), "TW", told)


def messages_of(*told: Any, public: bool = False, **body: Any) -> list[Message]:
    """The messages of a batch, none of which may be rejected."""
    read = read_body(json.dumps({"batch": told, **body}).encode(), batch=True)
    messages, rejects = read_messages(read, kind=None, received_at=RECEIVED, public=public)
    assert rejects == []
    return messages


def activities_of(told: dict[str, Any], at: Desk | None = None) -> list[Activity]:
    """What one message becomes."""
    [message] = messages_of({"userId": "ann", "messageId": "k", **told})
    return translate(message, at or desk())


def activity_of(told: dict[str, Any], at: Desk | None = None) -> Activity:
    [activity] = activities_of(told, at)
    return activity


def reject_of(told: Any) -> str:
    """Why this message is none, or no activity."""
    read = read_body(json.dumps({"batch": [told]}).encode(), batch=True)
    messages, rejects = read_messages(read, kind=None, received_at=RECEIVED, public=False)
    if rejects:
        return rejects[0].code
    with pytest.raises(Refusal) as refused:
        translate(messages[0], desk())
    return refused.value.code


# -- What messages become ---------------------------------------------------------------------------------

BECOME = [
    ({"type": "track", "event": "Checked In"}, "checked_in", None),
    ({"type": "track", "event": "Ran", "properties": {"km": 5}}, "ran", {"km": 5}),
    ({"type": "track", "event": "Product Viewed", "properties": {"sku": "a"}}, "product.viewed", {"sku": "a"}),
    ({"type": "track", "event": "Viewed Product"}, "product.viewed", None),
    ({"type": "track", "event": "product_viewed"}, "product.viewed", None),
    ({"type": "track", "event": "簽到", "properties": {"x": 1}}, "event.named", {"event": "簽到", "x": 1}),
    ({"type": "track", "event": "3D Viewed"}, "event.named", {"event": "3D Viewed"}),
    (
        {"type": "track", "event": "Order Cancelled", "properties": {"order_id": 7}},
        "order.cancelled",
        {"order_id": "7"},
    ),
    (
        {"type": "track", "event": "Order Delivered", "properties": {"order_id": "7"}},
        "order.completed",
        {"order_id": "7"},
    ),
    (
        {"type": "track", "event": "Order Refunded", "properties": {"order_id": "7", "total": "1.50"}},
        "order.refunded",
        {"order_id": "7", "amount": 150},
    ),
    (
        {"type": "page", "name": "Home", "category": "Shop", "properties": {"path": "/"}},
        "page.viewed",
        {"name": "Home", "category": "Shop", "path": "/"},
    ),
    ({"type": "screen", "name": "Cart"}, "screen.viewed", {"name": "Cart"}),
    (
        {"type": "group", "groupId": "g1", "traits": {"plan": "pro"}},
        "group.joined",
        {"group_id": "g1", "traits": {"plan": "pro"}},
    ),
    ({"type": "identify", "traits": {"city": "Taipei"}}, "member.updated", {"traits": {"city": "Taipei"}}),
    ({"type": "identify", "context": {"traits": {"city": "Tainan"}}}, "member.updated", {"traits": {"city": "Tainan"}}),
    (
        {"type": "identify", "traits": {"birthday": "1990-02-28T00:00:00.000Z"}},
        "member.updated",
        {"traits": {"birthday": "1990-02-28"}},
    ),
    ({"type": "identify", "traits": {"city": None}}, "member.updated", {"traits": {"city": None}}),
]


@pytest.mark.parametrize(("told", "type_", "payload"), BECOME)
def test_a_message_becomes_an_activity(told: dict, type_: str, payload: dict | None):
    assert activity_of(told) == Activity(type_, "ann", RECEIVED, "track:web", "k", payload)


@pytest.mark.parametrize(
    ("told", "type_", "payload"),
    [
        ({"type": "alias", "previousId": "x-1"}, "member.aliased", {"previous_id": "x-1"}),
        ({"type": "identify", "anonymousId": "x-1", "traits": {"shoe": 38}}, UPDATED, {"traits": {"shoe": 38}}),
    ],
)
def test_a_sign_in_brings_the_browser_along(told: dict, type_: str, payload: dict):
    brought = Brought([Named("anonymous", "x-1")])
    assert activity_of(told) == Activity(type_, "ann", RECEIVED, "track:web", "k", payload, None, brought)


def test_an_order_completed_becomes_an_order_paid():
    told = {"type": "track", "event": "Order Completed", "properties": {"order_id": "7", "subtotal": 12.5}}
    assert activity_of(told) == Activity(
        ORDER_PAID, "ann", RECEIVED, "track:web", "k", None, Purchase("7", [Line(1250)])
    )


def test_an_identify_tells_identities_apart_from_traits_so_that_one_taken_does_not_lose_the_others():
    traits = {"email": " ann@Example.com ", "phone": "0912 345 678", "city": "Taipei"}
    of_traits, of_identities = activities_of({"type": "identify", "traits": traits})
    assert (of_traits.key, of_traits.payload) == ("k", {"traits": traits})
    assert of_identities.key == "k#identities"
    assert of_identities.payload == {"identities": {"email": "ann@example.com", "phone": "+886912345678"}}


@pytest.mark.parametrize("value", ["?", "null", "", None, [], True, 0, 123])
def test_what_is_no_phone_and_no_address_is_a_trait_and_no_identity(value: Any):
    [activity] = activities_of({"type": "identify", "traits": {"email": value, "phone": value}})
    assert activity.payload == {"traits": {"email": value, "phone": value}}


def test_a_refund_finds_the_lines_of_an_order_told_just_before_it():
    order = {"order_id": "7", "products": [{"sku": "a", "price": 2}, {"sku": "b", "price": 3}]}
    at = desk()
    paid, refunded = (
        translate(message, at)[0]
        for message in messages_of(
            {"type": "track", "userId": "ann", "event": "Order Completed", "properties": order},
            {
                "type": "track",
                "userId": "ann",
                "event": "Order Refunded",
                "properties": {"order_id": "7", "products": [{"sku": "b"}]},
            },
        )
    )
    assert paid.type == ORDER_PAID
    assert refunded.payload == {"order_id": "7", "lines": [{"line": 2}]}


def test_orders_that_must_be_there_are_named_beforehand():
    refund = {"type": "track", "userId": "ann", "event": "Order Refunded"}
    told = messages_of(
        {**refund, "properties": {"order_id": "7"}},
        {**refund, "properties": {"order_id": "8"}},
        {**refund, "properties": {}},
        {**refund, "event": ""},
        {**refund, "event": "Order Cancelled", "properties": {"order_id": "9"}},
        {**refund, "event": "Order Completed", "properties": {"order_id": "10"}},
        {**refund, "type": "identify"},
    )
    assert orders_in(told, ALL) == {("ann", "7"), ("ann", "8"), ("ann", "9")}
    assert orders_in(told, frozenset()) == set()


EARLY = [
    ("Order Refunded", {"order_id": 7, "total": "1.50", "note": "Ann's", "currency": "USD"}),
    ("Order Refunded", {"order_id": 7, "products": [{"sku": "a", "quantity": 1, "name": "Ann's mug"}]}),
    ("Order Cancelled", {"order_id": 7, "total": "x"}),
    ("Order Delivered", {"order_id": 7}),
]
KEPT = [
    ("order.refunded", {"order_id": "7", "total": "1.50", "currency": "USD"}),
    ("order.refunded", {"order_id": "7", "products": [{"sku": "a", "quantity": 1}]}),
    ("order.cancelled", {"order_id": "7"}),
    ("order.completed", {"order_id": "7"}),
]


@pytest.mark.parametrize(("told", "kept"), list(zip(EARLY, KEPT, strict=True)))
def test_what_overtakes_its_order_waits_with_no_more_than_what_it_takes_to_settle_it(told, kept):
    event, properties = told
    [message] = messages_of({"type": "track", "userId": "ann", "event": event, "properties": properties})
    waits = overtaking(message, desk())
    assert waits is not None
    assert (waits.type, waits.told) == kept
    assert (waits.member_id, waits.order_id, waits.occurred_at) == ("ann", "7", RECEIVED)


def test_what_has_its_order_does_not_wait_nor_does_anything_else_or_what_counts_for_nothing():
    refund = {"type": "track", "userId": "ann", "event": "Order Refunded", "properties": {"order_id": "7"}}
    order = {**refund, "event": "Order Completed"}
    refunded, paid, ran = messages_of(refund, order, {**refund, "event": "Ran"})
    at = desk()
    assert [overtaking(message, at) is None for message in (refunded, paid, ran)] == [False, True, True]
    translate(paid, at)  # the order comes before it in the same batch
    assert overtaking(refunded, at) is None
    assert overtaking(refunded, desk(ACTIVITIES)) is None


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({}, "missing"),
        ({"order_id": "7", "currency": "TWD"}, "other_currency"),
        ({"order_id": "7", "total": "much"}, "not_an_amount"),
        ({"order_id": "7", "products": 7}, "wrong_type"),
    ],
)
def test_what_is_wrong_with_or_without_its_order_does_not_wait(properties, code):
    [message] = messages_of({"type": "track", "userId": "ann", "event": "Order Refunded", "properties": properties})
    with pytest.raises(Refusal) as refused:
        overtaking(message, desk())
    assert refused.value.code == code


# -- Who tells it -----------------------------------------------------------------------------------------

PUBLIC = [
    ({"type": "track", "event": "Order Completed", "properties": {"order_id": "1", "total": 9}}, "told.order.paid"),
    ({"type": "track", "event": "Order Refunded", "properties": {"order_id": "1"}}, "told.order.refunded"),
    ({"type": "track", "event": "Checked In"}, "told.checked_in"),
    ({"type": "track", "event": "Product Reviewed"}, "told.product.reviewed"),
    ({"type": "page"}, "told.page.viewed"),
    ({"type": "identify", "traits": {"vip": True, "email": "a@example.com"}}, "told.member.updated"),
    ({"type": "alias", "previousId": "bob"}, "told.member.aliased"),
]


@pytest.mark.parametrize(("told", "type_"), PUBLIC)
def test_what_a_public_key_tells_has_a_type_of_its_own_and_no_purchase(told: dict, type_: str):
    activity = activity_of(told, desk("track"))
    assert (activity.type, activity.purchase) == (type_, None)
    assert activity.payload in (None, told.get("properties"), {"traits": told.get("traits")}, {"previous_id": "bob"})


@pytest.mark.parametrize(
    ("scope", "counts"), [(ORDERS, "Order Completed"), (ACTIVITIES, "Checked In"), (MEMBERS, None)]
)
def test_each_scope_makes_only_its_own_messages_count(scope: str, counts: str | None):
    order = {"type": "track", "event": "Order Completed", "properties": {"order_id": "1", "total": 9}}
    for told in (order, {"type": "track", "event": "Checked In"}, {"type": "identify", "traits": {"x": 1}}):
        is_told = activity_of(told, desk("track", scope)).type.startswith(TOLD)
        assert is_told is (told.get("event") != counts)


names = st.one_of(
    st.text(max_size=40),
    st.sampled_from([*ACTS, *(name.replace(".", " ") for name in ACTS), "Told.Order.Paid"]),
)


@given(event=names, kind=st.sampled_from(KINDS))
def test_no_name_and_no_kind_makes_an_act_of_the_engine_but_those_of_orders_and_identify(event: str, kind: str):
    told = {"event": event, "groupId": "g", "previousId": "p", "properties": {"order_id": "1", "total": 1}}
    message = Message(0, kind, "ann", "k", RECEIVED, b"", told)
    for scopes in (frozenset[str](), ALL):
        try:
            types = {activity.type for activity in translate(message, Desk("t", scopes, Money("USD", 2), None, {}))}
        except Refusal:
            continue
        may = {"order.paid", "order.refunded", "order.cancelled", "order.completed", "member.updated"}
        assert types & set(ACTS) <= (may if scopes else set())
        assert {problem.code for type_ in types for problem in check_trigger("", type_)} <= {"looks_like"}


SLUGS = [
    ("Checked In", "checked_in"),
    ("  checked-in!! ", "checked_in"),
    ("order.paid", "order_paid"),
    ("told.order.paid", "told_order_paid"),
    ("Café Visited", None),
    ("簽到", None),
    ("點擊 banner", None),
    ("2nd Visit", None),
    ("…", None),
    ("a" * 101, None),
]


@pytest.mark.parametrize(("event", "slug"), SLUGS)
def test_a_name_makes_a_type_without_points_or_none_at_all(event: str, slug: str | None):
    assert slug_of(event) == slug


WHO = [
    ({"userId": "ann", "anonymousId": "x"}, "ann"),
    ({"userId": 42}, "42"),
    ({"userId": " ann "}, "ann"),
    ({"anonymousId": "x"}, "anon:x"),
    ({"userId": None, "anonymousId": "x"}, "anon:x"),
    ({"userId": "", "anonymousId": "x"}, "anon:x"),
]


@pytest.mark.parametrize(("told", "member"), WHO)
def test_whose_it_is(told: dict, member: str):
    [message] = messages_of({"type": "page", **told})
    assert message.member_id == member


# -- When -------------------------------------------------------------------------------------------------

AT = "2026-11-22T11:00:00.000Z"
WHEN = [
    ({}, {}, "2026-11-22T12:00:00Z"),
    ({"timestamp": AT}, {}, AT),
    ({"originalTimestamp": AT}, {}, AT),
    ({"timestamp": AT, "originalTimestamp": "2001-01-01"}, {}, AT),
    ({"timestamp": "2026-11-22T19:00:00+0800"}, {}, AT),
    ({"timestamp": "2026-11-22T11:00:00"}, {}, AT),
    ({"timestamp": AT}, {"sentAt": "2026-11-22T12:00:00Z"}, AT),
    ({"timestamp": AT}, {"sentAt": "2026-11-22T11:50:00Z"}, "2026-11-22T11:10:00Z"),  # her clock is late
    ({"timestamp": AT}, {"sentAt": "2026-11-22T12:30:00Z"}, "2026-11-22T10:30:00Z"),  # or ahead
    ({"timestamp": "1970-01-01T00:00:07Z"}, {"sentAt": "1970-01-01T00:00:10Z"}, "2026-11-22T11:59:57Z"),
    ({"timestamp": AT, "sentAt": "2026-11-22T11:50:00Z"}, {}, "2026-11-22T11:10:00Z"),
    ({"timestamp": AT, "sentAt": "1999-01-01"}, {"sentAt": "2026-11-22T12:00:00Z"}, AT),  # the batch's own counts
    ({"timestamp": AT}, {"sentAt": "soon"}, AT),
    ({"timestamp": "2026-11-22T12:04:00Z"}, {}, "2026-11-22T12:04:00Z"),
    ({"timestamp": "2026-11-22T12:06:00Z"}, {}, "2026-11-22T12:00:00Z"),
    ({"timestamp": "2036-11-22T12:06:00Z"}, {}, "2026-11-22T12:00:00Z"),
    ({"timestamp": "2012-12-02T00:30:08.276Z"}, {}, "2012-12-02T00:30:08.276Z"),
]


@pytest.mark.parametrize(("told", "body", "expected"), WHEN)
def test_when_it_happened_is_told_by_our_clock(told: dict, body: dict, expected: str):
    [message] = messages_of({"type": "page", "userId": "ann", **told}, **body)
    assert message.occurred_at == instant(expected)


@given(
    st.integers(0, 10**17),
    st.one_of(st.none(), st.integers(0, 10**17)),
    st.integers(RECEIVED - 10**13, RECEIVED + 10**13),
    st.booleans(),
)
def test_nothing_happens_later_than_five_minutes_from_now_nor_long_ago_by_a_public_key(
    at: int, sent: int | None, received: int, public: bool
):
    def text(microseconds: int) -> str:
        return f"{1970 + microseconds % 100:04d}-01-01T{microseconds % 24:02d}:00:00.{microseconds % 10**6:06d}Z"

    told = {"type": "page", "userId": "ann", "timestamp": text(at)}
    body = read_body(json.dumps({"batch": [told], "sentAt": None if sent is None else text(sent)}).encode(), batch=True)
    messages, _ = read_messages(body, kind=None, received_at=received, public=public)
    for message in messages:
        assert 0 <= message.occurred_at <= received + AHEAD
        assert not public or message.occurred_at >= received - REACH


# -- Once -------------------------------------------------------------------------------------------------


def test_a_message_sent_again_is_known_by_all_but_what_sending_it_changes():
    told = {"type": "track", "userId": "ann", "messageId": "k", "event": "Ran", "properties": {"km": 5}}
    [first] = messages_of(told, sentAt="2026-11-22T11:59:59Z")
    [again] = messages_of({**told, "_metadata": {"retryCount": 1}, "sentAt": "2026-11-22T12:00:09Z"})
    [other] = messages_of({**told, "properties": {"km": 6}})
    assert first.key == again.key == other.key == "k"
    assert first.request == again.request != other.request


def test_messages_without_an_id_of_their_own_are_all_different():
    told = {"type": "page", "userId": "ann"}
    assert len({message.key for message in messages_of(told, told, told)}) == 3


# -- What cannot be read ----------------------------------------------------------------------------------

TRACK = {"type": "track", "userId": "ann", "event": "Ran"}
DEEP: Any = None
for _ in range(20):
    DEEP = [DEEP]

BAD = [
    ("a", "wrong_type"),
    (None, "wrong_type"),
    ({"userId": "ann"}, "type_unknown"),
    ({"userId": "ann", "type": "delete"}, "type_unknown"),
    ({"userId": "ann", "type": ["track"]}, "type_unknown"),
    ({"type": "page"}, "missing"),
    ({"type": "page", "userId": {}}, "wrong_type"),
    ({"type": "page", "userId": True}, "wrong_type"),
    ({"type": "page", "userId": "a" * 201}, "too_long"),
    ({"type": "page", "userId": "a\nb"}, "control_character"),
    ({"type": "page", "userId": "ann\u200b"}, "unseen_character"),
    ({"type": "page", "anonymousId": "\ufeffx-1"}, "unseen_character"),
    ({"type": "page", "userId": "Zo\ufffd"}, "unseen_character"),
    ({"type": "page", "userId": "ann", "messageId": "k\u202e"}, "unseen_character"),
    ({"type": "page", "userId": "anon:x"}, "reserved"),
    ({"type": "page", "userId": "null"}, "placeholder"),
    ({"type": "page", "userId": 0}, "placeholder"),
    ({"type": "page", "anonymousId": "[object Object]"}, "placeholder"),
    ({"type": "page", "anonymousId": "a" * 198}, "too_long"),
    ({"type": "page", "userId": "ann", "messageId": "k" * 201}, "too_long"),
    ({"type": "page", "userId": "ann", "timestamp": "yesterday"}, "not_an_instant"),
    ({"type": "page", "userId": "ann", "timestamp": 1777000000}, "not_an_instant"),
    ({"type": "page", "userId": "ann", "timestamp": "1969-12-31"}, "not_an_instant"),
    ({"type": "page", "userId": "ann", "properties": [1]}, "wrong_type"),
    ({"type": "identify", "userId": "ann", "traits": "x"}, "wrong_type"),
    ({"type": "track", "userId": "ann"}, "missing"),
    ({"type": "track", "userId": "ann", "event": " "}, "missing"),
    ({"type": "track", "userId": "ann", "event": 7}, "missing"),
    ({"type": "group", "userId": "ann"}, "missing"),
    ({"type": "alias", "userId": "ann"}, "missing"),
    ({**TRACK, "properties": {"text": "a\0b"}}, "control_character"),
    ({**TRACK, "properties": {"text": "x" * MAX_MESSAGE}}, "too_large"),
    ({**TRACK, "properties": {"deep": DEEP}}, "too_deep"),
    ({**TRACK, "event": "Order Completed"}, "missing"),
]


@pytest.mark.parametrize(("told", "code"), BAD)
def test_a_message_that_cannot_be_read_says_why(told: Any, code: str):
    assert reject_of(told) == code


def test_whose_a_message_is_does_not_hang_on_how_her_id_is_written():
    batch = [{"type": "page", "userId": name} for name in ("Jose\u0301", "Jos\xe9")]
    body = read_body(json.dumps({"batch": batch}).encode(), batch=True)
    messages, rejects = read_messages(body, kind=None, received_at=RECEIVED, public=False)
    assert (rejects, [message.member_id for message in messages]) == ([], ["Jos\xe9", "Jos\xe9"])


def test_bad_messages_never_lose_the_good_ones_and_say_which_they_are():
    batch = [{"type": "page", "userId": "ann"}, {"type": "page", "messageId": "lost"}, 7, {**TRACK, "messageId": "k"}]
    body = read_body(json.dumps({"batch": batch}).encode(), batch=True)
    messages, rejects = read_messages(body, kind=None, received_at=RECEIVED, public=False)
    assert [message.index for message in messages] == [0, 3]
    assert [(reject.index, reject.key, reject.code) for reject in rejects] == [
        (1, "lost", "missing"),
        (2, None, "wrong_type"),
    ]


KEPT = [
    (b"5", 5),
    (b"5.10", "5.10"),
    (b"1e3", "1e3"),
    (b"9007199254740991", 2**53 - 1),
    (b"9007199254740993", "9007199254740993"),
    (b"-9007199254740993", "-9007199254740993"),
    (b"9" * 5000, "9" * 5000),
    (b"NaN", None),
    (b"-Infinity", None),
    (b'"a\xf0\x9f"', "a\ufffd\ufffd"),  # half an emoji, cut as bytes
    (b'"a\\ud83d"', "a\ufffd"),  # or as text
    (b'"\\ud83d\\ude00"', "😀"),
    (b'"tab\there"', "tab\there"),
    (b"true", True),
    (b"null", None),
]


@pytest.mark.parametrize(("written", "kept"), KEPT)
def test_values_are_kept_as_they_were_written_and_what_json_does_not_know_is_mended(written: bytes, kept: Any):
    body = b'\xef\xbb\xbf{"userId": "ann", "event": "Ran", "properties": {"x": %b}, "writeKey": "w"}' % written
    read = read_body(body, batch=False)
    assert read.write_key == "w"
    [message], rejects = read_messages(read, kind="track", received_at=RECEIVED, public=False)
    assert rejects == []
    assert translate(message, desk())[0].payload == {"x": kept}


UNREADABLE = [b"", b"{", b"[]", b"null", b'"a"', b"\xff\xfe{", b'{"batch": {}}', b"{}", b"[" * 100_000, b"{'a': 1}"]


@pytest.mark.parametrize("body", UNREADABLE)
def test_a_body_that_is_no_batch_is_refused_whole(body: bytes):
    with pytest.raises(Unreadable):
        read_body(body, batch=True)


def test_a_clock_correction_is_the_difference_to_the_moment_of_receipt():
    told = {"type": "page", "userId": "ann", "timestamp": "2026-11-22T11:00:00Z"}
    [message] = messages_of(told, sentAt="2026-11-22T11:30:00.250Z")
    skew = instant("2026-11-22T11:30:00.250Z") - RECEIVED
    assert message.occurred_at == instant("2026-11-22T11:00:00Z") - skew
    assert -skew == 29 * MINUTE + 59 * SECOND + 750_000

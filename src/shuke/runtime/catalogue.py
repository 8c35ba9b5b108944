"""The events that leave the house: what each is called, in three languages, and what it says.

A topic's struct is its contract: events are made of it, its JSON Schema is drawn from it, and the reference page
(docs/reference/events.md) is written from both. Fields may be added to a topic; none is taken away or changes its
meaning. Amounts of assets are in the asset's smallest unit, money in minor units of the program's currency; what
never happens is null.

Nothing that tells who somebody is stands in an event, beside her id: traits are named, not told, and reasons that
people wrote are left out. Deliveries are kept for weeks, and an erased member must not live on in them; whoever
needs more asks the API.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct
from msgspec.json import schema_components

from shuke.books.postings import Fact
from shuke.books.webhooks import patterns_of

Units = Annotated[int, Meta(description="In the asset's smallest unit.")]
Money = Annotated[int, Meta(description="In minor units of the program's currency.")]
Moment = Annotated[datetime, Meta(tz=True)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217.")]


class MemberJoined(Fact):
    """Said once of every member. Her first activity makes her one, whatever it is."""

    member_id: str
    joined_at: Moment
    status: str


class MemberUpdated(Fact):
    """What changed of a member's profile, by name; the values are asked for with the API."""

    member_id: str
    changed: Annotated[
        list[str], Meta(description='"status", "joined_at", "tags", "traits." and a name, "identities." and a kind.')
    ]


class StatusChanged(Fact):
    """A member fell asleep or woke, was frozen or let go, left or returned. Why, people wrote: ask the API."""

    member_id: str
    before: Annotated[str, Meta(description="active, dormant, frozen or left.")]
    after: Annotated[str, Meta(description="active, dormant, frozen or left.")]


class ProfileCompleted(Fact):
    """All that the program requires of a profile is there. Said once of every member."""

    member_id: str


class ConsentFact(Fact):
    """A member agreed to something, or withdrew it, for some channels."""

    member_id: str
    purpose: Annotated[str | None, Meta(description="Null: she withdrew all there is.")]
    channels: Annotated[list[str] | None, Meta(description="Null: all there are.")]
    version: Annotated[str | None, Meta(description="Of the text she agreed to, where the program names one.")]
    text_hash: Annotated[str | None, Meta(description="SHA-256 of that text, in hex.")]


class MemberErased(Fact):
    """A person left for ever: whatever else is known of her is to be forgotten too."""

    member_id: str
    forfeited: Annotated[dict[str, Units], Meta(description="By asset.")]
    paid_out: Annotated[dict[str, Units], Meta(description="Principal of stored value, by asset.")]
    waived: Annotated[dict[str, Units], Meta(description="Principal of stored value, by asset.")]


class MemberMerged(Fact):
    """Two members were one person: from now on the one goes by the other's id. Her own id keeps leading there."""

    member_id: Annotated[str, Meta(description="Who went.")]
    into_member_id: Annotated[str, Meta(description="Who stays, with all that was hers.")]
    moved: Annotated[dict[str, Units], Meta(description="By asset, what went over.")]
    coupons: Annotated[int, Meta(description="How many went over.")]


class MemberUnmerged(Fact):
    """A merge was undone: the member is herself again, with what was left of what she had brought."""

    member_id: Annotated[str, Meta(description="Who is herself again.")]
    from_member_id: Annotated[str, Meta(description="Into whom she had been merged.")]
    returned: Annotated[dict[str, Units], Meta(description="By asset, what came back.")]
    coupons: Annotated[int, Meta(description="How many came back.")]


class OrderSettled(Fact):
    """An order with what it brought and what paid for it."""

    member_id: str
    order_id: str
    placed_at: Moment
    status: Annotated[str, Meta(description="paid, completed, refunded or cancelled.")]
    amount: Annotated[int, Meta(description="Lines, tax and shipping. In minor units of the program's currency.")]
    currency: Currency
    payable: Annotated[
        int | None, Meta(description="Left to pay in money (minor units), where the cart was priced here.")
    ]
    channel: str | None
    store: str | None
    earned: Annotated[dict[str, Units], Meta(description="By asset, now; what ripens later is in it.")]
    paid_with: Annotated[dict[str, Units], Meta(description="By asset.")]
    coupons: Annotated[list[str], Meta(description="Ids of the coupons redeemed for it.")]


class OrderReturned(Fact):
    """An order of which something came back, or was taken again."""

    member_id: str
    order_id: str
    placed_at: Moment
    status: Annotated[str, Meta(description="paid, completed, refunded or cancelled.")]
    amount: Annotated[int, Meta(description="Lines, tax and shipping. In minor units of the program's currency.")]
    currency: Currency
    refunded: Annotated[int, Meta(description="How much of ``amount`` is back in all, however it had been paid.")]
    money_back: Annotated[int, Meta(description="To pay back in money now; below zero: to be paid again.")]
    withheld: Annotated[int, Meta(description="Kept of the money now, for points that were spent already.")]
    returned: Annotated[dict[str, Units], Meta(description="By asset: had paid for it and is the member's again.")]
    taken_back: Annotated[dict[str, int], Meta(description="By asset: had been earned by it; below zero: again hers.")]


class HoldFact(Fact):
    """Value and coupons kept aside under a key, for a cart or by themselves."""

    member_id: str
    hold: Annotated[str, Meta(description="The key it was held under.")]
    lapses_at: Moment
    amounts: Annotated[dict[str, Units], Meta(description="By asset.")]
    coupons: Annotated[list[str], Meta(description="Ids.")]


class Balance(Struct, frozen=True):
    """What a member has of an asset."""

    available: Units
    pending: Annotated[int, Meta(description="Earned, and not yet hers to spend.")]
    held: Annotated[int, Meta(description="Kept aside by holds.")]
    debt: Annotated[int, Meta(description="Owed after a refund, paid by what comes next.")]


class Part(Struct, frozen=True):
    """A part of a movement with one cause. Dates are those of the lot it lies in, or came from."""

    kind: Annotated[str, Meta(description="earn, gift, bonus, spend, restore, reverse, regive, expire, void …")]
    rule: Annotated[str | None, Meta(description="Id of the rule, benefit, offer or ladder that decided it.")]
    version: Annotated[int, Meta(description="Of the program.")]
    amount: Units
    available_at: Annotated[Moment | None, Meta(description="When it ripens; null: it is available.")]
    expires_at: Annotated[Moment | None, Meta(description="Null: never, or nothing of the lot is left.")]


class AssetMoved(Fact):
    """An amount of one asset, all that moved in this way at this instant."""

    member_id: str
    asset: str
    amount: Annotated[int, Meta(description="In the asset's smallest unit. Only adjustments are ever below zero.")]
    order_id: str | None
    other_member_id: Annotated[str | None, Meta(description="Who gave it, or got it, where it was a gift.")]
    reference: Annotated[str | None, Meta(description="As told with the activity.")]
    parts: list[Part]
    balance: Annotated[Balance, Meta(description="Behind the whole activity.")]


class AssetExpiring(Fact):
    """Value that ends soon. Told where the program announces it, as it does by default."""

    member_id: str
    asset: str
    amount: Units
    expires_at: Moment
    days: int


class ToppedUp(Fact):
    """A top-up: what was paid in, and the bonus on top of it."""

    member_id: str
    top_up_id: str
    paid: Money
    bonus: Money
    offer: str | None
    currency: Currency
    balance: Annotated[int, Meta(description="Principal and bonus. In minor units of the program's currency.")]


class TopUpRefunded(Fact):
    """A top-up that was paid back."""

    member_id: str
    top_up_id: str
    money_back: Money
    withheld: Annotated[int, Meta(description="For bonus that was used. In minor units of the program's currency.")]
    fee: Money
    bonus_taken: Money
    currency: Currency
    balance: Annotated[int, Meta(description="Principal and bonus. In minor units of the program's currency.")]


class TierFact(Fact):
    """A member's place on a ladder."""

    member_id: str
    ladder: str
    before: Annotated[str | None, Meta(description="Null: none.")]
    after: Annotated[str | None, Meta(description="Null: none.")]
    until: Annotated[Moment | None, Meta(description="When the tier is looked at again; null: never.")]
    reason: Annotated[str, Meta(description="joined, reached, renewed, dropped, refunded, granted, revoked …")]


class TierAtRisk(Fact):
    """A tier that would not be kept, were its term to end now. Told where the program announces it."""

    member_id: str
    ladder: str
    tier: str
    until: Moment
    days: int


class CouponFact(Fact):
    """One coupon."""

    member_id: str
    coupon_id: str
    template: str
    code: str | None
    valid_from: Moment
    valid_until: Annotated[Moment | None, Meta(description="Null: for ever.")]
    order_id: str | None
    rule: Annotated[str | None, Meta(description="Id of the rule or benefit that issued it.")]
    value_left: Annotated[
        int | None, Meta(description="Of a cash voucher, in minor units of the program's currency; null: it is none.")
    ]


class Pinged(Struct):
    """Nothing happened: somebody wants to see whether events arrive."""

    endpoint_id: str


class EndpointDisabled(Struct):
    """An endpoint is told of nothing until somebody enables it again."""

    endpoint_id: str
    description: str
    why: Annotated[
        Literal["gone", "failing"], Meta(description='"gone": it answered 410. "failing": nothing arrived for a day.')
    ]
    failing_since: Moment | None
    answered: Annotated[int | None, Meta(description="HTTP status of the last attempt; null: there was no answer.")]
    trouble: Annotated[str | None, Meta(description="What went wrong with the last attempt.")]


class Topic(Struct, frozen=True):
    """``title``: a sentence by language (en, zh-Hant, zh-Hans)."""

    name: str
    fact: type[Struct]
    title: dict[str, str]


PING: Final = "webhook.ping"
DISABLED: Final = "webhook.disabled"

_NAMES = ("en", "zh-Hant", "zh-Hans")

_TOPICS: Final[tuple[tuple[str, type[Struct], str, str, str], ...]] = (
    ("member.joined", MemberJoined, "Somebody became a member.", "有人加入會員。", "有人入会。"),
    ("member.updated", MemberUpdated, "A member's profile changed.", "會員資料有變更。", "会员资料有变更。"),
    (
        "member.status_changed",
        StatusChanged,
        "A member's status changed.",
        "會員狀態有變更。",
        "会员状态有变更。",
    ),
    (
        "profile.completed",
        ProfileCompleted,
        "A member's profile is complete.",
        "會員資料已填寫完整。",
        "会员资料已填写完整。",
    ),
    ("consent.granted", ConsentFact, "A member agreed to be told.", "會員同意接收訊息。", "会员同意接收信息。"),
    (
        "consent.withdrawn",
        ConsentFact,
        "A member withdrew her consent.",
        "會員撤回同意。",
        "会员撤回同意。",
    ),
    ("member.erased", MemberErased, "A member was erased.", "會員資料已刪除。", "会员资料已删除。"),
    (
        "member.merged",
        MemberMerged,
        "A member was merged into another.",
        "會員已併入另一位會員。",
        "会员已并入另一位会员。",
    ),
    ("member.unmerged", MemberUnmerged, "A merge was undone.", "會員合併已取消。", "会员合并已撤销。"),
    ("order.settled", OrderSettled, "An order was settled.", "訂單已入帳。", "订单已入账。"),
    ("order.completed", OrderSettled, "An order was completed.", "訂單已完成。", "订单已完成。"),
    (
        "order.refunded",
        OrderReturned,
        "An order, or part of it, was refunded.",
        "訂單已退款（全部或部分）。",
        "订单已退款（全部或部分）。",
    ),
    ("order.cancelled", OrderReturned, "An order was cancelled.", "訂單已取消。", "订单已取消。"),
    (
        "order.reopened",
        OrderReturned,
        "A cancelled order was reopened.",
        "已取消的訂單已恢復。",
        "已取消的订单已恢复。",
    ),
    (
        "hold.placed",
        HoldFact,
        "Value or coupons were put on hold.",
        "點數、儲值或優惠券已預扣。",
        "积分、储值或优惠券已预扣。",
    ),
    ("hold.released", HoldFact, "A hold was let go.", "預扣已釋放。", "预扣已释放。"),
    ("hold.lapsed", HoldFact, "A hold ran out of time.", "預扣已逾時釋放。", "预扣已超时释放。"),
    (
        "asset.earned",
        AssetMoved,
        "A member earned points or other value.",
        "會員獲得點數或其他價值。",
        "会员获得积分或其他价值。",
    ),
    ("asset.ripened", AssetMoved, "What was earned became available.", "待入點數已可使用。", "待入账积分已可使用。"),
    (
        "asset.spent",
        AssetMoved,
        "A member spent points or stored value.",
        "會員使用了點數或儲值。",
        "会员使用了积分或储值。",
    ),
    (
        "asset.restored",
        AssetMoved,
        "What was spent came back.",
        "已使用的點數或儲值已返還。",
        "已使用的积分或储值已退回。",
    ),
    ("asset.reversed", AssetMoved, "What was earned was taken back.", "已獲得的點數已扣回。", "已获得的积分已扣回。"),
    (
        "asset.regiven",
        AssetMoved,
        "What was taken back was given again.",
        "已扣回的點數重新給予。",
        "已扣回的积分重新给予。",
    ),
    (
        "asset.expiring",
        AssetExpiring,
        "Points or stored value expire soon.",
        "點數或儲值即將到期。",
        "积分或储值即将过期。",
    ),
    ("asset.expired", AssetMoved, "Points or stored value expired.", "點數或儲值已到期。", "积分或储值已过期。"),
    ("asset.adjusted", AssetMoved, "A balance was adjusted by hand.", "餘額經手動增減。", "余额经手动调整。"),
    ("asset.opened", AssetMoved, "An opening balance was brought in.", "已帶入期初餘額。", "已带入期初余额。"),
    (
        "asset.transferred",
        AssetMoved,
        "A member sent value to another.",
        "會員將點數轉贈他人。",
        "会员将积分转赠他人。",
    ),
    (
        "asset.received",
        AssetMoved,
        "A member got value from another.",
        "會員收到他人轉贈的點數。",
        "会员收到他人转赠的积分。",
    ),
    ("stored_value.topped_up", ToppedUp, "Stored value was topped up.", "會員已儲值。", "会员已充值。"),
    ("stored_value.refunded", TopUpRefunded, "A top-up was paid back.", "儲值已退款。", "充值已退款。"),
    ("tier.entered", TierFact, "A member got her first tier on a ladder.", "會員進入等級體系。", "会员进入等级体系。"),
    ("tier.raised", TierFact, "A member's tier rose.", "會員已升等。", "会员已升级。"),
    (
        "tier.renewed",
        TierFact,
        "A member keeps her tier, with another end.",
        "會員續等，等級效期已變更。",
        "会员保级，等级有效期已变更。",
    ),
    ("tier.dropped", TierFact, "A member's tier fell.", "會員已降等。", "会员已降级。"),
    ("tier.at_risk", TierAtRisk, "A member may lose her tier soon.", "會員即將面臨降等。", "会员即将面临降级。"),
    ("coupon.issued", CouponFact, "A coupon was issued.", "優惠券已發放。", "优惠券已发放。"),
    (
        "coupon.received",
        CouponFact,
        "A member got a coupon from another.",
        "會員收到他人轉贈的優惠券。",
        "会员收到他人转赠的优惠券。",
    ),
    ("coupon.redeemed", CouponFact, "A coupon was redeemed.", "優惠券已核銷。", "优惠券已核销。"),
    ("coupon.restored", CouponFact, "A redeemed coupon came back.", "已核銷的優惠券已返還。", "已核销的优惠券已退回。"),
    ("coupon.expired", CouponFact, "A coupon expired.", "優惠券已到期。", "优惠券已过期。"),
    ("coupon.voided", CouponFact, "A coupon was voided.", "優惠券已作廢。", "优惠券已作废。"),
    (
        "coupon.given",
        CouponFact,
        "A member gave a coupon to another.",
        "會員將優惠券轉贈他人。",
        "会员将优惠券转赠他人。",
    ),
    (DISABLED, EndpointDisabled, "A webhook endpoint was disabled.", "Webhook 端點已停用。", "Webhook 端点已停用。"),
    (PING, Pinged, "A test event.", "測試事件。", "测试事件。"),
)

TOPICS: Final[dict[str, Topic]] = {
    name: Topic(name, fact, dict(zip(_NAMES, titles, strict=True))) for name, fact, *titles in _TOPICS
}
"""Every event there is. ``webhook.ping`` is sent to whom it is asked for and cannot be subscribed to."""

SUBSCRIBABLE: Final = frozenset(TOPICS) - {PING}

PATTERNS: Final = frozenset(pattern for topic in SUBSCRIBABLE for pattern in patterns_of(topic))
"""All that an endpoint can ask for."""


@lru_cache(maxsize=64)
def topics_meant(patterns: Iterable[str]) -> frozenset[str]:
    """The topics these patterns stand for (a tuple of them, so that the answer can be remembered)."""
    asked = frozenset(patterns)
    return frozenset(topic for topic in SUBSCRIBABLE if not asked.isdisjoint(patterns_of(topic)))


def schema_of(topic: Topic) -> dict[str, Any]:
    """The JSON Schema (2020-12) of what stands under ``data`` in an event of this topic."""
    (schema,), components = schema_components([topic.fact], ref_template="#/$defs/{name}")
    own = components.pop(topic.fact.__name__)
    assert schema == {"$ref": f"#/$defs/{topic.fact.__name__}"}
    found = {"$schema": "https://json-schema.org/draft/2020-12/schema", **own}
    if components:
        found["$defs"] = components
    return found

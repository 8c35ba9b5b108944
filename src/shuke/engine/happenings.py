"""What happened to a member, in one sentence of the reader's language: for each activity, and each change of tier.

Only what the activity itself tells goes into its sentence, so that it reads the same for ever; what came of it is told
by its entries (``explain``). Of who was erased less is left, and the sentence does without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.sentences import Locale, Writer, writer
from shuke.program.document import Program
from shuke.program.sentences.filling import fill

_LANGUAGES: Final[dict[Locale, int]] = {"en": 0, "zh-Hant": 1, "zh-Hans": 2}

HAPPENINGS: Final[dict[str, tuple[str, str, str]]] = {
    of.JOINED: ("Joined.", "加入會員。", "加入会员。"),
    of.UPDATED: ("Profile changed[: {names}].", "會員資料變更[：{names}]。", "会员资料变更[：{names}]。"),
    of.ERASED: ("Was erased.", "會員資料已刪除。", "会员资料已删除。"),
    of.FROZEN: ("Was frozen[: {reason}].", "帳戶凍結[：{reason}]。", "账户冻结[：{reason}]。"),
    of.UNFROZEN: ("Was let go again[: {reason}].", "帳戶解除凍結[：{reason}]。", "账户解除冻结[：{reason}]。"),
    of.LEFT: ("Left[: {reason}].", "退出會員[：{reason}]。", "退出会员[：{reason}]。"),
    of.RETURNED: ("Returned[: {reason}].", "重新加入會員[：{reason}]。", "重新加入会员[：{reason}]。"),
    of.DORMANT: (
        "Fell asleep: nothing of her own for too long.",
        "因久未活動而進入沉睡。",
        "因长时间没有活动而进入沉睡。",
    ),
    of.WOKE: ("Woke up.", "重新活躍。", "重新活跃。"),
    of.TAGGED: (
        "Tagged[: {tags}][ (until {until})].",
        "貼上標籤[：{tags}][（至 {until}）]。",
        "打上标签[：{tags}][（至 {until}）]。",
    ),
    of.UNTAGGED: ("Tags taken off[: {tags}].", "移除標籤[：{tags}]。", "移除标签[：{tags}]。"),
    of.CONSENT_GRANTED: (
        "Agreed[ to {purpose}][ by {channels}][ ({via})].",
        "同意[「{purpose}」][，管道：{channels}][（{via}）]。",
        "同意[“{purpose}”][，渠道：{channels}][（{via}）]。",
    ),
    of.CONSENT_WITHDRAWN: (
        "Withdrew her consent[ to {purpose}][ by {channels}][ ({via})].",
        "撤回同意[「{purpose}」][，管道：{channels}][（{via}）]。",
        "撤回同意[“{purpose}”][，渠道：{channels}][（{via}）]。",
    ),
    of.PROFILE_COMPLETED: ("Completed her profile.", "會員資料填寫完整。", "会员资料填写完整。"),
    of.IDENTITY_ADDED: ("Became known by {kind}.", "新增識別資料：{kind}。", "新增识别资料：{kind}。"),
    of.IDENTITY_MOVED: ("{kind} is another member's now.", "{kind}已轉給另一位會員。", "{kind}已转给另一位会员。"),
    of.IDENTITY_RECEIVED: ("{kind} came from another member.", "{kind}由另一位會員轉來。", "{kind}由另一位会员转来。"),
    of.IDENTITY_FINALIZED: ("What {kind} stood for is known.", "{kind}已確定。", "{kind}已确定。"),
    of.IDENTITY_REMOVED: ("Is no longer known by {kind}.", "移除識別資料：{kind}。", "移除识别资料：{kind}。"),
    of.ORDER_PAID: (
        "Paid order {order}[: {amount}][ at {store}][ ({channel})].",
        "訂單 {order} 已付款[：{amount}][，門市 {store}][（{channel}）]。",
        "订单 {order} 已付款[：{amount}][，门店 {store}][（{channel}）]。",
    ),
    of.ORDER_COMPLETED: ("Order {order} was completed.", "訂單 {order} 已完成。", "订单 {order} 已完成。"),
    of.ORDER_REFUNDED: (
        "Order {order}, or part of it, was refunded[: {amount}].",
        "訂單 {order} 已退款（全部或部分）[：{amount}]。",
        "订单 {order} 已退款（全部或部分）[：{amount}]。",
    ),
    of.ORDER_CANCELLED: ("Order {order} was cancelled.", "訂單 {order} 已取消。", "订单 {order} 已取消。"),
    of.ORDER_REOPENED: ("Order {order} was reopened.", "訂單 {order} 已恢復。", "订单 {order} 已恢复。"),
    of.CART_HELD: ("A cart was put on hold[ ({hold})].", "購物車已預扣[（{hold}）]。", "购物车已预扣[（{hold}）]。"),
    of.CART_RELEASED: ("A cart was let go[ ({hold})].", "購物車已釋放[（{hold}）]。", "购物车已释放[（{hold}）]。"),
    of.ASSET_OPENED: ("Brought {value} along.", "帶入 {value}。", "带入 {value}。"),
    of.ASSET_ADJUSTED: (
        "Adjusted by hand[: {value}][ ({reason})].",
        "手動調整[：{value}][（{reason}）]。",
        "手动调整[：{value}][（{reason}）]。",
    ),
    of.ASSET_GRANTED: ("Was given {value}[: {reason}].", "獲贈 {value}[：{reason}]。", "获赠 {value}[：{reason}]。"),
    of.ASSET_SPENT: ("Spent[ {value}][: {reason}].", "使用[ {value}][：{reason}]。", "使用[ {value}][：{reason}]。"),
    of.ASSET_SPEND_REVERSED: ("A spend was undone[ ({id})].", "撤銷一筆使用[（{id}）]。", "撤销一笔使用[（{id}）]。"),
    of.ASSET_HELD: ("Value was put on hold[: {value}].", "預扣[：{value}]。", "预扣[：{value}]。"),
    of.ASSET_CAPTURED: ("Paid what was on hold[ ({hold})].", "以預扣付款[（{hold}）]。", "以预扣付款[（{hold}）]。"),
    of.ASSET_RELEASED: (
        "What was on hold was let go[ ({hold})].",
        "預扣已釋放[（{hold}）]。",
        "预扣已释放[（{hold}）]。",
    ),
    of.ASSET_TRANSFERRED: ("Sent {value}[ to {to}].", "轉贈 {value}[給 {to}]。", "转赠 {value}[给 {to}]。"),
    of.ASSET_RECEIVED: ("Received a gift[ from {from}].", "收到[ {from} 的]轉贈。", "收到[ {from} 的]转赠。"),
    of.TOPPED_UP: ("Paid in[ {money}].", "儲值[ {money}]。", "充值[ {money}]。"),
    of.TOP_UP_REFUNDED: ("A top-up was paid back[ ({id})].", "儲值退款[（{id}）]。", "充值退款[（{id}）]。"),
    of.COUPON_ISSUED: (
        "Got a coupon[: {template}][ × {quantity}][ ({reason})].",
        "獲得優惠券[：{template}][ × {quantity}][（{reason}）]。",
        "获得优惠券[：{template}][ × {quantity}][（{reason}）]。",
    ),
    of.COUPON_CLAIMED: ("Took a coupon[: {template}].", "領取優惠券[：{template}]。", "领取优惠券[：{template}]。"),
    of.COUPON_REDEEMED: (
        "Used a coupon[ for order {order}].",
        "使用優惠券[，訂單 {order}]。",
        "使用优惠券[，订单 {order}]。",
    ),
    of.COUPON_VOIDED: ("A coupon was voided[: {reason}].", "優惠券作廢[：{reason}]。", "优惠券作废[：{reason}]。"),
    of.COUPON_GIVEN: ("Gave a coupon away[ to {to}].", "轉贈優惠券[給 {to}]。", "转赠优惠券[给 {to}]。"),
    of.COUPON_RECEIVED: (
        "Received a coupon[ from {from}].",
        "收到[ {from} 轉贈的]優惠券。",
        "收到[ {from} 转赠的]优惠券。",
    ),
    of.TIER_GRANTED: ("Was given the tier {tier}.", "獲授等級「{tier}」。", "获授等级“{tier}”。"),
    of.TIER_REVOKED: ("A granted tier was taken back.", "收回授予的等級。", "收回授予的等级。"),
    of.TIERS_APPLIED: ("New rules of tiers were applied.", "套用新的等級規則。", "应用新的等级规则。"),
    of.TIME_PASSED: ("Time passed.", "時間到期。", "时间到期。"),
}
"""By type of activity: in English, for Taiwan, for the mainland."""

_OTHER: Final = ("{type} happened.", "發生「{type}」。", "发生“{type}”。")
_RISE: Final = (
    "{ladder}: {before} → {after}[ (until {until})].",
    "{ladder}：{before} → {after}[（至 {until}）]。",
    "{ladder}：{before} → {after}[（至 {until}）]。",
)
_NO_TIER: Final = ("no tier", "無等級", "无等级")


def what_happened(activity: Activity, program: Program, locale: Locale) -> str:
    """The activity in a sentence. A type of the shop's own is told by its name."""
    words, payload = writer(program, locale), activity.payload or {}
    told = {name: tell(payload, words) for name, tell in _FACTS.items()}
    told |= _purchase(activity, words)
    told["type"] = activity.type
    template = HAPPENINGS.get(activity.type, _OTHER)[_LANGUAGES[locale]]
    try:
        return fill(template, told)
    except KeyError:  # what it cannot do without was erased, or never told
        return fill(_OTHER[_LANGUAGES[locale]], told)


def how_tiers_changed(
    ladder_id: str, before: str | None, after: str | None, until: int, program: Program, locale: Locale
) -> str:
    """A change of tier in a sentence; ``until`` is NEVER where the tier does not end."""
    words = writer(program, locale)
    tiers = [tier for ladder in program.ladders if ladder.id == ladder_id for tier in ladder.tiers]
    none = _NO_TIER[_LANGUAGES[locale]]
    told = {
        "ladder": words.name(program.ladders, ladder_id),
        "before": none if before is None else words.name(tiers, before),
        "after": none if after is None else words.name(tiers, after),
        "until": None if after is None else _day(until, words),
    }
    return fill(_RISE[_LANGUAGES[locale]], told)


def _day(until: Any, words: Writer) -> str | None:
    return words.last_day(until) if isinstance(until, int) and 0 < until < 2**62 else None


def _purchase(activity: Activity, words: Writer) -> dict[str, str | None]:
    purchase = activity.purchase
    if purchase is None:
        return {}
    amount = sum(line.amount for line in purchase.lines) + purchase.tax + purchase.shipping
    return {
        "order": purchase.order_id,
        "amount": words.money(amount) if purchase.lines and purchase.priced else None,
        "store": purchase.store,
        "channel": purchase.channel,
    }


# -- Facts of payloads ------------------------------------------------------------------------------------

Payload = Mapping[str, Any]


def _text(name: str) -> Callable[[Payload, Writer], str | None]:
    return lambda payload, words: str(payload[name]) if payload.get(name) not in (None, "") else None


def _list(name: str) -> Callable[[Payload, Writer], str | None]:
    return lambda payload, words: words.part("list").join(map(str, payload.get(name) or ())) or None


def _names(payload: Payload, words: Writer) -> str | None:
    """What of her profile changed, without what it is."""
    named = [words.name(words.program.profile.traits, name) for name in payload.get("traits") or ()]
    named += [str(kind) for kind in payload.get("identities") or ()]
    named += [str(tag) for tag in (*(payload.get("tags") or ()), *(payload.get("untags") or ()))]
    return words.part("list").join(named) or None


def _value(payload: Payload, words: Writer) -> str | None:
    asset, amount = payload.get("asset"), payload.get("amount")
    if isinstance(asset, str) and isinstance(amount, int):
        return words.quantity(asset, amount)
    stored = payload.get("stored_value")
    return words.money(stored) if isinstance(stored, int) else None


def _money(payload: Payload, words: Writer) -> str | None:
    amount = payload.get("amount")
    return words.money(amount) if isinstance(amount, int) else None


def _template(payload: Payload, words: Writer) -> str | None:
    template = payload.get("template")
    return words.name(words.program.coupons, template) if isinstance(template, str) else None


def _tier(payload: Payload, words: Writer) -> str | None:
    tiers = [tier for ladder in words.program.ladders if ladder.id == payload.get("ladder") for tier in ladder.tiers]
    tier = payload.get("tier")
    return words.name(tiers, tier) if isinstance(tier, str) else None


def _purpose(payload: Payload, words: Writer) -> str | None:
    purpose = payload.get("purpose")
    return words.name(words.program.profile.purposes, purpose) if isinstance(purpose, str) else None


def _many(payload: Payload, words: Writer) -> str | None:
    quantity = payload.get("quantity")
    return str(quantity) if isinstance(quantity, int) and quantity > 1 else None


_FACTS: Final[dict[str, Callable[[Payload, Writer], str | None]]] = {
    "amount": _money,
    "channels": _list("channels"),
    "from": _text("from_member"),
    "hold": _text("hold"),
    "id": _text("id"),
    "kind": _text("kind"),
    "money": _money,
    "names": _names,
    "order": _text("order_id"),
    "purpose": _purpose,
    "quantity": _many,
    "reason": _text("reason"),
    "tags": _list("tags"),
    "template": _template,
    "tier": _tier,
    "to": _text("to_member"),
    "until": lambda payload, words: _day(payload.get("until"), words),
    "value": _value,
    "via": _text("via"),
}
"""What sentences ask for, by name; None where it was not told."""

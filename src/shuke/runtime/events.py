"""From one settled activity to the events it is told by: what happened, seen from outside.

Effects are what the books keep: many entries, each of one lot. An event is what an integrator acts on: an amount of
an asset was earned, a tier rose, a hold lapsed. Pure: the same step gives the same events, whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from shuke.books.postings import Event, Fact, profile_of
from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.compiled import Editions
from shuke.engine.effects import MEMBER_ACCOUNTS, CouponChanged, Entry, Settled, TierChanged
from shuke.engine.member import ERASED, MERGED, STRANGER, Hold, Lot, Member, Purse
from shuke.engine.orders import Order
from shuke.engine.stored_value import ORDER_PREFIX
from shuke.runtime import catalogue as say
from shuke.values.instants import DAY, NEVER, Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

NEWS: Final = 3 * DAY
"""What time brought by itself longer ago is told to nobody: the clock had stood still, or a history was brought in."""

Found = Iterator[tuple[str, Instant, Fact]]
"""Topic, when it happened, and what is said of it."""


class Before(Struct):
    """What must be known of a member as she was: the step uses her up. ``coupons``: id → (state, face value left)."""

    profile: tuple[Any, ...]
    holds: dict[str, Hold]
    coupons: dict[str, tuple[str, int]]


def before(member: Member) -> Before:
    """Taken before the step, where anybody listens."""
    coupons = {coupon.id: (coupon.state, coupon.value) for coupon in member.coupons.values()}
    return Before(profile_of(member), dict(member.holds), coupons)


class Step(Struct):
    """One step, with what it began with. ``topics`` are those that somebody asked for."""

    activity: Activity
    was: Before
    settled: Settled
    editions: Editions
    topics: frozenset[str]

    @property
    def member(self) -> Member:
        return self.settled.member

    @property
    def acted(self) -> str:
        """The activity's type; empty where it was refused: then only time has acted."""
        return self.activity.type if self.settled.refused is None else ""

    @property
    def currency(self) -> str:
        return self.editions.at(self.activity.occurred_at).document.currency


def events_of(step: Step) -> list[Event]:
    """The events of one settled activity, of the topics asked for: as they happened, then in the order of
    ``TELLERS``."""
    found = [
        Event(topic, at, fact)
        for families, tell in TELLERS
        if not step.topics.isdisjoint(families)
        for topic, at, fact in tell(step)
        if topic in step.topics
    ]
    found.sort(key=lambda event: event.at)
    return found


def is_news(at: Instant, activity: Activity, *, recorded_at: Instant) -> bool:
    """Whether the world is told of what happened at ``at``, by this activity that was settled at ``recorded_at``.

    What somebody told is news whenever it is told. What came by itself (time passed: value ended, a tier was reviewed)
    is news for as long as ``NEWS``.
    """
    by_itself = activity.type == of.TIME_PASSED or at < activity.occurred_at
    return not by_itself or at >= recorded_at - NEWS


def moment(instant: Instant) -> datetime:
    """The instant as the moment it is."""
    return _EPOCH + timedelta(microseconds=instant)


def moment_if_ever(instant: Instant) -> datetime | None:
    """The instant as a moment; None for what never comes, or (0) has no date."""
    return None if instant >= NEVER or instant == 0 else moment(instant)


# -- Members ----------------------------------------------------------------------------------------------


def _members(step: Step) -> Found:
    member, at = step.member, step.activity.occurred_at
    if step.acted == of.ERASED:
        answer = step.settled.answer
        ended = (answer.get(what, {}) for what in ("forfeited", "paid_out", "waived"))
        yield "member.erased", at, say.MemberErased("", member.id, *ended)
    elif step.acted == of.MERGED:
        answer = step.settled.answer
        yield "member.merged", at, say.MemberMerged("", member.id, answer["into"], answer["moved"], answer["coupons"])
    elif step.acted == of.RESTORED:
        yield "member.unmerged", at, _unmerged(step)
    elif step.was.profile[0] == STRANGER:
        if member.status != STRANGER:
            yield "member.joined", at, say.MemberJoined("", member.id, moment(member.joined_at), member.status)
    elif changed := _changed(step):
        yield "member.updated", at, say.MemberUpdated("", member.id, changed)


def _unmerged(step: Step) -> Fact:
    told = step.activity.payload or {}
    returned = {asset: sum(lot[4] for lot in lots) for asset, lots in told["lots"].items()}
    return say.MemberUnmerged("", step.member.id, told["from"], returned, len(told["coupons"]))


def _profiles(step: Step) -> Found:
    member_id, at = step.member.id, step.activity.occurred_at
    before, after = step.was.profile[0], step.member.status
    if before != after and before not in (STRANGER, MERGED) and after not in (ERASED, MERGED):
        yield "member.status_changed", step.member.status_since, say.StatusChanged("", member_id, before, after)
    if step.acted == of.PROFILE_COMPLETED:
        yield "profile.completed", at, say.ProfileCompleted("", member_id)
    elif step.acted in (of.CONSENT_GRANTED, of.CONSENT_WITHDRAWN):
        told, text = step.activity.payload or {}, step.settled.answer.get("consent", {})
        version, text_hash = text.get("version") or None, text.get("text_hash") or None
        fact = say.ConsentFact("", member_id, told.get("purpose"), told.get("channels"), version, text_hash)
        yield step.acted, at, fact


def _changed(step: Step) -> list[str]:
    was, now = step.was.profile, profile_of(step.member)
    found = list(dict.fromkeys(f"identities.{change.kind}" for change in step.settled.effects.identities))
    if was == now:
        return found
    status, joined_at, traits, tags = (a != b for a, b in zip(was, now, strict=True))
    found += [name for name, differs in (("status", status), ("joined_at", joined_at), ("tags", tags)) if differs]
    if traits:
        names = sorted({*was[2], *now[2]})
        found += [f"traits.{name}" for name in names if was[2].get(name) != now[2].get(name)]
    return found


# -- Orders -----------------------------------------------------------------------------------------------

_ORDER_TOPICS: Final = {
    of.ORDER_PAID: "order.settled",
    of.ORDER_COMPLETED: "order.completed",
    of.ORDER_REFUNDED: "order.refunded",
    of.ORDER_CANCELLED: "order.cancelled",
    of.ORDER_REOPENED: "order.reopened",
}


def _orders(step: Step) -> Found:
    topic = _ORDER_TOPICS.get(step.acted)
    if topic is None:
        return
    forwards = step.acted in (of.ORDER_PAID, of.ORDER_COMPLETED)
    for order in step.settled.effects.orders.values():
        yield topic, step.activity.occurred_at, (_settled if forwards else _returned)(step, order)


def _settled(step: Step, order: Order) -> say.OrderSettled:
    answer = step.settled.answer
    paid_with: dict[str, int] = {}
    for paid in order.paid:
        paid_with[paid.asset] = paid_with.get(paid.asset, 0) + sum(paid.units)
    return say.OrderSettled(
        "",
        step.member.id,
        order.id,
        moment(order.placed_at),
        order.status,
        order.total(),
        step.currency,
        answer.get("money"),
        order.channel,
        order.store,
        answer.get("earned", {}),
        paid_with,
        [used.coupon.id for used in order.coupons],
    )


def _returned(step: Step, order: Order) -> say.OrderReturned:
    answer = step.settled.answer
    taken: dict[str, int] = {}
    for entry in step.settled.effects.entries:
        if entry.kind in _TAKING and entry.order_id == order.id:
            taken[entry.asset] = taken.get(entry.asset, 0) - _for_member(entry)
    return say.OrderReturned(
        "",
        step.member.id,
        order.id,
        moment(order.placed_at),
        order.status,
        order.total(),
        step.currency,
        sum(order.refunded),
        answer.get("money", 0),
        answer.get("withheld", 0),
        answer.get("returned", {}),
        {asset: units for asset, units in taken.items() if units},
    )


# -- Holds ------------------------------------------------------------------------------------------------

_RELEASING: Final = frozenset((of.CART_RELEASED, of.ASSET_RELEASED))


def _holds(step: Step) -> Found:
    was, now = step.was.holds, step.member.holds
    reached = max(step.activity.occurred_at, step.member.now)
    for key, hold in was.items():
        if now.get(key) is hold:
            continue
        if hold.lapses_at <= reached:  # an act finds no hold whose time is over
            yield "hold.lapsed", hold.lapses_at, _hold(step, hold)
        elif step.acted in _RELEASING:
            yield "hold.released", step.activity.occurred_at, _hold(step, hold)
    for key, hold in now.items():
        if was.get(key) is not hold:
            yield "hold.placed", step.activity.occurred_at, _hold(step, hold)


def _hold(step: Step, hold: Hold) -> say.HoldFact:
    amounts: dict[str, int] = {}
    for part in hold.parts:
        amounts[part.asset] = amounts.get(part.asset, 0) + part.lot.amount
    return say.HoldFact("", step.member.id, hold.key, moment(hold.lapses_at), amounts, list(hold.coupons))


# -- Assets -----------------------------------------------------------------------------------------------

_TAKING: Final = frozenset(("reverse", "regive"))

TOPIC_OF_KIND: Final[dict[str, str]] = {
    "earn": "asset.earned",
    "gift": "asset.earned",
    "grant": "asset.earned",
    "bonus": "asset.earned",
    "ripen": "asset.ripened",
    "spend": "asset.spent",
    "restore": "asset.restored",
    "reverse": "asset.reversed",  # taken back and given again in one activity: what remains of it is told
    "regive": "asset.reversed",
    "expire": "asset.expired",
    "void": "asset.expired",
    "forfeit": "asset.expired",
    "adjust": "asset.adjusted",
    "open": "asset.opened",
    "transfer": "asset.transferred",
    "receive": "asset.received",
}
"""Entries by the topic that tells of them."""

TOLD_OTHERWISE: Final = frozenset(
    (
        "merge",
        "unmerge",
        "hold",
        "release",
        "lapse",
        "repay",
        "top_up",
        "refund",
        "withhold",
        "fee",
        "pay_out",
        "waive",
        "forgive",
    )
)
"""Entries that the event of a hold, a top-up, a balance, or a merged or erased member tells of."""

_EMPTY: Final = Purse()  # of an erased member

_ASSET_TOPICS: Final = frozenset((*TOPIC_OF_KIND.values(), "asset.regiven"))


def _assets(step: Step) -> Found:
    groups: dict[tuple[str, str, Instant, str | None], list[Entry]] = {}
    for entry in step.settled.effects.entries:
        topic = TOPIC_OF_KIND.get(entry.kind)
        if topic is not None and entry.amount:
            groups.setdefault((topic, entry.asset, entry.occurred_at, entry.order_id), []).append(entry)
    for (topic, _, at, _), entries in groups.items():
        amount = sum(_counted(entry) for entry in entries)
        if topic == "asset.reversed":
            topic, amount = ("asset.reversed", -amount) if amount < 0 else ("asset.regiven", amount)
        if amount and topic in step.topics:
            yield topic, at, _moved(step, entries, amount)


def _for_member(entry: Entry) -> int:
    """What the entry adds to what is the member's, in all her accounts together."""
    return entry.amount * ((entry.credit in MEMBER_ACCOUNTS) - (entry.debit in MEMBER_ACCOUNTS))


def _counted(entry: Entry) -> int:
    return _for_member(entry) if entry.kind in _TAKING or entry.kind == "adjust" else entry.amount


def _moved(step: Step, entries: list[Entry], amount: int) -> say.AssetMoved:
    first = entries[0]
    why = first.why or {}
    purse = step.member.purses.get(first.asset, _EMPTY)
    other = why.get("to") if first.kind == "transfer" else why.get("from") if first.kind == "receive" else None
    return say.AssetMoved(
        "",
        step.member.id,
        first.asset,
        amount,
        None if first.order_id is None or first.order_id.startswith(ORDER_PREFIX) else first.order_id,
        other,
        _text(why.get("reference")),
        _parts(step, entries),
        say.Balance(purse.available, purse.pending, purse.held, purse.debt),
    )


def _text(told: Any) -> str | None:
    return None if told is None else str(told)


def _parts(step: Step, entries: list[Entry]) -> list[say.Part]:
    """Entries of one cause that lie in the same lot are one part."""
    amounts: dict[tuple[str, str | None, int, int], int] = {}
    for entry in entries:
        key = (entry.kind, entry.rule, entry.version, entry.lot)
        amounts[key] = amounts.get(key, 0) + entry.amount
    found = []
    for (kind, rule, version, no), amount in amounts.items():
        ripens_at, expires_at = _dates(step, entries[0].asset, no)
        found.append(say.Part(kind, rule, version, amount, moment_if_ever(ripens_at), moment_if_ever(expires_at)))
    return found


def _dates(step: Step, asset: str, no: int) -> tuple[Instant, Instant]:
    """(ripens, expires) of a lot: as it is now, or as it was opened by this very step."""
    purse = step.member.purses.get(asset, _EMPTY)
    kept: Lot | None = next((lot for lot in (*purse.lots, *purse.ripening) if lot.no == no), None)
    if kept is not None:
        return kept.ripens_at, kept.expires_at
    for opened in step.settled.effects.lots:
        if (opened.asset, opened.no) == (asset, no):
            return opened.ripens_at, opened.expires_at
    return 0, NEVER


# -- Stored value -----------------------------------------------------------------------------------------


def _stored_value(step: Step) -> Found:
    if step.acted not in (of.TOPPED_UP, of.TOP_UP_REFUNDED):
        return
    at, told, answer = step.activity.occurred_at, step.activity.payload or {}, step.settled.answer
    top_up, id_ = answer["top_up"], str(told["id"])
    rules = step.editions.at(at).stored_value
    balance = sum(rules.balance(step.member)) if rules is not None else 0
    paid = top_up.get("principal", 0)
    if step.acted == of.TOPPED_UP:
        fact: Fact = say.ToppedUp(
            "", step.member.id, id_, paid, top_up["bonus"], top_up["offer"], step.currency, balance
        )
        yield "stored_value.topped_up", at, fact
        return
    fact = say.TopUpRefunded(
        "",
        step.member.id,
        id_,
        answer["money"],
        top_up["withheld"],
        top_up["fee"],
        top_up["bonus"],
        step.currency,
        balance,
    )
    yield "stored_value.refunded", at, fact


# -- Tiers ------------------------------------------------------------------------------------------------


def _tiers(step: Step) -> Found:
    for change in step.settled.effects.tiers:
        if step.acted in (of.MERGED, of.RESTORED) and change.reason in ("merged", "unmerged"):
            continue  # who goes, or is herself again: that is told
        fact = say.TierFact(
            "",
            step.member.id,
            change.ladder,
            change.before,
            change.after,
            None if change.after is None else moment_if_ever(change.until),
            change.reason,
        )
        yield _topic_of_tier(step, change), change.at, fact


def _topic_of_tier(step: Step, change: TierChanged) -> str:
    if change.before == change.after:
        return "tier.renewed"
    if change.after is None:
        return "tier.dropped"
    if change.before is None:
        return "tier.entered" if change.reason == "joined" else "tier.raised"
    ladder = step.editions.at(change.at).ladders.get(change.ladder)
    rank = {} if ladder is None else ladder.rank
    beyond = len(rank)  # a tier that the ladder no longer has ranks above the others
    return "tier.raised" if rank.get(change.after, beyond) > rank.get(change.before, beyond) else "tier.dropped"


# -- Coupons ----------------------------------------------------------------------------------------------

_COMING_BACK: Final = frozenset((of.ORDER_REFUNDED, of.ORDER_CANCELLED))


_OF_MERGES: Final = frozenset((of.MERGED, of.ABSORBED, of.UNMERGED, of.RESTORED))


def _coupons(step: Step) -> Found:
    if step.acted in _OF_MERGES:
        return  # that of the merge tells
    states = {id_: state for id_, (state, _) in step.was.coupons.items()}
    for change in step.settled.effects.coupons:
        topic = _topic_of_coupon(step, change, states.get(change.coupon_id))
        states[change.coupon_id] = change.state
        if topic is not None:
            yield topic, change.at, _coupon(step, change)


def _topic_of_coupon(step: Step, change: CouponChanged, known: str | None) -> str | None:
    """What became of a coupon. ``issued`` is said of every coupon that is in the member's hands behind the change:
    new, received, back from an order, let go by a hold, or a voucher of which a part was used."""
    if change.state == "held":
        return None  # the hold tells
    if change.state != "issued":
        return f"coupon.{change.state}"
    if change.order_id is not None and step.acted in _COMING_BACK:
        return "coupon.restored"
    if known is None:
        return "coupon.received" if step.acted == of.COUPON_RECEIVED else "coupon.issued"
    return None if known == "held" and change.order_id is None else "coupon.redeemed"


def _coupon(step: Step, change: CouponChanged) -> say.CouponFact:
    coupon = step.member.coupons.get(change.coupon_id)
    face = step.was.coupons.get(change.coupon_id, ("", 0))[1]
    left = coupon.value if coupon is not None and coupon.value else 0 if face else None
    return say.CouponFact(
        "",
        step.member.id,
        change.coupon_id,
        change.template,
        change.code,
        moment(change.valid_from),
        moment_if_ever(change.valid_until),
        change.order_id,
        change.rule,
        left,
    )


# -- What the program itself announces --------------------------------------------------------------------


def _notices(step: Step) -> Found:
    member_id = step.member.id
    for wanted in step.settled.effects.wanted:
        told, at = wanted.body, wanted.at
        if wanted.topic == "asset.expiring":
            ends = moment(told["expires_at"])
            yield wanted.topic, at, say.AssetExpiring("", member_id, told["asset"], told["amount"], ends, told["days"])
        elif wanted.topic == "tier.at_risk":
            until = moment(told["until"])
            yield wanted.topic, at, say.TierAtRisk("", member_id, told["ladder"], told["tier"], until, told["days"])


TELLERS: Final[tuple[tuple[frozenset[str], Callable[[Step], Found]], ...]] = (
    (
        frozenset(("member.joined", "member.updated", "member.merged", "member.unmerged", "member.erased")),
        _members,
    ),
    (frozenset(("member.status_changed", "profile.completed", "consent.granted", "consent.withdrawn")), _profiles),
    (frozenset(_ORDER_TOPICS.values()), _orders),
    (frozenset(("hold.placed", "hold.released", "hold.lapsed")), _holds),
    (_ASSET_TOPICS, _assets),
    (frozenset(("stored_value.topped_up", "stored_value.refunded")), _stored_value),
    (frozenset(("tier.entered", "tier.raised", "tier.renewed", "tier.dropped")), _tiers),
    (frozenset(topic for topic in say.TOPICS if topic.startswith("coupon.")), _coupons),
    (frozenset(("asset.expiring", "tier.at_risk")), _notices),
)
"""Who tells of which topics. What nobody asked for is not worked out."""

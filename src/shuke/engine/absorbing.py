"""The member who stays: what comes with another who was merged into her, and how it leaves again (see ``merging``)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from bisect import insort
from typing import Any

from msgspec import to_builtins
from msgspec.structs import replace

from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.adoption import given_back, move_counts
from shuke.engine.assets import Cause, post, purse_of, ripening_order, take_from_lot
from shuke.engine.coupons import tell
from shuke.engine.effects import AVAILABLE, DEBT, PENDING, TRANSIT, LotOpened, Refused
from shuke.engine.identity import called, forget, has
from shuke.engine.ladders import LadderRules
from shuke.engine.measures import is_same_term
from shuke.engine.member import Absorbed, Lot, Member, Purse, Standing, Was, unpack
from shuke.engine.merge_sums import (
    add_once,
    add_series,
    add_used,
    take_once,
    take_series,
    take_used,
)
from shuke.engine.merging import GOING, SURVIVOR
from shuke.engine.orders import MOVED, Order, back, pack_order
from shuke.engine.standing import announce
from shuke.engine.turn import Turn

# -- Absorbed ---------------------------------------------------------------------------------------------


def absorb(turn: Turn) -> Refused | None:
    """``member.absorbed``: all that another had arrives. Never refused: ``merging.merge`` has seen to it.

    Payload: ``merged_member``, her ``state`` as it was (``pack``, in base 64), the policy as ``merging.merge`` has it.
    """
    member, told = turn.member, turn.activity.payload or {}
    if turn.now < member.now:
        turn.enter(member.now)
    her = unpack(b64decode(told["state"]))
    was = Was(series=list(member.series), used=list(member.used), traits_set=dict(member.traits_set))
    lots = {asset: _take_over(turn, asset, purse, her, was) for asset, purse in her.purses.items()}
    _profile(member, her, was, told)
    add_series(turn, her, was)
    add_used(member, her, was)
    add_once(member, her, was)
    for coupon in her.coupons.values():
        member.coupons[coupon.id] = replace(coupon)
        tell(turn, member.coupons[coupon.id], "issued")
    for identity in her.identities:
        if has(member, identity.kind, identity.value) is None:  # some kinds several members share
            member.identities.append(identity)
            was.identities.append([identity.kind, identity.value])
            turn.effects.identities.append(called(turn, identity))
    member.absorbed.append(Absorbed(her.id, turn.now, "", lots, [], her.carries, was))
    for before in her.absorbed:
        raised = {asset: [lots[asset][0] + by, most] for asset, (by, most) in before.lots.items()}
        through = before.through or her.id
        member.absorbed.append(Absorbed(before.member_id, before.at, through, raised, [], before.carries))
    _stand(turn, her, was, told)
    return None


def _take_over(turn: Turn, asset: str, purse: Purse, her: Member, was: Was) -> list[int]:
    """Her lots with their dates, under numbers above all the member's own; what she owes comes along as it is, and is
    paid by what is credited next. Returns by how much the numbers are raised, and the highest she had."""
    mine, rules = purse_of(turn.member, asset), turn.rules_of(asset)
    cause = Cause("merge", None, None, {"from": her.id})
    by, most = mine.next_lot - 1, purse.next_lot - 1
    mine.next_lot += most
    for account, hers in ((AVAILABLE, purse.lots), (PENDING, purse.ripening)):
        for lot in hers:
            come = replace(lot, no=lot.no + by)
            turn.effects.lots.append(LotOpened(asset, come.no, come.opened_at, come.ripens_at, come.expires_at))
            if account == AVAILABLE:
                insort(mine.lots, come, key=rules.lot_key)
                mine.available += come.amount
            else:
                insort(mine.ripening, come, key=ripening_order)
                mine.pending += come.amount
            post(turn, asset, debit=TRANSIT, credit=account, amount=come.amount, lot=come.no, cause=cause)
    if purse.debt:
        mine.debt += purse.debt
        post(turn, asset, debit=DEBT, credit=TRANSIT, amount=purse.debt, lot=0, cause=cause)
    if purse.touched_at > mine.touched_at:
        was.touched[asset] = [purse.touched_at, mine.touched_at]
        mine.touched_at = purse.touched_at
    return [by, most]


def _profile(member: Member, her: Member, was: Was, told: dict[str, Any]) -> None:
    """Since when she is a member, her traits by the policy, tags of both."""
    if her.joined_at < member.joined_at:
        was.joined_at = [her.joined_at, member.joined_at]
        member.joined_at = her.joined_at
    fields, otherwise = told.get("fields") or {}, told.get("traits") or SURVIVOR
    for name, value in her.traits.items():
        if name not in member.traits:
            was.traits[name] = [value]
            _take_trait(member, her, name)
        elif member.traits[name] != value and fields.get(name, otherwise) == GOING:
            was.traits[name] = [value, member.traits[name]]
            _take_trait(member, her, name)
    for tag in her.tags:
        if tag not in member.tags:
            was.tags.append(tag)
            member.tags.append(tag)
            if tag in her.tagged:
                member.tagged[tag] = her.tagged[tag]
    for asked, said in her.consents.items():
        mine = member.consents.get(asked)
        if mine is None or (said.at, not said.granted) > (mine.at, not mine.granted):  # said last; of two, the no
            was.consents[asked] = [said] if mine is None else [said, mine]
            member.consents[asked] = said
    if her.awake_at > member.awake_at:
        was.awake_at = [her.awake_at, member.awake_at]
        member.awake_at = her.awake_at


def _take_trait(member: Member, her: Member, name: str) -> None:
    member.traits[name] = her.traits[name]
    if name in her.traits_set:
        member.traits_set[name] = her.traits_set[name]


def _stand(turn: Turn, her: Member, was: Was, told: dict[str, Any]) -> None:
    """On each ladder the higher of both standings with its term, of two alike the longer; her grants come along."""
    if (told.get("tiers") or "") == SURVIVOR:
        return
    member = turn.member
    for grant in her.grants:
        if not any(mine.ladder == grant.ladder and mine.ref == grant.ref for mine in member.grants):
            member.grants.append(grant)
            was.grants.append(grant)
    for rules in turn.program.ladders.values():
        hers, mine = her.standings.get(rules.id), member.standings.get(rules.id)
        if hers is not None and _is_better(rules, hers, mine):
            was.standings[rules.id] = [hers] if mine is None else [hers, mine]
            member.standings[rules.id] = replace(hers, term_start_totals=dict(hers.term_start_totals))
        if rules.id in was.standings or any(grant.ladder == rules.id for grant in was.grants):
            announce(turn, rules, reason="merged")


def _is_better(rules: LadderRules, hers: Standing, mine: Standing | None) -> bool:
    a, b = rules.rank_of(hers), rules.rank_of(mine)
    return a > b or (a == b and mine is not None and hers.until > mine.until)


# -- Unmerged ---------------------------------------------------------------------------------------------


class Leaving:
    """What goes back to one who was merged, while it is collected."""

    def __init__(self, her: Member, entry: Absorbed) -> None:
        self.her, self.entry = her, entry
        self.lots: dict[str, list[list[Any]]] = {}  # asset -> [no, opened, ripens, expires, amount, has ripened]
        self.next = {asset: purse.next_lot for asset, purse in her.purses.items()}
        self.renumbered: dict[tuple[str, int], int] = {}

    def number(self, asset: str, lot: Lot) -> int:
        """Her own number of a lot; of one that was opened since, a new one."""
        by, most = self.entry.lots.get(asset, (0, 0))
        if by < lot.no <= by + most:
            return lot.no - by
        known = self.renumbered.get((asset, lot.no))
        if known is None:
            known = self.renumbered[asset, lot.no] = self.next.get(asset, 1)
            self.next[asset] = known + 1
        return known

    def add(self, asset: str, lot: Lot, amount: int, *, ripe: bool) -> None:
        dates = (lot.opened_at, lot.ripens_at, lot.expires_at)
        self.lots.setdefault(asset, []).append([self.number(asset, lot), *dates, amount, ripe])


def unmerge(turn: Turn) -> Refused | None:
    """``member.unmerged``: one who was merged into the member is herself again. Payload: ``merged_member``, ``reason``.

    She gets what is left: her lots, debts as far as they are owed, coupons, identities, orders with what became of
    them. What came since stays. Refused: ``not_merged``, ``merged_through`` (another must be undone before),
    ``reason_missing``, ``holds_open``.
    """
    member, payload = turn.member, turn.activity.payload or {}
    if turn.now < member.now:
        turn.enter(member.now)
    who = payload.get("merged_member")
    entry = next((found for found in member.absorbed if found.member_id == who), None)
    other = turn.context.others.get(str(who))
    if entry is None or other is None:
        return Refused("not_merged", {"member": who})
    if entry.through or entry.was is None:
        return Refused("merged_through", {"member": who, "through": entry.through})
    if not payload.get("reason"):
        return Refused("reason_missing", {})
    if member.holds:
        return Refused("holds_open", {"count": len(member.holds)})
    leaving = Leaving(unpack(other.kept), entry)
    orders = [turn.context.orders[order_id] for order_id in entry.orders]
    counts = [moved for order in orders for moved in move_counts(turn, order)]
    debts = _value_leaves(turn, leaving, orders)
    coupons = _coupons_leave(turn, leaving.her, orders)
    identities = _identities_leave(turn, leaving.her, entry.was)
    back_again = [given_back(order, turn.editions, leaving.number) for order in orders]
    for order in orders:
        order.status = MOVED
        turn.effects.orders[order.id] = order
    _take_out(turn, leaving.her, entry.was)
    carries = {left.member_id: left.carries for left in member.absorbed if _came_with(member, left, entry)}
    member.absorbed = [left for left in member.absorbed if not _came_with(member, left, entry)]
    _fall_back(turn, entry.was)
    _tell(turn, leaving, debts, coupons)
    payload = {
        "from": member.id,
        "lots": leaving.lots,
        "next": leaving.next,
        "debts": debts,
        "coupons": to_builtins(coupons),
        "identities": identities,
        "orders": [b64encode(pack_order(order)).decode() for order in back_again],
        "counts": counts,
        "carries": carries,
    }
    source = f"shuke:{turn.activity.source}"
    turn.effects.activities.append(Activity(of.RESTORED, leaving.her.id, turn.now, source, turn.activity.key, payload))
    return None


def _came_with(member: Member, entry: Absorbed, root: Absorbed) -> bool:
    """Whether somebody came with ``root``, or is she."""
    while entry.through:
        entry = next(found for found in member.absorbed if found.member_id == entry.through)
    return entry is root


def _tell(turn: Turn, leaving: Leaving, debts: dict[str, int], coupons: list[Any]) -> None:
    returned = {asset: sum(lot[4] for lot in lots) for asset, lots in leaving.lots.items()}
    turn.answer.update(
        merged_member=leaving.her.id,
        returned={asset: amount for asset, amount in returned.items() if amount},
        debts=debts,
        coupons=len(coupons),
        orders=list(leaving.entry.orders),
    )


def _value_leaves(turn: Turn, leaving: Leaving, orders: list[Order]) -> dict[str, int]:
    """Her lots, and what her orders have earned since, leave; so does what she owed, as far as it is still owed."""
    cause = Cause("unmerge", None, None, {"to": leaving.her.id})
    member, debts = turn.member, dict[str, int]()
    for asset, (by, most) in leaving.entry.lots.items():
        purse = member.purses[asset]
        for lot in [*purse.lots, *purse.ripening]:
            if by < lot.no <= by + most:
                _lot_leaves(turn, leaving, asset, lot, lot.amount, cause)
    for order in orders:
        for award in order.awards[order.adopted[-1].awards :]:
            given = award.lot.amount
            left = given - back(order, given, award.weights, order.refunded, award.since) if order.refunded else given
            purse = purse_of(member, award.asset)
            there = next((lot for lot in (*purse.lots, *purse.ripening) if lot.no == award.lot.no), None)
            if there is not None and left:
                _lot_leaves(turn, leaving, award.asset, there, left, cause)
    for asset, purse in leaving.her.purses.items():
        owed = min(purse.debt, member.purses[asset].debt)
        if owed:
            member.purses[asset].debt -= owed
            post(turn, asset, debit=TRANSIT, credit=DEBT, amount=owed, lot=0, cause=cause)
            debts[asset] = owed
    return debts


def _lot_leaves(turn: Turn, leaving: Leaving, asset: str, lot: Lot, amount: int, cause: Cause) -> None:
    ripe = lot not in turn.member.purses[asset].ripening
    told = replace(lot)
    taken = take_from_lot(turn, asset, amount, no=lot.no, target=TRANSIT, cause=cause)
    if taken:
        leaving.add(asset, told, taken, ripe=ripe)


def _coupons_leave(turn: Turn, her: Member, orders: list[Order]) -> list[Any]:
    """Her coupons that are still there, and those that came back from her orders since."""
    hers = {*her.coupons, *(used.coupon.id for order in orders for used in order.coupons if used.returned)}
    coupons = turn.member.coupons
    found = [coupon for id_, coupon in coupons.items() if id_ in hers and coupon.state == "issued"]
    for coupon in found:
        del coupons[coupon.id]
        tell(turn, coupon, "given")
    return found


def _identities_leave(turn: Turn, her: Member, was: Was) -> list[Any]:
    """What she was called, as far as the member is still called so; what both had before, both have."""
    hers = {(identity.kind, identity.value) for identity in her.identities}
    found = [identity for identity in turn.member.identities if (identity.kind, identity.value) in hers]
    forget(turn, [identity for identity in found if [identity.kind, identity.value] in was.identities])
    return [to_builtins(identity) for identity in found]


def _take_out(turn: Turn, her: Member, was: Was) -> None:
    """Her part of the counters leaves, and what the merge made of the profile, where nothing changed it since."""
    member = turn.member
    take_series(turn, her, was)
    take_used(member, her, was)
    take_once(member, was)
    for asset, (made, before) in was.touched.items():
        if member.purses[asset].touched_at == made:
            member.purses[asset].touched_at = before
    if was.joined_at and member.joined_at == was.joined_at[0]:
        member.joined_at = was.joined_at[1]
    for name, (made, *earlier) in was.traits.items():
        if name in member.traits and member.traits[name] == made:
            if earlier:
                member.traits[name] = earlier[0]
            else:
                del member.traits[name]
            if name in was.traits_set:
                member.traits_set[name] = was.traits_set[name]
            else:
                member.traits_set.pop(name, None)
    member.tags = [tag for tag in member.tags if tag not in was.tags]
    for tag in was.tags:
        member.tagged.pop(tag, None)
    for asked, (said, *mine) in was.consents.items():
        if member.consents.get(asked) == said:
            if mine:
                member.consents[asked] = mine[0]
            else:
                del member.consents[asked]
    if was.awake_at and member.awake_at == was.awake_at[0]:
        member.awake_at = was.awake_at[1]


def _fall_back(turn: Turn, was: Was) -> None:
    """A standing that came with the merge goes with it; one that was reached since stays for its term."""
    member = turn.member
    member.grants = [grant for grant in member.grants if grant not in was.grants]
    for rules in turn.program.ladders.values():
        changed = was.standings.get(rules.id, [])
        if changed and is_same_term(member.standings.get(rules.id), changed[0]):
            if len(changed) > 1:
                member.standings[rules.id] = changed[1]
            else:
                del member.standings[rules.id]
        if changed or any(grant.ladder == rules.id for grant in was.grants):
            announce(turn, rules, reason="unmerged")

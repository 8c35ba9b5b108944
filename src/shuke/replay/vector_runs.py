"""Running vectors: given and when through the engine; what is not as then says, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from shuke.engine import activity as told
from shuke.engine.activity import Activity, Line, Payments, Purchase
from shuke.engine.cart import EVERYTHING, Quote
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.effects import MEMBER_ACCOUNTS, Entry, Refused, Settled
from shuke.engine.member import Lot, Member, pack, unpack
from shuke.engine.needs import needs
from shuke.engine.orders import Order
from shuke.engine.quote import quote
from shuke.engine.step import step as settle
from shuke.engine.turn import Context
from shuke.program.document import Program
from shuke.replay.history.payloads import PayloadReader
from shuke.replay.vectors import NONE, OrderTold, RefundTold, Standing, Step, Then, Vector
from shuke.values.amounts import format_amount, parse_amount
from shuke.values.instants import NEVER, Instant, format_day

Compared = tuple[str, Any, Any]
"""What is looked at, what it should be, what it is."""


def run(vector: Vector, program: Program) -> list[str]:
    """What is not as the vector says, one sentence each; empty if the program keeps its promise."""
    stage = Stage(program)
    failures = list(stage.prepare(vector))
    last = vector.when[-1]
    refusal_is_told = vector.then is not None and vector.then.refused is not None
    for step in vector.when:
        failures.extend(stage.play(step, may_refuse=refusal_is_told and step is last))
    if vector.then is not None:
        failures.extend(stage.judge(vector.then, last))
    for name, then in vector.others.items():
        failures.extend(stage.judge(then, last.model_copy(update={"member": name})))
    return failures


class Stage:
    """The members and orders of one vector, and what the last step answered."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.editions = Editions([Compiled(program)])
        self.calendar = self.editions.at(0).calendar
        scales = {asset.id: asset.scale for asset in program.assets}
        self.scales = scales
        self.payloads = PayloadReader(self.calendar, program.scale, scales)
        self.members: dict[str, Member] = {}
        self.orders: dict[tuple[str, str], Order] = {}
        self.taken: dict[str, int] = {}
        self.settled: Settled | None = None
        self.quoted: Quote | Refused | None = None
        self.count = 0

    # -- Given and when

    def prepare(self, vector: Vector) -> Iterator[str]:
        given = vector.given
        start = given.joined or (given.before or vector.when)[0].at
        if given.joined or given.traits or given.tags:
            told_of_her = {"traits": given.traits, "tags": given.tags}
            yield from self.play(Step(at=start, activity=told.JOINED, payload=told_of_her))
        for asset, amount in given.balances.items():
            payload = {"asset": asset, "amount": amount}
            yield from self.play(Step(at=start, activity=told.ASSET_OPENED, payload=payload))
        for step in given.before:
            yield from self.play(step)

    def play(self, step: Step, *, may_refuse: bool = False) -> Iterator[str]:
        """Let the step happen and hold it to its own ``then``. What is refused must be said to be refused."""
        at = self.calendar.parse(step.at)
        self.settled = self.quoted = None
        self.count += 1
        if step.quote is not None:
            self._quote(step, at, step.quote)
        else:
            self.settled = self._settle(self._activity(step, at))
            refused = self.settled.refused
            said = may_refuse or (step.then is not None and step.then.refused is not None)
            if refused is not None and not said:
                yield f"{step.name}: refused as {refused.code} {refused.facts}"
        if step.then is not None:
            yield from self.judge(step.then, step)

    def _member(self, name: str) -> Member:
        return self.members.setdefault(name, Member(name, 0))

    def _settle(self, activity: Activity) -> Settled:
        """One step, and whatever it puts into the inboxes of others."""
        need = needs(self.editions, activity)
        mine = {id_: self.orders.get((activity.member_id, id_)) for id_ in need.orders}
        context = Context(
            {id_: order for id_, order in mine.items() if order is not None},
            {quota: self.taken.get(quota, 0) for quota in need.quotas},
        )
        settled = settle(self.editions, self._member(activity.member_id), activity, context)
        self.members[activity.member_id] = unpack(pack(settled.member))
        for id_, order in settled.effects.orders.items():
            self.orders[activity.member_id, id_] = order
        for claim in settled.effects.claims:
            self.taken[claim.quota] = self.taken.get(claim.quota, 0) + claim.amount
        for sent in settled.effects.activities:
            self._settle(sent)
        return settled

    def _quote(self, step: Step, at: Instant, cart: OrderTold) -> None:
        purchase = self._purchase(cart, priced=False)
        told_so = Activity(told.ORDER_PAID, step.member, at, "vector", f"{self.count}", purchase=purchase)
        taken = {quota: self.taken.get(quota, 0) for quota in needs(self.editions, told_so).quotas}
        member = self._member(step.member)
        self.quoted = quote(self.editions, member, purchase, at=at, context=Context({}, taken))

    # -- Activities

    def _activity(self, step: Step, at: Instant) -> Activity:
        activity = Activity(told.TIME_PASSED, step.member, at, "vector", f"{self.count}")
        if step.order is not None or step.cart is not None:
            activity.type = told.ORDER_PAID
            bought = step.order or step.cart
            assert bought is not None  # the line above
            activity.purchase = self._purchase(bought, priced=step.order is not None)
        elif step.hold is not None:
            activity.type, activity.payload = told.CART_HELD, {"hold": step.hold.hold or "cart"}
            activity.purchase = self._purchase(step.hold, priced=False)
            activity.purchase.hold = None
        elif step.refund is not None:
            activity.type, activity.payload = told.ORDER_REFUNDED, self._refund(step.refund)
        elif step.activity is not None:
            activity.type = step.activity
            activity.payload = self.payloads.read(step.activity, step.payload or {})
        else:
            for name, kind in _ON_ORDERS.items():
                if getattr(step, name) is not None:
                    activity.type, activity.payload = kind, {"order_id": getattr(step, name)}
        return activity

    def _purchase(self, bought: OrderTold, *, priced: bool) -> Purchase:
        lines = [self._line(line) for line in bought.lines]
        if bought.amount is not None:
            lines = [Line(self._money(bought.amount))]
        purchase = Purchase(bought.id or str(len(self.orders) + 1), lines, priced=priced)
        purchase.channel, purchase.store, purchase.payment = bought.channel, bought.store, bought.payment
        purchase.tax, purchase.shipping = self._money(bought.tax), self._money(bought.shipping)
        purchase.hold = bought.hold
        if bought.points or bought.coupons or bought.stored_value != NONE:
            points = {asset: self._units(asset, amount) for asset, amount in bought.points.items()}
            stored = EVERYTHING if bought.stored_value == "all" else self._money(bought.stored_value)
            purchase.uses = Payments(bought.coupons or None, points or None, stored)
        return purchase

    def _line(self, line: Any) -> Line:
        known = line.model_dump(exclude={"amount", "list_amount"}, exclude_none=True)
        further = {name: known.pop(name) for name in tuple(known) if name not in Line.__struct_fields__}
        listed = None if line.list_amount is None else self._money(line.list_amount)
        return Line(self._money(line.amount), list_amount=listed, attributes=further or None, **known)

    def _refund(self, refund: RefundTold) -> dict[str, Any]:
        payload = refund.model_dump(exclude_none=True, exclude={"order"})
        last = next(reversed(self.orders))[1] if self.orders else ""
        payload = self.payloads.read(told.ORDER_REFUNDED, payload)
        return {**payload, "order_id": refund.order or last}

    def _money(self, amount: Decimal | str) -> int:
        return parse_amount(amount, scale=self.program.scale)

    def _units(self, asset: str, amount: Decimal | str) -> int:
        return EVERYTHING if amount == "all" else parse_amount(amount, scale=self.scales[asset])

    # -- Then

    def judge(self, then: Then, step: Step) -> Iterator[str]:
        """Everything that is not as ``then`` says, each sentence led by the step it came after."""
        member = self._member(step.member)
        whose = step.name if step.member == "member" else f"{step.name}, {step.member}"
        for what, expected, found in (
            *self._standing(then, member),
            *self._answered(then),
            *self._priced(then),
        ):
            if expected != found:
                yield f"{whose}: {what} should be {expected}, is {found}"
        if then.entries is not None:
            yield from self._entries(then, whose)

    def _standing(self, then: Then, member: Member) -> Iterator[Compared]:
        for name, amounts, field in (
            ("balance", then.balances, "available"),
            ("pending", then.pending, "pending"),
            ("debt", then.debts, "debt"),
        ):
            for asset, amount in (amounts or {}).items():
                purse = member.purses.get(asset)
                yield f"{name} of {asset}", self._shown(amount, asset), self._told(purse, field, asset)
        for asset, lots in (then.lots or {}).items():
            expected = [(self._shown(lot.amount, asset), lot.until, lot.from_) for lot in lots]
            yield f"lots of {asset}", expected, self._lots(member, asset)
        for ladder, standing in (then.tiers or {}).items():
            yield from self._tier(member, ladder, standing)
        if then.coupons is not None:
            found: dict[str, int] = {}
            for coupon in member.coupons.values():
                if coupon.state == "issued":
                    found[coupon.template] = found.get(coupon.template, 0) + 1
            yield "coupons in hand", dict(sorted(then.coupons.items())), dict(sorted(found.items()))

    def _told(self, purse: Any, field: str, asset: str) -> str:
        return format_amount(getattr(purse, field) if purse is not None else 0, scale=self.scales[asset])

    def _shown(self, amount: Decimal, asset: str) -> str:
        return format_amount(self._units(asset, amount), scale=self.scales[asset])

    def _lots(self, member: Member, asset: str) -> list[tuple[str, str, str | None]]:
        purse = member.purses.get(asset)
        lots = [] if purse is None else sorted([*purse.lots, *purse.ripening], key=_by_end)
        found: dict[tuple[str, str | None], int] = {}
        for lot in lots:
            ripens = format_day(self.calendar.day(lot.ripens_at)) if lot.ripens_at else None
            ends = (self._last_day(lot.expires_at), ripens)
            found[ends] = found.get(ends, 0) + lot.amount
        scale = self.scales[asset]
        return [(format_amount(amount, scale=scale), *ends) for ends, amount in found.items()]

    def _last_day(self, end: Instant) -> str:
        return "never" if end == NEVER else format_day(self.calendar.day(end - 1))

    def _tier(self, member: Member, ladder: str, wanted: str | Standing | None) -> Iterator[Compared]:
        tier = wanted.tier if isinstance(wanted, Standing) else wanted
        until = wanted.until if isinstance(wanted, Standing) else None
        in_force = member.tiers.get(ladder)
        yield f"tier on {ladder}", tier, in_force
        if until is None or tier != in_force:
            return
        ends = [grant.until for grant in member.grants if (grant.ladder, grant.tier) == (ladder, tier)]
        standing = member.standings.get(ladder)
        if standing is not None and standing.tier == tier:
            ends.append(standing.until)
        last = self._last_day(max(ends, default=NEVER))
        yield f"end of {tier} on {ladder}", until, "lifetime" if last == "never" else last

    def _answered(self, then: Then) -> Iterator[Compared]:
        if then.refused is not None:
            refused = self.settled.refused if self.settled is not None else None
            yield "refusal", then.refused, refused.code if refused is not None else None
        answer = self.settled.answer if self.settled is not None else {}
        if then.earned is not None:
            earned = answer.get("earned", {})
            found = {asset: format_amount(units, scale=self.scales[asset]) for asset, units in earned.items()}
            yield "earned", self._amounts(then.earned), found
        if then.money is not None:
            scale = self.program.scale
            money = format_amount(answer.get("money", 0), scale=scale)
            yield "money back", format_amount(self._money(then.money), scale=scale), money

    def _amounts(self, amounts: dict[str, Decimal]) -> dict[str, str]:
        return {asset: self._shown(amount, asset) for asset, amount in amounts.items()}

    def _priced(self, then: Then) -> Iterator[Compared]:
        priced = (then.payable, then.lines, then.paid, then.earns, then.skipped)
        if all(field is None for field in priced):
            return
        found = self.quoted
        if not isinstance(found, Quote):
            yield "a quote", "there", "missing" if found is None else f"refused as {found.code} {found.facts}"
            return
        if then.payable is not None:
            yield "payable", self._money(then.payable), found.payable
        if then.lines is not None:
            yield "prices of the lines", [self._money(line) for line in then.lines], found.amounts[:-2]
        if then.paid is not None:
            units = {paid.asset: sum(paid.units) for paid in found.paid}
            yield "paid with", {asset: self._units(asset, n) for asset, n in then.paid.items()}, units
        if then.earns is not None:
            yield "would earn", {asset: self._units(asset, n) for asset, n in then.earns.items()}, found.earns
        if then.skipped is not None:
            yield "skipped", then.skipped, [skipped["code"] for skipped in found.skipped]

    def _entries(self, then: Then, whose: str) -> Iterator[str]:
        """Compare the last step's entries one by one, and only what is said of them."""
        entries = self.settled.effects.entries if self.settled is not None else []
        expected = then.entries or []
        if len(entries) != len(expected):
            listed = "; ".join(self._entry(entry) for entry in entries) or "none"
            yield f"{whose}: there should be {len(expected)} entries, there are {len(entries)}: {listed}"
            return
        for number, (wanted, entry) in enumerate(zip(expected, entries, strict=True), start=1):
            for field, value in wanted.model_dump(exclude_none=True).items():
                found = getattr(entry, field)
                value = self._units(entry.asset, value) if field == "amount" else value
                if found != value:
                    said = f"{whose}: {field} of entry {number} should be {value}"
                    yield f"{said}, is {found} ({self._entry(entry)})"

    def _entry(self, entry: Entry) -> str:
        amount = format_amount(entry.amount, scale=self.scales[entry.asset])
        by = f" by {entry.rule}" if entry.rule else ""
        sign = "+" if entry.credit in MEMBER_ACCOUNTS else "-"
        return f"{entry.kind} {sign}{amount} {entry.asset}{by}"


_ON_ORDERS = {
    "complete": told.ORDER_COMPLETED,
    "cancel": told.ORDER_CANCELLED,
    "reopen": told.ORDER_REOPENED,
}


def _by_end(lot: Lot) -> tuple[int, int]:
    return (lot.expires_at, lot.ripens_at)

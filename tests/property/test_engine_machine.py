"""Machines that do everything at once to a few members, and check after every step what must always hold.

``ShopMachine`` settles in memory; the one over real books (``test_books_machine``) builds on it.
"""

from __future__ import annotations

import os
from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule
from msgspec import json

from shuke.engine import activity as of
from shuke.engine.activity import Activity, Line, Payments, Purchase
from shuke.engine.effects import DEBT, MEMBER_ACCOUNTS
from shuke.engine.member import pack, unpack
from shuke.engine.orders import pack_order, unpack_order
from shuke.engine.turn import Code
from shuke.values.instants import DAY, HOUR, MINUTE, NEVER
from tests.property.rich_shop import editions
from tests.shop import NOON, Ledger, passed, told

ROUNDS = int(os.environ.get("SHUKE_PROVE_ROUNDS", "1"))
EDITIONS = editions()
MEMBERS = ("ada", "bob", "cy")
ASSETS = ("points", "points", "stars", "miles", "growth", "principal")
SPENDABLE = st.sampled_from(["points", "stars", "miles"])

LATE = {
    "visit": "visited",
    "spend": of.ASSET_SPENT,
    "adjust": of.ASSET_ADJUSTED,
    "grant": of.ASSET_GRANTED,
}

CODES = {f"CODE{number}": "printed" if number < 6 else "cash" for number in range(9)}
"""Codes made ahead, with their templates."""

members = st.sampled_from(MEMBERS)
codes = st.sampled_from([*CODES, "code1", "GIFT1", "NOBODYS"])
amounts = st.integers(1, 400)
tenths = st.integers(1, 10)
lines = st.lists(
    st.builds(
        Line,
        amount=st.integers(0, 9000),
        quantity=st.integers(1, 3),
        sku=st.sampled_from(["a", "b"]),
        category=st.sampled_from(["coffee", "tea"]),
    ),
    min_size=1,
    max_size=3,
)


class ShopMachine(RuleBasedStateMachine):
    """Three ledgers see the same activities. ``ledger`` keeps its objects; ``frozen`` packs and unpacks them
    before every step; ``restless`` also has its time pass at random instants in between."""

    orders = Bundle("orders")
    holds = Bundle("holds")
    coupons = Bundle("coupons")
    top_ups = Bundle("top_ups")
    spends = Bundle("spends")
    value_holds = Bundle("value_holds")

    @initialize()
    def open(self) -> None:
        self.ledger, self.frozen, self.restless = (Ledger(*EDITIONS) for _ in range(3))
        for ledger in (self.ledger, self.frozen, self.restless):
            ledger.codes = {code: Code(template, "free") for code, template in CODES.items()}
        self.now = NOON
        self.number = 0
        self.running: dict[str, dict[tuple[str, str], int]] = {id_: {} for id_ in MEMBERS}
        self.seen: dict[str, int] = dict.fromkeys(MEMBERS, 0)
        for member in MEMBERS:
            self._tell(of.JOINED, member)
            for asset in ASSETS:
                self._tell(of.ASSET_ADJUSTED, member, asset=asset, amount=150, reason="start")
                self.now += 7 * HOUR

    # -- What happens -------------------------------------------------------------------------------------

    @rule(target=orders, member=members, lines=lines, tax=st.integers(0, 90), shipping=st.integers(0, 500))
    def pay(self, member, lines, tax, shipping):
        return self._pay(member, Purchase("", lines, tax=tax, shipping=shipping))

    @rule(
        target=orders,
        member=members,
        lines=lines,
        shipping=st.integers(0, 500),
        asset=SPENDABLE,
        part=tenths,
        stored_value=st.sampled_from([0, 0, 700]),
        priced=st.booleans(),
    )
    def pay_with_points(self, member, lines, shipping, asset, part, stored_value, priced):
        uses = Payments(points={asset: self._part(member, asset, part)}, stored_value=stored_value)
        return self._pay(member, Purchase("", lines, shipping=shipping, uses=uses, priced=priced))

    @rule(target=orders, coupon=coupons, lines=lines)
    def pay_with_a_coupon(self, coupon, lines):
        member, id_ = coupon
        return self._pay(member, Purchase("", lines, uses=Payments(coupons=[id_]), priced=False))

    @rule(target=holds, member=members, lines=lines, asset=SPENDABLE, part=tenths, minutes=st.integers(1, 600))
    def hold(self, member, lines, asset, part, minutes):
        units = self._part(member, asset, part)
        purchase = Purchase(f"o{self.number}", lines, uses=Payments(points={asset: units}), priced=False)
        payload = {"hold": f"h{self.number}", "minutes": minutes}
        refused = self._settle(Activity(of.CART_HELD, member, self.now, "test", self._key(), payload, purchase))
        return multiple() if refused else (member, payload["hold"])

    @rule(hold=holds)
    def release(self, hold):
        self._tell(of.CART_RELEASED, hold[0], hold=hold[1])

    @rule(target=orders, hold=holds)
    def pay_what_is_held(self, hold):
        return self._pay(hold[0], Purchase("", [], hold=hold[1], priced=False))

    @rule(order=orders)
    def refund_what_is_left(self, order):
        self._tell(of.ORDER_REFUNDED, order[0], order_id=order[1])

    @rule(order=orders, part=tenths)
    def refund_an_amount(self, order, part):
        left = self.ledger.order(*order)
        amount = max(1, (sum(left.full()) - sum(left.refunded)) * part // 10)
        self._tell(of.ORDER_REFUNDED, order[0], order_id=order[1], amount=amount)

    @rule(order=orders, line=st.integers(1, 3), quantity=st.none() | st.integers(1, 2), tax=st.integers(0, 40))
    def refund_a_line(self, order, line, quantity, tax):
        asked = {"line": line} if quantity is None else {"line": line, "quantity": quantity}
        self._tell(of.ORDER_REFUNDED, order[0], order_id=order[1], lines=[asked], tax=tax)

    @rule(order=orders, what=st.sampled_from([of.ORDER_CANCELLED, of.ORDER_REOPENED, of.ORDER_COMPLETED]))
    def cancel_reopen_or_complete(self, order, what):
        self._tell(what, order[0], order_id=order[1])

    @rule(order=orders)
    def cancel_and_reopen(self, order):
        self._tell(of.ORDER_CANCELLED, order[0], order_id=order[1])
        self._tell(of.ORDER_REOPENED, order[0], order_id=order[1])

    @rule(target=spends, member=members, asset=st.sampled_from(ASSETS), part=st.integers(1, 11))
    def spend(self, member, asset, part):
        return self._spend(of.ASSET_SPENT, member, asset=asset, amount=self._part(member, asset, part))

    @rule(target=spends, member=members, amount=st.sampled_from([1, 333, 10_050]))
    def spend_stored_value(self, member, amount):
        return self._spend(of.ASSET_SPENT, member, stored_value=amount)

    def _spend(self, what, member, **payload):
        id_ = f"s{self.number}"
        return multiple() if self._tell(what, member, id=id_, **payload) else (member, id_)

    @rule(spend=spends, part=st.integers(1, 10))
    def undo_a_spend(self, spend, part):
        spent = self.ledger.order(spend[0], f"spend:{spend[1]}").spend
        unit = "stored_value" if spent.value.asset is None else "amount"
        amount = max(1, (spent.value.amount - spent.back) * part // 10)
        self._tell(of.ASSET_SPEND_REVERSED, spend[0], id=spend[1], **{unit: amount})

    @rule(spend=spends)
    def undo_what_is_left_of_a_spend(self, spend):
        self._tell(of.ASSET_SPEND_REVERSED, spend[0], id=spend[1])

    @rule(target=value_holds, member=members, asset=SPENDABLE, part=tenths, minutes=st.integers(1, 600))
    def hold_value(self, member, asset, part, minutes):
        return self._hold_value(member, minutes, asset=asset, amount=self._part(member, asset, part))

    @rule(target=value_holds, member=members, amount=st.sampled_from([500, 10_100]), minutes=st.integers(1, 600))
    def hold_stored_value(self, member, amount, minutes):
        return self._hold_value(member, minutes, stored_value=amount)

    def _hold_value(self, member, minutes, **payload):
        key = f"h{self.number}"
        refused = self._tell(of.ASSET_HELD, member, hold=key, minutes=minutes, **payload)
        return multiple() if refused else (member, key)

    @rule(target=spends, hold=value_holds, amount=st.none() | amounts)
    def capture(self, hold, amount):
        part = {} if amount is None else {"amount": amount, "stored_value": amount}
        return self._spend(of.ASSET_CAPTURED, hold[0], hold=hold[1], **part)

    @rule(hold=holds | value_holds)
    def release_or_pay_what_is_no_cart(self, hold):
        self._pay(hold[0], Purchase("", [], hold=hold[1], priced=False))
        self._tell(of.ASSET_RELEASED, hold[0], hold=hold[1])

    @rule(member=members, asset=st.sampled_from(ASSETS), amount=amounts, days=st.none() | st.integers(1, 9))
    def grant(self, member, asset, amount, days):
        dates = {} if days is None else {"ripens_at": self.now, "expires_at": self.now + days * DAY}
        self._tell(of.ASSET_GRANTED, member, asset=asset, amount=amount, reason="test", **dates)

    @rule(member=members)
    def spend_everything(self, member):
        """So that refunds find nothing to take back."""
        for asset in ("points", "stars", "miles"):
            self._tell(of.ASSET_SPENT, member, asset=asset, amount=self._part(member, asset, 10))

    @rule(member=members, asset=st.sampled_from(ASSETS), amount=amounts, sign=st.sampled_from([1, -1]))
    def adjust(self, member, asset, amount, sign):
        self._tell(of.ASSET_ADJUSTED, member, asset=asset, amount=sign * amount, reason="test")

    @rule(member=members, to=members, asset=st.sampled_from(["points", "stars", "growth"]), part=tenths)
    def transfer(self, member, to, asset, part):
        amount = self._part(member, asset, part)
        self._tell(of.ASSET_TRANSFERRED, member, asset=asset, amount=amount, to_member=to)

    @rule(member=members, asset=st.sampled_from(ASSETS), amount=amounts, days=st.integers(1, 60))
    def bring(self, member, asset, amount, days):
        self._tell(of.ASSET_OPENED, member, asset=asset, amount=amount, expires_at=self.now + days * DAY)

    @rule(member=members)
    def visit(self, member):
        self._tell("visited", member)

    @rule(target=coupons, member=members)
    def issue(self, member):
        key = self._key()
        settled = self._settle_all(told(of.COUPON_ISSUED, member, key=key, when=self.now, template="ten"))
        return multiple(*((member, id_) for id_ in settled.answer.get("coupons", ())))

    @rule(target=coupons, member=members, code=codes)
    def claim(self, member, code):
        settled = self._settle_all(told(of.COUPON_CLAIMED, member, key=self._key(), when=self.now, code=code))
        return multiple(*((member, id_) for id_ in settled.answer.get("coupons", ())))

    @rule(target=orders, member=members, lines=lines, code=codes, priced=st.booleans())
    def pay_with_a_code(self, member, lines, code, priced):
        return self._pay(member, Purchase("", lines, uses=Payments(coupons=[code]), priced=priced))

    @rule(target=holds, member=members, lines=lines, code=codes)
    def hold_a_code(self, member, lines, code):
        purchase = Purchase(f"o{self.number}", lines, uses=Payments(coupons=[code]), priced=False)
        payload = {"hold": f"h{self.number}"}
        refused = self._settle(Activity(of.CART_HELD, member, self.now, "test", self._key(), payload, purchase))
        return multiple() if refused else (member, payload["hold"])

    @rule(member=members, code=codes, amount=st.none() | st.integers(1, 4000))
    def scan_a_code(self, member, code, amount):
        self._tell(of.COUPON_REDEEMED, member, coupon=code, **({} if amount is None else {"amount": amount}))

    @rule(member=members, to=members, code=codes)
    def give_a_coupon(self, member, to, code):
        self._tell(of.COUPON_GIVEN, member, coupon=code, to_member=to)

    @rule(member=members, code=codes)
    def issue_with_a_code(self, member, code):
        self._tell(of.COUPON_ISSUED, member, template="cash", codes=[code])

    @precondition(lambda self: self.number % 12 == 0)
    @rule()
    def withdraw_codes(self):
        self._withdraw()

    def _withdraw(self):
        for ledger in (self.ledger, self.frozen, self.restless):
            for code, known in ledger.codes.items():
                if known.state == "free":
                    ledger.codes[code] = Code(known.template, "void")

    @rule(target=top_ups, member=members, amount=st.sampled_from([500, 10_000, 12_345]))
    def top_up(self, member, amount):
        id_ = f"t{self.number}"
        refused = self._tell(of.TOPPED_UP, member, id=id_, amount=amount)
        return multiple() if refused else (member, id_)

    @rule(top_up=top_ups)
    def pay_a_top_up_back(self, top_up):
        self._tell(of.TOP_UP_REFUNDED, top_up[0], id=top_up[1])

    @rule(
        target=orders,
        member=members,
        lines=lines,
        ago=st.integers(MINUTE, 40 * DAY),
        how=st.sampled_from(["order", "visit", "spend", "adjust", "grant"]),
    )
    def hear_of_something_late(self, member, lines, ago, how):
        """The time of all has come up to now before: what is late is late for everybody."""
        self._catch_up(member, f"now{self.number}")
        present, self.now = self.now, self.now - ago
        try:
            if how == "order":
                return self._pay(member, Purchase("", lines))
            self._tell(LATE[how], member, asset="points", amount=30, reason="late")
            return multiple()
        finally:
            self.now = present

    @rule(member=members, kind=st.sampled_from(["phone", "card"]), value=st.sampled_from([None, "1", "2"]))
    def call(self, member, kind, value):
        self._tell(of.UPDATED, member, identities={kind: value})

    @precondition(lambda self: self.number % 8 == 0)
    @rule(member=members, stored_value=st.sampled_from([None, "paid_out", "waived"]))
    def erase(self, member, stored_value):
        self._tell(of.ERASED, member, stored_value=stored_value)

    @precondition(lambda self: self.number % 3 == 0)
    @rule(
        member=members,
        into=members,
        traits=st.sampled_from([None, "survivor", "merged"]),
        tiers=st.sampled_from([None, "highest", "survivor"]),
    )
    def merge(self, member, into, traits, tiers):
        self._tell(of.MERGED, member, into=into, reason="test", traits=traits, tiers=tiers)

    @rule(member=members, merged=members)
    def unmerge(self, member, merged):
        self._tell(of.UNMERGED, member, merged_member=merged, reason="test")

    @rule(member=members, into=members)
    def merge_and_unmerge(self, member, into):
        """With nothing between, both are as they were; only numbers of lots are never used again."""
        for one in dict.fromkeys((member, into)):
            self._catch_up(one, f"merge{self.number}")
        before = {id_: self._lasting(one) for id_, one in self.ledger.members.items()}
        if self._tell(of.MERGED, member, into=into, reason="test") is None:
            refused = self._tell(of.UNMERGED, into, merged_member=member, reason="test")
            if refused is None:
                assert {id_: self._lasting(one) for id_, one in self.ledger.members.items()} == before
            else:
                assert refused.code == "holds_open"

    @staticmethod
    def _lasting(member):
        """The member without what only ever goes up."""
        copy = unpack(pack(member))
        copy.seq = copy.now = 0
        for asset, purse in list(copy.purses.items()):
            purse.next_lot = 1
            if not (purse.available or purse.pending or purse.held or purse.debt or purse.touched_at):
                del copy.purses[asset]
        return copy

    @rule(span=st.sampled_from([MINUTE, HOUR, DAY, DAY, 3 * DAY, 8 * DAY, 30 * DAY]), times=st.integers(1, 3))
    def wait(self, span, times):
        self.now += span * times

    @rule(member=members, part=st.integers(0, 10))
    def let_time_pass_for_the_restless_alone(self, member, part):
        """At an instant between her last one and now."""
        if member in self.restless.members:
            last = self.restless.members[member].now
            self.restless.settle(passed(member, last + (self.now - last) * part // 10))
            self.restless.whole(member).seq -= 1  # coupons are numbered by it

    def _part(self, member, asset, part):
        """So many tenths of what the member has (more than all from eleven on), at least one unit."""
        purse = self.ledger.whole(member).purses.get(asset)
        return max(1, (purse.available if purse is not None else 0) * part // 10)

    # -- How it is settled --------------------------------------------------------------------------------

    def _key(self) -> str:
        self.number += 1
        return f"k{self.number}"

    def _pay(self, member, purchase):
        purchase.order_id = f"o{self.number}"
        refused = self._settle(Activity(of.ORDER_PAID, member, self.now, "test", self._key(), None, purchase))
        return multiple() if refused else (member, purchase.order_id)

    def _tell(self, what, member, **payload):
        return self._settle(told(what, member, key=self._key(), when=self.now, **payload))

    def _settle(self, activity):
        return self._settle_all(activity).refused

    def _settle_all(self, activity):
        before = self._copy(self.ledger.settled_with(activity))
        orders = {key: pack_order(order) for key, order in self.ledger.orders.items()}
        self._freeze()
        settled, again = self.ledger.settle(activity), self.frozen.settle(activity)
        self.restless.settle(activity)
        self._check_same(self.ledger, self.frozen)
        assert json.encode(settled.answer) == json.encode(again.answer)
        if settled.refused is not None:
            self._check_refused(activity, before, orders)
        for id_ in self.ledger.members:
            self._check_due(id_)
        self._check_entries()
        return settled

    def _catch_up(self, member, key):
        activity = passed(member, self.now, key=f"{member}/{key}")
        for ledger in (self.ledger, self.frozen, self.restless):
            settled = ledger.settle(activity)
        self._check_entries()
        return activity, settled

    def _copy(self, id_):
        """A ledger that knows this member alone, as she is now."""
        copy = Ledger(*EDITIONS)
        if id_ in self.ledger.members:
            copy.members[id_] = unpack(pack(self.ledger.members[id_]))
        return copy

    def _freeze(self):
        self.frozen.members = {id_: unpack(pack(member)) for id_, member in self.frozen.members.items()}
        self.frozen.orders = {key: unpack_order(pack_order(order)) for key, order in self.frozen.orders.items()}

    # -- What must hold -----------------------------------------------------------------------------------

    def _check_same(self, one, other):
        assert {id_: pack(member) for id_, member in one.members.items()} == {
            id_: pack(member) for id_, member in other.members.items()
        }
        assert {key: pack_order(order) for key, order in one.orders.items()} == {
            key: pack_order(order) for key, order in other.orders.items()
        }
        assert (one.entries, one.taken) == (other.entries, other.taken)

    def _check_refused(self, activity, before, orders):
        """A refused activity changes nothing beyond time: she is as if only time had passed."""
        assert {key: pack_order(order) for key, order in self.ledger.orders.items()} == orders
        [member] = before.members or [activity.member_id]
        if self.ledger.members[member].merged is not None:
            return  # she is not herself, and time does nothing to her
        before.settle(passed(member, activity.occurred_at))
        assert pack(self.ledger.members[member]) == pack(before.members[member])

    def _check_due(self, id_):
        """Nothing happens by itself before ``due_at``; then something does."""
        member = self.ledger.members[id_]
        assert member.due_at > member.now
        if member.due_at >= NEVER:
            return
        early = self._copy(id_)
        settled = early.settle(passed(id_, member.due_at - 1))
        effects = settled.effects
        assert [*effects.entries, *effects.tiers, *effects.coupons, *effects.wanted] == []
        assert self._timeless(early.members[id_]) == self._timeless(member)

    @staticmethod
    def _timeless(member):
        copy = unpack(pack(member))
        copy.now = copy.seq = 0
        return pack(copy)

    def _check_entries(self):
        """No account ever falls below zero but what is owed, at no entry on the way."""
        for id_ in MEMBERS:
            entries = self.ledger.entries.get(id_, [])
            accounts = self.running[id_]
            for entry in entries[self.seen[id_] :]:
                assert entry.amount > 0
                for account, change in ((entry.debit, -entry.amount), (entry.credit, entry.amount)):
                    left = accounts[entry.asset, account] = accounts.get((entry.asset, account), 0) + change
                    if account in MEMBER_ACCOUNTS:
                        assert left <= 0 if account == DEBT else left >= 0, entry
            self.seen[id_] = len(entries)

    @invariant()
    def every_asset_sums_to_zero_and_nothing_is_left_on_the_way(self):
        total: dict[tuple[str, str], int] = {}
        for accounts in self.running.values():
            for key, amount in accounts.items():
                total[key] = total.get(key, 0) + amount
        for asset in {asset for asset, _ in total}:
            assert sum(amount for (of_, _), amount in total.items() if of_ == asset) == 0
            assert total.get((asset, "transit"), 0) == 0

    @invariant()
    def an_identity_belongs_to_one_member_who_knows_it(self):
        told = {(identity.kind, identity.value): id_ for id_, member in self.ledger.members.items()
                for identity in member.identities}  # fmt: skip
        assert told == self.ledger.identities
        assert len(told) == sum(len(member.identities) for member in self.ledger.members.values())

    @invariant()
    def nothing_is_left_of_who_is_erased(self):
        for id_, member in self.ledger.members.items():
            if member.status == "erased":
                left = {
                    key: amount for key, amount in self.running[id_].items() if key[1] in MEMBER_ACCOUNTS and amount
                }
                assert left == {}
                bare = type(member)(id_, member.joined_at, "erased", member.now, seq=member.seq)
                assert pack(member) == pack(bare)

    @invariant()
    def purse_totals_are_their_lots_and_their_entries(self):
        for id_, member in self.ledger.members.items():
            rules = self.ledger.editions.at(NEVER - 1).assets
            booked = self.running[id_]
            held: dict[str, int] = {}
            for hold in member.holds.values():
                for part in hold.parts:
                    held[part.asset] = held.get(part.asset, 0) + part.lot.amount
            for asset, purse in member.purses.items():
                assert purse.available == sum(lot.amount for lot in purse.lots) == booked.get((asset, "available"), 0)
                assert purse.pending == sum(lot.amount for lot in purse.ripening) == booked.get((asset, "pending"), 0)
                assert purse.held == held.get(asset, 0) == booked.get((asset, "held"), 0)
                assert -purse.debt == booked.get((asset, DEBT), 0)
                assert purse.debt == 0 or purse.available == 0, "what is available pays what is owed"
                assert all(lot.amount > 0 for lot in [*purse.lots, *purse.ripening])
                numbers = [lot.no for lot in [*purse.lots, *purse.ripening]]
                assert len(set(numbers)) == len(numbers)
                assert purse.lots == sorted(purse.lots, key=rules[asset].lot_key)
                self._check_lots(id_, asset, purse)

    @invariant()
    def a_spend_comes_back_once_and_no_more_of_it_than_was_taken(self):
        """Whoever it came back to: a part of it may have been undone before she was merged, the rest since."""
        latest = {}
        for (_, name), order in self.ledger.orders.items():
            if order.spend is not None and (name not in latest or latest[name].spend.back < order.spend.back):
                latest[name] = order
        returned = Counter()
        for entry in (entry for entries in self.ledger.entries.values() for entry in entries):
            if "spend" in (entry.why or {}):
                returned[f"spend:{entry.why['spend']}"] += entry.amount
        for name, order in latest.items():
            taken = sum(sum(paid.units) for paid in order.paid)
            assert returned[name] == order.spend.back * order.spend.value.units <= taken

    def _check_lots(self, id_, asset, purse):
        booked: dict[tuple[int, str], int] = {}
        for entry in self.ledger.entries.get(id_, []):
            if entry.asset == asset:
                for account, change in ((entry.debit, -entry.amount), (entry.credit, entry.amount)):
                    if account in ("available", "pending"):
                        booked[entry.lot, account] = booked.get((entry.lot, account), 0) + change
        said = {(lot.no, "available"): lot.amount for lot in purse.lots}
        said |= {(lot.no, "pending"): lot.amount for lot in purse.ripening}
        assert {key: amount for key, amount in booked.items() if amount} == said

    def teardown(self):
        for id_ in MEMBERS:
            self._catch_up(id_, "end")
        assert self.ledger.entries == self.restless.entries
        for id_, member in self.ledger.members.items():
            assert pack(member) == pack(self.restless.members[id_])


class TestShop(ShopMachine.TestCase):
    """Three members, whatever happens to them, in whatever order."""

    settings = settings(max_examples=100 * ROUNDS, stateful_step_count=40)

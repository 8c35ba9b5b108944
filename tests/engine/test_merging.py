"""Two members turn out to be one person, and sometimes they do not."""

import pytest

from shuke.engine import activity as of
from shuke.engine.effects import DEBT, MEMBER_ACCOUNTS, TRANSIT
from shuke.engine.member import Consent, Member, pack, unpack
from shuke.values.instants import DAY, HOUR, NEVER
from tests.property.rich_shop import FIRST
from tests.shop import NOON, Ledger, edition, given, order, passed, spent, told

LATER = NOON + 2 * DAY


def shop() -> Ledger:
    """Ann, who shops online, and Anna, who shops at the till."""
    ledger = Ledger(edition(FIRST))
    ledger.all(
        told(of.JOINED, "anna", key="j1", when=NOON - 9 * DAY, traits={"city": "Taipei"}, tags=["till"]),
        told(of.JOINED, "ann", key="j2", traits={"city": "Tainan", "birthday": "1990-02-28"}, tags=["online"]),
        told(of.UPDATED, "anna", key="i1", identities={"phone": "+886912345678"}),
        told(of.UPDATED, "ann", key="i2", identities={"email": "ann@example.com"}),
        order("anna", "A-1", 4000, when=NOON),
        order("ann", "N-1", 7000, when=NOON + HOUR),
        told("visited", "ann", key="v1", when=NOON + HOUR),
        given("anna", 30, key="g1", when=NOON + HOUR),
        told(of.COUPON_ISSUED, "ann", key="c1", when=NOON + HOUR, template="ten"),
    )
    return ledger


def merged(ledger: Ledger, *, key: str = "m1", when: int = LATER, **more):
    return ledger.settle(told(of.MERGED, "ann", key=key, when=when, **{"into": "anna", "reason": "same phone", **more}))


def unmerged(ledger: Ledger, *, key: str = "u1", when: int = LATER, **more):
    return ledger.settle(
        told(of.UNMERGED, "anna", key=key, when=when, **{"merged_member": "ann", "reason": "sisters", **more})
    )


def plain(member):
    """The member without what counts activities and lots, which never goes back."""
    copy = unpack(pack(member))
    copy.now = copy.seq = 0
    for asset, purse in list(copy.purses.items()):
        purse.next_lot = 1
        if not (purse.available or purse.pending or purse.held or purse.debt or purse.touched_at):
            del copy.purses[asset]
    return pack(copy)


def test_what_both_had_is_hers():
    ledger = shop()
    ann, anna = (unpack(pack(ledger.members[id_])) for id_ in ("ann", "anna"))
    settled = merged(ledger)
    assert settled.refused is None
    one, gone = ledger.members["anna"], ledger.members["ann"]
    for asset in ("points", "stars", "miles", "growth"):
        both = [member.purses.get(asset) for member in (ann, anna)]
        assert one.purses[asset].available == sum(purse.available for purse in both if purse)
        assert one.purses[asset].pending == sum(purse.pending for purse in both if purse)
    assert (gone.status, gone.merged.into, gone.purses, gone.due_at) == ("merged", "anna", {}, NEVER)
    assert (one.traits, one.tags) == ({"city": "Taipei", "birthday": "1990-02-28"}, ["till", "online"])
    assert [identity.kind for identity in one.identities] == ["phone", "email"]
    assert list(one.coupons) == list(ann.coupons)
    assert one.tiers == {"main": "silver"}


def test_merged_and_unmerged_with_nothing_between_both_are_as_they_were():
    ledger = shop()
    ledger.all(passed("ann", LATER), passed("anna", LATER))
    before = {id_: plain(ledger.members[id_]) for id_ in ("ann", "anna")}
    assert merged(ledger).refused is None
    assert unmerged(ledger).refused is None
    assert {id_: plain(ledger.members[id_]) for id_ in ("ann", "anna")} == before


def test_an_order_from_before_is_refunded_to_the_last_unit():
    alone, ledger = shop(), shop()
    back = {"order_id": "N-1", "lines": [{"line": 1, "amount": 3333}]}
    alone.all(told(of.ORDER_REFUNDED, "ann", key="r1", when=LATER, **back))
    had = {id_: alone.balance(id_) for id_ in ("ann", "anna")}
    merged(ledger)
    settled = ledger.all(told(of.ORDER_REFUNDED, "ann", key="r1", when=LATER, **back))
    assert settled.member.id == "anna"
    assert ledger.balance("anna") == sum(had.values())
    ledger.all(told(of.ORDER_REFUNDED, "ann", key="r2", when=LATER, order_id="N-1"))
    alone.all(told(of.ORDER_REFUNDED, "ann", key="r2", when=LATER, order_id="N-1"))
    assert ledger.balance("anna") == alone.balance("anna") + alone.balance("ann")
    unmerged(ledger)
    assert ledger.balance("ann") == alone.balance("ann")
    assert ledger.balance("anna") == alone.balance("anna")


def test_refunds_before_within_and_after_a_merge_end_where_they_end_without_one():
    alone, ledger = shop(), shop()
    for number, part in enumerate((1111, 2222, 3667)):
        back = told(
            of.ORDER_REFUNDED,
            "ann",
            key=f"r{number}",
            when=LATER,
            order_id="N-1",
            lines=[{"line": 1, "amount": part}],
        )
        alone.all(back)
        if number == 1:
            merged(ledger)
        ledger.all(back)
        if number == 1:
            assert unmerged(ledger).refused is None
    for member in ("ann", "anna"):
        assert unpack(plain(ledger.members[member])) == unpack(plain(alone.members[member]))
    assert ledger.orders["ann", "N-1"].refunded == alone.orders["ann", "N-1"].refunded


def test_what_was_spent_since_stays_spent_and_what_was_earned_since_stays():
    ledger = shop()
    ledger.all(passed("ann", LATER), passed("anna", LATER))
    hers = ledger.balance("ann")
    merged(ledger)
    ledger.all(order("ann", "N-2", 1000, when=LATER + HOUR))
    earned = ledger.balance("anna")
    ledger.all(spent("ann", earned - 5, key="s1", when=LATER + 2 * HOUR))
    unmerged(ledger, when=LATER + 3 * HOUR)
    assert ledger.balance("ann") + ledger.balance("anna") == 5
    assert ledger.balance("ann") <= hers


def test_old_ids_lead_on_through_every_merge():
    ledger = shop()
    ledger.all(order("abe", "B-1", 500, when=LATER))
    merged(ledger)
    ledger.all(told(of.MERGED, "anna", key="m2", when=LATER, into="abe", reason="one person"))
    told_for = ledger.settle(order("ann", "N-9", 1000, when=LATER))
    assert told_for.member.id == "abe"
    assert [entry.member_id for entry in told_for.member.absorbed] == ["anna", "ann"]
    refused = ledger.settle(told(of.UNMERGED, "abe", key="u1", when=LATER, merged_member="ann", reason="no")).refused
    assert (refused.code, refused.facts) == ("merged_through", {"member": "ann", "through": "anna"})
    back = {"order_id": "N-1"}
    ledger.all(told(of.ORDER_REFUNDED, "ann", key="r1", when=LATER, **back))
    ledger.all(
        told(of.UNMERGED, "abe", key="u2", when=LATER, merged_member="anna", reason="no"),
        told(of.UNMERGED, "anna", key="u3", when=LATER, merged_member="ann", reason="no"),
    )
    assert ledger.orders["ann", "N-1"].status == "refunded"
    assert ledger.orders["ann", "N-1"].adopted == []
    assert ledger.members["ann"].status == ledger.members["anna"].status == "active"


def test_every_asset_sums_to_zero_on_the_way():
    ledger = shop()
    ledger.all(spent("ann", ledger.balance("ann"), key="s1", when=LATER))
    ledger.all(told(of.ORDER_REFUNDED, "ann", key="r1", when=LATER, order_id="N-1"))
    assert ledger.members["ann"].purses["points"].debt > 0
    merged(ledger)
    assert ledger.members["anna"].purses["points"].debt > 0
    unmerged(ledger)
    assert ledger.members["anna"].purses["points"].debt == 0
    accounts: dict = {}
    for id_, entries in ledger.entries.items():
        for entry in entries:
            for account, change in ((entry.debit, -entry.amount), (entry.credit, entry.amount)):
                key = (id_ if account in MEMBER_ACCOUNTS else "", entry.asset, account)
                accounts[key] = accounts.get(key, 0) + change
    assert {key: left for key, left in accounts.items() if key[2] == TRANSIT and left} == {}
    assert all((left <= 0) if key[2] == DEBT else left >= 0 for key, left in accounts.items() if key[0])


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"into": "ann"}, "merge_to_self"),
        ({"into": "nobody"}, "survivor_unknown"),
        ({"into": None}, "survivor_unknown"),
        ({"reason": ""}, "reason_missing"),
        ({"into": "eve"}, "member_erased"),
        ({"into": "may"}, "member_merged"),
    ],
)
def test_who_cannot_be_merged(payload, code):
    ledger = shop()
    ledger.all(
        order("eve", "E-1", 100),
        told(of.ERASED, "eve", key="e1"),
        order("may", "M-1", 100),
        told(of.MERGED, "may", key="m0", into="anna", reason="x"),
    )
    settled = merged(ledger, **payload)
    assert settled.refused.code == code
    assert ledger.members["ann"].status == "active"


def test_what_was_said_last_of_a_consent_holds_and_goes_back():
    ledger = shop()
    ann, anna = ledger.members["ann"], ledger.members["anna"]
    yes, no = Consent(True, NOON), Consent(False, NOON + HOUR)
    ann.consents = {"news.email": no, "news.sms": yes}
    anna.consents = {"news.email": yes}
    merged(ledger)
    assert ledger.members["anna"].consents == {"news.email": no, "news.sms": yes}
    unmerged(ledger)
    assert ledger.members["anna"].consents == {"news.email": yes}
    assert ledger.members["ann"].consents == {"news.email": no, "news.sms": yes}


def test_tags_come_with_what_is_known_of_them_and_go():
    ledger = shop()
    ledger.all(told(of.TAGGED, "ann", key="t1", when=NOON + HOUR, tags=["vip"], by="nightly", until=LATER + 9 * DAY))
    known = ledger.members["ann"].tagged["vip"]
    merged(ledger)
    assert ledger.members["anna"].tagged["vip"] == known
    unmerged(ledger)
    assert "vip" not in ledger.members["anna"].tagged
    assert ledger.members["ann"].tagged["vip"] == known


@pytest.mark.parametrize(("what", "code"), [(of.FROZEN, "member_frozen"), (of.LEFT, "member_left")])
def test_no_merge_lets_in_who_is_frozen_or_has_left(what, code):
    ledger = shop()
    ledger.all(told(what, "ann", key="f1", when=LATER, reason="fraud"))
    assert merged(ledger).refused.code == code
    assert ledger.settle(told(of.MERGED, "anna", key="m2", when=LATER, into="ann", reason="x")).refused is None
    assert ledger.whole("anna").status == what.removeprefix("member.")


HANDLED = """
id joined_at status now due_at seq traits tags purses series standings grants tiers coupons holds used carries once
identities tagged consents status_since status_why awake_at traits_set merged absorbed
"""
"""What becomes of each in a merge, and when it is undone, is in ``engine.absorbing`` and in decision 15."""


def test_nothing_of_a_member_is_forgotten():
    """Whoever gives members something new says here that a merge knows what to do with it."""
    assert set(Member.__struct_fields__) == set(HANDLED.split())

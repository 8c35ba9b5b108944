"""A number that goes to somebody else, a pending id that becomes final, and the journal of both."""

import pytest

from shuke.engine.activity import ERASED, IDENTITY_FINALIZED, IDENTITY_MOVED, JOINED
from shuke.engine.effects import Refused
from shuke.engine.identity import identities_of
from tests.shop import NOON, Ledger, given, told

LATER = NOON + 60_000_000
PHONE = "+886912345678"
PENDING = {"kind": "wecom_pending:ww1", "value": "p1", "final_kind": "wecom:ww1", "final_value": "wm1"}


def joined(member, **identities):
    return told(JOINED, member, key=f"join-{member}", identities=identities)


def moved(member, to, *, value=PHONE, reason="recycled", **more):
    return told(IDENTITY_MOVED, member, key=f"{member}-{to}", when=LATER, kind="phone", value=value, to_member=to,
                reason=reason, **more)  # fmt: skip


def test_a_number_goes_to_its_new_owner_and_nothing_else_does():
    shop = Ledger()
    shop.all(joined("ann", phone=PHONE, line="U1"), given("ann", 500, key="g"))
    shop.all(moved("ann", "bob", verified=True))
    assert identities_of(shop.members["ann"]) == {"line": "U1"}
    assert shop.members["ann"].purses["points"].available == 500
    [hers] = shop.members["bob"].identities
    assert (hers.kind, hers.value, hers.since, hers.verified_at) == ("phone", PHONE, LATER, LATER)
    assert (shop.members["bob"].status, shop.members["bob"].purses) == ("active", {})


def test_the_number_takes_the_place_of_the_one_she_had():
    shop = Ledger()
    shop.all(joined("ann", phone=PHONE), joined("bob", phone="+886922222222"), moved("ann", "bob"))
    assert identities_of(shop.members["bob"]) == {"phone": PHONE}
    assert shop.identities == {("phone", PHONE): "bob"}


@pytest.mark.parametrize(
    ("act", "refused"),
    [
        (moved("ann", "bob", value="+886999999999"), Refused("identity_unknown", {"kind": "phone"})),
        (moved("ann", "bob", reason=""), Refused("identity_reason_missing", {})),
        (moved("ann", "ann"), Refused("identity_receiver_missing", {})),
        (moved("ann", ""), Refused("identity_receiver_missing", {})),
        (moved("ann", "gone"), Refused("member_erased", {"member": "gone"})),
    ],
)
def test_a_number_moves_with_a_reason_to_somebody_else_who_is_there_or_it_stays(act, refused):
    shop = Ledger()
    shop.all(joined("ann", phone=PHONE), joined("gone"), told(ERASED, "gone", key="e"))
    assert shop.settle(act).refused == refused
    assert identities_of(shop.members["ann"]) == {"phone": PHONE}


def test_a_pending_id_becomes_the_final_one():
    shop = Ledger()
    shop.all(joined("ann", **{"wecom_pending:ww1": "p1"}))
    shop.all(told(IDENTITY_FINALIZED, "ann", key="r", when=LATER, **PENDING))
    assert identities_of(shop.members["ann"]) == {"wecom:ww1": "wm1"}
    again = shop.settle(told(IDENTITY_FINALIZED, "ann", key="r2", when=LATER, **PENDING))
    assert again.refused == Refused("identity_unknown", {"kind": "wecom_pending:ww1"})


def test_where_another_has_the_final_id_both_stay_who_they_are():
    shop = Ledger()
    shop.all(joined("ann", **{"wecom_pending:ww1": "p1"}), joined("bob", **{"wecom:ww1": "wm1"}))
    settled = shop.settle(told(IDENTITY_FINALIZED, "ann", key="r", when=LATER, **PENDING))
    assert settled.refused == Refused("identity_taken", {"kind": "wecom:ww1"})
    assert identities_of(shop.members["ann"]) == {"wecom_pending:ww1": "p1"}

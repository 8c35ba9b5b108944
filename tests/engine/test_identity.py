"""What members are called elsewhere, and that each name belongs to one of them."""

import msgspec
import pytest

from shuke.engine.activity import ASSET_SPENT, IDENTITY_ADDED, IDENTITY_REMOVED, JOINED, UPDATED, Activity
from shuke.engine.effects import IdentityChanged, Refused
from shuke.engine.identity import MOST_IDENTITIES, asked_for, identities_of
from shuke.engine.member import ACTIVE, STRANGER, pack, unpack
from tests.shop import COFFEE, NOON, Ledger, edition, given, order, told

LATER = NOON + 60_000_000
PHONE = "+886912345678"


def joined(member: str, **payload: object) -> Activity:
    return told(JOINED, member, key=f"join-{member}", **payload)


def updated(member: str, *, when: int = LATER, **payload: object) -> Activity:
    return told(UPDATED, member, key=f"{payload}-{when}", when=when, **payload)


def test_a_member_is_called_what_joining_tells():
    shop = Ledger()
    settled = shop.all(joined("ada", identities={"phone": PHONE, "wechat_openid:app1": "oX"}))
    assert identities_of(settled.member) == {"phone": PHONE, "wechat_openid:app1": "oX"}
    assert settled.effects.identities == [
        IdentityChanged("phone", PHONE, NOON),
        IdentityChanged("wechat_openid:app1", "oX", NOON),
    ]


def test_another_value_of_a_kind_replaces_the_one_before_and_null_gives_it_up():
    shop = Ledger()
    shop.all(joined("ada", identities={"phone": PHONE, "card": "7"}))
    settled = shop.all(updated("ada", identities={"phone": "+886911111111", "card": None, "line": None}))
    assert identities_of(settled.member) == {"phone": "+886911111111"}
    assert settled.effects.identities == [
        IdentityChanged("phone", PHONE, None),
        IdentityChanged("phone", "+886911111111", LATER),
        IdentityChanged("card", "7", None),
    ]


def test_what_is_told_again_stays_hers_since_when_it_was_told_first():
    shop = Ledger()
    shop.all(joined("ada", identities={"phone": PHONE}))
    settled = shop.all(updated("ada", identities={"phone": PHONE}))
    assert settled.effects.identities == []
    assert [identity.since for identity in settled.member.identities] == [NOON]


def test_what_another_member_is_called_is_refused_and_nothing_else_of_it_is_learnt():
    shop = Ledger()
    shop.all(joined("ada", identities={"phone": PHONE}), joined("bob", traits={"city": "Taipei"}))
    before = pack(shop.members["bob"])
    settled = shop.settle(updated("bob", identities={"email": "b@x.org", "phone": PHONE}, traits={"city": "Tainan"}))
    assert settled.refused == Refused("identity_taken", {"kind": "phone"})
    after = unpack(pack(settled.member))
    after.seq, after.now = 1, NOON
    assert pack(after) == before


def test_the_same_value_of_another_kind_is_another_identity():
    shop = Ledger()
    shop.all(joined("ada", identities={"card": "77"}), joined("bob", identities={"shopify": "77"}))


def test_what_one_gave_up_another_may_be_called():
    shop = Ledger()
    shop.all(joined("ada", identities={"phone": PHONE}))
    shop.all(updated("ada", identities={"phone": None}), joined("bob", identities={"phone": PHONE}))
    assert shop.settle(updated("ada", when=LATER + 1, identities={"phone": PHONE})).refused is not None


def test_a_sign_up_that_is_refused_makes_no_member_until_one_is_not():
    shop = Ledger()
    shop.all(joined("ada", identities={"phone": PHONE}))
    assert shop.settle(joined("bob", identities={"phone": PHONE})).member.status == STRANGER
    assert shop.settle(told("time.passed", "bob", key="t", when=LATER)).member.status == STRANGER
    bob = shop.all(told(JOINED, "bob", key="again", when=LATER)).member
    assert (bob.status, bob.joined_at) == (ACTIVE, LATER)


@pytest.mark.parametrize("first", [given("ada", 5, key="g"), order("ada", "o1", 100)])
def test_whatever_is_settled_first_makes_a_member(first):
    assert Ledger().all(first).member.status == ACTIVE


def test_somebody_who_was_only_ever_refused_is_a_stranger():
    settled = Ledger().settle(told(ASSET_SPENT, "nobody", key="s", asset="points", amount=1))
    assert (settled.refused.code, settled.member.status) == ("insufficient", STRANGER)


def test_a_member_has_a_bounded_number_of_identities():
    shop = Ledger()
    shop.all(joined("ada", identities={f"shop:{number}": "x" for number in range(MOST_IDENTITIES)}))
    refused = shop.settle(updated("ada", identities={"one:more": "x"})).refused
    assert refused == Refused("too_many_identities", {"most": MOST_IDENTITIES})
    shop.all(updated("ada", when=LATER + 1, identities={"one:more": "x", "shop:0": None}))


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"traits": {f"t{number}": number for number in range(201)}}, "too_many_traits"),
        ({"tags": [f"t{number}" for number in range(201)]}, "too_many_tags"),
    ],
)
def test_a_member_has_a_bounded_number_of_traits_and_tags_and_learns_nothing_of_too_many(payload, code):
    shop = Ledger()
    shop.all(joined("ada", traits={"city": "Taipei"}, tags=["new"]))
    assert shop.settle(updated("ada", identities={"card": "7"}, **payload)).refused == Refused(code, {"most": 200})
    ada = shop.members["ada"]
    assert (ada.traits, ada.tags, ada.identities) == ({"city": "Taipei"}, ["new"], [])


def test_only_activities_that_tell_identities_ask_whose_they_are():
    assert asked_for(joined("ada", identities={"phone": PHONE, "card": None})) == [("phone", "phone", PHONE)]
    assert asked_for(joined("ada")) == []
    assert asked_for(told("walked", "ada", key="w", identities={"phone": PHONE})) == []


def added(member: str, kind: str, value: str, *, when: int = LATER, **more: object) -> Activity:
    return told(IDENTITY_ADDED, member, key=f"{kind}-{value}-{when}", when=when, kind=kind, value=value, **more)


def removed(member: str, kind: str, value: str, *, when: int = LATER) -> Activity:
    return told(IDENTITY_REMOVED, member, key=f"no-{kind}-{value}-{when}", when=when, kind=kind, value=value)


def test_one_more_of_a_kind_stands_beside_the_others_up_to_the_limit_of_its_kind():
    shop = Ledger()
    shop.all(joined("ada", identities={"email": "a@x.org"}), *(added("ada", "email", f"a{n}@x.org") for n in range(4)))
    assert len(shop.members["ada"].identities) == 5
    refused = shop.settle(added("ada", "email", "more@x.org")).refused
    assert refused == Refused("identity_limit", {"kind": "email", "most": 5})
    assert shop.settle(added("ada", "email", "a1@x.org", when=LATER + 1)).refused is None
    shop.all(removed("ada", "email", "a1@x.org"), added("ada", "email", "more@x.org", when=LATER + 2))
    assert shop.settle(removed("ada", "email", "a1@x.org", when=LATER + 3)).refused == Refused(
        "identity_unknown", {"kind": "email"}
    )


def test_a_kind_with_a_colon_is_counted_by_itself_and_has_the_terms_of_its_family():
    shop = Ledger()
    shop.all(*(added("ada", f"wechat_openid:app{app}", f"o{n}") for app in range(3) for n in range(2)))
    refused = shop.settle(added("ada", "wechat_openid:app1", "o9")).refused
    assert refused == Refused("identity_limit", {"kind": "wechat_openid:app1", "most": 2})


def test_a_device_may_be_shared_and_the_oldest_is_forgotten_where_there_are_too_many():
    shop = Ledger()
    shop.all(joined("bob", identities={"device": "d0"}))
    shop.all(*(added("ada", "device", f"d{number}", when=LATER + number) for number in range(25)))
    assert [identity.value for identity in shop.members["ada"].identities] == [f"d{number}" for number in range(5, 25)]
    assert identities_of(shop.members["bob"]) == {"device": "d0"}


def test_what_was_shown_to_be_hers_once_stays_so_with_the_time_and_the_source_that_said_it():
    shop = Ledger()
    shop.all(joined("ada", identities={"phone": PHONE, "email": "a@x.org"}, verified=["phone"]))
    settled = shop.all(added("ada", "email", "a@x.org", verified=True))
    assert settled.effects.identities == [IdentityChanged("email", "a@x.org", NOON, LATER)]
    assert shop.all(added("ada", "email", "a@x.org", when=LATER + 1, verified=True)).effects.identities == []
    phone, email = shop.members["ada"].identities
    assert (phone.verified_at, phone.verified_by) == (NOON, "test")
    assert (email.since, email.verified_at, email.verified_by) == (NOON, LATER, "test")


def test_of_several_of_a_kind_the_verified_one_speaks_for_her_and_otherwise_the_last():
    shop = Ledger()
    shop.all(added("ada", "email", "1@x.org"), added("ada", "email", "2@x.org"))
    assert identities_of(shop.members["ada"]) == {"email": "2@x.org"}
    shop.all(added("ada", "email", "1@x.org", when=LATER + 1, verified=True))
    assert identities_of(shop.members["ada"]) == {"email": "1@x.org"}


def test_a_program_says_how_many_of_a_kind_there_may_be_and_what_stands_for_nobody():
    terms = 'identities: [{kind: phone, most: 2, junk: ["+886222222222"]}, {kind: clubs, shared: true}]\n'
    shop = Ledger(edition(COFFEE + terms))
    shop.all(added("ada", "phone", "+886911111111"), added("ada", "phone", PHONE))
    for tells in (added("bob", "phone", "+886222222222"), joined("bob", identities={"phone": "+886222222222"})):
        assert shop.settle(tells).refused == Refused("identity_junk", {"kind": "phone"})
    shop.all(added("ada", "clubs", "chess"), added("cy", "clubs", "chess"))


def test_a_state_from_before_identities_were_verified_reads_as_one_whose_are_not():
    member = Ledger().all(joined("ada", identities={"card": "7"})).member
    older = msgspec.msgpack.decode(pack(member))
    older["identities"] = [one[:3] for one in older["identities"]]
    assert pack(unpack(msgspec.msgpack.encode(older))) == pack(member)

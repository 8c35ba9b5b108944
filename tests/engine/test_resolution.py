"""Who somebody is, of whom only identities are told: which decides, and why others do not."""

# ruff: noqa: E501  # a case is a line

import itertools

import pytest

from shuke.engine.activity import Named
from shuke.engine.resolution import Owner, resolve
from shuke.program.identities import DEFAULTS, IdentityTerms, terms_of

PHONE, EMAIL, LINE, DEVICE, COOKIE = "+886912345678", "a@x.org", "U1", "d1", "x1"
VERIFIED, TOLD = True, False


def owners(**known):
    """``phone_ann=VERIFIED``: ann is called so."""
    values = {"phone": PHONE, "email": EMAIL, "line": LINE, "device": DEVICE, "anonymous": COOKIE}
    found = {}
    for name, verified in known.items():
        kind, member = name.split("_")
        found.setdefault((kind, values[kind]), []).append(Owner(member, verified))
    return found


def bag(*kinds):
    """``"phone"`` is told, ``"phone!"`` was shown to be hers."""
    values = {"phone": PHONE, "email": EMAIL, "line": LINE, "device": DEVICE, "anonymous": COOKIE}
    return [Named(kind.rstrip("!"), values[kind.rstrip("!")], kind.endswith("!")) for kind in kinds]


# who is known, what is told, who it is, how, what she learns, what is ignored and why
CASES = [
    ({}, ["phone"], None, "new", ["phone"], {}),
    ({}, ["phone!", "email", "device"], None, "new", ["phone", "email", "device"], {}),
    ({"phone_ann": VERIFIED}, ["phone!"], "ann", "identity", ["phone"], {}),
    ({"phone_ann": VERIFIED}, ["phone"], "ann", "identity", [], {}),
    ({"phone_ann": TOLD}, ["phone"], "ann", "identity", [], {}),
    ({"phone_ann": TOLD}, ["phone!"], "ann", "identity", ["phone"], {}),
    # whoever only says a number adds nothing to its member
    ({"phone_ann": VERIFIED}, ["phone", "email", "device"], "ann", "identity", [], {"email": "not_learnt", "device": "not_learnt"}),
    ({"phone_ann": VERIFIED}, ["phone!", "email", "device"], "ann", "identity", ["phone", "email", "device"], {}),
    ({"line_ann": TOLD}, ["line", "email"], "ann", "identity", ["line", "email"], {}),
    # two members: the stronger decides, and nobody is merged
    ({"phone_ann": VERIFIED, "email_bob": VERIFIED}, ["phone!", "email"], "ann", "identity", ["phone"], {"email": "of_another"}),
    ({"phone_ann": TOLD, "email_bob": VERIFIED}, ["phone", "email!"], "bob", "identity", ["email"], {"phone": "of_another"}),
    ({"phone_ann": TOLD, "email_bob": TOLD}, ["phone", "email"], "ann", "identity", [], {"email": "of_another"}),
    ({"phone_ann": TOLD, "email_bob": TOLD}, ["phone", "email!"], "bob", "identity", ["email"], {"phone": "of_another"}),
    # things that people share
    ({"device_ann": TOLD}, ["device"], "ann", "thing", [], {}),
    ({"device_ann": TOLD, "device_bob": TOLD}, ["device"], "anon:device:d1", "anonymous", [], {"device": "shared"}),
    ({"device_ann": TOLD, "device_bob": TOLD}, ["phone", "device"], None, "new", ["phone", "device"], {"device": "shared"}),
    ({"device_ann": TOLD}, ["phone!", "device"], None, "new", ["phone", "device"], {"device": "not_alone"}),
    ({"phone_ann": VERIFIED, "device_bob": TOLD}, ["phone!", "device"], "ann", "identity", ["phone", "device"], {}),
    ({"anonymous_ann": TOLD, "device_bob": TOLD}, ["anonymous", "device"], "bob", "thing", [], {"anonymous": "not_learnt"}),
    ({}, ["anonymous"], "anon:x1", "anonymous", [], {}),
    ({}, ["device", "anonymous"], "anon:x1", "anonymous", [], {}),
]  # fmt: skip


@pytest.mark.parametrize(("known", "told", "who", "how", "learns", "ignored"), CASES)
def test_who_it_is_and_why_in_whatever_order_it_is_told(known, told, who, how, learns, ignored):
    for order in itertools.permutations(bag(*told)):
        found = resolve(order, owners=owners(**known), terms=DEFAULTS)
        assert (found.member_id, found.found["how"]) == (who, how)
        assert {name.kind for name in found.learn} == set(learns)
        assert {one["kind"]: one["why"] for one in found.found.get("ignored", ())} == ignored


def test_by_her_own_id_she_is_found_whatever_else_is_told_and_learns_what_is_nobodys():
    known = owners(phone_bob=VERIFIED)
    found = resolve(bag("phone!", "email"), owners=known, terms=DEFAULTS, member_id="ann")
    assert (found.member_id, [name.kind for name in found.learn]) == ("ann", ["email"])
    ignored = [{"kind": "phone", "why": "of_another", "member": "bob"}]
    assert found.found == {"how": "member_id", "ignored": ignored, "perhaps": ["bob"]}


@pytest.mark.parametrize(("told", "perhaps"), [(["phone!", "email!"], ["bob"]), (["phone!", "email"], None)])
def test_two_members_are_said_to_be_one_perhaps_only_where_both_were_shown(told, perhaps):
    known = owners(phone_ann=VERIFIED, email_bob=VERIFIED)
    found = resolve(bag(*told), owners=known, terms=DEFAULTS)
    assert (found.member_id, found.found.get("perhaps")) == ("ann", perhaps)


@pytest.mark.parametrize(
    ("decides", "told", "verified", "who"),
    [
        ("always", "email", TOLD, "ann"),
        ("verified", "email", VERIFIED, None),
        ("verified", "email!", TOLD, None),
        ("verified", "email!", VERIFIED, "ann"),
        ("never", "email!", VERIFIED, None),
    ],
)
def test_the_program_says_whether_an_identity_decides(decides, told, verified, who):
    terms = terms_of([IdentityTerms(kind="email", decides=decides)])
    found = resolve(bag(told), owners=owners(email_ann=verified), terms=terms)
    assert found.member_id == who


def test_what_stands_for_nobody_finds_nobody_and_is_not_learnt():
    terms = terms_of([IdentityTerms(kind="phone", junk=[PHONE])])
    known = owners(phone_ann=VERIFIED)
    found = resolve(bag("phone!"), owners=known, terms=terms)
    assert (found.member_id, found.learn, found.found["how"]) == (None, [], "nobody")
    found = resolve(bag("phone!", "email"), owners=known, terms=terms)
    assert (found.member_id, [name.kind for name in found.learn]) == (None, ["email"])
    assert found.found["ignored"] == [{"kind": "phone", "why": "junk"}]


def test_what_explains_it_holds_no_value():
    known = owners(phone_ann=VERIFIED, email_bob=VERIFIED, device_ann=TOLD, device_bob=TOLD)
    found = resolve(bag("phone", "email!", "device", "line"), owners=known, terms=DEFAULTS)
    assert not any(value in str(found.found) for value in (PHONE, EMAIL, DEVICE, LINE))

"""ACCEPTANCE 29: junk never names anybody; what is meant the same becomes the same text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.books.identity_forms import NotAnIdentity, normal, region_of

JUNK = [
    "null", "NULL", "undefined", "0", "anonymous", "Anonymous", "[object Object]", "NaN", "None", "nil", "guest",
    "distinct_id", "not_authenticated", "true", "false", "-", "--", "n/a", "000000", "0000-0000", "+0", "-1",
    "00000000-0000-0000-0000-000000000000", '"null"', "'0'", "", "  ", "_", "...",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["phone", "email", "card", "line", "shopify", "wechat_openid:wx1"])
@pytest.mark.parametrize("value", JUNK)
def test_what_stands_for_nothing_names_nobody(kind, value):
    with pytest.raises(NotAnIdentity) as refused:
        normal(kind, value, region="TW")
    assert refused.value.code == "identity_placeholder"


@pytest.mark.parametrize(
    ("region", "told", "form"),
    [
        ("TW", "0912345678", "+886912345678"),
        ("TW", "0912-345-678", "+886912345678"),
        ("TW", " (0912) 345 678 ", "+886912345678"),
        ("TW", "+886 912 345 678", "+886912345678"),
        ("TW", "886912345678", "+886912345678"),
        ("TW", "０９１２３４５６７８", "+886912345678"),
        ("CN", "138 0013 8000", "+8613800138000"),
        (None, "+49 (0)30 123456", "+4930123456"),
        ("US", "(415) 555-2671", "+14155552671"),
    ],
)
def test_a_phone_however_written_is_one_number(region, told, form):
    assert normal("phone", told, region=region) == form


@pytest.mark.parametrize(
    ("region", "told"),
    [
        (None, "0912345678"),
        ("TW", "12345"),
        ("TW", "09123456789012345"),
        ("TW", "9999999999"),
        ("TW", "call me"),
        ("US", "1-800-FLOWERS"),
        ("US", "0912345678"),
        ("US", "+1 415 555 2671 ext. 5"),
        ("TW", "a@b.com"),
    ],
)
def test_what_cannot_be_called_is_no_phone(region, told):
    with pytest.raises(NotAnIdentity) as refused:
        normal("phone", told, region=region)
    assert refused.value.code == "not_a_phone"


@pytest.mark.parametrize(
    ("told", "form"),
    [
        ("ada@EXAMPLE.com", "ada@example.com"),
        (" Ada.L+shop@Example.com ", "Ada.L+shop@example.com"),
        ("a.d.a@gmail.com", "a.d.a@gmail.com"),
        ("林@例子.台灣", "林@例子.台灣"),
        ("ada@xn--fsqu00a.xn--0zwm56d", "ada@例子.测试"),
    ],
)
def test_an_email_keeps_what_stands_before_the_at_and_small_letters_behind(told, form):
    assert normal("email", told, region=None) == form


@pytest.mark.parametrize("told", ["ada", "ada@", "@x.com", "ada@x", "a b@x.com", "ada@x..com", "ada@localhost"])
def test_what_cannot_be_written_to_is_no_email(told):
    with pytest.raises(NotAnIdentity) as refused:
        normal("email", told, region=None)
    assert refused.value.code == "not_an_email"


@pytest.mark.parametrize("told", ["null@example.com", "undefined@undefined.com"])
def test_an_email_made_of_nothing_is_nobodys(told):
    with pytest.raises(NotAnIdentity, match="everybody's"):
        normal("email", told, region=None)


@pytest.mark.parametrize(
    ("kind", "told", "form"),
    [
        ("card", "1234 5678-9012", "123456789012"),
        ("card", "vip–00 7a", "VIP007A"),
        ("wechat_unionid", " oABCdef ", "oABCdef"),
        ("wechat_openid:wx12ab", "oXy-_Z", "oXy-_Z"),
        ("shopify", "7001", "7001"),
    ],
)
def test_other_kinds_are_as_they_are(kind, told, form):
    assert normal(kind, told, region=None) == form


@pytest.mark.parametrize("kind", ["", "Phone", "7up", "a b", "x" * 65, "línea"])
def test_a_kind_is_a_plain_word(kind):
    with pytest.raises(NotAnIdentity) as refused:
        normal(kind, "x", region=None)
    assert refused.value.code == "kind_invalid"


@pytest.mark.parametrize(
    ("kind", "told", "form"),
    [
        ("line", "Jose\u0301", "Jos\xe9"),
        ("card", "e\u0301-1", "\xc91"),
        ("email", "jose\u0301@example.com", "jos\xe9@example.com"),
        ("phone", "\u202a+886 912 345 678\u202c", "+886912345678"),  # as phones copy it
    ],
)
def test_what_looks_the_same_is_the_same(kind, told, form):
    assert normal(kind, told, region="TW") == form


@pytest.mark.parametrize("kind", ["line", "card", "email"])
def test_characters_that_nobody_sees_make_no_second_name(kind):
    with pytest.raises(NotAnIdentity) as refused:
        normal(kind, "ann\u200b" if kind != "email" else "ann\u200b@example.com", region="TW")
    assert refused.value.code == ("not_an_email" if kind == "email" else "unseen_character")


@pytest.mark.parametrize(("value", "code"), [("x" * 201, "too_long"), ("a\x00b", "control"), ("a\ud800", "control")])
def test_what_no_table_should_hold_is_refused(value, code):
    with pytest.raises(NotAnIdentity) as refused:
        normal("line", value, region=None)
    assert code in refused.value.code


@given(
    st.sampled_from(["phone", "email", "card", "line"]),
    st.text(st.sampled_from("0123456789+-() abcxyz@.é林"), max_size=24),
    st.sampled_from(["TW", "US", None]),
)
def test_a_normal_form_is_its_own_normal_form(kind, value, region):
    try:
        form = normal(kind, value, region=region)
    except NotAnIdentity:
        return
    assert normal(kind, form, region=region) == form
    assert normal(kind, f" {value} ", region=region) == form


@pytest.mark.parametrize(
    ("zone", "region"), [("Asia/Taipei", "TW"), ("Asia/Shanghai", "CN"), ("Europe/Berlin", "DE"), ("UTC", None)]
)
def test_the_region_is_where_the_programs_zone_lies(zone, region):
    assert region_of(zone) == region

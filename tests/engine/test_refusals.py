"""The closed list of refusals, and what is said to people."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import shuke
from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.effects import Refused
from shuke.engine.member import Member
from shuke.engine.refusals import CODES, REASONS, REFUSALS, Fact, sentence, why_skipped
from shuke.engine.sentences import en, zh_hans, zh_hant
from shuke.engine.step import ACTS, step
from shuke.program.document import read
from shuke.program.sentences.filling import names_in
from shuke.values.instants import parse_instant

LOCALES = ("en", "zh-Hant", "zh-Hans")
PROGRAM = read("""
id: regulars
currency: TWD
zone: Asia/Taipei
assets:
  - {id: points, title: {en: Points, zh-Hant: 點數, zh-Hans: 积分}, unit: {en: point, zh-Hant: 點, zh-Hans: 积分}}
  - {id: miles, title: {en: Miles, zh-Hant: 哩程, zh-Hans: 里程}, unit: {en: mile, zh-Hant: 哩, zh-Hans: 里}, scale: 1}
profile:
  traits:
    - id: skin
      title: {en: Skin, zh-Hant: 膚質, zh-Hans: 肤质}
      type: choice
      choices:
        - {id: dry, title: {en: Dry, zh-Hant: 乾性, zh-Hans: 干性}}
        - {id: oily, title: {en: Oily, zh-Hant: 油性, zh-Hans: 油性}}
  purposes: [{id: marketing, title: {en: Offers, zh-Hant: 優惠訊息, zh-Hans: 优惠信息}, channels: [email]}]
coupons:
  - {id: latte, title: {en: Free latte, zh-Hant: 拿鐵券, zh-Hans: 拿铁券}, give: {percent: {off: 100}}}
ladders:
  - {id: club, title: {en: Club, zh-Hant: 俱樂部, zh-Hans: 俱乐部}, tiers: [{id: base}]}
""")
EDITIONS = Editions([Compiled(PROGRAM)])
NEW_YEAR = parse_instant("2026-01-01", zone="Asia/Taipei")


class Found(NamedTuple):
    """A refusal as the source writes it: its code and the names of its facts. ``open`` says that more facts may
    come with it, which are not written out there."""

    place: str
    code: str | None
    facts: frozenset[str]
    open: bool = False


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """(place, name, call) of every call in the source."""
    for path in sorted(Path(shuke.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                yield f"{path.name}:{node.lineno}", ast.unparse(node.func).split(".")[-1], node


def refusals_in_the_source() -> list[Found]:
    found = []
    for place, name, call in calls():
        if name == "Refused":
            code = constants(call.args[0]) if call.args else [None]
            facts = call.args[1] if len(call.args) > 1 else ast.Dict([], [])
            found.append(Found(place, code[0], *names_of_facts(facts)))
        elif name == "Answer" and call.args and set(constants(call.args[0])) & {"refused", "failed"}:
            codes = [constants(keyword.value)[0] for keyword in call.keywords if keyword.arg == "code"]
            found += [Found(place, code, frozenset()) for code in codes]
    return found


def constants(node: ast.expr) -> list[str | None]:
    """The texts an expression may be; None where it is not written out."""
    if isinstance(node, ast.IfExp):
        return constants(node.body) + constants(node.orelse)
    return [node.value if isinstance(node, ast.Constant) else None]


def names_of_facts(node: ast.expr) -> tuple[frozenset[str], bool]:
    if not isinstance(node, ast.Dict):
        return frozenset(), True
    names = frozenset(key.value for key in node.keys if isinstance(key, ast.Constant))
    return names, any(key is None for key in node.keys)


def reasons_in_the_source() -> dict[str, set[str]]:
    """Codes with the names of their facts, wherever something is skipped or declined, or found unfit."""
    found: dict[str, set[str]] = {}
    for _, name, call in calls():
        if name in ("skip", "decline") and len(call.args) > 1:
            facts = {keyword.arg for keyword in call.keywords if keyword.arg}
            facts |= names_of_facts(call.args[2])[0] if len(call.args) > 2 else set()
            for code in constants(call.args[1]):
                found.setdefault(code, set()).update(facts)
        elif name == "Payable" and len(call.args) > 2:
            facts = names_of_facts(call.args[3])[0] if len(call.args) > 3 else set()
            found.setdefault(constants(call.args[2])[0], set()).update(facts)
    for path in sorted((Path(shuke.__file__).parent / "engine").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.elts[1], ast.Dict):
                facts, opened = names_of_facts(node.elts[1])
                if isinstance(node.elts[0], ast.Constant) and not opened:
                    found.setdefault(node.elts[0].value, set()).update(facts)
    found.pop(None, None)
    return found


def allowed(code: str) -> set[str]:
    """The facts a refusal may have: its own, and with a reason those of reasons."""
    own = set(REFUSALS[code])
    return own | {name for facts in CODES.values() for name in facts} if "reason" in own else own


def test_every_refusal_in_the_source_is_on_the_list_with_its_facts():
    passed_on = {"coupons.py", "coupon_use.py", "benefits.py", "verify.py", "proof.py"}
    passed_on |= {"callers.py", "tracking.py", "waiting.py", "activities.py", "timeline.py"}
    unlisted = [
        found
        for found in refusals_in_the_source()
        if not (found.code is None and found.place.split(":")[0] in passed_on)
        and (found.code not in REFUSALS or not found.facts <= allowed(found.code))
    ]
    assert unlisted == []


def test_every_refusal_on_the_list_is_in_the_source():
    assert set(REFUSALS) - {found.code for found in refusals_in_the_source()} == set()


def test_every_fact_of_a_refusal_on_the_list_is_in_the_source():
    told = {code: set(facts) for code, facts in reasons_in_the_source().items()}
    opened = set()
    for found in refusals_in_the_source():
        told.setdefault(found.code, set()).update(found.facts)
        if found.open:
            opened.add(found.code)
    invented = {code: set(facts) - told[code] for code, facts in REFUSALS.items() if code not in opened}
    assert {code: names for code, names in invented.items() if names} == {}


def test_every_reason_in_the_source_is_on_a_list_with_its_facts():
    found = reasons_in_the_source()
    unlisted = {code: facts for code, facts in found.items() if not facts <= set(CODES.get(code, ())) | {"asked"}}
    assert unlisted == {}
    assert set(found) <= set(CODES)


def test_every_reason_on_the_list_is_in_the_source():
    folder = Path(shuke.__file__).parent / "engine"
    sources = [path.read_text("utf-8") for path in folder.glob("*.py") if path.name != "refusals.py"]
    assert [code for code in REASONS if not any(f'"{code}"' in source for source in sources)] == []


@pytest.mark.parametrize("language", [en, zh_hant, zh_hans])
def test_every_code_has_a_sentence_and_the_sentence_asks_only_for_its_facts(language):
    assert list(language.REFUSALS) == sorted(CODES)
    asked = {code: {name.strip("[]") for name in names_in(text)} for code, text in language.REFUSALS.items()}
    assert {code: names - set(CODES[code]) for code, names in asked.items() if not names <= set(CODES[code])} == {}


SAMPLES = {
    Fact.TEXT: "A-1",
    Fact.COUNT: 3,
    Fact.MONEY: 123400,
    Fact.UNITS: 1200,
    Fact.ASSET: "points",
    Fact.TEMPLATE: "latte",
    Fact.LADDER: "club",
    Fact.TRAIT: "skin",
    Fact.PURPOSE: "marketing",
    Fact.CHOICES: ["dry", "oily"],
    Fact.DATE: NEW_YEAR,
    Fact.END: NEW_YEAR,
    Fact.LIST: ["app", "web"],
    Fact.LIMIT: "base/day",
    Fact.WORD: "tax",
    Fact.REASON: "too_few_items",
}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    "found",
    [found for found in refusals_in_the_source() if found.code],
    ids=lambda found: f"{found.place} {found.code}",
)
def test_a_refusal_is_told_with_the_facts_it_really_has(found, locale):
    kinds = REFUSALS[found.code]
    facts = {name: SAMPLES[kinds[name]] for name in (kinds if found.open else found.facts & set(kinds))}
    told = sentence(Refused(found.code, facts), PROGRAM, locale)
    assert told
    assert "{" not in told


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("code", sorted(REASONS))
def test_a_reason_is_told_with_the_facts_it_has(code, locale):
    facts = {name: SAMPLES[kind] for name, kind in REASONS[code].items()}
    assert "{" not in why_skipped({"what": "points", "code": code, **facts}, PROGRAM, locale)


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        (
            Refused("insufficient", {"asset": "miles", "asked": 12345, "available": 10}),
            [
                "This takes 1,234.5 miles, but only 1.0 miles can be spent.",
                "需要 1,234.5 哩，但只有 1.0 哩可用。",
                "需要 1,234.5 里，但只有 1.0 里可用。",
            ],
        ),
        (
            Refused("refund_exceeds_order", {"order_id": "A-1", "left": 1200, "amount": 300000}),
            [
                "More than is left of order A-1 cannot come back: 12.00 is left, 3,000.00 was asked for.",
                "退款超過訂單 A-1 的餘額：尚餘 12.00，要求退 3,000.00。",
                "退款超过订单 A-1 的余额：还剩 12.00，要求退 3,000.00。",
            ],
        ),
        (
            Refused("refund_exceeds_order", {"order_id": "A-1", "part": "shipping"}),
            [
                "More than is left of order A-1 cannot come back (shipping).",
                "退款超過訂單 A-1 的餘額（運費）。",
                "退款超过订单 A-1 的余额（运费）。",
            ],
        ),
        (
            Refused("already_expired", {"expires_at": NEW_YEAR}),
            [
                "This value would have ended before it came: it was good through 2025-12-31.",
                "這筆在入帳以前就已到期：效期到 2025-12-31 為止。",
                "这笔在入账以前就已过期：有效期到 2025-12-31 为止。",
            ],
        ),
        (
            Refused("order_unknown", {"order_id": None}),
            ["This member has no such order.", "這位會員沒有這筆訂單。", "这位会员没有这笔订单。"],
        ),
        (
            Refused("hold_unknown", {"hold": None}),
            [
                "Nothing is on hold; perhaps its time was over.",
                "沒有預扣的項目，可能已逾時。",
                "没有预扣的项目，可能已超时。",
            ],
        ),
        (
            Refused("coupon_not_applicable", {"coupon": "C-7", "reason": "minimum_spend", "needs": 4000}),
            [
                "Coupon C-7 does not apply here. It needs a higher amount: 40.00 more.",
                "優惠券 C-7 在此不適用。未達最低消費：還差 40.00。",
                "优惠券 C-7 在此不适用。未达最低消费：还差 40.00。",
            ],
        ),
        (
            Refused("coupon_limit", {"template": "latte", "limit": "per_member", "left": 0}),
            [
                "No more coupons of Free latte: the limit per member is reached, 0 left.",
                "優惠券「拿鐵券」已達每位會員上限，還可用 0 張。",
                "优惠券“拿铁券”已达每位会员上限，还可用 0 张。",
            ],
        ),
        (
            Refused(
                "points_not_applicable", {"asset": "points", "reason": "points_above_limit", "asked": 9, "most": 1}
            ),
            [
                "Points cannot pay here. At most 1 point can be used here, not 9 points.",
                "點數在此不能折抵。這裡最多使用 1 點，不能是 9 點。",
                "积分在此不能抵扣。这里最多使用 1 积分，不能是 9 积分。",
            ],
        ),
        (
            Refused("members_only", {"rule": "reserve", "lines": [1, 3], "who": "tier(club) = gold"}),
            [
                "Something in this cart is for certain members only: lines 1, 3 (tier(club) = gold).",
                "購物車裡有限定會員購買的商品：第 1、3 項（tier(club) = gold）。",
                "购物车里有限定会员购买的商品：第 1、3 条（tier(club) = gold）。",
            ],
        ),
    ],
    ids=lambda value: getattr(value, "code", ""),
)
def test_facts_are_written_as_people_write_them(refused, told):
    assert [sentence(refused, PROGRAM, locale) for locale in LOCALES] == told


@pytest.mark.parametrize(
    "type_",
    sorted(
        set(ACTS)
        - {of.ORDER_PAID, of.CART_HELD, of.ASSET_RECEIVED, of.COUPON_RECEIVED}
        - {of.IDENTITY_RECEIVED, of.ABSORBED, of.RESTORED}
    ),
)
@pytest.mark.parametrize("locale", LOCALES)
def test_an_activity_that_names_nothing_is_refused_without_naming_it(type_, locale):
    member = Member("m1", 0)
    step(EDITIONS, member, Activity(of.JOINED, "m1", NEW_YEAR, "test", "k1"))
    refused = step(EDITIONS, member, Activity(type_, "m1", NEW_YEAR, "test", "k2", {})).refused
    assert refused is None or "None" not in sentence(refused, PROGRAM, locale)


def test_what_a_quote_skipped_is_told_in_the_unit_of_what_was_skipped():
    skipped = {"what": "miles", "code": "nothing_to_pay_with", "available": 5}
    assert why_skipped(skipped, PROGRAM, "en") == "What can be spent (0.5 miles) pays nothing here."


def test_a_code_that_is_not_on_the_list_cannot_be_told():
    with pytest.raises(KeyError):
        sentence(Refused("because", {}), PROGRAM, "en")

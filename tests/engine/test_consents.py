"""Consents: nothing by itself, each channel by itself, her last word holds, and all of it is kept."""

import hashlib

import pytest

from shuke.engine.activity import CONSENT_GRANTED, CONSENT_WITHDRAWN, JOINED
from shuke.engine.consents import granted
from shuke.engine.member import Consent
from shuke.program.checks import check
from shuke.program.document import read
from shuke.values.instants import DAY
from tests.shop import NOON, Ledger, edition, order, told

CONSENTING = """
id: consenting
currency: USD
zone: Asia/Taipei
locales: [en, zh-Hant]
assets: [{id: points}]
profile:
  purposes:
    - {id: marketing, channels: [email, line], text: {en: May we?, zh-Hant: 可以嗎？}, version: "1"}
    - {id: service, channels: [phone]}
earning:
  - {id: reader, asset: points, when: 'member.consents has "marketing.email"', give: {fixed: 1}}
"""


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def shop() -> Ledger:
    shop = Ledger(edition(CONSENTING))
    shop.all(told(JOINED, "ann", key="j"))
    return shop


def yes(key: str, *channels: str, when: int = NOON, purpose: str = "marketing", **more: object):
    return told(CONSENT_GRANTED, "ann", key=key, when=when, purpose=purpose, channels=list(channels), **more)


def no(key: str, *, when: int = NOON + DAY, **more: object):
    return told(CONSENT_WITHDRAWN, "ann", key=key, when=when, **more)


def test_nothing_is_granted_by_itself():
    assert shop().members["ann"].consents == {}


def test_a_consent_keeps_the_text_its_version_and_where_it_was_said():
    ann = shop()
    ann.all(yes("a", "email", language="zh-Hant", via="checkout"))
    assert ann.members["ann"].consents == {
        "marketing.email": Consent(True, NOON, "1", sha("可以嗎？"), "zh-Hant", "checkout", "test")
    }
    ann.all(yes("b", "line"), yes("c", "phone", purpose="service"))
    consents = ann.members["ann"].consents
    assert consents["marketing.line"] == Consent(True, NOON, "1", sha("May we?"), "en", "", "test")
    assert consents["service.phone"] == Consent(True, NOON, "", "", "en", "", "test")


def test_a_text_that_is_not_the_programs_is_kept_as_it_was_told():
    ann = shop()
    ann.all(yes("a", "email", version="old", text_hash="ab" * 32))
    consent = ann.members["ann"].consents["marketing.email"]
    assert (consent.version, consent.text_hash) == ("old", "ab" * 32)


def test_each_channel_is_granted_and_withdrawn_by_itself():
    ann = shop()
    ann.all(yes("a", "email", "line"), no("b", purpose="marketing", channels=["line"]))
    assert granted(ann.members["ann"]) == ["marketing.email"]


@pytest.mark.parametrize(
    ("withdrawn", "left"),
    [
        ({}, []),
        ({"purpose": "marketing"}, ["service.phone"]),
        ({"channels": ["phone"]}, ["marketing.email", "marketing.line"]),
        ({"purpose": "service", "channels": ["phone"]}, ["marketing.email", "marketing.line"]),
    ],
)
def test_she_withdraws_one_some_or_all(withdrawn: dict, left: list[str]):
    ann = shop()
    ann.all(yes("a", "email", "line"), yes("b", "phone", purpose="service"), no("c", **withdrawn))
    assert granted(ann.members["ann"]) == left


def test_a_no_is_kept_also_where_there_was_no_yes():
    ann = shop()
    ann.all(no("a", purpose="service", via="phone call"))
    assert ann.members["ann"].consents == {
        "service.phone": Consent(False, NOON + DAY, "", "", "", "phone call", "test")
    }


def test_what_she_said_last_holds_in_whichever_order_it_arrives():
    ann = shop()
    ann.all(no("a", when=NOON + DAY, purpose="marketing"), yes("b", "email", when=NOON))
    assert granted(ann.members["ann"]) == []
    ann.all(yes("c", "email", when=NOON + 2 * DAY), no("d", when=NOON + DAY))
    assert granted(ann.members["ann"]) == ["marketing.email"]


@pytest.mark.parametrize(
    ("activity", "code"),
    [
        (yes("a", "email", purpose="spying"), "consent_unknown"),
        (yes("a", "fax"), "consent_channel_unknown"),
        (yes("a"), "consent_channel_unknown"),
        (yes("a", "email", "fax"), "consent_channel_unknown"),
        (no("a", purpose="spying"), "consent_unknown"),
        (no("a", channels=["fax"]), "consent_unknown"),
    ],
)
def test_what_nobody_asks_for_is_refused_and_changes_nothing(activity, code: str):
    ann = shop()
    settled = ann.settle(activity)
    assert settled.refused is not None
    assert (settled.refused.code, ann.members["ann"].consents) == (code, {})


def test_what_the_program_asks_for_no_more_can_still_be_withdrawn():
    without = CONSENTING.replace("    - {id: service, channels: [phone]}\n", "")
    ledger = Ledger(edition(CONSENTING), edition(without, version=2, effective_from=NOON + DAY))
    ledger.all(told(JOINED, "ann", key="j"), yes("a", "phone", purpose="service"))
    ledger.all(no("b", when=NOON + 2 * DAY, purpose="service"))
    assert granted(ledger.members["ann"]) == []


def test_conditions_ask_for_consent():
    ann = shop()
    ann.all(order("ann", "o1", 100), yes("a", "line"), order("ann", "o2", 100), yes("b", "email"))
    assert ann.balance("ann") == 0
    ann.all(order("ann", "o3", 100, when=NOON + DAY), no("c", when=NOON + 2 * DAY))
    ann.all(order("ann", "o4", 100, when=NOON + 3 * DAY))
    assert ann.balance("ann") == 1


@pytest.mark.parametrize("text", [CONSENTING, CONSENTING[: CONSENTING.index("profile:")]])
def test_a_condition_that_asks_for_a_consent_there_is_not_is_an_error_of_the_program(text: str):
    rule = "earning:\n  - {id: a, asset: points, when: 'member.consents has \"marketing.emial\"', give: {fixed: 1}}\n"
    head = text.partition("earning:")[0]
    assert [(problem.path, problem.code) for problem in check(read(head + rule)) if problem.severity == "error"] == [
        ("earning[0].when", "unknown_choice")
    ]

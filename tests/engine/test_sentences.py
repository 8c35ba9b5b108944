"""The sentences of three languages, held against each other and against typographic habit."""

import re

import pytest

from shuke.engine.sentences import en, language_of, told, zh_hans, zh_hant
from shuke.program.sentences.filling import fill, names_in

LANGUAGES = {"en": en, "zh-Hant": zh_hant, "zh-Hans": zh_hans}
TABLES = ("ENTRIES", "REFUSALS", "PARTS")


def every_template(*languages):
    return [
        (language, table, key, template)
        for language in languages
        for table in TABLES
        for key, template in getattr(LANGUAGES[language], table).items()
    ]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("language", ["zh-Hant", "zh-Hans"])
def test_every_language_has_every_sentence_and_fills_the_same_gaps(language, table):
    told_in_english = getattr(en, table)
    told_here = getattr(LANGUAGES[language], table)
    assert list(told_here) == list(told_in_english)
    assert {key: names_in(template) for key, template in told_here.items()} == {
        key: names_in(template) for key, template in told_in_english.items()
    }


def test_chinese_sentences_end_and_breathe_with_full_width_marks():
    half_width = re.compile(r"[\u3400-\u9fff}][,;:!?()]|[,;:!?()][\u3400-\u9fff{]")
    wrong = [
        (language, key)
        for language, table, key, template in every_template("zh-Hant", "zh-Hans")
        if half_width.search(template) or (table != "PARTS" and not template.endswith(("。", "{reason}")))
    ]
    assert wrong == []


def test_english_sentences_end_with_a_full_stop_and_use_no_full_width_marks():
    wrong = [
        key
        for _, table, key, template in every_template("en")
        if re.search(r"[\u3000-\u9fff\uff00-\uffef]", template)
        or (table != "PARTS" and not template.endswith((".", "{reason}")))
    ]
    assert wrong == []


def test_the_mainland_and_taiwan_each_quote_in_their_own_way():
    assert [key for _, _, key, template in every_template("zh-Hant") if re.search("[“”‘’]", template)] == []
    assert [key for _, _, key, template in every_template("zh-Hans") if re.search("[「」『』]", template)] == []


@pytest.mark.parametrize(
    ("template", "values", "sentence"),
    [
        ("獲得{quantity}。", {"quantity": "12 點"}, "獲得 12 點。"),
        ("訂單{order}已退回。", {"order": "A-1"}, "訂單 A-1 已退回。"),
        ("會員{name}加入。", {"name": "王小明"}, "會員王小明加入。"),
        ("（{name}核准）", {"name": "Mei"}, "（Mei 核准）"),
        ("折扣{percent}以內", {"percent": "85%"}, "折扣 85% 以內"),
        ("Spent {quantity}[ on order {order}].", {"quantity": "3 points", "order": None}, "Spent 3 points."),
        ("Spent {quantity}[ on order {order}].", {"quantity": "1", "order": "[A]"}, "Spent 1 on order [A]."),
    ],
)
def test_a_gap_is_filled_with_a_blank_only_where_two_scripts_meet(template, values, sentence):
    assert fill(template, values) == sentence


def test_a_sentence_that_cannot_do_without_a_value_says_which_is_missing():
    with pytest.raises(KeyError, match="order"):
        fill("Order {order} is cancelled.", {"order": None})


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("zh_TW.UTF-8", "zh-Hant"),
        ("zh-Hant", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh_CN", "zh-Hans"),
        ("zh-Hans-SG", "zh-Hans"),
        ("zh", "zh-Hans"),
        ("en_GB.UTF-8", "en"),
        ("C.UTF-8", "en"),
        ("de", "en"),
        (None, "en"),
    ],
)
def test_a_locale_as_machines_write_it_chooses_the_nearest_language(said, language):
    assert language_of(said) == language


@pytest.mark.parametrize(
    ("text", "language", "shown"),
    [
        ("Bear", "zh-Hant", "Bear"),
        ({"en": "points", "zh-Hant": "點"}, "zh-Hant", "點"),
        ({"en": "points", "zh-TW": "點"}, "zh-Hant", "點"),
        ({"en": "points", "zh-TW": "點"}, "zh-Hans", "points"),
        ({"de": "Punkte"}, "en", "Punkte"),
        (None, "en", None),
    ],
)
def test_a_merchants_own_text_is_shown_in_the_readers_language_or_the_nearest(text, language, shown):
    assert told(text, language) == shown

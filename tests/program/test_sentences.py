"""The sentences of problems in three languages, held against each other, the source and typographic habit."""

import ast
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

import shuke
from shuke.program.chapter import Chapter
from shuke.program.condition_facts import Kind
from shuke.program.differences import KEYS
from shuke.program.document import Program, read
from shuke.program.examination import examine
from shuke.program.problems import Broken, problem
from shuke.program.sentences import LOCALES, Listed, Phrase, en, tell, zh_hans, zh_hant
from shuke.program.sentences.fields import FIELDS, WORDS
from shuke.program.sentences.filling import names_in
from shuke.program.wording import alternatives

LANGUAGES = {"en": en, "zh-Hant": zh_hant, "zh-Hans": zh_hans}
TABLES = ("PROBLEMS", "PARTS", "CHANGES")
SOURCE = Path(shuke.__file__).parent


def every_template(*languages: str) -> Iterator[tuple[str, str, str, str]]:
    for language in languages:
        for table in TABLES:
            for key, template in getattr(LANGUAGES[language], table).items():
                yield language, table, key, template


# -- The languages against each other ---------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("language", ["zh-Hant", "zh-Hans"])
def test_every_language_has_every_sentence_and_fills_the_same_gaps(language: str, table: str):
    told_in_english, told_here = getattr(en, table), getattr(LANGUAGES[language], table)
    assert list(told_here) == list(told_in_english)
    assert {key: names_in(template) for key, template in told_here.items()} == {
        key: names_in(template) for key, template in told_in_english.items()
    }


def test_no_sentence_was_left_in_english():
    left = [
        (language, key)
        for language, table, key, template in every_template("zh-Hant", "zh-Hans")
        if template == getattr(en, table)[key] and re.search(r"[a-z]{2} [a-z]", re.sub(r"\{\w+\}", "", template))
    ]
    assert left == []


def test_chinese_sentences_end_and_breathe_with_full_width_marks():
    half_width = re.compile(r"[\u3400-\u9fff][,;:!?]|[,;:!?][\u3400-\u9fff]")
    wrong = [
        (language, key)
        for language, table, key, template in every_template("zh-Hant", "zh-Hans")
        if half_width.search(template)
        or (table == "PROBLEMS" and not template.endswith(("。", "。]")) and not key.startswith("not_a_condition"))
    ]
    assert wrong == []


def test_english_sentences_end_with_a_full_stop_and_use_no_full_width_marks():
    wrong = [
        key
        for _, table, key, template in every_template("en")
        if re.search(r"[\u3000-\u9fff\uff00-\uffef]", template)
        or (table == "PROBLEMS" and not template.endswith((".", ".]")) and not key.startswith("not_a_condition"))
    ]
    assert wrong == []


def test_the_mainland_and_taiwan_each_quote_and_speak_in_their_own_way():
    assert [key for _, _, key, template in every_template("zh-Hant") if re.search("[“”‘’]", template)] == []
    assert [key for _, _, key, template in every_template("zh-Hans") if re.search("[「」『』]", template)] == []
    simplified, traditional = (
        "这没对写请时间会员类规则额数单项级体条个显从无",
        "這沒對寫請時間會員類規則額數單項級體條個顯從無",
    )
    assert [key for _, _, key, template in every_template("zh-Hant") if set(simplified) & set(template)] == []
    assert [key for _, _, key, template in every_template("zh-Hans") if set(traditional) & set(template)] == []


# -- The source against the languages ---------------------------------------------------------------------


def keys_in_the_source() -> Iterator[tuple[str, str, frozenset[str] | None]]:
    """(place, key, names of its facts) of every problem the source can tell; None: not written out there."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).split(".")[-1]
            at = {"problem": 1, "warning": 1, "said": 1, "Broken": 0, "_refused": 2, "_unknown_choice": 1}.get(name)
            if at is None or len(node.args) <= at or not isinstance(node.args[at], ast.Constant):
                continue
            key = str(node.args[at].value)
            facts = frozenset(word.arg for word in node.keywords if word.arg)
            open_ = any(word.arg is None for word in node.keywords) or name == "_unknown_choice"
            yield (
                f"{path.name}:{node.lineno}",
                f"not_valid:{key}" if name == "Broken" else key,
                None if open_ else facts,
            )


COMPOSED = {
    *(f"no_{scope}" for scope in ("order", "line", "activity")),
    *(f"unknown_{what}" for what in ("asset", "coupon", "coupon_category", "ladder", "measure")),
    *("out_of_range:more", "out_of_range:at_least", "out_of_range:less", "out_of_range:at_most"),
    *("too_few", "too_many", "too_short", "too_long"),
    *("wrong_form:id", "wrong_form:currency", "wrong_form:date"),
    *("not_a_condition", "not_a_condition:end"),
    *("empty_range", "empty_range:time"),
}
"""Keys that the source puts together, or takes from a table."""


def test_every_problem_in_the_source_has_its_sentence_with_the_facts_that_are_told():
    found = list(keys_in_the_source())
    assert [(place, key) for place, key, _ in found if key not in en.PROBLEMS] == []
    wrong = [
        (place, key)
        for place, key, facts in found
        if facts is not None and not {n for n in names_in(en.PROBLEMS[key]) if not n.startswith("[")} <= facts
    ]
    assert wrong == []
    idle = [
        (place, key, facts - {name.strip("[]") for name in names_in(en.PROBLEMS[key])})
        for place, key, facts in found
        if facts is not None and not facts <= {name.strip("[]") for name in names_in(en.PROBLEMS[key])}
    ]
    assert idle == []


def test_every_sentence_is_of_a_problem_in_the_source():
    assert set(en.PROBLEMS) - {key for _, key, _ in keys_in_the_source()} - COMPOSED == set()
    assert set(en.PROBLEMS) >= COMPOSED


PUT_TOGETHER = {
    *(f"kind.{kind.name.lower()}" for kind in Kind),
    *("condition.no_such_date", "condition.no_such_time", "decimals.0", "decimals.1", "role.principal", "role.bonus"),
}
"""Keys of parts that the source puts together."""


def test_every_part_is_said_somewhere():
    said = set(PUT_TOGETHER)
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                said |= {node.value, f"wanted.{node.value}"} if path.name == "condition_text.py" else {node.value}
    assert set(en.PARTS) - said == set()
    assert set(en.PARTS) >= PUT_TOGETHER


# -- What fields and their words are called ---------------------------------------------------------------


def chapters() -> list[type[Chapter]]:
    """Every chapter that a program may have, the program first."""
    found: list[type[Chapter]] = [Program]
    for chapter in found:
        for field in chapter.model_fields.values():
            for shape in shapes_in(field.annotation):
                if isinstance(shape, type) and issubclass(shape, Chapter) and shape not in found:
                    found.append(shape)
    return found


def shapes_in(annotation: Any) -> Iterator[Any]:
    for shape in alternatives(annotation):
        if get_origin(shape) in (list, dict):
            for inner in get_args(shape):
                yield from shapes_in(inner)
        else:
            yield shape


FIELDS_THERE = [
    (chapter.__name__, field.alias or name) for chapter in chapters() for name, field in chapter.model_fields.items()
]


def test_every_field_is_called_something_in_chinese():
    nameless = [(chapter, name) for chapter, name in FIELDS_THERE if not {name, f"{chapter}.{name}"} & set(FIELDS)]
    assert nameless == []
    there = {name for _, name in FIELDS_THERE} | {f"{chapter}.{name}" for chapter, name in FIELDS_THERE}
    assert set(FIELDS) - there == set()


def test_every_word_a_field_may_hold_is_called_something_in_chinese():
    words = set()
    for chapter in chapters():
        for field in chapter.model_fields.values():
            for shape in shapes_in(field.annotation):
                if get_origin(shape) is Literal:
                    words |= {word for word in get_args(shape) if isinstance(word, str)}
                elif isinstance(shape, type) and issubclass(shape, Enum):
                    words |= {str(word.value) for word in shape}
    assert words - set(WORDS) == set()
    assert set(WORDS) - words == set()


def test_every_list_of_things_has_a_word_for_one_of_them():
    lists = {
        field.alias or name
        for chapter in chapters()
        for name, field in chapter.model_fields.items()
        for shape in alternatives(field.annotation)
        if get_origin(shape) is list and set(KEYS) & set(getattr(get_args(shape)[0], "model_fields", {}))
    }
    assert {f"subject.{name}" for name in lists} <= set(en.CHANGES)


# -- As they are read -------------------------------------------------------------------------------------

SHOP = """
id: shop
currency: TWD
currency_scale: 0
zone: Asia/Taipei
assets:
  - {id: points, redemption: {worth: 1}}
earning:
  - {id: base, asset: points, give: {per: {amount: 100, points: 1}}}
"""

TOLD = [
    (
        SHOP.replace("asset: points", "asset: point"),
        [
            "There is no asset 'point'.",
            "沒有「point」這項資產。",
            "没有“point”这项资产。",
        ],
    ),
    (
        SHOP.replace("{id: base", "{id: base, when: order.amount >> 5"),
        [
            "Here a value is expected: a number, a word, a date, or a text in double quotes. (character 15, at '> 5')",
            "這裡應該是一個值：數字、一個詞、日期，或雙引號裡的文字。（第 15 個字元，在「> 5」處）",
            "这里应该是一个值：数字、一个词、日期，或双引号里的文字。（第 15 个字符，在“> 5”处）",
        ],
    ),
    (
        SHOP.replace("{id: base", "{id: base, when: order.amount = gold"),
        [
            "order.amount = gold: order.amount is an amount of money, but gold is a text.",
            "order.amount = gold：order.amount 是金額，gold 卻是文字。",
            "order.amount = gold：order.amount 是金额，gold 却是文字。",
        ],
    ),
    (
        SHOP.replace("amount: 100", "amount: many"),
        [
            'Here a number is needed, not "many".',
            "這裡需要數字，不能是「many」。",
            "这里需要数字，不能是“many”。",
        ],
    ),
    (
        SHOP.replace("give: {per: {amount: 100, points: 1}}", "give: {fixed: 0.5}"),
        [
            "'points' has no decimals, so there is no 0.5 of it.",
            "「points」沒有小數，沒有 0.5 這樣的數量。",
            "“points”没有小数，没有 0.5 这样的数量。",
        ],
    ),
    (
        SHOP.replace("give: {per: {amount: 100, points: 1}}", "give: {fixed: 1, per_item: 2}"),
        [
            "Say exactly one of: fixed, per, per_item, per_unit, steps, multiply.",
            "必須且只能寫其中一項：fixed、per、per_item、per_unit、steps、multiply。",
            "必须且只能写其中一项：fixed、per、per_item、per_unit、steps、multiply。",
        ],
    ),
    (
        SHOP.replace("zone: Asia/Taipei", "zone: Asia/Taipeh"),
        [
            '"Asia/Taipeh" is not a time zone: write the name of one, such as Asia/Taipei.',
            "「Asia/Taipeh」不是時區：請寫時區名稱，例如 Asia/Taipei。",
            "“Asia/Taipeh”不是时区：请写时区名称，例如 Asia/Shanghai。",
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentences"), TOLD)
def test_a_mistake_is_told_in_the_readers_language(text: str, sentences: list[str]):
    told = examine(text).problems[0]
    assert [told.told(locale) for locale in LOCALES] == sentences
    assert told.sentence == sentences[0]


def test_a_suggestion_in_words_is_in_the_readers_language_too_and_one_to_be_written_is_not():
    tabs = examine("id: shop\nassets:\n\t- id: points\n").problems[0]
    assert [tabs.hinted(locale) for locale in LOCALES] == [
        "Indent with blanks, not with tabs.",
        "縮排請用空白，不要用 Tab。",
        "缩进请用空格，不要用 Tab。",
    ]
    near = examine(SHOP.replace("asset: points", "asset: point")).problems[0]
    assert [near.hinted(locale) for locale in LOCALES] == ["points"] * 3


def test_several_things_are_joined_as_each_language_joins_them():
    words = Listed(("a", "b", "c"), "or")
    assert [tell(words, locale) for locale in LOCALES] == ["a, b or c", "a、b 或 c", "a、b 或 c"]
    kinds = Listed((Phrase("kind.date"), Phrase("kind.text")), "and")
    assert [tell(kinds, locale) for locale in LOCALES] == ["a date and a text", "日期與文字", "日期和文字"]
    assert tell(Listed(("a",), "or"), "zh-Hant") == "a"


def test_a_problem_without_a_sentence_cannot_be_told():
    with pytest.raises(KeyError):
        problem("", "because").told("en")
    with pytest.raises(KeyError):
        Broken("because")


def test_a_sound_program_has_nothing_to_be_told():
    assert examine(SHOP).errors == []
    assert read(SHOP).id == "shop"

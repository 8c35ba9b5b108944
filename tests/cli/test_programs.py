"""check, diff, publish and schema."""

import json

import pytest

from tests.cli.conftest import PROGRAM

BROKEN = PROGRAM.replace("asset: points, give: {per:", "asset: pionts, give: {per:")
CHEAPER = PROGRAM.replace("{amount: 10, points: 1}", "{amount: 20, points: 1}")


@pytest.fixture
def shuke(make_shuke, unborn_tenant):
    """The command in a folder of the test's own."""
    return make_shuke(unborn_tenant)


def test_a_sound_program_is_called_sound(shuke):
    said = shuke("check", "program.yaml")
    assert (said.status, said.err) == (0, "")
    assert "program.yaml is sound." in said.out


def test_a_problem_is_told_with_its_line_and_what_was_probably_meant(shuke):
    shuke.write("broken.yaml", BROKEN)
    said = shuke("check", "broken.yaml")
    line = BROKEN.splitlines().index(next(text for text in BROKEN.splitlines() if "pionts" in text)) + 1
    assert said.status == 1
    assert f"error  broken.yaml:{line}  earning[0].asset" in said.out
    assert "Perhaps: points" in said.out


def test_what_is_no_program_at_all_is_a_finding_with_its_line(shuke):
    shuke.write("torn.yaml", "id: coffee\nassets: [\n")
    said = shuke("check", "torn.yaml")
    assert said.status == 1
    assert "error  torn.yaml:" in said.out
    assert "This is not YAML" in said.out


def test_problems_come_as_json_and_nothing_else(shuke):
    shuke.write("broken.yaml", BROKEN)
    said = shuke("check", "broken.yaml", "--json")
    assert said.status == 1
    assert [problem["suggestion"] for problem in said.json["problems"]] == ["points"]


IN_CHINESE = [
    ("zh-Hant", "錯誤", "沒有「pionts」這項資產。", "或許是：points", "1 個錯誤，0 個警告"),
    ("zh-Hans", "错误", "没有“pionts”这项资产。", "也许是：points", "1 个错误，0 个警告"),
]


@pytest.mark.parametrize(("lang", "severity", "sentence", "perhaps", "count"), IN_CHINESE)
def test_problems_are_told_in_the_readers_language(shuke, lang, severity, sentence, perhaps, count):
    shuke.write("broken.yaml", BROKEN)
    said = shuke("check", "broken.yaml", "--lang", lang)
    for words in (severity, sentence, perhaps, count):
        assert words in said.out
    assert shuke("check", "broken.yaml", SHUKE_LANG=lang).out == said.out
    assert shuke("check", "broken.yaml", LANG=lang.replace("-", "_") + ".UTF-8").out == said.out
    [problem] = shuke("check", "broken.yaml", "--json", "--lang", lang).json["problems"]
    assert (problem["code"], problem["sentence"]) == ("unknown_asset", sentence)


def test_differences_are_told_in_the_readers_language(shuke):
    shuke.write("cheaper.yaml", CHEAPER)
    assert (
        "規則 base：每 10 得 1 points → 每 20（較不利）"
        in shuke("diff", "program.yaml", "cheaper.yaml", "--lang", "zh-TW").out
    )
    assert (
        "program.yaml 和 program.yaml 内容相同。"
        in shuke("diff", "program.yaml", "program.yaml", "--lang", "zh-CN").out
    )


def vectors(balance: int) -> str:
    return f"""\
program: program.yaml
source: computed by hand
vectors:
  - name: a hundred gives ten points
    source: 100 / 10
    when: [{{at: "2026-01-20", order: {{amount: 100}}}}]
    then: {{balances: {{points: {balance}}}}}
"""


def test_examples_beside_a_program_are_run_with_it(shuke):
    shuke.write("program.vectors.yaml", vectors(10))
    said = shuke("check", "program.yaml")
    assert said.status == 0
    assert "1 of 1 example in program.vectors.yaml hold." in said.out


def test_an_example_that_does_not_hold_is_a_finding(shuke):
    shuke.write("program.vectors.yaml", vectors(11))
    said = shuke("check", "program.yaml")
    assert said.status == 1
    assert "broken  a hundred gives ten points" in said.out
    assert "balance of points should be 11, is 10" in said.out


def test_differences_are_told_in_words_with_who_gains(shuke):
    shuke.write("draft.yaml", CHEAPER)
    said = shuke("diff", "program.yaml", "draft.yaml")
    assert (said.status, said.err) == (0, "")
    assert said.out == "- Rule base: 1 point per 10 → per 20 (worse)\n"
    (change,) = shuke("diff", "program.yaml", "draft.yaml", "--json").json["changes"]
    assert (change["kind"], change["effect"]) == ("changed", "worse")


def test_the_same_program_twice_has_no_differences(shuke):
    assert shuke("diff", "program.yaml", "program.yaml").out == "program.yaml and program.yaml say the same.\n"


def test_a_program_is_published_once_and_then_changed_from_a_day_to_come(shuke):
    assert shuke("init").status == 0
    first = shuke("publish", "program.yaml")
    assert first.status == 0, first.err
    assert "Version 1 of coffee is published, in force from the beginning on." in first.out
    again = shuke("publish", "program.yaml")
    assert (again.status, again.out) == (0, "Version 1 is this very document. Nothing was changed.\n")
    shuke.write("draft.yaml", CHEAPER)
    past = shuke("publish", "draft.yaml", "--from", "2020-01-01")
    assert past.status == 2
    assert "A version cannot come into force in the past." in past.err
    second = shuke("publish", "draft.yaml", "--from", "2099-01-01", "--note", "less")
    assert second.status == 0, second.err
    assert "Changes to version 1\n- Rule base: 1 point per 10 → per 20 (worse)" in second.out
    assert "Version 2 of coffee is published, in force from 2099-01-01T00:00:00+08:00 on." in second.out


def test_a_program_with_an_error_is_not_published(shuke):
    shuke.write("broken.yaml", BROKEN)
    said = shuke("publish", "broken.yaml")
    assert (said.status, said.out) == (1, "")
    assert "broken.yaml was not published." in said.err
    assert "Perhaps: points" in said.err


def test_the_schema_is_json_that_editors_understand(shuke):
    said = shuke("schema")
    assert said.status == 0
    assert json.loads(said.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"

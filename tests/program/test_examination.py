"""Whatever a text holds, it is looked through and said what is wrong; JSON means the same as YAML."""

from decimal import Decimal

import pytest

from shuke.program.document_text import parse, text_of_json
from shuke.program.examination import examine
from shuke.program.problems import DocumentError

HEAD = "id: shop\ncurrency: USD\nzone: UTC\n"

BOMB = "a: &a [1, 1]\n" + "".join(
    f"{name}: &{name} [*{before}, *{before}, *{before}, *{before}]\n"
    for before, name in zip("abcdefghijk", "bcdefghijkl", strict=True)
)

HOSTILE = {
    "nothing": ("", "not_a_program"),
    "a word": ("shop", "not_a_program"),
    "a list": ("- shop", "not_a_program"),
    "half a list": ("id: [", "not_yaml"),
    "two documents": ("id: a\n---\nid: b\n", "not_yaml"),
    "an alias to itself": ("id: &a [*a]", "too_deep"),
    "an alias to nothing": ("id: *a", "not_yaml"),
    "aliases of aliases of aliases": (BOMB, "too_large"),
    "depth": ("[" * 5000, "too_deep"),
    "depth, closed": ("[" * 5000 + "]" * 5000, "too_deep"),
    "a tag that runs code": ("id: !!python/object/apply:os.system [ls]", "unknown_tag"),
    "a number without end": ("id: " + "9" * 100_000, "not_a_value"),
    "the character zero": ('id: shop\ntitle: "a\\0b"', "not_a_value"),
    "a name with the character zero": ('"a\\0b": 1', "not_a_name"),
    "half a character": ('id: "\\ud800"', "not_yaml"),
    "a zone that is a path": ("id: shop\ncurrency: USD\nzone: ../../etc/passwd\n", "not_valid"),
    "a condition of brackets": (
        HEAD + f"earning: [{{id: r, asset: p, give: {{fixed: 1}}, when: '{'(' * 90_000}'}}]",
        "not_a_condition",
    ),
}


@pytest.mark.parametrize(("text", "code"), HOSTILE.values(), ids=HOSTILE)
def test_whatever_is_no_program_is_told_and_not_raised(text, code):
    found = examine(text)
    assert found.program is None
    assert code in {problem.code for problem in found.problems}
    assert found.errors


def test_a_program_has_its_warnings_with_their_lines():
    found = examine(HEAD + "assets:\n  - {id: points}\n")
    assert found.program is not None
    assert found.errors == []
    assert {(problem.code, problem.severity, problem.line) for problem in found.problems} == {
        ("never_earned", "warning", 5),
        ("never_used", "warning", 5),
    }


@pytest.mark.parametrize(
    ("body", "data"),
    [
        ('{"a": 1e-3, "b": 1E5, "c": 0.10, "d": -7}', [Decimal("0.001"), 100_000, Decimal("0.10"), -7]),
        ('{"a": "\\ud83d\\ude00", "b": "\\u2028\\u0085", "c": "\\/\\t"}', ["😀", "\u2028\x85", "/\t"]),
        ('{"a": true, "b": null, "c": {"x": [[]]}, "d": "yes", "e": "1"}', [True, None, {"x": [[]]}, "yes", "1"]),
    ],
)
def test_json_is_read_as_what_it_says(body, data):
    assert list(parse(text_of_json(body.encode())).data.values()) == data


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": NaN}', b"\xff", b'"\\ud800"', b"[" * 5000])
def test_what_is_not_json_is_told(body):
    with pytest.raises(DocumentError) as told:
        text_of_json(body)
    assert [problem.code for problem in told.value.problems] == ["not_json"]

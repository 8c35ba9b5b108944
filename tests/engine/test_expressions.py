"""Expressions: nothing a program says becomes part of their text."""

import pytest

from shuke.engine.conditions import Names, compile_condition
from shuke.engine.expressions import Expression
from shuke.program.conditions import Compare, Fact, Has, In, Vocabulary
from tests.engine.turns import turn_on

NAMES = Names(Vocabulary(2, {}, {}, {}))
EVIL = "x') or (1 == 1) or ('"


def test_an_expression_knows_its_words_and_what_was_bound_and_nothing_else():
    python = Expression({"twice": lambda number: 2 * number})
    assert python.function("x", f"twice({python.bind(20)}) + x")(2) == 42
    with pytest.raises(NameError):
        python.function("x", "open(x)")("/dev/null")


@pytest.mark.parametrize(
    "tree",
    [
        Compare(Fact("trait", EVIL), "=", "no"),
        Compare(Fact("trait", "x"), "=", EVIL),
        In(Fact("activity", EVIL), (EVIL,)),
        Has(Fact("member", "tags"), (EVIL,)),
    ],
    ids=str,
)
def test_names_and_texts_of_a_program_are_never_part_of_what_is_compiled(tree):
    test = compile_condition(tree, names=NAMES)
    assert EVIL not in test.__code__.co_names
    assert EVIL not in test.__code__.co_consts
    assert test(turn_on("2026-05-01"), None) is False

"""Conditions, generated: text and JSON keep them, expressions mean what the plain reading means."""

import json

from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.conditions import Names, compile_condition, compile_scope, explain
from shuke.engine.member import Purse, Standing
from shuke.program.conditions import (
    ConditionSyntax,
    Vocabulary,
    check,
    from_json,
    line_index,
    parse,
    show,
    to_json,
    walk,
)
from shuke.values.instants import calendar_of
from tests.engine.turns import days_of, series_of, turn_on
from tests.property.condition_strategies import CONDITIONS, LINES, ON_LINES, WRITABLE, worlds
from tests.property.naive_conditions import SCALES, TIERS, holds

NAMES = Names(Vocabulary(2, SCALES, {"main": TIERS}, {"distance": "payload"}))
ZONE = "Asia/Taipei"


def turn_in(world):
    calendar = calendar_of(ZONE)
    series = {
        name: series_of({day.isoformat(): amount for day, amount in amounts.items()})
        for name, amounts in world.measures.items()
        if amounts
    }
    series |= {name: days_of(*map(str, days)) for name, days in world.days.items() if days}
    standings = {}
    if world.since is not None:
        standings["main"] = Standing("silver", calendar.day_start(world.since.toordinal()))
    return turn_on(
        str(world.today),
        second=world.minute * 60,
        zone=ZONE,
        joined=str(world.joined),
        payload=world.payload,
        purchase=world.purchase,
        traits=world.traits,
        tags=world.tags,
        tiers={} if world.tier is None else {"main": world.tier},
        purses={asset: Purse(available=units) for asset, units in world.purses.items()},
        series=series,
        standings=standings,
    )


@given(WRITABLE)
def test_what_is_printed_is_read_as_the_same_condition(tree):
    assert parse(show(tree)) == tree


@given(WRITABLE)
def test_the_json_form_keeps_the_condition(tree):
    assert from_json(json.loads(json.dumps(to_json(tree)))) == tree


@given(st.text(alphabet='ab .,()[]"<=>!/-09:and ornot\\', max_size=40))
def test_any_text_is_a_condition_or_a_mistake_with_a_position(text):
    position = 0
    try:
        tree = parse(text)
        assert parse(show(tree)) == tree
    except ConditionSyntax as mistake:
        position = mistake.position
    assert 0 <= position <= len(text)


@given(CONDITIONS)
def test_what_makes_sense_passes_the_check(tree):
    problems = check(tree, NAMES.vocabulary, place="line")
    assert [problem for problem in problems if problem.severity == "error"] == []


@given(WRITABLE)
def test_whatever_passes_the_check_can_be_compiled(tree):
    if not any(problem.severity == "error" for problem in check(tree, NAMES.vocabulary, place="line")):
        compile_condition(tree, names=NAMES)


@given(st.lists(CONDITIONS, min_size=5, max_size=15), worlds())
def test_a_compiled_condition_means_what_the_plain_reading_means(trees, world):
    turn, line = turn_in(world), world.line
    for tree in trees:
        for _, node in walk(tree):
            assert compile_condition(node, names=NAMES)(turn, line) is holds(node, world), show(node)


@given(CONDITIONS, worlds())
def test_an_explanation_agrees_with_the_condition_in_every_node(tree, world):
    turn, line = turn_in(world), world.line

    def agree(told, node):
        assert told.node == node
        assert told.holds is compile_condition(node, names=NAMES)(turn, line)
        assert told.missing is None or (told.missing > 0 and not told.holds)
        for child in told.children:
            agree(child, child.node)

    told = explain(tree, turn, line, NAMES)
    agree(told, tree)
    assert told.holds or list(told.open_ends())


@given(CONDITIONS, st.lists(LINES, max_size=4), worlds())
def test_a_scope_is_the_lines_for_which_the_condition_holds(tree, lines, world):
    turn, test = turn_in(world), compile_condition(tree, names=NAMES)
    matching = [position for position, line in enumerate(lines) if test(turn, line)]
    assert compile_scope(tree, names=NAMES)(turn, lines) == matching


@given(ON_LINES, st.lists(LINES, max_size=4), worlds())
def test_a_line_that_the_index_leaves_out_never_matches(tree, lines, world):
    index = line_index(tree)
    if index is None:
        return
    name, values = index
    for line in lines:
        carried = getattr(line, name) if hasattr(line, name) else (line.attributes or {}).get(name)
        if not isinstance(carried, str) or carried not in values:
            assert not compile_condition(tree, names=NAMES)(turn_in(world), line)

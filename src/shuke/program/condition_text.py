"""Conditions as people write them: ``order.amount >= 500 and line.category in [coffee, tea]``.

``parse(show(tree)) == tree`` (see ``condition_show``). A mistake is a ``ConditionSyntax`` with its position.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from difflib import get_close_matches
from typing import NamedTuple, NoReturn, TypeVar, cast

from shuke.program.condition_facts import FACTS, OPEN_SCOPES
from shuke.program.condition_show import KEYWORDS
from shuke.program.condition_tree import (
    ACTIVITY_TYPE,
    CALENDAR_UNITS,
    LIFETIME,
    LONGEST,
    LONGEST_NEXT,
    LONGEST_SPAN,
    OPS,
    SCOPES,
    SPAN_UNITS,
    UNITS,
    Ago,
    Balance,
    Between,
    Compare,
    Constant,
    DaysSince,
    Fact,
    Has,
    In,
    InNext,
    InSegment,
    IsToday,
    Measured,
    Month,
    Node,
    Not,
    Op,
    Plain,
    Ratio,
    Scope,
    Sequence,
    Streak,
    Term,
    Tier,
    Value,
    Window,
    all_of,
    any_of,
)
from shuke.program.sentences import Listed, Phrase, tell

MAX_LENGTH = 20_000
MAX_DEPTH = 40

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})(?![\w-])
      | (?P<time>[0-9]{1,2}:[0-9]{2})(?![\w:])
      | (?P<number>-?[0-9]+(?:\.[0-9]+)?)(?![\w.])
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<word>[^\W\d][\w-]*)
      | (?P<sign><=|>=|!=|=|<|>|[()\[\],./])
      | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL,
)


class ConditionSyntax(ValueError):
    """The text is not a condition: ``said`` is why. ``position`` counts characters from 0; ``suggestion`` may be
    None."""

    def __init__(self, text: str, position: int, said: Phrase, suggestion: str | None = None) -> None:
        self.text = text
        self.position = position
        self.said = said
        self.suggestion = suggestion
        hint = f" Did you mean {suggestion}?" if suggestion else ""
        super().__init__(f"{self.sentence}{hint} (at character {position + 1} of: {text[:200]})")

    @property
    def sentence(self) -> str:
        """Why, in English."""
        return tell(self.said, "en")


T = TypeVar("T")


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def parse(text: str) -> Node:
    """The tree of a condition. Raises ``ConditionSyntax``."""
    return _Parser(text).whole(_Parser.condition)


def parse_term(text: str) -> Term:
    """The tree of one term, such as ``order.amount`` or ``spend(12 months)``. Raises ``ConditionSyntax``."""
    return _Parser(text).whole(_Parser.term)


def parse_window(text: str) -> Window:
    """``12 months``, ``calendar year``, ``term of main``, ``lifetime`` … Raises ``ConditionSyntax``."""
    return _Parser(text).whole(_Parser.window)


class _Parser:
    """Recursive descent over the tokens; the grammar is in docs/reference/conditions.md."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_LENGTH:
            raise ConditionSyntax(text[:200], MAX_LENGTH, Phrase.of("condition.too_long", most=MAX_LENGTH))
        self.text = text
        self.tokens = self._tokens()
        self.index = 0
        self.depth = 0

    def _tokens(self) -> list[_Token]:
        tokens: list[_Token] = []
        position = 0
        while True:
            match = _TOKEN.match(self.text, position)
            if match is None:
                at = position + len(self.text[position:]) - len(self.text[position:].lstrip())
                self._unreadable(at)
            kind = str(match.lastgroup)
            tokens.append(_Token(kind, match.group(kind), match.start(kind)))
            if kind == "end":
                return tokens
            position = match.end()

    def _unreadable(self, at: int) -> NoReturn:
        if self.text[at] == '"':
            raise ConditionSyntax(self.text, at, Phrase("condition.unclosed"))
        if self.text[at].isdigit():
            raise ConditionSyntax(self.text, at, Phrase("condition.no_number"))
        raise ConditionSyntax(self.text, at, Phrase.of("condition.no_meaning", character=self.text[at]))

    # -- moving on

    @property
    def token(self) -> _Token:
        return self.tokens[self.index]

    def sees(self, *texts: str) -> bool:
        token = self.token
        return token.kind in ("word", "sign") and token.text in texts

    def takes(self, *texts: str) -> bool:
        if self.sees(*texts):
            self.index += 1
            return True
        return False

    def take(self, kind: str, wanted: str) -> str:
        if self.token.kind != kind:
            self.fail(Phrase.of("condition.expected", wanted=Phrase(f"wanted.{wanted}")))
        self.index += 1
        return self.tokens[self.index - 1].text

    def expect(self, text: str) -> None:
        if not self.takes(text):
            self.fail(Phrase.of("condition.expected", wanted=Phrase.of("wanted.sign", sign=text)))

    def fail(self, said: Phrase, among: tuple[str, ...] = (), at: int | None = None) -> NoReturn:
        token = self.token if at is None else self.tokens[at]
        close = get_close_matches(token.text, among, n=1, cutoff=0.6)
        raise ConditionSyntax(self.text, token.at, said, close[0] if close else None)

    def whole(self, rule: Callable[[_Parser], T]) -> T:
        found = rule(self)
        if self.token.kind != "end":
            self.fail(Phrase("condition.end"), ("and", "or"))
        return found

    # -- joining

    def condition(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(Phrase.of("condition.too_deep", most=MAX_DEPTH))
        nodes = [self.conjunction()]
        while self.takes("or"):
            nodes.append(self.conjunction())
        self.depth -= 1
        return any_of(*nodes)

    def conjunction(self) -> Node:
        nodes = [self.negation()]
        while self.takes("and"):
            nodes.append(self.negation())
        return all_of(*nodes)

    def negation(self) -> Node:
        if not self.takes("not"):
            return self.primary()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(Phrase.of("condition.too_deep", most=MAX_DEPTH))
        node = Not(self.negation())
        self.depth -= 1
        return node

    def primary(self) -> Node:
        if self.takes("("):
            node = self.condition()
            self.expect(")")
            return node
        if self.takes("true"):
            return Constant(True)
        if self.takes("false"):
            return Constant(False)
        if self.takes("tag"):
            return Has(Fact("member", "tags"), (self.text_value(),))
        if self.sees("segment") and self.tokens[self.index + 1].text == "(":
            self.index += 2
            segment = self.take("word", "segment")
            self.expect(")")
            return InSegment(segment)
        if self._is_sequence():
            return self.sequence()
        return self.comparison()

    def _is_sequence(self) -> bool:
        """Whether the name of an activity and ``then`` come next."""
        at = self.index
        while self.tokens[at].kind == "word" and self.tokens[at].text not in KEYWORDS:
            at += 1
            if self.tokens[at].text != ".":
                return at > self.index and self.tokens[at][:2] == ("word", "then")
            at += 1
        return False

    def sequence(self) -> Node:
        first = self.dotted("activity")
        self.expect("then")
        negated = self.takes("not")
        then = self.dotted("activity")
        self.expect("within")
        count, unit = self.counted_in(LONGEST_SPAN, SPAN_UNITS, "span")
        last = LIFETIME
        if self.takes("in"):
            self.expect("last")
            last = self.rolling()
        return Sequence(first, then, count, unit, negated, last)

    # -- comparing

    def comparison(self) -> Node:
        start = self.index
        singular = (self.token.text, self.tokens[min(start + 2, len(self.tokens) - 1)].text) in _SINGULAR
        term = self.term()
        if self.takes("is"):
            self.expect("today")
            return IsToday(self.fact(term, start))
        if singular and self.takes("=", "in", "has"):  # "line.tag in [a, b]" asks what line.tags has
            return Has(self.fact(term, start), self.texts())
        if self.takes("has"):
            return Has(self.fact(term, start), self.texts())
        if self.takes("in"):
            if self.takes("next"):
                return InNext(self.fact(term, start), self.counted_in({"days": LONGEST_NEXT}, ("days",), "next")[0])
            return In(term, self.listed(self.literal))
        if self.takes("not"):
            self.expect("in")
            return In(term, self.listed(self.literal), negated=True)
        if self.takes("between"):
            low = self.literal()
            self.expect("and")
            return Between(term, low, self.literal())
        if self.sees(*OPS):
            op = cast(Op, self.take("sign", "comparison"))
            return Compare(term, op, self.side(texts_only=term == ACTIVITY_TYPE))
        if isinstance(term, Fact) and (self.token.kind == "end" or self.sees("and", "or", ")")):
            return Compare(term, "=", True)
        self.fail(Phrase("condition.comparison"), (*OPS, *KEYWORDS))

    def texts(self) -> tuple[str, ...]:
        return self.listed(self.text_value) if self.sees("[") else (self.text_value(),)

    def fact(self, term: Term, start: int) -> Fact:
        if not isinstance(term, Fact):
            self.fail(Phrase("condition.fact"), at=start)
        return term

    def listed(self, item: Callable[[], T]) -> tuple[T, ...]:
        self.expect("[")
        items = [item()]
        while self.takes(","):
            items.append(item())
        self.expect("]")
        return tuple(items)

    # -- values

    def side(self, *, texts_only: bool) -> Value | Term:
        """The right side of a comparison: a term if it can only be one, else a literal."""
        token, following = self.token, self.tokens[min(self.index + 1, len(self.tokens) - 1)]
        if token.kind == "word" and not texts_only:
            if following.text == "(" and following.kind == "sign":
                return self.term()
            if following.text == "." and self._names_a_fact():
                return self.term()
        return self.literal()

    def _names_a_fact(self) -> bool:
        head, name = self.token.text, self.tokens[self.index + 2].text
        return head in OPEN_SCOPES or name in FACTS.get(head, ()) or (head, name) == ("member", "trait")

    def literal(self) -> Value:
        token = self.token
        if token.kind == "number":
            if self._is_day():
                return self.day()
            self.index += 1
            return Decimal(token.text) if "." in token.text else int(token.text)
        if token.kind in ("date", "time"):
            try:
                value: Value = (date if token.kind == "date" else time).fromisoformat(token.text.zfill(5))
            except ValueError:
                self.fail(Phrase(f"condition.no_such_{token.kind}"))
            self.index += 1
            return value
        if self.sees("true", "false"):
            self.index += 1
            return token.text == "true"
        return self.text_value()

    def _is_day(self) -> bool:
        """Whether a number, a unit and ``ago`` or ``ahead`` come next."""
        following = self.tokens[self.index + 1 : self.index + 3]
        return [token.kind for token in following] == ["word", "word"] and following[1].text in ("ago", "ahead")

    def day(self) -> Ago:
        count, unit = self.counted_in(LONGEST, UNITS, "day")
        ahead = self.takes("ahead")
        if not ahead:
            self.expect("ago")
        return Ago(count, unit, ahead)

    def text_value(self) -> str:
        token = self.token
        if token.kind == "string":
            self.index += 1
            try:
                return str(json.loads(token.text, strict=False))
            except ValueError:
                self.index -= 1
                self.fail(Phrase("condition.backslash"))
        if token.kind != "word" or token.text in KEYWORDS:
            self.fail(Phrase("condition.value"))
        return self.dotted("word")

    def dotted(self, wanted: str) -> str:
        name = self.take("word", wanted)
        while self.takes("."):
            name += "." + self.take("word", "rest")
        return name

    # -- terms

    def term(self) -> Term:
        first = self.plain()
        return Ratio(first, self.plain()) if self.takes("/") else first

    def plain(self) -> Plain:
        start = self.index
        if self.token.text in KEYWORDS:
            self.fail(Phrase.of("condition.expected", wanted=Phrase("wanted.term")))
        head = self.take("word", "term")
        if self.takes("("):
            term = self.call(head)
            self.expect(")")
            return term
        if not self.takes("."):
            known = (*SCOPES, *_CALLS, "spend", "orders", "not", "tag")
            self.fail(Phrase.of("condition.not_a_term", head=head), known, start)
        if head == "member" and self.sees("trait"):
            self.index += 1
            self.expect(".")
            head = "trait"
        if head not in SCOPES:
            self.fail(Phrase.of("condition.no_facts", head=head, known=Listed(SCOPES)), SCOPES, start)
        name = self.text_value() if self.token.kind == "string" else self.take("word", "fact")
        return Fact(cast(Scope, head), _ALIASES.get((head, name), name))

    def call(self, head: str) -> Plain:
        if head in _CALLS:
            return _CALLS[head](self)
        return Measured(head, self.window())

    def month(self) -> Plain:
        start = self.index
        return Month(self.fact(self.plain(), start))

    def earned(self) -> Plain:
        asset = self.take("word", "asset")
        self.expect(",")
        return Measured(f"earned:{asset}", self.window())

    def counted(self) -> Plain:
        activity = self.dotted("activity")
        self.expect(",")
        return Measured(f"count:{activity}", self.window())

    def summed(self) -> Plain:
        field = self.dotted("field")
        if "." not in field:
            self.fail(Phrase("condition.field"), at=self.index - 1)
        self.expect(",")
        return Measured(f"sum:{field}", self.window())

    def distinct(self) -> Plain:
        field = self.dotted("field")
        if "." not in field:
            self.fail(Phrase("condition.field"), at=self.index - 1)
        self.expect(",")
        return Measured(f"distinct:{field}", self.window())

    def window(self) -> Window:
        if self.token.kind == "number":
            return self.rolling()
        if self.takes("lifetime"):
            return Window("lifetime")
        if self.takes("term"):
            ladder = self.take("word", "ladder") if self.takes("of") else None
            return Window("term", ladder=ladder)
        if self.takes("membership"):
            self.expect("year")
            return Window("membership_year")
        last = self.takes("last")
        if not self.takes("calendar"):
            self.fail(Phrase("condition.window"), ("calendar", "last", "membership", "term", "lifetime"))
        unit = self.take("word", "calendar")
        if unit not in CALENDAR_UNITS:
            self.fail(Phrase("condition.calendar"), CALENDAR_UNITS, self.index - 1)
        return Window("last_calendar" if last else "calendar", unit=unit)

    def rolling(self) -> Window:
        return Window("rolling", *self.counted_in(LONGEST, UNITS, "window"))

    def counted_in(self, longest: dict[str, int], units: tuple[str, ...], what: str) -> tuple[int, str]:
        """A number and its unit: "12 months"."""
        start, what_it_is = self.index, Phrase(f"condition.counted.{what}")
        count = self.take("number", "number")
        unit = self.take("word", "unit")
        unit = unit if unit.endswith("s") else unit + "s"
        if unit not in units:
            self.fail(Phrase.of("condition.unit", what=what_it_is, units=Listed(units, "or")), units, self.index - 1)
        if not count.isdigit() or not 1 <= int(count) <= longest[unit]:
            self.fail(Phrase.of("condition.length", what=what_it_is, most=longest[unit], unit=unit), at=start)
        return int(count), unit


_SINGULAR = frozenset((("line", "tag"), ("member", "tag"), ("order", "coupon")))
_ALIASES = {("line", "tag"): "tags", ("member", "tag"): "tags", ("order", "coupon"): "coupons"}
_CALLS: dict[str, Callable[[_Parser], Plain]] = {
    "tier": lambda parser: Tier(parser.take("word", "ladder")),
    "balance": lambda parser: Balance(parser.take("word", "asset")),
    "streak": lambda parser: Streak(parser.dotted("activity")),
    "days_since": lambda parser: DaysSince(parser.dotted("activity")),
    "month": _Parser.month,
    "earned": _Parser.earned,
    "count": _Parser.counted,
    "distinct": _Parser.distinct,
    "sum": _Parser.summed,
}
RESERVED = KEYWORDS | frozenset((*_CALLS, "segment"))
"""Names that a measure cannot have, because conditions mean something else by them."""

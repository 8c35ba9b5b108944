"""Why a condition holds or not, in the reader's language: a sentence for every node, and what would have to change."""

from __future__ import annotations

from shuke.engine.explanations import Explanation
from shuke.engine.sentences import Writer
from shuke.program.conditions import All, Any, Constant, InSegment, Not, Sequence, show_term, terms_of


def verdict(told: Explanation, words: Writer) -> str:
    """One node in one sentence, without its children's."""
    match told.node:
        case All() | Any():
            key = "condition.all" if isinstance(told.node, All) else "condition.any"
            holding = sum(child.holds for child in told.children)
            return words.part(key, count=str(holding), of=str(len(told.children)))
        case Not():
            return words.part("condition.not")
        case Constant() | Sequence() | InSegment():
            return words.part("condition.yes" if told.holds else "condition.no", text=told.text, seen=None)
        case _:
            if told.seen is None:
                return words.part("condition.unknown", text=told.text)
            return words.part("condition.yes" if told.holds else "condition.no", text=told.text, seen=seen(told))


def changes(told: Explanation, words: Writer) -> list[str]:
    """What would have to change for the whole to hold, a sentence for each; where one of several is enough, all of them
    are told. Empty where it holds."""
    return [_change(open_end, words) for open_end in told.open_ends()]


def _change(told: Explanation, words: Writer) -> str:
    if isinstance(told.node, Not):
        return words.part("condition.stop", text=told.children[0].text)
    if told.missing is not None:
        of = show_term(next(terms_of(told.node))) if not told.children else told.text
        return words.part("condition.more", of=of, missing=f"{told.missing:,f}", text=told.text)
    return words.part("condition.change", text=told.text, seen=seen(told))


def seen(told: Explanation) -> str | None:
    """What was seen, as people read it; None where nothing was."""
    if told.seen is None:
        return None
    if isinstance(told.seen, tuple):
        return ", ".join(told.seen) or "[]"
    return ("true" if told.seen else "false") if isinstance(told.seen, bool) else str(told.seen)

"""Ladders: tiers nobody can stand on, and criteria that can never hold when they are asked."""

from __future__ import annotations

from collections.abc import Iterator

from shuke.program.condition_order import implies
from shuke.program.conditions import Any, Node, show, uses
from shuke.program.document import Program
from shuke.program.problems import Problem, problem, warning
from shuke.program.sentences import Phrase
from shuke.program.tiers import Ladder, Tier


def check(program: Program) -> Iterator[Problem]:
    for index, ladder in enumerate(program.ladders):
        path = f"ladders[{index}]"
        yield from _unreachable(path, ladder)
        for at, tier in enumerate(ladder.tiers):
            yield from _at_reviews(f"{path}.tiers[{at}]", tier, ladder)
        if ladder.on_drop == "never" and ladder.restart_when is None:
            for name in ("grace_days", "cooldown"):
                if getattr(ladder, name):
                    yield warning(f"{path}.{name}", "without_effect:drop", None, name=name)


def _unreachable(path: str, ladder: Ladder) -> Iterator[Problem]:
    """A tier below one that is as easy to enter: whoever rises passes it by."""
    for low, tier in enumerate(ladder.tiers):
        for high in range(len(ladder.tiers) - 1, low, -1):
            above = ladder.tiers[high]
            if tier.entry is not None and above.entry is not None and implies(tier.entry, above.entry):
                facts = {"low": tier.id, "asks": show(tier.entry), "high": above.id, "more": show(above.entry)}
                hint = Phrase("hint.tiers")
                yield problem(f"{path}.tiers[{low}].entry", "unreachable_tier", hint, **facts)
                break


def _at_reviews(path: str, tier: Tier, ladder: Ladder) -> Iterator[Problem]:
    """Criteria of one order can be met when it is paid, never at a review."""
    forever = (tier.term or ladder.term) == "lifetime"
    keep = tier.keep if tier.keep is not None else tier.entry
    if keep is None or forever or ladder.on_drop == "never":
        return
    momentary = sorted(fact for fact in uses(keep).facts if fact.startswith(("order.", "activity.")))
    if momentary and not _without_moment(keep):
        name = "keep" if tier.keep is not None else "entry"
        hint = Phrase("hint.keep")
        yield warning(f"{path}.{name}", "never_at_review", hint, fact=momentary[0], tier=tier.id)


def _without_moment(node: Node) -> bool:
    """Whether the condition can hold with no order at hand."""
    if isinstance(node, Any):
        return any(_without_moment(child) for child in node.nodes)
    return not any(fact.startswith(("order.", "activity.")) for fact in uses(node).facts)

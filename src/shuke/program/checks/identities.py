"""Identities: a kind described twice, junk that nothing could match, terms that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from shuke.program.document import Program
from shuke.program.identities import DEFAULTS, OTHER, terms_of
from shuke.program.problems import Problem, problem, warning

_NEVER_SHARED = ("phone", "email", "card")


def check(program: Program) -> Iterator[Problem]:
    first: dict[str, int] = {}
    terms = terms_of(program.identities)
    for index, entry in enumerate(program.identities):
        path = f"identities[{index}]"
        if entry.kind in first:
            yield problem(f"{path}.kind", "kind_twice", kind=entry.kind, place=f"identities[{first[entry.kind]}]")
        first.setdefault(entry.kind, index)
        if entry.shared and entry.kind in _NEVER_SHARED:
            yield warning(f"{path}.shared", "finds_nobody", "false", kind=entry.kind)
        if entry.kind == "phone":
            for at, junk in enumerate(entry.junk):
                if not junk.startswith("+"):
                    yield problem(f"{path}.junk[{at}]", "meets_nothing", junk=junk)
        if entry.decides == "verified" and terms[entry.kind].proof == "platform":
            yield warning(f"{path}.decides", "without_effect:decides", "proof: asked", kind=entry.kind)
        if terms[entry.kind] == DEFAULTS.get(entry.kind, OTHER):
            yield warning(path, "without_effect:identity", kind=entry.kind)

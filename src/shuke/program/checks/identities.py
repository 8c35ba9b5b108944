"""Identities: a kind described twice, junk that nothing could match, terms that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from shuke.program.document import Program
from shuke.program.identities import DEFAULTS, OTHER, terms_of
from shuke.program.problems import Problem

_NEVER_SHARED = ("phone", "email", "card")


def check(program: Program) -> Iterator[Problem]:
    first: dict[str, int] = {}
    terms = terms_of(program.identities)
    for index, entry in enumerate(program.identities):
        path = f"identities[{index}]"
        if entry.kind in first:
            sentence = f"{entry.kind!r} is described already, in identities[{first[entry.kind]}]: say it in one place."
            yield Problem(f"{path}.kind", "kind_twice", sentence)
        first.setdefault(entry.kind, index)
        if entry.shared and entry.kind in _NEVER_SHARED:
            sentence = f"If several members may share a {entry.kind}, nobody is found by it any more."
            yield Problem(f"{path}.shared", "finds_nobody", sentence, "false", "warning")
        if entry.kind == "phone":
            for at, junk in enumerate(entry.junk):
                if not junk.startswith("+"):
                    sentence = f"Phones are kept with their country code, so {junk!r} meets none. Write +886… ."
                    yield Problem(f"{path}.junk[{at}]", "meets_nothing", sentence)
        if entry.decides == "verified" and terms[entry.kind].proof == "platform":
            sentence = f"Being told a {entry.kind} is proof enough, so it is always verified: add proof: asked."
            yield Problem(f"{path}.decides", "without_effect", sentence, "proof: asked", "warning")
        if terms[entry.kind] == DEFAULTS.get(entry.kind, OTHER):
            sentence = f"This says of {entry.kind} what holds anyway."
            yield Problem(path, "without_effect", sentence, None, "warning")

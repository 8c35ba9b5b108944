"""The chapter of identities: what may be said of a kind, and what of it would have no effect."""

import pytest

from shuke.program.checks import check
from shuke.program.document import DocumentError, read
from shuke.program.identities import DEFAULTS, OTHER, terms_of

HEAD = "id: x\ncurrency: TWD\nzone: Asia/Taipei\nassets: [{id: points}]\nidentities: "

FOUND = [
    ("[{kind: phone, most: 2}, {kind: phone, most: 3}]", "identities[1].kind", "kind_twice", "error"),
    ("[{kind: phone, junk: ['0912345678']}]", "identities[0].junk[0]", "meets_nothing", "error"),
    ("[{kind: email, shared: true}]", "identities[0].shared", "finds_nobody", "warning"),
    ("[{kind: line, decides: verified}]", "identities[0].decides", "without_effect", "warning"),
    ("[{kind: phone, most: 1}]", "identities[0]", "without_effect", "warning"),
    ("[{kind: clubs}]", "identities[0]", "without_effect", "warning"),
]


@pytest.mark.parametrize(("chapter", "path", "code", "severity"), FOUND)
def test_what_cannot_be_meant_is_found_with_its_place(chapter: str, path: str, code: str, severity: str) -> None:
    problems = [one for one in check(read(HEAD + chapter)) if one.path.startswith("identities")]
    assert [(one.path, one.code, one.severity) for one in problems] == [(path, code, severity)]


@pytest.mark.parametrize(
    "chapter",
    [
        "[{kind: 'wechat_openid:app'}]",
        "[{kind: phone, most: 0}]",
        "[{kind: phone, most: 51}]",
        "[{kind: x, proof: no}]",
    ],
)
def test_what_is_no_kind_and_no_term_is_refused(chapter: str) -> None:
    with pytest.raises(DocumentError):
        read(HEAD + chapter)


def test_an_entry_changes_what_it_says_and_leaves_the_rest() -> None:
    program = read(HEAD + "[{kind: phone, most: 2}, {kind: clubs, shared: true}]")
    assert [one for one in check(program) if one.path.startswith("identities")] == []
    terms = terms_of(program.identities)
    assert (terms["phone"].most, terms["phone"].proof) == (2, DEFAULTS["phone"].proof)
    assert (terms["clubs"].shared, terms["clubs"].most) == (True, OTHER.most)
    assert terms["email"] == DEFAULTS["email"]

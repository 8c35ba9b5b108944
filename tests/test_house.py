"""The rules of the house that can be counted, and that no linter counts for us."""

import ast
import csv
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.check_pure_floors import PURE_FLOORS, OnlyWhatIsPure

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "shuke"
READMES = ("README.md", "README.zh-Hant.md", "README.zh-Hans.md")
NAMES_THAT_SAY_NOTHING = {"common", "helper", "helpers", "manager", "misc", "models", "service", "utils"}
IMPURE_CALLS = {
    "float",
    "open",
    "print",
    "date.today",
    "datetime.date.today",
    "datetime.now",
    "datetime.datetime.now",
    "datetime.utcnow",
    "datetime.datetime.utcnow",
    "time.time",
    "time.time_ns",
    "time.monotonic",
}


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def pages() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def nodes(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Every node of a file's syntax tree with `path:line`, for a message one can click."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}", node


def test_no_source_file_is_longer_than_600_lines():
    lengths = {path.relative_to(ROOT): path.read_text("utf-8").count("\n") for path in python_files("src")}
    assert {path: length for path, length in lengths.items() if length > 600} == {}


def test_every_file_and_folder_is_named_after_what_it_is_about():
    assert [path for path in SOURCE.rglob("*") if path.stem in NAMES_THAT_SAY_NOTHING] == []


def test_pure_floors_never_ask_for_the_time_or_the_world_and_know_no_floats():
    found = []
    for path in python_files(*(f"src/shuke/{floor}" for floor in PURE_FLOORS)):
        likeness = set()  # how alike two words must be for "did you mean ...?" is no value
        for place, node in nodes(path):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                if name in IMPURE_CALLS:
                    found.append(f"{place} calls {name}")
                if name.endswith("get_close_matches"):
                    likeness.update(ast.walk(node))
            elif isinstance(node, ast.Constant) and isinstance(node.value, float) and node not in likeness:
                found.append(f"{place} writes the float {node.value}")
    assert found == []


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("shuke", True),
        ("shuke.values.amounts", True),
        ("shuke.engine", True),
        ("shuke.books", False),
        ("shuke.cli", False),
        ("decimal", True),
        ("pydantic.fields", True),
        ("msgspec", True),
        ("yaml", True),
        ("psycopg", False),
        ("sqlalchemy.orm", False),
        ("rich", False),
    ],
)
def test_the_purity_check_lets_in_documents_and_state_and_nothing_else(module: str, allowed: bool):
    assert OnlyWhatIsPure.is_allowed(module) is allowed


def test_tests_wait_for_the_thing_itself_and_never_for_a_while():
    found = []
    for path in python_files("tests"):
        for place, node in nodes(path):
            called = ast.unparse(node.func).split(".")[-1] if isinstance(node, ast.Call) else ""
            if called == "sleep" and ast.unparse(node.args[0]) != "0":  # letting others go first is no waiting
                found.append(place)
    assert found == []


def test_no_test_is_skipped_or_expected_to_fail():
    found = []
    for path in python_files("tests"):
        for place, node in nodes(path):
            words = {"skip", "skipif", "xfail", "importorskip"}
            if isinstance(node, ast.Attribute) and node.attr in words and "pytest" in ast.unparse(node):
                found.append(place)
    assert found == []


def test_nothing_is_left_for_later():
    # The words are put together here so that this file does not find itself. The one of three X is left out:
    # it is also ISO 4217 for "no currency".
    later = re.compile(r"\b(?:" + "|".join(["TO" + "DO", "FIX" + "ME", "HA" + "CK"]) + r")\b")
    assert [
        path.relative_to(ROOT)
        for path in [*python_files("src", "tests", "scripts", "benchmarks"), *pages()]
        if later.search(path.read_text(encoding="utf-8"))
    ] == []


def test_every_decision_says_context_choice_and_consequences():
    headings = ["Context", "Choice", "Consequences"]
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert decisions != []
    for path in decisions:
        assert re.findall(r"^## (.+)$", path.read_text("utf-8"), re.MULTILINE) == headings, path.name


def test_decisions_are_numbered_without_gaps_and_carry_their_number():
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    for number, path in enumerate(decisions, start=1):
        assert path.name.startswith(f"{number:04}-"), path.name
        assert path.read_text("utf-8").startswith(f"# {number}. "), path.name


def test_every_link_between_our_pages_leads_somewhere():
    broken = []
    for page in pages():
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
            if not re.match(r"[a-z]+:", target) and not (page.parent / target.split("#")[0]).exists():
                broken.append(f"{page.relative_to(ROOT)} -> {target}")
    assert broken == []


def test_the_three_readmes_give_the_same_commands():
    def commands(name: str) -> list[str]:
        blocks = re.findall(r"^```(?:sh|csv)\n(.*?)^```", (ROOT / name).read_text("utf-8"), re.MULTILINE | re.DOTALL)
        return [line.split("#")[0].rstrip() for block in blocks for line in block.splitlines()]

    english = commands(READMES[0])
    assert english[:2] == ["make demo", "make test"]
    assert [commands(name) for name in READMES] == [english] * 3


def test_every_word_of_the_glossary_is_there_in_three_languages_and_once():
    with (ROOT / "docs" / "reference" / "glossary.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    keys = [row["key"] for row in rows]
    assert sorted(set(keys)) == sorted(keys)
    assert [row["key"] for row in rows if not all(row[word] for word in ("zh_Hant", "zh_Hans", "en"))] == []


def test_the_lock_names_the_public_index_only():
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    hosts = set(re.findall(r"[a-z]+://[^/\"]*", lock))
    assert hosts == {"https://pypi.org", "https://files.pythonhosted.org"}
    sources = [package["source"] for package in tomllib.loads(lock)["package"]]
    assert [s for s in sources if s not in ({"registry": "https://pypi.org/simple"}, {"editable": "."})] == []

"""Every example program does what the public rules it is inspired by say: ACCEPTANCE 39."""

from pathlib import Path

import pytest

from shuke.program.checks import check
from shuke.program.document import Program, from_data, read, to_data, write
from shuke.replay.vector_runs import run
from shuke.replay.vectors import Vector, read_vectors

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "programs"
VECTORS = sorted(FOLDER.glob("*.vectors.yaml"))
PROGRAMS = sorted(set(FOLDER.glob("*.yaml")) - set(VECTORS))


def examples() -> list[object]:
    found = []
    for path in VECTORS:
        program, vectors = read_vectors(path)
        name = path.name.removesuffix(".vectors.yaml")
        found += [pytest.param(vector, program, id=f"{name}: {vector.name}") for vector in vectors.vectors]
    return found


@pytest.mark.parametrize(("vector", "program"), examples())
def test_the_published_rule_holds(vector: Vector, program: Program):
    assert run(vector, program) == []


def test_every_example_program_has_vectors_and_every_vector_its_program():
    assert [path.stem for path in PROGRAMS] == [path.name.removesuffix(".vectors.yaml") for path in VECTORS]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_an_example_can_be_published_and_has_the_name_of_its_file(path: Path):
    program = read(path.read_text(encoding="utf-8"))
    assert [problem for problem in check(program) if problem.severity == "error"] == []
    assert program.id == path.stem


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_an_example_is_the_same_after_writing_and_reading_it(path: Path):
    program = read(path.read_text(encoding="utf-8"))
    assert read(write(program)) == program
    assert from_data(to_data(program)) == program


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_an_example_is_named_in_three_languages(path: Path):
    program = read(path.read_text(encoding="utf-8"))
    assert isinstance(program.title, dict)
    assert set(program.title) == {"en", "zh-Hant", "zh-Hans"}
    assert [problem for problem in check(program) if problem.code == "missing_text"] == []

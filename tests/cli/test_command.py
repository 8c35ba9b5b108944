"""What holds for every command: help that teaches, and errors one can act on."""

import pytest
from typer.testing import CliRunner

from shuke.cli.command import app

COMMANDS = [
    "check",
    "diff",
    "publish",
    "schema",
    "init",
    "work",
    "verify",
    "stop",
    "import",
    "replay",
    "member show",
    "explain",
    "demo",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_ends_with_examples_of_itself(command):
    said = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "100"})
    assert said.exit_code == 0
    *_, examples = said.output.partition("Example")
    assert f"shuke {command}" in examples


def test_the_help_names_every_command_and_what_an_exit_status_means():
    said = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "100"}).output
    assert [command for command in COMMANDS if f"│ {command.split()[0]} " not in said] == []
    assert "Exit status" in said


def test_books_that_were_never_made_are_asked_for_and_nothing_is_made(make_shuke):
    said = make_shuke("never_made")("verify")
    assert said.status == 2
    assert said.out == ""
    assert "There are no books in" in said.err
    assert "Nothing was changed." in said.err
    assert "shuke init" in said.err


def test_an_embedded_database_is_not_made_by_the_way(make_shuke, home):
    shuke = make_shuke("nobody", SHUKE_DATABASE_URL="", SHUKE_HOME=str(home / "none"))
    said = shuke("member", "show", "M-1")
    assert (said.status, said.out) == (2, "")
    assert "shuke init" in said.err
    assert not (home / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("publihs",), "No such command 'publihs'"),
        (("check", "nowhere.yaml"), "nowhere.yaml cannot be read: No such file or directory."),
        (("import",), "There is nothing to read."),
        (("import", "--orders", "nowhere.csv"), "There is no file nowhere.csv."),
        (("replay", "program.yaml", "--orders", "orders.csv"), "Missing option '--out'"),
        (
            ("replay", "program.yaml", "--orders", "orders.csv", "--out", "x", "--until", "soon"),
            '--until: "soon" is not a date or time',
        ),
    ],
)
def test_a_mistake_is_told_in_a_sentence_and_never_with_a_traceback(make_shuke, arguments, told):
    said = make_shuke("mistaken")(*arguments)
    assert (said.status, said.out) == (2, "")
    assert told in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("SHUKE_DATABASE_URL", "mysql://secret@here/x", "SHUKE_DATABASE_URL must look like postgresql://"),
        ("SHUKE_TENANT", "Nobody!", "SHUKE_TENANT"),
        ("SHUKE_DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/x", "The database does not answer"),
    ],
)
def test_an_environment_that_cannot_be_meant_is_named_and_keeps_its_secrets(make_shuke, variable, value, told):
    said = make_shuke("odd")("verify", **{variable: value})
    assert (said.status, said.out) == (2, "")
    assert told in said.err
    assert "secret" not in said.err
    assert "Traceback" not in said.err


def test_the_version_is_told():
    assert CliRunner().invoke(app, ["--version"]).output.startswith("shuke ")

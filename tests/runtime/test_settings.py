import os
from pathlib import Path

import pytest

from shuke.runtime.settings import Settings, WrongSettings

PERSON = {"HOME": "/home/mei", "XDG_DATA_HOME": "/home/mei/.data"}


def test_an_empty_environment_uses_the_embedded_server_and_the_main_tenant() -> None:
    settings = Settings.read(PERSON)
    assert settings.database_url is None
    assert settings.tenant == "main"
    assert settings.log == "console"


@pytest.mark.parametrize(
    ("environment", "home"),
    [
        (PERSON, "/home/mei/.data/shuke"),
        ({"HOME": "/home/mei", "XDG_DATA_HOME": "relative/is/ignored"}, "/home/mei/.local/share/shuke"),
        ({**PERSON, "SHUKE_HOME": "/srv/books"}, "/srv/books"),
        ({**PERSON, "SHUKE_HOME": ""}, "/home/mei/.data/shuke"),
    ],
)
def test_the_home_is_the_one_told_or_the_place_for_application_data(environment: dict[str, str], home: str) -> None:
    assert Settings.read(environment).home == Path(home)


def test_a_relative_home_is_made_absolute() -> None:
    assert Settings.read({"SHUKE_HOME": "var"}).home == Path.cwd() / "var"


def test_without_any_told_place_root_keeps_the_books_with_the_systems_data() -> None:
    home = Settings.read({"HOME": "/home/mei"}).home
    assert home == Path("/var/lib/shuke" if os.geteuid() == 0 else "/home/mei/.local/share/shuke")


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("SHUKE_TENANT", "Main", "no tenant name"),
        ("SHUKE_TENANT", "a" * 41, "no tenant name"),
        ("SHUKE_TENANT", 'x"; drop schema', "no tenant name"),
        ("SHUKE_LOG", "xml", "expected 'console' or 'json'"),
        ("SHUKE_WEBHOOKS_ALLOW_PRIVATE", "maybe", "expected '1' or '0'"),
        ("SHUKE_DATABASE_URL", "mysql://localhost/shop", "must look like postgresql://"),
        ("SHUKE_DATABASE_URL", "postgresql://localhost/shop?nonsense=1", "must look like postgresql://"),
        ("SHUKE_HOME", "~nobody-of-this-name/x", "SHUKE_HOME"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_by_name(variable: str, value: str, expected: str) -> None:
    with pytest.raises(WrongSettings, match=expected) as refused:
        Settings.read({**PERSON, variable: value})
    assert variable in str(refused.value)


@pytest.mark.parametrize(("told", "allowed"), [({}, False), ({"SHUKE_WEBHOOKS_ALLOW_PRIVATE": "0"}, False)])
def test_webhooks_go_to_public_addresses_unless_told_otherwise(told: dict[str, str], allowed: bool) -> None:
    assert Settings.read({**PERSON, **told}).private_webhooks is allowed
    assert Settings.read({**PERSON, "SHUKE_WEBHOOKS_ALLOW_PRIVATE": "1"}).private_webhooks


def test_a_refused_database_address_does_not_show_its_password() -> None:
    with pytest.raises(WrongSettings) as refused:
        Settings.read({**PERSON, "SHUKE_DATABASE_URL": "postgresql://mei:s3cret@localhost/shop?nonsense=1"})
    assert "s3cret" not in str(refused.value)
    assert refused.value.__cause__ is None

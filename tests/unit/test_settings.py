"""Settings: sources and their weight, and what is refused."""

from pathlib import Path

import pytest

from sagestone.settings import BadSetting, default_home, read_settings


def test_defaults_are_for_one_person(tmp_path: Path) -> None:
    settings = read_settings({"SAGESTONE_HOME": str(tmp_path)})
    assert settings.home == tmp_path
    assert (settings.host, settings.port) == ("127.0.0.1", 8470)
    assert not settings.insecure_no_auth


def test_command_line_wins_over_environment_wins_over_file(tmp_path: Path) -> None:
    (tmp_path / "sagestone.toml").write_text('region = "eu-west-1"\naccount = "000000000001"\nlisten = "127.0.0.1:1"\n')
    environment = {"SAGESTONE_ACCOUNT": "000000000002", "SAGESTONE_LISTEN": "127.0.0.1:2"}
    settings = read_settings(environment, home=tmp_path, listen="127.0.0.1:3")
    assert (settings.region, settings.account, settings.port) == ("eu-west-1", "000000000002", 3)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("LISTEN", "8470", "HOST:PORT"),
        ("LISTEN", "127.0.0.1:99999", "HOST:PORT"),
        ("ACCOUNT", "12", "12 digits"),
        ("REGION", "Nowhere!", "region"),
        ("RUNTIME", "vm", "auto, engine, sandbox"),
        ("CPUS", "many", "SAGESTONE_CPUS"),
        ("INSECURE_NO_AUTH", "perhaps", "SAGESTONE_INSECURE_NO_AUTH"),
        ("S3_ACCESS_KEY", "alone", "s3_secret_key"),
    ],
)
def test_a_bad_value_names_the_setting_and_what_is_allowed(
    tmp_path: Path, variable: str, value: str, words: str
) -> None:
    with pytest.raises(BadSetting, match=words):
        read_settings({f"SAGESTONE_{variable}": value}, home=tmp_path)


def test_an_unknown_key_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sagestone.toml").write_text('colour = "blue"\n')
    with pytest.raises(BadSetting, match="colour"):
        read_settings({}, home=tmp_path)


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sagestone.toml").write_text("listen = ")
    with pytest.raises(BadSetting, match="not TOML"):
        read_settings({}, home=tmp_path)


def test_the_home_follows_the_usual_variables() -> None:
    assert default_home({"HOME": "/home/ada"}) == Path("/home/ada/.local/share/sagestone")
    assert default_home({"HOME": "/home/ada", "XDG_DATA_HOME": "/data"}) == Path("/data/sagestone")
    assert default_home({"SAGESTONE_HOME": "/kept", "XDG_DATA_HOME": "/data"}) == Path("/kept")


def test_an_ipv6_address_keeps_its_colons(tmp_path: Path) -> None:
    settings = read_settings({}, home=tmp_path, listen="[::1]:8470")
    assert (settings.host, settings.port) == ("::1", 8470)

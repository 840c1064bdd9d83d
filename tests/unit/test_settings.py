"""Settings: sources and their weight, and what is refused."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from sagestone.settings import BadSetting, Settings, default_home, read_settings


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
        ("MONITORING_FROM", "10.0.0.1/8", "10.0.0.0/8, joined"),
    ],
)
def test_a_bad_value_names_the_setting_and_what_is_allowed(
    tmp_path: Path, variable: str, value: str, words: str
) -> None:
    with pytest.raises(BadSetting, match=words):
        read_settings({f"SAGESTONE_{variable}": value}, home=tmp_path)


def test_keys_in_an_endpoint_are_refused_and_not_told(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="s3_secret_key for these") as refused:
        read_settings({"SAGESTONE_S3_ENDPOINT": "https://me:canary@s3.example.com"}, home=tmp_path)
    assert "canary" not in str(refused.value)


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


def test_the_page_tells_every_setting_with_its_default() -> None:
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text()
    rows = dict(re.findall(r"^\|([^|]*`[^|]*)\|([^|]*)\|", page.partition("## Settings")[2], re.MULTILINE))
    told: dict[str, str] = {}
    for names, defaults in rows.items():
        listed = re.findall(r"`([a-z0-9_]+)`", names)
        values = [value.strip(" `") for value in defaults.split(",")]
        told |= dict(zip(listed, values if len(values) == len(listed) else values * len(listed), strict=True))
    assert set(told) == {field.name for field in fields(Settings)}
    for field in fields(Settings):
        if isinstance(field.default, str) and field.default:
            assert told[field.name] == field.default
        elif field.default and field.name not in ("home", "cpus", "memory_gb"):
            assert float(told[field.name]) == float(field.default)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "networks"),
    [
        ("", ["127.0.0.0/8", "::1/128"]),
        ("none", []),
        ("10.1.0.0/16,fd00::/8", ["10.1.0.0/16", "fd00::/8"]),
        ("loopback, 10.0.0.1", ["127.0.0.0/8", "::1/128", "10.0.0.1/32"]),
    ],
)
def test_the_networks_that_may_watch(tmp_path: Path, value: str, networks: list[str]) -> None:
    settings = read_settings({"SAGESTONE_MONITORING_FROM": value}, home=tmp_path)
    assert [str(network) for network in settings.monitoring_networks] == networks

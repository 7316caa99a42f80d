from pathlib import Path

import pytest

from outdial.config import load_settings
from outdial.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("OUTDIAL_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def _problem(file: Path | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file)
    return str(caught.value)


def test_the_defaults_are_the_embedded_ones(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.data_dir == tmp_path / "data"
    assert settings.resolved_database_url == f"sqlite:///{tmp_path}/data/outdial.db"
    assert (settings.api.host, settings.api.port) == ("127.0.0.1", 8080)


def test_command_line_beats_environment_beats_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "outdial.toml").write_text(
        'data_dir = "elsewhere"\n[api]\nport = 1\nhost = "0.0.0.0"\n[sip]\nport = 2'
    )
    monkeypatch.setenv("OUTDIAL_API__PORT", "3")
    monkeypatch.setenv("OUTDIAL_SIP__PORT", "4")
    settings = load_settings(sip={"port": 5})
    assert settings.data_dir == tmp_path / "elsewhere"
    assert (settings.api.host, settings.api.port, settings.sip.port) == ("0.0.0.0", 3, 5)


def test_the_file_that_the_environment_names_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.toml").write_text("[api]\nport = 9")
    monkeypatch.setenv("OUTDIAL_CONFIG", str(tmp_path / "other.toml"))
    assert load_settings().api.port == 9


def test_settings_cannot_be_changed() -> None:
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.api.port = 1


@pytest.mark.parametrize(
    ("variable", "guess"),
    [
        ("OUTDIAL_API__PROT", "OUTDIAL_API__PORT"),
        ("OUTDIAL_DATADIR", "OUTDIAL_DATA_DIR"),
        ("OUTDIAL_MEDIA__RTP_TIMEOUT", "OUTDIAL_MEDIA__RTP_TIMEOUT_SECONDS"),
    ],
)
def test_an_unknown_variable_names_the_nearest_right_one(
    variable: str, guess: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "sekret")
    problem = _problem()
    assert f"did you mean {guess}?" in problem
    assert variable in problem
    assert "sekret" not in problem


def test_an_unknown_key_of_the_file_names_the_nearest_right_one(tmp_path: Path) -> None:
    (tmp_path / "outdial.toml").write_text('[sip]\nbind_adress = "127.0.0.1"')
    assert _problem() == "sip.bind_adress: there is no such setting; did you mean sip.bind_address?"


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "outdial.toml").write_text(
        '[api]\nport = 70000\n[sip]\nbind_address = "a.b"\n[media]\nport_min = 20000\nport_max = 10000'
    )
    assert _problem().splitlines() == [
        "api.port = 70000: should be less than or equal to 65535",
        "sip.bind_address = 'a.b': should be an IPv4 address such as 192.0.2.10",
        "media.port_max (10000) should be above media.port_min (20000)",
    ]


def test_a_range_of_ports_holds_a_leg_or_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outdial.toml").write_text("[media]\nport_min = 20001\nport_max = 20002")
    assert (
        _problem()
        == "media.port_max (20002) should be above 20002: a leg takes two ports, the first one even"
    )


def test_there_are_no_more_legs_than_ports(tmp_path: Path) -> None:
    (tmp_path / "outdial.toml").write_text("[media]\nport_min = 20001\nport_max = 20005")
    assert load_settings().legs_at_once == 2
    (tmp_path / "outdial.toml").write_text("[dispatch]\nmax_concurrent = 7")
    assert load_settings().legs_at_once == 7


def test_a_database_url_is_never_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTDIAL_DATABASE_URL", "mysql://user:sekret@host/db")
    problem = _problem()
    assert problem.startswith("database_url: should start with sqlite:/// or postgresql+psycopg://")
    assert "sekret" not in problem


def test_a_file_that_is_missing_or_no_toml_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "nowhere.toml" in _problem(tmp_path / "nowhere.toml")
    (tmp_path / "broken.toml").write_text("[api")
    assert "broken.toml is not a TOML file" in _problem(tmp_path / "broken.toml")
    monkeypatch.setenv("OUTDIAL_API", "x")
    assert "set one variable for each setting" in _problem()


def test_the_variables_of_client_commands_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTDIAL_TOKEN", "x")
    monkeypatch.setenv("OUTDIAL_URL", "http://example.test")
    assert load_settings().api.port == 8080


def test_a_blob_store_is_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTDIAL_BLOBS__URL", "/folder")
    assert _problem() == (
        "blobs.url = '/folder': should be the URL of a store, such as file:///folder or s3://bucket/prefix"
    )


@pytest.mark.parametrize(
    "url", ["voice.example.com", "ftp://h", "https://", "https://h/?a=b", "https://u:p@h"]
)
def test_the_public_address_is_one(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("OUTDIAL_API__PUBLIC_URL", url)
    assert "api.public_url" in _problem()
    assert "should be an address such as https://voice.example.com" in _problem()
    monkeypatch.setenv("OUTDIAL_API__PUBLIC_URL", "https://voice.example.com/out/")
    assert load_settings().api.public_url == "https://voice.example.com/out"


@pytest.mark.parametrize("text", ["10.20.0.0/16, intranet.example", '["10.20.0.0/16", "intranet.example"]'])
def test_a_list_may_have_commas_between_or_be_json(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("OUTDIAL_EGRESS__ALLOW", text)
    assert load_settings().egress.allow == ("10.20.0.0/16", "intranet.example")


def test_a_list_that_is_no_json_is_told_of_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTDIAL_EGRESS__ALLOW", "[10.20.0.0/16]")
    with pytest.raises(ConfigurationError, match="write a list with commas between"):
        load_settings()

"""`outdial say` and `outdial voices`: no server, no network."""

import json
import wave
from pathlib import Path

from tests.unit.cli.conftest import Outdial


def test_a_text_becomes_a_file(outdial: Outdial, tmp_path: Path) -> None:
    done = outdial("say", "Hello, this is a test.", "-o", "a.wav", "--language", "en-GB", "--json")
    assert done.status == 0, done.err
    row = json.loads(done.out)
    assert row["voice"] == "pico:en-GB"
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert file.getnframes() / file.getframerate() == row["seconds"]
    assert 1 < row["seconds"] < 5
    assert "a.wav: " in outdial("say", "one two", "-o", "a.wav", "--voice", "recorded:en").out


def test_what_cannot_be_said_is_a_sentence_and_leaves_no_file(outdial: Outdial, tmp_path: Path) -> None:
    for arguments, sentence in (
        (("नमस्ते",), "cannot say 'न'"),
        (("Hello.", "--voice", "pico:xx"), "no voice 'pico:xx'"),
        (("Hello.", "--language", "tlh"), "No voice speaks tlh"),
        (("Hello.", "--gender", "robot"), "female, male or neutral"),
    ):
        done = outdial("say", *arguments, "-o", "a.wav")
        assert done.status != 0
        assert sentence in done.err
    assert "should end with .wav" in outdial("say", "Hello.", "-o", "a.mp3").err
    assert not list(tmp_path.glob("a.*"))


def test_the_voices_of_the_settings_are_listed(outdial: Outdial, tmp_path: Path) -> None:
    ids = [row["id"] for row in json.loads(outdial("voices", "--json").out)]
    assert {"pico:en-US", "recorded:en"} <= set(ids)
    (tmp_path / "outdial.toml").write_text(
        '[speech]\nengines = ["http", "pico"]\nvoice = "pico:it-IT"\n'
        '[speech.server]\nbase_url = "http://127.0.0.1:9/v1"\nkey = "secret"\nvoices = ["nova:it:female"]\n'
    )
    listed = json.loads(outdial("voices", "--language", "it", "--json").out)
    assert [row["id"] for row in listed] == ["http:nova", "pico:it-IT"]
    assert "numbers and dates" in outdial("voices").out
    assert "No voice speaks tlh" in outdial("voices", "--language", "tlh").out
    assert "name:language:gender" in outdial_with_bad_voice(outdial, tmp_path)


def outdial_with_bad_voice(outdial: Outdial, folder: Path) -> str:
    (folder / "outdial.toml").write_text('[speech.server]\nvoices = ["nova"]\n')
    return outdial("voices").err

"""Prompts before the dial: what is ready, what is under way, what never will be."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from tests.unit.dispatch.scripted import BlobStore
from tests.unit.dispatch.test_connecting import A_CALL

from outdial.dispatch import preparing
from outdial.dispatch.flow_variables import ANYWHERE
from outdial.dispatch.preparing import Later, prepare
from outdial.dispatch.prompt_audio import PromptAudio
from outdial.errors import BlobsUnavailable
from outdial.flow.definition import Library, parse_flow
from outdial.flow.speakable import Item, Sound, Text, Url
from outdial.speech.voices import Voices
from outdial.storage.audio_urls import Busy, Ready, Unusable


class Prompts:
    def __init__(self, *answers: Busy | str | None) -> None:
        self.answers = list(answers)
        self.asked: Sequence[Item] = ()

    async def prepare(
        self, items: Sequence[Item], account_id: int, codecs: Sequence[str]
    ) -> Busy | str | None:
        self.asked = items
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def says(*texts: str) -> Library:
    nodes = {f"n{n}": {"type": "play", "settings": {"prompt": text}} for n, text in enumerate(texts)}
    return Library.of(parse_flow({"schema_version": 1, "entry": "n0", "nodes": nodes}))


async def come(prompts: Prompts, library: Library) -> Later | str | None:
    return await prepare(cast("PromptAudio", prompts), library, A_CALL, ANYWHERE, ["PCMA"], now=5_000)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "_LOOK_S", 0.0)
    monkeypatch.setattr(preparing, "_IN_PLACE_S", 0.0)


async def test_what_is_ready_is_dialled_and_what_never_will_be_is_not() -> None:
    prompts = Prompts(None)
    assert await come(prompts, says("Hello.", "{{to}}")) is None
    assert prompts.asked == (Text("Hello.", "en", None), Text(A_CALL.to, "en", None))
    assert await come(Prompts("the voice is gone"), says("Hello.")) == "the voice is gone"


async def test_what_is_under_way_is_waited_for_outside_the_line() -> None:
    under_way = Later(6_000, "Waits for its prompts to be spoken and fetched.")
    assert await come(Prompts(Busy(9_000)), says("Hello.")) == under_way


async def test_what_failed_is_not_looked_at_before_it_is_tried_again() -> None:
    """Else each call of an outage is claimed and given back every second."""
    found = await come(Prompts(Busy(65_000, "The speech server answered HTTP 503.")), says("Hello."))
    why = "Waits for its prompts to be spoken and fetched, which failed: The speech server answered HTTP 503."
    assert found == Later(65_000, why)


async def test_a_moment_is_waited_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "_LOOK_S", 0.001)
    monkeypatch.setattr(preparing, "_IN_PLACE_S", 1.0)
    assert await come(Prompts(Busy(9_000), Busy(9_000), None), says("Hello.")) is None


async def test_a_flow_that_says_nothing_known_asks_for_nothing() -> None:
    assert await come(Prompts("nothing was to be asked"), says("{{start_at}}")) is None


class Addresses:
    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    async def find(self, url: str, account_id: int) -> Any:
        return self.answers.get(url.rpartition("/")[2], Ready("sound", 0))


@pytest.mark.parametrize(
    ("urls", "wanted"),
    [
        (["ready"], None),
        (["ready", "soon", "late"], Busy(9_000)),
        (["late", "gone"], "404"),
    ],
)
async def test_the_worst_of_all_addresses_counts(urls: list[str], wanted: Any) -> None:
    by_url = Addresses(soon=Busy(6_000), late=Busy(9_000), gone=Unusable("404", 0))
    nothing = cast("Any", None)
    audio = PromptAudio(nothing, nothing, by_url, Voices([]), nothing, lambda: 5_000)
    items = [Url(f"https://example.com/{name}") for name in urls]
    assert await audio.prepare(items, 1, []) == wanted


async def test_the_sounds_of_a_flow_are_looked_for_before_the_dial() -> None:
    """One that is missing is no matter here: the flow goes on without it."""
    store = BlobStore()
    audio = PromptAudio(cast("Any", None), store, Addresses(), Voices([]), cast("Any", None), lambda: 5_000)
    items: list[Item] = [Sound("missing"), Url("https://example.com/ready")]
    with pytest.raises(BlobsUnavailable):
        await audio.prepare(items, 1, ["PCMA"])
    store.away = False
    assert await audio.prepare(items, 1, ["PCMA", "PCMU"]) is None
    assert store.asked[1:] == [(name, codec) for name in ("missing", "sound") for codec in ("PCMA", "PCMU")]

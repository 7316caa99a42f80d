"""Whole flows, word by word: what each case of each example says, hears and does, as files to read.

A change of a file here is a change of what callees meet. `UPDATE_TRANSCRIPTS=1 pytest …` writes them anew.
"""

import json
import os
from pathlib import Path

import pytest

from outdial.cli.flow_files import read_cases
from outdial.flow import simulator
from outdial.flow.definition import Library, parse_flow
from outdial.flow.engine import Turn, resume
from outdial.flow.events import Event
from outdial.flow.state import State, restore, snapshot
from outdial.flow.trial import try_case

EXAMPLES = Path("examples/flows")
FOLDER = Path(__file__).parent / "transcripts"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.json"))


def transcript(name: str) -> str:
    library = Library.of(parse_flow(json.loads((EXAMPLES / f"{name}.json").read_text())))
    parts = []
    for case in read_cases(EXAMPLES / f"{name}.test.yaml")["cases"]:
        walk = try_case(library, case).simulator
        began = walk.lines[0].at
        lines = [
            f"{(line.at - began) / 1_000:8.1f}  {line.node}  {line.kind}  {line.text}" for line in walk.lines
        ]
        report = walk.report.to_json()
        kept = {key: report[key] for key in ("result", "variables", "tags", "problems")}
        parts.append("\n".join([f"# {case['name']}", *lines, json.dumps(kept, sort_keys=True), ""]))
    return "\n".join(parts)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_as_it_was_written_down(name: str) -> None:
    file = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_TRANSCRIPTS"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(transcript(name))
    assert transcript(name) == file.read_text()


@pytest.mark.parametrize("name", NAMES)
def test_an_example_goes_on_alike_from_a_snapshot_at_every_moment(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def from_snapshot(library: Library, state: State, event: Event) -> Turn:
        return resume(library, restore(json.loads(json.dumps(snapshot(state)))), event)

    monkeypatch.setattr(simulator, "resume", from_snapshot)
    assert transcript(name) == (FOLDER / f"{name}.txt").read_text()


def test_every_transcript_has_its_example() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.txt")) == NAMES

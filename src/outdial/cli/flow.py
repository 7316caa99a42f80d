"""`outdial flow`: check, walk through, test and compare flows, without a server; and ask one for results."""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from outdial.cli import flow_import, flow_results, flow_versions
from outdial.cli.flow_files import read_cases, read_flow, read_json, read_variables
from outdial.cli.options import URL_DEFAULT, TokenOption, UrlOption
from outdial.cli.output import JsonOption, console, print_json
from outdial.cli.problems import CommandFailed
from outdial.config import load_settings
from outdial.errors import InvalidFlow, InvalidInput
from outdial.flow import actions as act
from outdial.flow.definition import Flow, Library, parse_flow
from outdial.flow.difference import changes
from outdial.flow.jumps import library_of
from outdial.flow.known_voices import KnownVoices
from outdial.flow.lint import lint as findings_of
from outdial.flow.schema import flow_schema
from outdial.flow.simulator import Simulator
from outdial.flow.text_form import text_form
from outdial.flow.told import read_start
from outdial.flow.trial import Verdict, try_case
from outdial.speech.flow_prompt import known_voices
from outdial.speech.setup import open_voices
from outdial.supervisor.speech import speech_client, speech_options

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Check, walk through, test and compare flows."
)
app.command()(flow_results.results)
app.command("import")(flow_import.import_)
app.command()(flow_import.pull)
app.command()(flow_import.push)
app.command("list")(flow_versions.list_)
app.command()(flow_versions.versions)
app.command()(flow_versions.publish)
app.command()(flow_versions.rollback)

File = Annotated[Path, typer.Argument(help="A flow: a file of JSON.")]


@app.command()
def lint(
    files: Annotated[list[Path], typer.Argument(help="Flows.")],
    voices: Annotated[
        bool, typer.Option("--voices", help="Look for their voices and languages in `outdial voices`, too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what is wrong with flows, and what looks wrong; the exit status is 1 if there are errors."""
    known = _voices_here() if voices else None
    found = [
        (file, finding)
        for file in files
        for finding in findings_of(read_json(file), has_flow=partial(_is_there, file), voices=known)
    ]
    if as_json:
        print_json([{"file": str(file), **asdict(finding)} for file, finding in found])
    else:
        for file, finding in found:
            console().print(f"{file}: {finding}", soft_wrap=True, markup=False)
    errors = sum(finding.severity == "error" for _, finding in found)
    if errors:
        raise CommandFailed(
            f"There are errors in {len({f for f, each in found if each.severity == 'error'})} of"
            f" {len(files)} flows: {errors}."
        )


@app.command()
def simulate(
    file: File,
    variable: Annotated[
        list[str] | None, typer.Option(help="A variable of the call, NAME=VALUE; may be repeated.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(help="When the call begins; unset: 2026-03-02T10:00:00+00:00, a Monday."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Where random splits get their chance from.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Walk through a flow in the terminal.

    Each line of input is what happens next: keys such as 12#; nothing, to wait; `busy`, `no_answer`,
    `failed` or `answered` for a transfer; a status and a body for a request, `200 {"a": 1}`; `hangup`.
    """
    walk = Simulator(_library(file), read_variables(variable or []), now=read_start(at), seed=seed)
    walk.begin()
    shown = _show(walk, 0, quiet=as_json)
    while not walk.finished:
        if not as_json:
            console().print(f"[dim]{_hint(walk)}[/]", end=" ")
        line = sys.stdin.readline()
        if not line:
            walk.hang_up()
        else:
            _happen(walk, line.strip())
        shown = _show(walk, shown, quiet=as_json)
    if as_json:
        print_json({"lines": [asdict(line) for line in walk.lines], **walk.report.to_json()})


@app.command("test")
def run_cases(
    path: Annotated[Path, typer.Argument(help="A file of cases, *.test.yaml, or a folder of them.")],
    as_json: JsonOption = False,
) -> None:
    """Run the test cases of flows; the exit status is 1 if one fails."""
    files = sorted(path.rglob("*.test.yaml")) if path.is_dir() else [path]
    if not files:
        raise InvalidInput(f"There is no file *.test.yaml in {path}.")
    verdicts = [(file, verdict) for file in files for verdict in _verdicts(file)]
    if as_json:
        print_json(
            [
                {"file": str(f), "name": v.name, "passed": v.passed, "problems": v.problems}
                for f, v in verdicts
            ]
        )
    else:
        for file, verdict in verdicts:
            console().print(
                f"{'ok    ' if verdict.passed else 'FAILED'} {file}: {verdict.name}",
                soft_wrap=True,
                markup=False,
            )
            for problem in verdict.problems:
                console().print(f"       {problem}", soft_wrap=True, markup=False)
    failed = sum(not verdict.passed for _, verdict in verdicts)
    if failed:
        raise CommandFailed(f"{failed} of {len(verdicts)} cases failed.")


@app.command()
def schema(as_json: JsonOption = True) -> None:
    """Print the JSON Schema of flows, for editors and for programs that write them."""
    print_json(flow_schema())


@app.command("format")
def format_(file: File, as_json: JsonOption = True) -> None:
    """Print a flow in its one form of text, for version control."""
    sys.stdout.write(text_form(read_json(file)))


@app.command()
def diff(
    before: Annotated[str, typer.Argument(help="A flow: a file, or on a server 23, 23@draft or 23@2.")],
    after: Annotated[str, typer.Argument(help="The same flow, later.")],
    url: UrlOption = URL_DEFAULT,
    token: TokenOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what changed between two versions of a flow, of files or of a server.

    The exit status is 1 if anything did.
    """
    found = changes(read_flow(before, url, token), read_flow(after, url, token))
    if as_json:
        print_json([asdict(change) for change in found])
    else:
        for change in found:
            console().print(str(change), soft_wrap=True, markup=False)
    if found:
        raise typer.Exit(1)


def _other(file: Path, name: str) -> Path:
    """The file of another flow that a flow in `file` jumps to."""
    return file.parent / f"{name}.json"


def _is_there(file: Path, name: str) -> bool:
    return _other(file, name).exists()


def _voices_here() -> KnownVoices:
    settings = load_settings()
    return known_voices(open_voices(speech_options(settings), speech_client(settings)))


def _library(file: Path) -> Library:
    def find(names: Iterable[str]) -> dict[str, Flow]:
        return {name: _parsed(path) for name in names if (path := _other(file, name)).exists()}

    return library_of(file.stem, _parsed(file), find)


def _parsed(file: Path) -> Flow:
    try:
        return parse_flow(read_json(file))
    except InvalidFlow as error:
        raise InvalidInput("\n".join(f"{file}: {problem}" for problem in error.problems)) from None


def _verdicts(file: Path) -> list[Verdict]:
    cases = read_cases(file)
    if not isinstance(cases, dict) or not isinstance(cases.get("cases"), list):
        raise InvalidInput(f"{file} must have a list of cases, and may name its flow.")
    flow = file.parent / str(cases.get("flow", f"{file.name.removesuffix('.test.yaml')}.json"))
    library = _library(flow)
    return [try_case(library, case) for case in cases["cases"]]


def _show(walk: Simulator, shown: int, *, quiet: bool) -> int:
    if not quiet:
        for line in walk.lines[shown:]:
            console().print(f"{line.node:>16}  {line.kind:<5}  {line.text}", soft_wrap=True, markup=False)
    return len(walk.lines)


def _hint(walk: Simulator) -> str:
    match walk.asked:
        case act.HttpRequest():
            return "status and body, or Enter for no answer:"
        case act.Connect():
            return "answered, busy, no_answer or failed:"
        case act.JoinConference():
            return "left, ended, full or failed:"
        case act.Record():
            return "seconds of speech:"
        case _:
            return "keys, or Enter to wait:"


def _happen(walk: Simulator, line: str) -> None:
    word, _, rest = line.partition(" ")
    match walk.asked:
        case _ if word == "hangup":
            walk.hang_up()
        case act.HttpRequest() if word.isdecimal():
            walk.answer_http(int(word), rest)
        case act.HttpRequest():
            walk.fail_http("timeout")
        case act.Connect() if word in ("answered", "busy", "no_answer", "failed"):
            walk.connect(word)  # type: ignore[arg-type]  # it is one of these words
        case act.JoinConference() if word in ("left", "ended", "full", "failed"):
            walk.leave_conference(word)  # type: ignore[arg-type]  # as above
        case act.Record() if word.isdecimal():
            walk.finish_recording(int(word) * 1_000)
        case _ if word and set(word) <= set("0123456789*#ABCD"):
            walk.press(word)
        case _:
            if not walk.advance():
                walk.hang_up()

"""The client against the OpenAPI description: every endpoint, parameter and type, and nothing else."""

import inspect
import subprocess
import sys
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tools.client_code import pages

import outdial_client
from outdial.api.app import create_api
from outdial_client import resources
from outdial_client.transport import UNSET, Transport, Unset, Upload

DESCRIPTION = create_api().openapi()["paths"]
OPERATIONS = [(http.upper(), path) for path, operations in DESCRIPTION.items() for http in operations]
SAMPLES: dict[Any, Any] = {str: "a/b", int: 7, float: 0.5, bool: True}


class Recorder(Transport):
    """Answers nothing and remembers what it was to send."""

    def __init__(self) -> None:
        super().__init__("http://client.example", "t", timeout_s=1, tries=1, tls=None)
        self.sent: list[tuple[str, str, dict[str, Any], dict[str, Any] | None, bool]] = []

    def data(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
        is_keyed: bool = False,
    ) -> Any:
        self.sent.append((method, path, dict(query or {}), None if body is None else dict(body), is_keyed))

    def raw(
        self, path: str, *, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None
    ) -> bytes:
        method = "GET" if body is None else "POST"
        self.sent.append((method, path, dict(query or {}), None if body is None else dict(body), False))
        return b""

    def rows(self, path: str, *, query: Mapping[str, Any] | None = None) -> Any:
        self.sent.append(("GET", path, {**(query or {}), "page": 1, "per_page": 1}, None, False))
        return iter(())


def _members(annotation: Any) -> set[Any]:
    is_union = typing.get_origin(annotation) in (types.UnionType, typing.Union)
    return (set(typing.get_args(annotation)) if is_union else {annotation}) - {type(None), Unset}


def _sample(annotation: Any) -> Any:
    kinds = _members(annotation)
    for kind in (bytes, Path):
        if kind in kinds:
            return b"RIFF"
    for kind, value in SAMPLES.items():
        if kind in kinds:
            return value
    return {"a": "b"}


def _call(method: Any) -> dict[str, Any]:
    """Call it with every parameter; returns their annotations."""
    hints = typing.get_type_hints(method)
    hints.pop("return")
    positional, named = [], {}
    for name, parameter in inspect.signature(method).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            named[name] = _sample(hints[name])
        else:
            positional.append(_sample(hints[name]))
    method(*positional, **named)
    return hints


def _all_methods() -> list[tuple[Any, dict[str, Any], tuple[str, str, dict[str, Any], Any, bool]]]:
    recorder = Recorder()
    found = []
    groups = vars(resources.Resources(recorder))
    for group in (value for name, value in groups.items() if not name.startswith("_")):
        for name, method in inspect.getmembers(group, inspect.ismethod):
            if not name.startswith("_"):
                hints = _call(method)
                found.append((method, hints, recorder.sent[-1]))
    return found


METHODS = _all_methods()


def _matches(path: str, sent: str) -> bool:
    """`a/b` in a segment has to arrive as one segment."""
    parts, given = path.split("/"), sent.split("/")
    return len(parts) == len(given) and all(
        one == two or (one.startswith("{") and two in ("a%2Fb", "7"))
        for one, two in zip(parts, given, strict=True)
    )


def _methods_for(http: str, path: str) -> list[Any]:
    exact = [each for each in METHODS if each[2][:2] == (http, path)]
    return exact or [each for each in METHODS if each[2][0] == http and _matches(path, each[2][1])]


def test_the_code_is_what_the_description_makes() -> None:
    for path, code in pages().items():
        assert path.read_text(encoding="utf-8") == code, "run `make docs`"


@pytest.mark.parametrize(("http", "path"), OPERATIONS)
def test_every_endpoint_and_parameter_can_be_sent(http: str, path: str) -> None:
    operation = DESCRIPTION[path][http.lower()]
    found = _methods_for(http, path)
    assert found, f"no method sends {http} {path}"
    query = {each["name"]: each for each in operation.get("parameters", []) if each["in"] == "query"}
    assert {name for each in found for name in each[2][2]} == set(query)
    # A part of a file (`Range`) is not what a client asks for.
    keyed = any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", []))
    assert all(each[2][4] for each in found) if keyed else not any(each[2][4] for each in found)
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        assert all(each[2][3] is None for each in found)
        return
    [(method, hints, (*_, body, _keyed))] = found
    schema = (content.get("application/json") or content["multipart/form-data"])["schema"]
    assert set(body) == set(schema.get("properties", {}))
    parameters = inspect.signature(method).parameters
    for wire, each in schema.get("properties", {}).items():
        name = wire.replace(".", "_")
        assert _kinds(each) == _members(hints[name])
        assert (parameters[name].default is parameters[name].empty) == (wire in schema.get("required", ()))


def _kinds(schema: dict[str, Any]) -> set[Any]:
    if schema.get("format") == "binary":
        return {Path, bytes}
    kinds = {
        "string": str, "integer": int, "number": float, "boolean": bool,
        "object": Mapping[str, Any], "array": Sequence[str],
    }  # fmt: skip
    given = schema["type"]
    return {kinds[each] for each in ([given] if isinstance(given, str) else given)}


def test_nothing_but_the_described_endpoints_is_sent() -> None:
    for _, _, (http, path, *_) in METHODS:
        assert any(http == each and _matches(known, path) for each, known in OPERATIONS), (http, path)


@pytest.mark.parametrize(("http", "path"), OPERATIONS)
def test_answers_have_the_described_fields_and_types(http: str, path: str) -> None:
    content = DESCRIPTION[path][http.lower()]["responses"]["200"]["content"]
    if set(content) != {"application/json"}:
        return
    example = content["application/json"]["example"]
    data = example.get("data", example)
    for method, _, _ in _methods_for(http, path):
        returned = typing.get_type_hints(method)["return"]
        if returned is type(None):
            assert set(data) == {"id"}
            continue
        is_many = typing.get_origin(returned) is not None
        rows = data if isinstance(data, list) else [data]
        for row in rows:
            _check(row, typing.get_args(returned)[0] if is_many else returned)


def _check(value: Any, annotation: Any) -> None:
    if typing.is_typeddict(annotation):
        fields = typing.get_type_hints(annotation)
        for name, inner in value.items():
            assert name in fields, f"{annotation.__name__} lacks {name}"
            _check(inner, fields[name])
        return
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is list:
        assert isinstance(value, list)
        for each in value:
            _check(each, arguments[0])
    elif origin is dict or annotation is Any:
        assert annotation is Any or isinstance(value, dict)
    elif arguments:
        [kind] = [each for each in arguments if each is not type(None)]
        if value is not None:
            _check(value, kind)
    else:
        assert isinstance(value, annotation)
        assert not (isinstance(value, bool) and annotation is not bool)


def test_a_change_sends_what_it_names_and_null_to_empty_it() -> None:
    recorder = Recorder()
    resources.Resources(recorder).admin_accounts.change(2, max_concurrent=None, name=UNSET)
    assert recorder.sent == [("PUT", "/api/v1/admin/accounts/2", {}, {"max_concurrent": None}, False)]


def test_a_file_is_read_from_its_path(tmp_path: Path) -> None:
    file = tmp_path / "hello.wav"
    file.write_bytes(b"RIFF")
    recorder = Recorder()
    resources.Resources(recorder).sounds.upload(audio=file)
    assert recorder.sent[-1][3] == {"audio": Upload("hello.wav", b"RIFF")}


def test_a_filter_is_sent_by_its_name_on_the_wire() -> None:
    recorder = Recorder()
    resources.Resources(recorder).webhooks.list(name="crm")
    assert recorder.sent[-1][2].get("filter[name]") == "crm"


def test_the_client_needs_nothing_but_the_standard_library() -> None:
    source = Path(outdial_client.__file__).parent.parent
    check = (
        "import sys; sys.path.insert(0, sys.argv[1]); import outdial_client;"
        "names = {each.partition('.')[0] for each in sys.modules};"
        "print(sorted(names - sys.stdlib_module_names - {'outdial_client', '__main__'}))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", check, str(source)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"

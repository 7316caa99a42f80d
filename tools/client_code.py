"""Write the Python client's `resources.py` and `models.py` from the OpenAPI description.

Each endpoint becomes a method: its group comes from the path, its name from the endpoint's function, its
parameters and answer from the description. An endpoint that is new needs nothing here; `_GROUPS` and `_NAMES`
only say what reads better than the rule.
"""

import keyword
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outdial.api.app import create_api
from outdial.api.permissions import PREFIX

FOLDER = Path(__file__).parent.parent / "clients" / "python" / "src" / "outdial_client"

_GROUPS = {
    "/outgoing/suppressions/unsubscribers": "suppressions",
    "/outgoing": "calls",
    "/voice/calls": "call_log",
    "/voice/sounds": "sounds",
    "/voice/voices": "voices",
    "/voice/pricing": "pricing",
    "/account": "account",
    "/auth": "auth",
    "/healthz": "server",
    "/readyz": "server",
    "/metrics": "server",
}
_NAMES = {
    "make_own": "make_token",
    "list_own": "tokens",
    "revoke_own": "revoke_token",
    "list_all": "list",
    "read_metrics": "metrics",
    "pricing": "list",
    "show": "list",
    "callstatus": "status",
}
_MODELS = {
    "calls.send": "AcceptedCall",
    "calls.tts": "AcceptedCall",
    "calls.list": "CallStatus",
    "account.balance": "Balance",
    "admin_accounts.add_credit": "Balance",
    "auth.make_token": "Token",
    "auth.tokens": "Token",
    "admin_tokens.make": "Token",
    "admin_tokens.list": "Token",
    "flows.publish": "FlowVersion",
    "flows.roll_back": "FlowVersion",
}
_SAME_THING = frozenset({"add", "get", "list", "change", "upload", "put", "close", "verify", "rotate"})
"""Methods that answer with the thing that their group is about."""
_TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "object": "Mapping[str, Any]",
}
_PAGES = {"page", "per_page"}


@dataclass(frozen=True)
class Method:
    """One method of the client."""

    group: str
    name: str
    http: str
    path: str
    operation: dict[str, Any]
    query: list[dict[str, Any]]
    is_list: bool

    @property
    def wire_names(self) -> list[str]:
        """Every parameter that the method can send, as the description writes it."""
        body = list(self.body)
        return [*self.in_path, *(each["name"] for each in self.query), *body]

    @property
    def in_path(self) -> list[str]:
        """The names of the path's variable segments."""
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def content(self) -> dict[str, Any]:
        """The description of the body; empty without one."""
        media: dict[str, Any] = self.operation.get("requestBody", {}).get("content", {})
        return media.get("application/json") or media.get("multipart/form-data") or {}

    @property
    def body(self) -> dict[str, Any]:
        """The body's parameters by name."""
        properties: dict[str, Any] = self.content.get("schema", {}).get("properties", {})
        return properties

    @property
    def is_keyed(self) -> bool:
        """Whether the endpoint takes an idempotency key."""
        return any(each["name"] == "Idempotency-Key" for each in self.operation.get("parameters", []))

    @property
    def data(self) -> dict[str, Any] | None:
        """The schema of what the method returns; None for an answer that is not JSON."""
        content = self.operation["responses"]["200"]["content"]
        if set(content) != {"application/json"}:
            return None
        schema: dict[str, Any] = content["application/json"]["schema"]
        data: dict[str, Any] = schema.get("properties", {}).get("data", schema)
        return data


def methods() -> list[Method]:
    """All methods, in the order of the description."""
    found: list[Method] = []
    for path, operations in create_api().openapi()["paths"].items():
        for http, operation in operations.items():
            found += _methods_of(http.upper(), path, operation)
    return found


def _methods_of(http: str, path: str, operation: dict[str, Any]) -> Iterator[Method]:
    short = path.removeprefix(PREFIX)
    root, group = _group(short)
    suffix = re.sub(r"\W", "_", path) + "_" + http.lower()
    function = operation["operationId"].removesuffix(suffix)
    name = _NAMES.get(function) or _name(function, short.removeprefix(root))
    query = [each for each in operation.get("parameters", []) if each["in"] == "query"]
    names = {each["name"] for each in query}
    if "id" in names and names >= _PAGES:  # one endpoint that answers one thing or a list of them
        one, many = ([each for each in query if (each["name"] == "id") is is_id] for is_id in (True, False))
        yield Method(group, name, http, path, operation, [{**one[0], "required": True}], is_list=False)
        yield Method(group, "list", http, path, operation, many, is_list=True)
    else:
        yield Method(group, name, http, path, operation, query, is_list=names >= _PAGES)


def _group(path: str) -> tuple[str, str]:
    for root, group in _GROUPS.items():
        if path.startswith(root):
            return root, group
    parts = path.strip("/").split("/")
    if parts[0] == "admin":
        return "/".join(["", *parts[:2]]), f"admin_{parts[1]}"
    depth = 2 if parts[0] in ("voice", "developer") else 1
    return "/".join(["", *parts[:depth]]), parts[depth - 1]


def _name(function: str, rest: str) -> str:
    """`list_sounds` at the group's root is `list`; below it `list_versions` is `versions`."""
    verb, _, thing = function.partition("_")
    if verb not in ("list", "get", "delete") or not thing:
        return function
    is_root = re.fullmatch(r"(/\{\w+\})?", rest) is not None
    return verb if is_root else thing


class _Models:
    """The TypedDicts of answers; what the answers of one name hold is one."""

    def __init__(self) -> None:
        self._fields: dict[str, dict[str, str]] = {}

    def type_of(self, schema: dict[str, Any], name: str) -> str:
        """The annotation for `schema`; `name` is what a TypedDict for it is called."""
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else list(kinds)
        shown = [self._one(each, schema, name) for each in kinds if each != "null"]
        return " | ".join([*shown, *(["None"] if "null" in kinds else [])]) or "Any"

    def code(self) -> list[str]:
        """The classes, those that others name first."""
        return [
            "\n".join(
                [
                    f"class {name}(TypedDict, total=False):",
                    *(f"    {each}: {kind}" for each, kind in fields.items()),
                ]
            )
            for name, fields in reversed(self._fields.items())
        ]

    def _one(self, kind: str, schema: dict[str, Any], name: str) -> str:
        if kind == "array":
            return f"list[{self.type_of(schema['items'], _singular(name))}]"
        if kind == "object" and schema.get("properties"):
            self._add(schema["properties"], name)
            return name
        return "dict[str, Any]" if kind == "object" else _TYPES[kind]

    def _add(self, properties: dict[str, Any], name: str) -> None:
        fields = self._fields.setdefault(name, {})
        for each, inner in properties.items():
            assert not keyword.iskeyword(each), f"{each} of {name} is a word of Python"
            kind = self.type_of(inner, name + _camel(each))
            fields[each] = self._merged(fields.get(each, kind), kind, f"{each} of {name}")

    @staticmethod
    def _merged(one: str, other: str, place: str) -> str:
        """One annotation for both: null in either is null in the whole."""
        null = " | None"
        assert one.removesuffix(null) == other.removesuffix(null), f"{place} is {one} and {other}"
        return max(one, other, key=len)


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"\W|_", name))


def _singular(name: str) -> str:
    return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")


def _result(method: Method, models: _Models) -> str:
    schema = method.data
    full_name = f"{method.group}.{method.name}"
    if schema is None:
        return "str" if method.name == "metrics" else "bytes"
    if set(schema.get("properties", {})) == {"id"}:
        return "None"
    model = _MODELS.get(full_name)
    if model is None:
        more = "" if method.name in _SAME_THING else _singular(_camel(method.name))
        model = _singular(_camel(method.group)) + more
    if method.is_list or schema.get("type") == "array":
        row = schema["items"] if schema.get("type") == "array" else schema
        return f"{'Iterator' if method.is_list else 'Sequence'}[{models.type_of(row, model)}]"
    return models.type_of(schema, model)


def python_name(wire: str) -> str:
    """`filter[name]` is `name`, `break.time` is `break_time`, `from` is `from_`."""
    found = re.fullmatch(r"filter\[(\w+)\]", wire)
    name = found[1] if found else wire.replace(".", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def parameter_type(schema: dict[str, Any], *, is_file: bool = False) -> str:
    """The annotation of a parameter."""
    if is_file or schema.get("format") == "binary" or "contentMediaType" in schema:
        return "Path | bytes"
    kinds = schema.get("type", "string")
    shown = [
        "Sequence[str]" if each == "array" else _TYPES[each]
        for each in ([kinds] if isinstance(kinds, str) else kinds)
    ]
    return " | ".join(shown)


def _parameters(method: Method) -> list[str]:
    is_change = method.http == "PUT"
    first = [f"{name}: int | str" for name in method.in_path]
    required: list[str] = []
    optional: list[str] = []
    named = [(each["name"], each["schema"], each.get("required", False)) for each in method.query]
    needed = method.content.get("schema", {}).get("required", ())
    named += [(name, schema, name in needed) for name, schema in method.body.items()]
    for wire, schema, is_required in named:
        if wire in _PAGES:
            continue
        kind = parameter_type(schema)
        if is_required and wire == "id":
            first.append(f"id: {kind}")
        elif is_required:
            required.append(f"{python_name(wire)}: {kind}")
        elif is_change:
            optional.append(f"{python_name(wire)}: {kind} | Unset | None = UNSET")
        else:
            optional.append(f"{python_name(wire)}: {kind} | None = None")
    if method.is_keyed:
        optional.append("idempotency_key: str | None = None")
    return [*first, *(["*"] if required or optional else []), *required, *optional]


def _given(method: Method, wires: list[tuple[str, dict[str, Any]]]) -> str:
    pairs = []
    for wire, schema in wires:
        value = python_name(wire)
        if parameter_type(schema) == "Path | bytes":
            value = f"upload({value})"
        pairs.append(f'"{wire}": {value}')
    helper = "without_unset" if method.http == "PUT" else "without_none"
    return f"{helper}({{{', '.join(pairs)}}})"


def _method(method: Method, models: _Models) -> str:
    result = _result(method, models)
    path = re.sub(r"\{(\w+)\}", r"{segment(\1)}", method.path)
    arguments = [f'{"f" if method.in_path else ""}"{path}"']
    query = [(each["name"], each["schema"]) for each in method.query if each["name"] not in _PAGES]
    if query:
        arguments.append(f"query={_given(method, query)}")
    if not method.is_list and method.data is not None:
        arguments.insert(0, f'"{method.http}"')
    if method.content:
        arguments.append(f"body={_given(method, list(method.body.items()))}" if method.body else "body={}")
    if method.is_keyed:
        arguments.append("key=idempotency_key, is_keyed=True")
    how = "rows" if method.is_list else "raw" if method.data is None else "data"
    call = f"self._transport.{how}({', '.join(arguments)})"
    if result == "str" and how == "raw":
        call += ".decode()"
    body = [call] if result == "None" else [f"answer: {_inside(result)} = {call}", "return answer"]
    lines = [
        f"def {method.name}({', '.join(['self', *_parameters(method)])}) -> {_inside(result)}:",
        f'    """{method.operation["summary"]}.',
        "",
        f"    {method.http} `{method.path}`",
        '    """',
        *(f"    {line}" for line in body),
    ]
    return "\n".join(f"    {line}" if line else "" for line in lines)


def _inside(result: str) -> str:
    return re.sub(r"\b([A-Z]\w+)\b", lambda found: _qualified(found[1]), result)


def _qualified(name: str) -> str:
    return name if name in ("Iterator", "Sequence", "Any", "None") else f"models.{name}"


def _generate() -> tuple[str, str]:
    models = _Models()
    groups: dict[str, list[str]] = {}
    taken: set[str] = set()
    for method in methods():
        name = f"{method.group}.{method.name}"
        assert name not in taken, f"two endpoints are {name}: add the one to _GROUPS or _NAMES"
        taken.add(name)
        groups.setdefault(method.group, []).append(_method(method, models))
    head = '"""{}\n\nGenerated from the OpenAPI description by `make docs`; do not edit.\n"""\n'
    classes = [
        f'class {_camel(group)}(_Group):\n    """`client.{group}`."""\n\n' + "\n\n".join(code)
        for group, code in groups.items()
    ]
    attributes = [f"        self.{group} = {_camel(group)}(transport)" for group in groups]
    resources = [
        head.format("Every endpoint as a method, by group."),
        "from collections.abc import Iterator, Mapping, Sequence",
        "from pathlib import Path",
        "from typing import Any",
        "",
        "from outdial_client import models",
        "from outdial_client.transport import UNSET, Transport, Unset, segment, upload",
        "from outdial_client.transport import without_none, without_unset",
        "",
        "class _Group:\n    def __init__(self, transport: Transport) -> None:\n"
        "        self._transport = transport",
        *classes,
        'class Resources:\n    """All groups, as attributes."""\n\n'
        "    def __init__(self, transport: Transport) -> None:\n        self._transport = transport\n"
        + "\n".join(attributes),
    ]
    shapes = [
        head.format("What the API answers. A field may be missing that does not apply."),
        "# ruff: noqa: D101 - the API guide says what the fields mean",
        "from typing import Any, TypedDict",
        *models.code(),
    ]
    return _formatted("\n\n".join(resources)), _formatted("\n\n".join(shapes))


def _formatted(code: str) -> str:
    ruff = [sys.executable, "-m", "ruff"]
    for arguments in (["check", "--fix-only", "--quiet", "--select", "I,F401"], ["format", "--quiet"]):
        done = subprocess.run(  # noqa: S603 - our own formatter over our own code
            [*ruff, *arguments, "--stdin-filename", str(FOLDER / "resources.py"), "-"],
            input=code, capture_output=True, text=True, check=True,
        )  # fmt: skip
        code = done.stdout
    return code


def pages() -> dict[Path, str]:
    """The generated modules and their text."""
    resources, shapes = _generate()
    return {FOLDER / "resources.py": resources, FOLDER / "models.py": shapes}

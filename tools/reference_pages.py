"""Write docs/reference/settings.md, cli.md and api.md from the code that they describe."""

import inspect
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from outdial.api.app import create_api
from outdial.cli.lazy import COMMANDS, load
from outdial.config.problems import variable_name
from outdial.config.settings import Settings
from outdial.telemetry.exposition import label_names
from outdial.telemetry.metrics import CATALOGUE
from tools.flow_pages import steps

FOLDER = Path(__file__).parent.parent / "docs" / "reference"

_GENERATED = "Generated from the code by `make docs`; do not edit."


def settings() -> str:
    """Every setting of the server: its key, variable, default and meaning."""
    lines = [
        "# Settings",
        "",
        _GENERATED,
        "",
        "A setting comes from the command line, else from an environment variable, else from a TOML file"
        " (`--config FILE`, `$OUTDIAL_CONFIG`, or `outdial.toml` in the working directory), else it has its"
        " default. They are checked once at the start; a key that does not exist is an error that names the"
        " nearest right one.",
        "",
        "```toml",
        'data_dir = "/var/lib/outdial"',
        "",
        "[api]",
        'host = "0.0.0.0"',
        "",
        "[sip]",
        'public_address = "203.0.113.7"',
        "```",
        "",
        "The client commands (`call`, `sounds`) read `OUTDIAL_URL` and `OUTDIAL_TOKEN`.",
        "",
        "## Top level",
        "",
        *_settings_table(Settings, ""),
    ]
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            lines += ["", f"## [{name}]", "", _summary(section), "", *_settings_table(section, f"{name}.")]
    return "\n".join(lines) + "\n"


def _settings_table(model: type[BaseModel], prefix: str) -> list[str]:
    rows = [
        f"| `{name}` | `{variable_name(prefix + name)}` | {_default(field)} | {field.description} |"
        for name, field in model.model_fields.items()
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel))
    ]
    return ["| key | variable | default | meaning |", "|---|---|---|---|", *rows]


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None or value is PydanticUndefined:
        return "–"
    return f"`{value}`"


def cli() -> str:
    """Every command with its arguments, options and defaults."""
    lines = [
        "# Command line",
        "",
        _GENERATED,
        "",
        "`outdial [--config FILE] COMMAND …`. Every command that answers something has `--json`. Errors are a"
        " sentence on standard error.",
        "",
        "| exit status | meaning |",
        "|---|---|",
        "| 0 | It worked. |",
        "| 1 | The answer is no: a call was not answered, there is no such thing, a check found something. |",
        "| 2 | The command line or a value was wrong. |",
        "| 69 | No server could be reached. |",
        "| 70 | A fault of Outdial's own. |",
        "| 77 | The token was missing, wrong or not allowed to do that. |",
        "| 78 | A setting is missing or wrong. |",
    ]
    for name in COMMANDS:
        lines += _command(f"outdial {name}", load(name))
    return "\n".join(lines) + "\n"


def _command(path: str, command: Any) -> list[str]:
    inner = getattr(command, "commands", None)
    lines = [
        "",
        f"{'##' if path.count(' ') == 1 else '###'} {path}",
        "",
        inspect.cleandoc(command.help or ""),
    ]
    shown = (each for each in command.params if each.name != "help" and not getattr(each, "hidden", False))
    rows = [_parameter(each) for each in shown]
    if rows:
        lines += ["", "| | default | meaning |", "|---|---|---|", *rows]
    for name, each in (inner or {}).items():
        lines += _command(f"{path} {name}", each)
    return lines


def _parameter(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = parameter.name.upper()
    else:
        name = ", ".join([*parameter.opts, *parameter.secondary_opts])
    default = parameter.default
    plain = default not in (None, "", False, ()) and not callable(default)
    shown = f"`{getattr(default, 'value', default)}`" if plain else ""
    variable = f" (`{parameter.envvar}`)" if parameter.envvar else ""
    meaning = (parameter.help or "").replace("|", "\\|")
    return f"| `{name}` | {shown} | {meaning}{variable} |"


def api() -> str:
    """Every endpoint with its parameters, answers and an example."""
    description = create_api().openapi()
    lines = [
        "# HTTP API",
        "",
        _GENERATED,
        "",
        "A running server shows the same at `/docs`, and as OpenAPI 3.1 at `/api/v1/openapi.json`.",
        "",
        "Everything but `/healthz`, `/readyz` and `/metrics` wants a token: `Authorization: Bearer <token>`,"
        " or `?access_token=<token>` for callers that cannot set headers. Bodies may be"
        " `application/x-www-form-urlencoded`, `application/json` or `multipart/form-data`, with the same"
        " names. Times are in the time zone of the account.",
        "",
        "An error has the same shape whatever went wrong, and its HTTP status is the `status` in it:",
        "",
        "```json",
        json.dumps(description["components"]["schemas"]["Error"]["example"], indent=2),
        "```",
    ]
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            lines += _endpoint(f"{method.upper()} {path}", operation)
    return "\n".join(lines) + "\n"


def _endpoint(title: str, operation: dict[str, Any]) -> list[str]:
    lines = ["", f"## {title}", "", operation["description"]]
    parameters = [
        (each["name"], f"in the {each['in']}", each.get("required", False), each.get("description", ""))
        for each in operation.get("parameters", [])
    ]
    content = operation.get("requestBody", {}).get("content", {})
    for media in list(content.values())[:1]:
        schema = media["schema"]
        parameters += [
            (name, "in the body", name in schema.get("required", ()), each.get("description", ""))
            for name, each in schema["properties"].items()
        ]
    if parameters:
        lines += ["", "| parameter | where | required | meaning |", "|---|---|---|---|"]
        lines += [
            f"| `{name}` | {place} | {'yes' if needed else ''} | {meaning} |"
            for name, place, needed, meaning in parameters
        ]
    lines += ["", "| answer | meaning |", "|---|---|"]
    for status, answer in sorted(operation["responses"].items()):
        lines.append(f"| {status} | {answer['description']} |")
    for media in operation["responses"]["200"].get("content", {}).values():
        if "example" in media:
            example = json.dumps(media["example"], indent=2, ensure_ascii=False)
            lines += ["", "```json", example, "```"]
    return lines


def _summary(model: type) -> str:
    return inspect.cleandoc(model.__doc__ or "")


def metrics() -> str:
    """Every metric with its labels and meaning."""
    lines = [
        "# Metrics",
        "",
        _GENERATED,
        "",
        "`/metrics` of the API tells what all processes that share its data folder count;"
        " [operations](../guides/operations.md) says what to watch. Metrics about the queue, webhooks and"
        " attempts in progress are read from the database, so every machine's API tells the same: take their"
        " maximum, not their sum. Durations are seconds.",
        "",
        "| metric | type | labels | meaning |",
        "|---|---|---|---|",
    ]
    for name, instrument in CATALOGUE.instruments.items():
        about = instrument.about
        labels = ", ".join(f"`{label}`" for label in label_names(about))
        lines.append(f"| `{name}` | {about.kind} | {labels} | {about.help} |")
    return "\n".join(lines) + "\n"


PAGES = {
    FOLDER / "metrics.md": metrics,
    FOLDER / "settings.md": settings,
    FOLDER / "cli.md": cli,
    FOLDER / "api.md": api,
    FOLDER / "flow-steps.md": steps,
}
"""File → the function that writes its text."""

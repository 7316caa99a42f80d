"""Write the tables of docs/guides/sandbox.md from the code: the phones, the keys of a phone, the lines of
heard.jsonl.

`python -m tools.sandbox_tables` writes them between their markers; a test holds the page to the code.
"""

import ast
import dataclasses
import inspect
import re
from functools import partial
from pathlib import Path

from outdial.sandbox.heard import Heard
from outdial.sandbox.magic_numbers import MAGIC_NUMBERS
from outdial.sandbox.phone import Phone

PAGE = Path(__file__).parent.parent / "docs" / "guides" / "sandbox.md"


def numbers() -> str:
    """The built-in phones."""
    rows = [f"| `{phone.number}` | {phone.description} |" for phone in MAGIC_NUMBERS.values()]
    return "\n".join(["| number | what its phone does |", "|---|---|", *rows])


def keys() -> str:
    """The keys of a phone in the TOML file."""
    rows = [
        f"| `{field.name}` | {_allowed(field)} | {field.metadata['help']} |"
        for field in dataclasses.fields(Phone)
        if field.name != "number"
    ]
    like = "| `like` | number of a phone (unset) | A phone to start from. |"
    return "\n".join(["| key | value (default) | meaning |", "|---|---|---|", like, *rows])


def lines() -> str:
    """The fields of a line of heard.jsonl."""
    about = _field_docstrings(Heard)
    rows = [f"| `{field.name}` | {about.get(field.name, '')} |" for field in dataclasses.fields(Heard)]
    return "\n".join(["| field | meaning |", "|---|---|", *rows])


def _filled(table: str, match: re.Match[str]) -> str:
    return f"{match[1]}{table}\n{match[2]}"


def page(text: str) -> str:
    """The page `text` with its tables written anew."""
    for name, table in (("numbers", numbers()), ("keys", keys()), ("lines", lines())):
        marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text, count = marked.subn(partial(_filled, table), text)
        if count != 1:
            raise ValueError(f"the page needs the markers <!-- {name} --> and <!-- /{name} --> once")
    return text


def _allowed(field: "dataclasses.Field[object]") -> str:
    metadata, default = field.metadata, field.default
    if isinstance(default, tuple):
        default = ", ".join(default)
    shown = (
        "unset"
        if default is None or default == ""
        else str(default).lower()
        if isinstance(default, bool)
        else default
    )
    if "choices" in metadata:
        values = ", ".join(f"`{choice}`" for choice in metadata["choices"] if choice != "")
        return f"{values} ({shown})"
    if "minimum" in metadata:
        return f"{metadata['minimum']} to {metadata['maximum']} ({shown})"
    return f"true or false ({shown})" if isinstance(field.default, bool) else f"text ({shown})"


def _field_docstrings(kind: type) -> dict[str, str]:
    """The text under each field of a dataclass, which is in its source only."""
    [tree] = ast.parse(inspect.getsource(kind)).body
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    name = None
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and name is not None:
            found[name] = " ".join(str(node.value.value).split())
            name = None
    return found


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))

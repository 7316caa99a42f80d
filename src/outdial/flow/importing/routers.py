"""Routers of goflow: what waits, and where it leads then."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from outdial.flow.importing.drawing import Drawing, branches, clamped, keys_of, member, objects, variable_name
from outdial.flow.importing.expressions import Expressions

_CONDITIONS = {
    "has_only_text": "equal",
    "has_only_phrase": "equal",
    "has_phrase": "contains",
    "has_beginning": "starts_with",
    "has_number_eq": "equal",
    "has_number_lt": "less_than",
    "has_number_lte": "at_most",
    "has_number_gt": "more_than",
    "has_number_gte": "at_least",
    "has_date_lt": "less_than",
    "has_date_gt": "more_than",
    "has_date_eq": "equal",
}
_SAME_TEXT = ("has_only_text", "has_only_phrase")
_LONGEST_EXIT = 100
"""A `switch` compares texts, with the names of exits: not numbers, and nothing that is longer."""
_DIALS = {"answered": "answered", "no_answer": "no_answer", "busy": "busy"}


@dataclass(frozen=True, slots=True)
class Router:
    """A router with the exits of its node."""

    raw: Mapping[str, Any]
    exits: Mapping[str, str | None]
    """Where each leads, by uuid."""

    @property
    def wait(self) -> Mapping[str, Any]:
        """What it waits for; empty if it does not."""
        found: Mapping[str, Any] = member(self.raw, "wait", dict)
        return found

    @property
    def otherwise(self) -> str | None:
        """Where it leads when no case holds."""
        return self.target(self.raw.get("default_category_uuid"))

    @property
    def timeout(self) -> str | None:
        """Where it leads when nothing comes."""
        timeout = member(self.wait, "timeout", dict)
        return self.target(timeout["category_uuid"]) if timeout.get("category_uuid") else self.otherwise

    @property
    def cases(self) -> list[tuple[str, list[str], str | None]]:
        """The test of each case, its arguments, and where it leads."""
        return [
            (
                str(each.get("type")),
                [str(argument) for argument in each.get("arguments") or [] if argument is not None],
                self.target(each.get("category_uuid")),
            )
            for each in objects(self.raw.get("cases"))
            if isinstance(each.get("arguments", []), list)
        ]

    def target(self, category: object) -> str | None:
        """Where a category leads."""
        for each in objects(self.raw.get("categories")):
            if each.get("uuid") == category:
                return self.exits.get(str(each.get("exit_uuid")))
        return None

    def result(self, usual: str) -> str:
        """The variable in which it keeps what came."""
        name = str(self.raw.get("result_name") or "")
        return variable_name(name).lower() if name else usual


def draw_router(
    drawing: Drawing, expressions: Expressions, name: str, router: Router, position: Mapping[str, Any] | None
) -> None:
    """Draw a router as the node ``name``, and further ones behind it where it takes several."""
    wait = router.wait
    hint = member(wait, "hint", dict)
    if router.raw.get("type") == "random":
        _draw_random(drawing, name, router, position)
    elif wait.get("type") == "dial":
        _draw_dial(drawing, expressions, name, router, position)
    elif wait and hint.get("type") == "audio":
        variable = router.result("recording")
        exits = {"next": _first_target(router), "empty": router.otherwise}
        drawing.add(name, "record", {"variable": variable}, exits, position=position)
    elif wait:
        _draw_keys(drawing, expressions, name, router, hint, position)
    else:
        _draw_switch(drawing, expressions, name, router, position)


def webhook_exits(router: Router | None) -> dict[str, str | None] | None:
    """The exits of a request, if the router behind it only asks whether it succeeded."""
    if router is None or router.wait or "webhook" not in str(router.raw.get("operand")):
        operand = "" if router is None else str(router.raw.get("operand"))
        if router is None or router.wait or not operand.endswith(".category"):
            return None
    succeeded = [
        target
        for test, arguments, target in router.cases
        if (test == "has_only_text" and arguments == ["Success"])
        or (test == "has_category" and arguments == ["Success"])
        or (test == "has_number_between" and arguments == ["200", "299"])
    ]
    return {"ok": succeeded[0], "failed": router.otherwise} if len(succeeded) == 1 else None


def _first_target(router: Router) -> str | None:
    return router.cases[0][2] if router.cases else router.otherwise


def _draw_random(drawing: Drawing, name: str, router: Router, position: Any) -> None:
    exits: dict[str, str | None] = {}
    for each in objects(router.raw.get("categories")):
        label = str(each.get("name") or "").strip()[:90] or "category"
        label = label if label not in exits else f"{label} {len(exits) + 1}"
        exits[label] = router.exits.get(str(each.get("exit_uuid")))
    drawing.add(name, "random_split", {"weights": dict.fromkeys(exits, 1)}, exits, position=position)


def _draw_dial(drawing: Drawing, expressions: Expressions, name: str, router: Router, position: Any) -> None:
    wait = router.wait
    settings: dict[str, Any] = {
        "to": [expressions.translate(name, wait.get("phone")).strip().lstrip("+") or "{{agent}}"],
        "ring_seconds": int(clamped(wait.get("dial_limit_seconds"), 5, 120, 60)),
        "variable": router.result("agent"),
    }
    if wait.get("call_limit_seconds"):
        settings["max_seconds"] = int(clamped(wait["call_limit_seconds"], 10, 14_400, 7_200))
    exits = {
        _DIALS[arguments[0]]: target
        for _, arguments, target in router.cases
        if arguments and arguments[0] in _DIALS
    }
    exits = {"answered": exits.get("answered", router.otherwise), **exits, "failed": router.otherwise}
    drawing.add(name, "connect", settings, exits, position=position)


def _draw_keys(
    drawing: Drawing,
    expressions: Expressions,
    name: str,
    router: Router,
    hint: Mapping[str, Any],
    position: Any,
) -> None:
    variable = expressions.last_input = router.result(variable_name(f"input_{name}"))
    if hint.get("type") != "digits":
        drawing.changed(name, "it waited for a message, and takes keys, up to # or 3 seconds without one")
    count = int(clamped(hint.get("count"), 0, 64, 0))
    seconds = clamped(member(router.wait, "timeout", dict).get("seconds"), 1, 60, 5)
    keys = _keys(router) if count == 1 else None
    if keys:
        settings: dict[str, Any] = {"timeout": seconds, "repeats": 0, "variable": variable}
        exits = {**keys, "invalid": router.otherwise, "timeout": router.timeout}
        drawing.add(name, "menu", settings, exits, position=position)
        return
    behind = drawing.free_name(f"{name}, answer")
    ends = keys_of(hint.get("terminated_by"), "#" if not count else "", 2)
    settings = {
        "variable": variable,
        "min": 1,
        "max": count or 64,
        "terminator": ends,
        "first_timeout": seconds,
        "repeats": 0,
    }
    exits = {"next": behind, "invalid": router.timeout, "timeout": router.timeout}
    drawing.add(name, "input", settings, exits, position=position)
    _draw_cases(drawing, expressions, behind, router, variable, None)


def _keys(router: Router) -> dict[str, str | None] | None:
    """The exits of a menu, if all cases are single keys."""
    exits: dict[str, str | None] = {}
    for test, arguments, target in router.cases:
        words = arguments[0].split() if arguments else []
        single = test in (*_SAME_TEXT, "has_number_eq") or (
            test in ("has_any_word", "has_phrase") and len(words) == 1
        )
        if not single or len(words) != 1 or len(words[0]) != 1 or words[0] not in "0123456789*#":
            return None
        exits.setdefault(words[0], target)
    return exits or None


def _draw_switch(
    drawing: Drawing, expressions: Expressions, name: str, router: Router, position: Any
) -> None:
    variable = expressions.variable(name, router.raw.get("operand"))
    if variable is None:
        drawing.add_missing(name, "what it splits on is not known here", router.otherwise, position=position)
        return
    kept = router.result("")
    if kept and kept != variable:
        behind = drawing.free_name(f"{name}, split")
        values = {kept: f"{{{{{variable}}}}}"}
        drawing.add(name, "set_variable", {"values": values}, {"next": behind}, position=position)
        name, position = behind, None
    _draw_cases(drawing, expressions, name, router, variable, position)


def _draw_cases(
    drawing: Drawing, expressions: Expressions, name: str, router: Router, variable: str, position: Any
) -> None:
    values: dict[str, str | None] = {}
    tests = []
    for test, arguments, target in router.cases:
        given = [expressions.translate(name, each) for each in arguments]
        text = given[0].strip() if len(given) == 1 and test in _SAME_TEXT else ""
        if "{" not in text and 1 <= len(text) <= _LONGEST_EXIT:
            values.setdefault(text.lower(), target)
        else:
            values["default"] = None  # no switch: the name of an exit would be in the way
        condition = _condition(variable, test, given)
        if condition is None:
            drawing.lost(
                name, f"the test {test[:40]} of {', '.join(given)[:60]!r} is not known here and left out"
            )
        else:
            tests.append((condition, target))
    if values and "default" not in values:
        exits = {**values, "default": router.otherwise}
        drawing.add(name, "switch", {"value": f"{{{{{variable}}}}}"}, exits, position=position)
    elif tests:
        branches(drawing, name, tests, router.otherwise, position=position)
    else:
        drawing.add(name, "tag", {"tags": [name]}, {"next": router.otherwise}, position=position)


def _condition(variable: str, test: str, given: list[str]) -> dict[str, Any] | None:
    value = given[0].strip() if given else ""
    if test in ("has_text", "has_value", "has_number", "has_phone"):
        return {"variable": variable, "is": "set"}
    if test in ("has_any_word", "has_all_words") and value:
        how = "any" if test == "has_any_word" else "all"
        words = [{"variable": variable, "is": "contains", "value": word} for word in value.split()[:20]]
        if how == "any" and all(word["value"].isdigit() for word in words):
            return {"variable": variable, "is": "one_of", "value": [word["value"] for word in words]}
        return words[0] if len(words) == 1 else {how: words}
    if test == "has_number_between" and len(given) == 2:
        bounds = zip(("at_least", "at_most"), given, strict=True)
        return {"all": [{"variable": variable, "is": how, "value": _number(each)} for how, each in bounds]}
    if test in _CONDITIONS and value:
        compared = _number(value) if test.startswith("has_number") else value
        return {"variable": variable, "is": _CONDITIONS[test], "value": compared}
    return None


def _number(text: str) -> Any:
    """A number as JSON has it, where the text is one."""
    found = clamped(text, -1e15, 1e15, float("nan"))
    return found if found == found else text.strip()

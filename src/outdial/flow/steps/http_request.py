"""``http_request``: ask a server of yours."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

from outdial.flow.actions import HttpRequest, StartTimer
from outdial.flow.events import Event, HttpAnswered, HttpFailed, TimerFired
from outdial.flow.json_template import JSON_TEMPLATE, JsonTemplate
from outdial.flow.kinds import VARIABLE_NAME, Choice, Plain, Seconds, Table, Templated
from outdial.flow.secrets import gives_away, secrets_in
from outdial.flow.settings import setting
from outdial.flow.step import Exit, Leave, Outcome, Step, Visit, Wait
from outdial.flow.templates import Template
from outdial.flow.values import Value, clean, lookup

_GRACE_MS = 1_000
"""The runtime keeps the timeout; if it should not answer at all, the flow goes on so much later."""
_PATH = Plain(r"\$|[^\s.]+(\.[^\s.]+){0,9}", "a path such as order.items.0.id, or $ for all of it", 200)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequestStep(Step):
    """Send a request, and take variables out of the JSON that is answered. The request goes out through the
    same guard as webhooks: to public addresses only, unless the server's settings allow others. What cannot
    be found in the answer leaves its variable as it was; what has a secret in it that was sent is one."""

    EXITS: ClassVar[tuple[Exit, ...]] = (
        Exit("ok", "The status is 200 to 299."),
        Exit("a status", "The status is this one; goes before the others.", pattern="[1-5][0-9]{2}"),
        Exit("a class", "The status is of this class, such as `4xx`.", pattern="[1-5]xx"),
        Exit(
            "timeout", "No answer came in time; a node without this exit leaves by `failed`.", optional=True
        ),
        Exit("failed", "Any other status, or none."),
    )
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "http_request",
        "settings": {
            "method": "POST",
            "url": "https://shop.example/orders/{{order|url_encode}}",
            "headers": {"Authorization": "Bearer {{key}}"},
            "json": {"phone": "{{to}}"},
            "save": {"status": "order.status", "first_item": "order.items.0.name"},
        },
        "exits": {"ok": "tell", "404": "unknown_order", "failed": "bye"},
    }

    method: Any = setting(Choice("GET", "POST", "PUT", "PATCH", "DELETE"), "The method.", "GET")
    url: Template = setting(Templated(longest=2_000), "The address, `http` or `https`.")
    headers: Mapping[str, Template] = setting(
        Table(Templated(empty=True), r"[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}", "names of headers", most=20),
        "Headers beside the usual ones.",
        {},
    )
    json: JsonTemplate | None = setting(JSON_TEMPLATE, "A body of JSON.", None)
    form: Mapping[str, Template] | None = setting(
        Table(Templated(empty=True)), "Or a body like that of a form.", None
    )
    body: Template | None = setting(Templated(longest=8_000), "Or any other body.", None)
    timeout: int = setting(Seconds(0.5, 30), "Seconds to wait for the answer.", 5)
    save: Mapping[str, str] = setting(
        Table(_PATH, VARIABLE_NAME.pattern, "names of variables"),
        "Variables, each with its path in the JSON that is answered.",
        {},
    )
    status_variable: str | None = setting(
        Plain(VARIABLE_NAME.pattern, "the name of a variable"), "Where the status is kept.", None
    )

    def variables(self) -> tuple[str, ...]:
        """What it sets."""
        return (*self.save, *([self.status_variable] if self.status_variable else []))

    def enter(self, visit: Visit) -> Outcome:
        """Send the request."""
        type_, body = self._body(visit)
        own = {name: re.sub(r"[\x00-\x1f\x7f]", "", visit.text(each)) for name, each in self.headers.items()}
        typed = type_ is None or any(name.lower() == "content-type" for name in own)
        headers = own if typed else {"Content-Type": str(type_), **own}
        request = HttpRequest(
            visit.id("request"), self.method, visit.text(self.url).strip(), headers, body, self.timeout
        )
        return Wait((request, StartTimer(visit.id("timeout"), self.timeout + _GRACE_MS)))

    def resume(self, visit: Visit, event: Event) -> Outcome | None:
        """Take the answer."""
        match event:
            case HttpAnswered() if event.request_id == visit.id("request"):
                saved = self._saved(visit, event)
                exit_ = self._exit(visit, event.status)
                return Leave(exit_, set=saved, masked=self._given_back(visit, saved))
            case HttpFailed() if event.request_id == visit.id("request"):
                visit.note(event.problem or f"the request failed: {event.reason}")
                return self._failed(visit, event.reason == "timeout")
            case TimerFired():
                visit.note("the request was not answered in time")
                return self._failed(visit, True)
            case _:
                return None

    def _body(self, visit: Visit) -> tuple[str | None, str | None]:
        if self.json is not None:
            return "application/json", json.dumps(self.json.render(visit.text), ensure_ascii=False)
        if self.form is not None:
            fields = {name: visit.text(each) for name, each in self.form.items()}
            return "application/x-www-form-urlencoded", urlencode(fields)
        return None, None if self.body is None else visit.text(self.body)

    def _exit(self, visit: Visit, status: int) -> str:
        names = [str(status), f"{status // 100}xx", *(["ok"] if 200 <= status < 300 else [])]
        return next((name for name in names if name in visit.exits), names[-1] if "ok" in names else "failed")

    def _failed(self, visit: Visit, timed_out: bool) -> Outcome:
        return Leave("timeout" if timed_out and "timeout" in visit.exits else "failed")

    def _saved(self, visit: Visit, event: HttpAnswered) -> dict[str, Value]:
        saved: dict[str, Value] = {self.status_variable: event.status} if self.status_variable else {}
        if not self.save:
            return saved
        try:
            answer = clean(json.loads(event.body))
        except (ValueError, RecursionError):
            visit.note("the answer is not JSON")
            return saved
        for name, path in self.save.items():
            found = answer if path == "$" else lookup({"$": answer}, f"$.{path}")
            if found is not None:
                saved[name] = found
        return saved

    def _given_back(self, visit: Visit, saved: Mapping[str, Value]) -> list[str]:
        """The names of what has a secret in it that was sent."""
        sent = secrets_in((self.url, self.headers, self.json, self.form, self.body), visit.masked)
        secrets = [visit.variables.get(name) for name in sorted(sent)]
        return [name for name, value in saved.items() if gives_away(value, secrets)]


STEP = HttpRequestStep

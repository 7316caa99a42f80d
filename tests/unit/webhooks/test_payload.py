"""The payload, field by field as the family has it, and the variables of templates."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.webhooks.events import CALL_ID, END_MS, call, cdr, event, webhook

from outdial.domain.disposition import Disposition, EndReason, HangupBy
from outdial.domain.flow_run import FlowRun
from outdial.domain.rating import Bill
from outdial.templates import template
from outdial.webhooks.payload import payload_of, variables_of

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "webhooks.md"


def test_the_payload_is_what_the_guide_prints() -> None:
    (printed,) = re.findall(r"```json\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    expected = json.loads(printed)
    payload = payload_of(event())
    assert json.loads(json.dumps(payload)) == expected
    assert list(payload) == list(expected)


def test_nobody_answered() -> None:
    busy = cdr(
        disposition=Disposition.BUSY,
        reason=EndReason.REJECTED,
        hangup_by=HangupBy.CALLEE,
        answered_at=None,
        sip_code=486,
        dtmf="",
    )
    payload = payload_of(event(cdr=busy, attempts_left=2, sequence=1))
    assert (payload["start_at"], payload["duration"], payload["billing"]) == (None, "00:00:00", "00:00:00")
    assert (payload["status"], payload["hangup_by"], payload["sip_code"]) == ("BUSY", "callee", 486)
    assert (payload["attempt"], payload["attempts_left"]) == (1, 2)


def test_what_a_priced_call_cost() -> None:
    bill = Bill(charge=10_000, pulse_s=15, billed_ms=3_675_000)
    payload = payload_of(event(cdr=replace(cdr(), bill=bill)))
    assert (payload["duration"], payload["billing"]) == ("00:00:19", "01:01:15")
    assert (payload["pulsing"], payload["charges"]) == ("15", "1.0000")


def test_without_a_price_the_talk_is_billed_at_nothing() -> None:
    payload = payload_of(event())
    assert (payload["duration"], payload["billing"]) == ("00:00:19", "00:00:19")
    assert (payload["pulsing"], payload["charges"]) == ("0", "0.0000")


def test_a_priced_call_that_nobody_answered_is_free() -> None:
    busy = cdr(disposition=Disposition.BUSY, reason=EndReason.REJECTED, answered_at=None)
    payload = payload_of(event(cdr=replace(busy, bill=Bill(pulse_s=15))))
    assert (payload["billing"], payload["pulsing"], payload["charges"]) == ("00:00:00", "15", "0.0000")


def test_a_call_that_was_never_dialled() -> None:
    cancelled = call(disposition=Disposition.CANCEL, reason=EndReason.CANCELLED, done_at=END_MS + 5_000)
    payload = payload_of(event(call=cancelled, cdr=None))
    assert (payload["status"], payload["hangup_by"], payload["attempt"]) == ("CANCEL", "system", None)
    assert (payload["start_at"], payload["end_at"]) == (None, "2019-08-16 15:10:19")


def test_times_are_in_the_account_s_zone() -> None:
    payload = payload_of(event(time_zone="Asia/Kolkata"))
    assert (payload["start_at"], payload["end_at"]) == ("2019-08-16 20:39:55", "2019-08-16 20:40:14")


def test_variables_of_templates() -> None:
    given = {"otp": "1234", "name": "Ann", "to": "forged", "caller": "forged", "id": "forged"}
    one = event(call=call(variables=given))
    variables = variables_of(one, payload_of(one))
    assert (variables["otp"], variables["to"], variables["id"]) == ("1234", "918867135000", CALL_ID)
    assert variables["caller"] == {
        "country": "IN",
        "provider": None,
        "region": None,
        "name": "Ann",
        "email": None,
    }
    assert (variables["mobile"], variables["date"]) == ("918867135000", "2019-08-16")
    assert variables["unixtime"] == (END_MS + 10) // 1000
    assert variables["variables"] == given


@pytest.mark.parametrize(
    "where", [{"uri": "https://e.com/{{caller.region}}"}, {"body": '{"a": "{{caller.provider}}"}'}]
)
def test_where_the_number_comes_from_for_templates_that_ask(where: dict[str, str]) -> None:
    one = event(webhook=webhook(**where))
    asked = variables_of(one, payload_of(one))["caller"]
    assert (asked["provider"], asked["region"]) == ("Tata Docomo", "India")


def test_where_the_recording_is_fetched() -> None:
    found = cdr(recording_key="recordings/a-1-1.alaw")
    assert payload_of(event(cdr=found))["recording_url"] == "/api/v1/voice/recordings/a-1-1/audio"
    base = "https://voice.example.com"
    assert (
        payload_of(event(cdr=found), base)["recording_url"] == f"{base}/api/v1/voice/recordings/a-1-1/audio"
    )
    assert payload_of(event())["recording_url"] is None


def test_what_the_callee_did_in_a_flow() -> None:
    path = [
        {"flow": "23", "node": "ask", "entered_at": END_MS - 9_500, "exit": "1", "left_at": END_MS - 2_250},
        {"flow": "23", "node": "bye", "entered_at": END_MS - 2_250, "exit": None, "left_at": None},
    ]
    run = FlowRun(flow_id=23, version=2, result="success", path=path, variables={"age": 42}, tags=["warm"])
    one = event(cdr=cdr(flow_run=run), call=call(variables={"flow": "forged"}), time_zone="Asia/Kolkata")
    payload = payload_of(one)
    assert payload["flow"] == {
        "id": 23,
        "version": 2,
        "result": "success",
        "path": [
            {"flow": "23", "node": "ask", "exit": "1", "entered_at": "2019-08-16 20:40:04", "seconds": 7.25},
            {"flow": "23", "node": "bye", "exit": None, "entered_at": "2019-08-16 20:40:11", "seconds": None},
        ],
        "variables": {"age": 42},
        "tags": ["warm"],
        "problems": [],
    }
    source = "{{flow.result}} {{flow.variables.age}} {{flow.path[0].node}} {{flow.path|size}}"
    assert template.render(source, variables_of(one, payload)) == "success 42 ask 2"

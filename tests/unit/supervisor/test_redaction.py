import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from outdial.config.sections import LogFormat, LogSettings
from outdial.supervisor.logs import configure_logging
from outdial.supervisor.redaction import REDACTED, redact

SECRET = "s3kr1t-value"


@pytest.mark.parametrize(
    "field",
    [
        {"token": SECRET},
        {"access_token": SECRET},
        {"password": SECRET},
        {"trunk_password": SECRET},
        {"Authorization": f"Bearer {SECRET}"},
        {"proxy_authorization": SECRET},
        {"headers": {"Authorization": SECRET}},
        {"cookie": SECRET},
        {"webhook_secret": SECRET},
        {"url": f"/api/v1/outgoing/send?access_token={SECRET}&x=1"},
        {"error": f"cannot reach postgresql+psycopg://user:{SECRET}@host/db"},
        {"message": f"INVITE sip:x SIP/2.0\r\nProxy-Authorization: Digest response={SECRET}\r\n"},
        {"line": f'Digest username="u", response="{SECRET}"'},
        {"curl": f"curl -H 'Authorization: Bearer {SECRET}'"},
        {"raw": f"token={SECRET}".encode()},
        {"rows": [{"password": SECRET}, f"Bearer {SECRET}"]},
    ],
)
def test_secrets_are_masked_wherever_they_stand(field: dict[str, object]) -> None:
    event = redact(None, "info", {"event": "something", **field})
    assert SECRET not in repr(event)
    assert REDACTED in repr(event)


def test_what_is_no_secret_stays() -> None:
    event = {
        "event": "call_ended",
        "call_id": "70fa:1",
        "to": "918867135000",
        "token_id": 3,
        "url": "http://x/y",
    }
    assert redact(None, "info", dict(event)) == event


def test_phone_numbers_do_not_stand_in_the_text() -> None:
    assert redact(None, "info", {"event": "dialling +918867135000 now"})["event"] == "dialling [number] now"


@pytest.fixture
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("_logging_as_before")
def test_libraries_share_the_shape_and_the_redaction() -> None:
    out = io.StringIO()
    configure_logging(LogSettings(format=LogFormat.JSON), role="api", stream=out)
    structlog.get_logger().info("token_made", token=SECRET, number=1)
    logging.getLogger("some.library").warning("failed with Bearer %s", SECRET)
    ours, theirs = (json.loads(line) for line in out.getvalue().splitlines())
    assert ours["event"] == "token_made"
    assert (ours["role"], theirs["role"]) == ("api", "api")
    assert (ours["level"], theirs["level"]) == ("info", "warning")
    assert theirs["logger"] == "some.library"
    assert SECRET not in out.getvalue()


@pytest.mark.usefixtures("_logging_as_before")
def test_tracebacks_are_written_without_secrets() -> None:
    out = io.StringIO()
    configure_logging(LogSettings(), role="api", stream=out)
    try:
        raise ValueError(f"access_token={SECRET}")
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "Traceback" in out.getvalue()
    assert SECRET not in out.getvalue()

"""Signatures: the vectors of the specification, its own library, and the code that the guide gives people."""

import base64
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import standardwebhooks
from tests.unit.webhooks.events import webhook

from outdial.errors import InvalidInput
from outdial.webhooks import signing

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "webhooks.md"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FORMER = "whsec_Zm9ybWVyIHNlY3JldCBmb3JtZXI="
BODY = '{"to":"918867135000","campaign":"Grüße"}'.encode()

PYTHON_DRIVER = """
import json, sys
case = json.load(sys.stdin)
print(json.dumps(is_genuine(case["secret"], case["headers"], case["body"].encode())))
"""
NODE_DRIVER = """
const given = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(isGenuine(given.secret, given.headers, Buffer.from(given.body))));
"""
PHP_DRIVER = """
$case = json_decode(file_get_contents('php://stdin'), true);
echo json_encode(is_genuine($case['secret'], $case['headers'], $case['body']));
"""


def test_the_vector_of_the_specification() -> None:
    signature = signing.sign(
        SECRET,
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp_s=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def headers(secret: str = SECRET, *, now_ms: int | None = None, **changes: object) -> dict[str, str]:
    now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    return signing.headers(webhook(secret=secret, **changes), message_id="call:1:1", now_ms=now_ms, body=BODY)


@pytest.mark.parametrize("secret", [SECRET, "my own password"])
def test_the_library_of_the_specification_is_content(secret: str) -> None:
    key = secret if secret.startswith("whsec_") else "whsec_" + base64.b64encode(secret.encode()).decode()
    assert standardwebhooks.Webhook(key).verify(BODY, headers(secret))["campaign"] == "Grüße"
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(key).verify(BODY + b" ", headers(secret))


def test_both_secrets_sign_while_one_is_replaced_and_one_afterwards() -> None:
    now_ms = time.time_ns() // 1_000_000
    during = headers(former_secret=FORMER, former_secret_until=now_ms + 1, now_ms=now_ms)
    after = headers(former_secret=FORMER, former_secret_until=now_ms, now_ms=now_ms)
    assert len(during["webhook-signature"].split(" ")) == 2
    for secret in (SECRET, FORMER):
        standardwebhooks.Webhook(secret).verify(BODY, during)
    standardwebhooks.Webhook(SECRET).verify(BODY, after)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(FORMER).verify(BODY, after)


def snippet(language: str) -> str:
    """The first block of a language in the guide that defines the check."""
    blocks = re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    return next(block for block in blocks if "genuine" in block.lower())


def run_snippet(language: str, folder: Path, case: dict[str, object]) -> bool:
    program, driver, name = {
        "python": (sys.executable, PYTHON_DRIVER, "check.py"),
        "javascript": (shutil.which("node"), NODE_DRIVER, "check.js"),
        "php": (shutil.which("php"), PHP_DRIVER, "check.php"),
    }[language]
    if program is None:
        pytest.skip(f"nothing here runs {language}")
    (folder / name).write_text(snippet(language) + driver, encoding="utf-8")
    done = subprocess.run(
        [program, str(folder / name)], input=json.dumps(case).encode(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    result: bool = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("language", ["python", "javascript", "php"])
def test_the_guide_s_code_tells_genuine_from_forged(language: str, tmp_path: Path) -> None:
    body = BODY.decode()

    def genuine(secret: str, sent: dict[str, str], text: str = body) -> bool:
        return run_snippet(language, tmp_path, {"secret": secret, "headers": sent, "body": text})

    sent = headers()
    assert genuine(SECRET, sent)
    assert genuine("my own password", headers("my own password"))
    now_ms = time.time_ns() // 1_000_000
    both = headers(former_secret=FORMER, former_secret_until=now_ms + 60_000)
    assert genuine(SECRET, both)
    assert genuine(FORMER, both)

    assert not genuine(FORMER, sent)
    assert not genuine(SECRET, sent, body + " ")
    assert not genuine(SECRET, sent | {"webhook-id": "call:1:2"})
    assert not genuine(SECRET, sent | {"webhook-timestamp": str(now_ms // 1000 + 1)})
    assert not genuine(SECRET, headers(now_ms=now_ms - 301_000))
    assert not genuine(SECRET, headers(now_ms=now_ms + 900_000))
    assert not genuine(SECRET, {})


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64!", "whsec_YWJj*"])
def test_secrets_without_a_key_are_refused(secret: str) -> None:
    with pytest.raises(InvalidInput):
        signing.key_of(secret)


def test_a_new_secret_holds_its_key() -> None:
    assert signing.key_of(signing.new_secret(bytes(range(24)))) == bytes(range(24))

"""An endpoint for webhooks to try things with: `python3 examples/webhook_endpoint.py [PORT] [SECRET]`.

It answers the challenge, checks signatures once it knows the secret, and prints what comes. It needs no
packages. The guide to webhooks says what a real one does beyond that: remember `webhook-id`, work afterwards.
"""

import base64
import hashlib
import hmac
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_TOLERANCE_S = 300


def is_genuine(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether who knows the secret has signed this; `headers` by lower-case name, `body` as it came."""
    key = base64.b64decode(secret[len("whsec_") :]) if secret.startswith("whsec_") else secret.encode()
    timestamp = headers.get("webhook-timestamp", "")
    if not timestamp.isdigit() or abs(time.time() - int(timestamp)) > _TOLERANCE_S:
        return False
    content = f"{headers.get('webhook-id', '')}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256))
    signatures = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected, each.encode()) for each in signatures)


class Endpoint(BaseHTTPRequestHandler):
    """Answers the challenge, and 204 to events, or 401 to those that nobody has signed."""

    secret = ""

    def do_POST(self) -> None:
        """Take one request."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        said = json.loads(body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        if "challenge" in said:
            self._answer(200, json.dumps({"challenge": said["challenge"]}).encode())
        elif self.secret and not is_genuine(self.secret, headers, body):
            self._answer(401, b"")
        else:
            self._answer(204, b"")
        print(self.path, json.dumps(said, indent=2), flush=True)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    port, Endpoint.secret = int((sys.argv[1:] or ["9000"])[0]), "".join(sys.argv[2:3])
    ThreadingHTTPServer(("127.0.0.1", port), Endpoint).serve_forever()

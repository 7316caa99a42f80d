"""Webhooks: tell the endpoints of an account what became of its calls.

At least once and in order per call, signed, and so that one endpoint never waits for another.

- `payload`: an event as the receiver sees it;
- `signing`: Standard Webhooks signatures; `request`: payload, composed address and body
  (`outdial.templates`) and signature as one HTTP request;
- `verification`: the challenge that a new endpoint answers;
- `schedule`: when to try again; `sending`: one request and what it means;
- `deliverer`: the role that claims the outbox and sends.
"""

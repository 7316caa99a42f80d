"""Draw the state machines of SIP from their tables, as Mermaid diagrams in one page.

`python -m tools.state_diagrams` writes the page; a test holds it to the tables.
"""

from enum import Enum
from pathlib import Path
from typing import Any

from outdial.sip.client_transaction import INVITE_CLIENT, REQUEST_CLIENT
from outdial.sip.registration.table import REGISTRATION
from outdial.sip.server_transaction import INVITE_SERVER, REQUEST_SERVER
from outdial.sip.session.answering import ANSWERING
from outdial.sip.session.call_attempt import CALLING
from outdial.sip.session.established import ESTABLISHED
from outdial.sip.state_table import StateTable

PAGE = Path(__file__).parent.parent / "docs" / "concepts" / "state-machines.md"

TABLES: tuple[tuple[StateTable[Any, Any, Any], str, str], ...] = (
    (
        CALLING,
        "sip/session/call_attempt.py",
        "RFC 3261 §13.2, §9.1; RFC 3263 §4.3. One dial, until it is up or over.",
    ),
    (ESTABLISHED, "sip/session/established.py", "RFC 3261 §12.2, §15; RFC 4028. A call that is up."),
    (REGISTRATION, "sip/registration/table.py", "RFC 3261 §10.2. A trunk that wants to know our address."),
    (INVITE_CLIENT, "sip/client_transaction.py", "RFC 3261 §17.1.1, amended by RFC 6026 §7.2."),
    (REQUEST_CLIENT, "sip/client_transaction.py", "RFC 3261 §17.1.2. BYE, CANCEL, OPTIONS, UPDATE."),
    (INVITE_SERVER, "sip/server_transaction.py", "RFC 3261 §17.2.1, amended by RFC 6026 §7.1."),
    (REQUEST_SERVER, "sip/server_transaction.py", "RFC 3261 §17.2.2."),
    (ANSWERING, "sip/session/answering.py", "RFC 3261 §13.3. The far end, in the simulated phone network."),
)

HEAD = """\
# State machines

Generated from the tables in `src/outdial/sip/` by `make docs`; do not edit. An arrow says what happened and,
after the slash, what is done about it. Pairs that are not drawn are strays that SIP allows and that change
nothing; a test proves that every pair of state and input is either drawn or listed as such a stray.
"""


def diagram(table: StateTable[Any, Any, Any]) -> str:
    """Return one table as a Mermaid state diagram."""
    states: type[Enum] = table.states
    names = {state: f"s{index}" for index, state in enumerate(states)}
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{state.value}" as {name}' for state, name in names.items()]
    lines.append(f"    [*] --> {next(iter(names.values()))}")
    for (source, symbol), (target, actions) in table.transitions.items():
        done = f" / {', '.join(action.value for action in actions)}" if actions else ""
        lines.append(f"    {names[source]} --> {names[target]}: {symbol.value}{done}".replace(";", ","))
    if table.final is not None:
        lines.append(f"    {names[table.final]} --> [*]")
    return "\n".join(lines)


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for table, source, about in TABLES:
        title = table.name[0].upper() + table.name[1:]
        parts.append(f"## {title}\n\n`src/outdial/{source}`. {about}\n\n```mermaid\n{diagram(table)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

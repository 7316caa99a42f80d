"""The ladder on 80 columns."""

from typing import Any

from rich.console import Console
from rich.text import Text

from outdial.cli.ladder import ladder

PEER = "203.0.113.7:5060"


def _entry(offset_ms: float, direction: str, summary: str, text: str | None = None) -> dict[str, Any]:
    peer = None if direction == "note" else PEER
    return {"offset_ms": offset_ms, "direction": direction, "summary": summary, "peer": peer, "text": text}


ENTRIES = [
    _entry(
        0,
        "sent",
        "INVITE sip:918867135000@203.0.113.7",
        "INVITE sip:918867135000@203.0.113.7 SIP/2.0\r\nVia: [x]\r\n",
    ),
    _entry(12.4, "received", "180 Ringing (INVITE)"),
    _entry(3310, "received", "200 OK (INVITE)"),
    _entry(3311, "note", "first audio sent"),
    _entry(3312, "sent", "ACK sip:" + "x" * 100),
]


def _plain(lines: list[str]) -> list[str]:
    return [Text.from_markup(line).plain for line in lines]


def test_arrows_point_the_way_of_the_message() -> None:
    head, invite, ringing, ok, note, ack = _plain(ladder(ENTRIES))
    assert head.split() == ["seconds", "Outdial", PEER]
    assert invite.startswith("     0.000   │──")
    assert invite.endswith("──▶│")
    assert " INVITE sip:918867135000@203.0.113.7 " in invite
    assert ringing.startswith("     0.012   │◀──")
    assert ringing.endswith("──│")
    assert ok.startswith("     3.310")
    assert "first audio sent" in note
    assert "─" not in note
    assert "…" in ack


def test_every_line_fits_and_the_lifelines_stand_in_columns() -> None:
    lines = _plain(ladder(ENTRIES, width=80))
    assert max(map(len, lines)) <= 80
    assert {line.index("│") for line in lines[1:]} == {13}
    assert len({len(line) for line in lines}) == 1


def test_a_long_note_is_folded_and_not_cut() -> None:
    said = "not sent: the name 'sip.carrier.example' cannot be resolved: Temporary failure in name resolution"
    head, *lines = _plain(ladder([_entry(0, "note", said)], width=80))
    assert [line.index("│") for line in lines] == [13, 13]
    assert {len(line) for line in lines} == {len(head)}
    assert " ".join(line[14:-1].strip() for line in lines) == said


def test_the_full_ladder_has_whole_messages_and_no_markup_of_theirs() -> None:
    out = Console(width=80)
    with out.capture() as captured:
        for line in ladder(ENTRIES, full=True):
            out.print(line, soft_wrap=True, highlight=False)
    assert "Via: [x]" in captured.get()


def test_an_empty_trace_is_a_head_alone() -> None:
    assert len(ladder([])) == 1

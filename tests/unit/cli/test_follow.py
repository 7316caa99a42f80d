"""A call that is followed shows every message of every attempt, however late somebody looks."""

from typing import Any

from outdial.cli.follow import follow


class Server:
    """Answers each look with the next of what it was given: the state, and the entries of each attempt."""

    def __init__(self, *looks: tuple[str, dict[int, list[str]]]) -> None:
        self._looks = list(looks)
        self._traces: dict[int, list[str]] = {}

    async def get(self, path: str, **query: Any) -> Any:
        if path == "outgoing/callstatus":
            state, self._traces = self._looks.pop(0)
            return {"data": {"state": state, "attempts": [{"attempt": number} for number in self._traces]}}
        return {"data": {"entries": self._traces[query["attempt"]]}}


async def test_the_end_of_an_attempt_is_shown_when_the_next_one_has_begun() -> None:
    server: Any = Server(
        ("queued", {}),
        ("leased", {1: ["INVITE"]}),
        ("leased", {1: ["INVITE", "486", "ACK"], 2: ["INVITE"], 3: ["INVITE", "180"]}),
        ("done", {1: ["INVITE", "486", "ACK"], 2: ["INVITE", "486"], 3: ["INVITE", "180", "200"]}),
    )
    told = [(each.attempt, each.entries) async for each in follow(server, "c:1") if each.entries]
    assert told == [
        (1, ["INVITE"]),
        (1, ["486", "ACK"]),
        (2, ["INVITE"]),
        (3, ["INVITE", "180"]),
        (3, ["200"]),
    ]


async def test_a_look_at_which_nothing_is_new_says_nothing() -> None:
    server: Any = Server(("queued", {}), ("queued", {}), ("done", {}))
    assert [(each.attempt, each.done) async for each in follow(server, "c:1")] == [(0, False), (0, True)]

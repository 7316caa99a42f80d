"""Walk through a flow without a call: a virtual clock, and a world that answers as it is told.

Prompts take as long as they would about take. Nothing happens by itself: whoever walks presses keys, says
what a server or another callee answered, or goes on to the next end of a prompt or of a time.
"""

from dataclasses import dataclass, field
from typing import Literal, assert_never

from outdial.flow import actions as act
from outdial.flow import events as ev
from outdial.flow.definition import Library
from outdial.flow.engine import BUDGET_TIMER, Turn, resume, start
from outdial.flow.report import Report, report
from outdial.flow.spoken import about_ms, as_read
from outdial.flow.state import State
from outdial.flow.values import Variables

_MS_BETWEEN_KEYS = 500
_USUAL_MESSAGE_MS = 5_000
_USUAL_TALK_MS = 30_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of what happened."""

    at: int
    node: str
    kind: Literal["says", "keys", "does", "hears", "ends"]
    text: str


Asked = act.HttpRequest | act.Connect | act.JoinConference | act.Record
"""What only the walker can answer."""


@dataclass(slots=True)
class Simulator:
    """One run. ``begin`` first, then walk until it is ``finished``."""

    library: Library
    variables: Variables = field(default_factory=dict)
    now: int = 0
    """Unix milliseconds, virtual."""
    seed: int = 0
    lines: list[Line] = field(default_factory=list)
    """What happened, in order."""
    actions: list[act.Action] = field(default_factory=list)
    """Everything that the flow asked for, in order."""
    asked: Asked | None = None
    """What waits for an answer of the walker's."""
    last_line: int = 0
    """Whoever walks step by step keeps here where the last step's lines begin, and its actions below."""
    last_action: int = 0
    state: State = field(init=False)
    _masked: bool = False
    _playing: act.Play | None = None
    _play_began: int = 0
    _timers: dict[str, int] = field(default_factory=dict)

    def begin(self) -> None:
        """Enter the flow."""
        self._take(start(self.library, self.variables, now=self.now, seed=self.seed))

    @property
    def finished(self) -> bool:
        """Whether the flow is over."""
        return self.state.finished

    @property
    def report(self) -> Report:
        """What the run leaves behind, so far."""
        return report(self.state)

    @property
    def said(self) -> list[str]:
        """The prompts that were begun, as text."""
        return [line.text for line in self.lines if line.kind == "says"]

    @property
    def playing(self) -> bool:
        """Whether a prompt plays."""
        return self._playing is not None

    @property
    def barge_in(self) -> bool:
        """Whether a key would stop the prompt that plays."""
        return self._playing is not None and self._playing.barge_in

    def press(self, digits: str) -> None:
        """Press keys, half a second apart; those that come after the end are lost."""
        for digit in digits:
            if self.finished:
                return
            self.now += _MS_BETWEEN_KEYS
            self._note("keys", "•" if self._masked else digit)
            if self.barge_in:
                self._stop_play()
            self._give(ev.DigitPressed(self.now, digit))

    def advance(self) -> bool:
        """Go on to the next thing that happens by itself: a prompt ends, a time is over. False if nothing
        will."""
        if self.finished:
            return False
        ends = None if self._playing is None else self._play_began + about_ms(self._playing.prompt)
        timers = sorted((at, name) for name, at in self._timers.items())
        if ends is not None and (not timers or ends <= timers[0][0]):
            self.now = max(self.now, ends)
            self._stop_play(completed=True)
            return True
        if not timers:
            return False
        at, name = timers[0]
        self.now = max(self.now, at)
        del self._timers[name]
        if name != BUDGET_TIMER:
            self._note("does", "waits")
        self._give(ev.TimerFired(self.now, name))
        return True

    def answer_http(self, status: int, body: str = "") -> None:
        """The server answers."""
        if isinstance(self.asked, act.HttpRequest):
            self._note("hears", f"status {status}")
            self._answer(ev.HttpAnswered(self.now, self.asked.request_id, status, body))

    def fail_http(
        self, reason: Literal["timeout", "unreachable", "refused", "too_large", "bad_answer"]
    ) -> None:
        """The server does not answer."""
        if isinstance(self.asked, act.HttpRequest):
            self._note("hears", reason)
            self._answer(ev.HttpFailed(self.now, self.asked.request_id, reason))

    def connect(
        self,
        outcome: Literal["answered", "busy", "no_answer", "failed"],
        *,
        to: str | None = None,
        talked_ms: int = _USUAL_TALK_MS,
    ) -> None:
        """Say what became of the transfer: when they talked, they part again."""
        asked = self.asked
        if not isinstance(asked, act.Connect):
            return
        self._note("hears", outcome)
        if outcome != "answered":
            self.now += asked.ring_timeout_ms if outcome == "no_answer" else 0
            self._answer(ev.ConnectEnded(self.now, asked.connect_id, outcome))
            return
        who = to or asked.to[0]
        self._give(ev.ConnectAnswered(self.now, asked.connect_id, who))
        self.now += talked_ms
        recording = "recording-of-the-transfer" if asked.record else ""
        self._answer(ev.ConnectEnded(self.now, asked.connect_id, outcome, who, talked_ms, recording))

    def leave_conference(self, outcome: Literal["left", "ended", "full", "failed"] = "ended") -> None:
        """The conference is over for the callee."""
        if isinstance(self.asked, act.JoinConference):
            self._note("hears", outcome)
            self._answer(ev.ConferenceLeft(self.now, self.asked.conference_id, outcome))

    def finish_recording(self, duration_ms: int = _USUAL_MESSAGE_MS) -> None:
        """The callee has spoken, and is silent."""
        if isinstance(self.asked, act.Record):
            self._note("hears", f"{duration_ms / 1_000:g} seconds of speech")
            self.now += duration_ms
            name = f"recording-{self.asked.recording_id}"
            self._answer(ev.RecordingFinished(self.now, self.asked.recording_id, duration_ms, name, True))

    def fail_play(self, problem: str = "the sound is missing") -> None:
        """The prompt that plays cannot be played."""
        if self._playing is not None:
            play, self._playing = self._playing, None
            self._note("hears", problem)
            self._give(ev.PlayFailed(self.now, play.play_id, problem))

    def hang_up(self) -> None:
        """The callee hangs up."""
        if not self.finished:
            self._give(ev.LegEnded(self.now, "callee_hung_up"))
            self._note("ends", "callee_hung_up")

    def _answer(self, event: ev.Event) -> None:
        self.asked = None
        self._give(event)

    def _give(self, event: ev.Event) -> None:
        self._take(resume(self.library, self.state, event))

    def _take(self, turn: Turn) -> None:
        self.state = turn.state
        self._do(turn)

    def _do(self, turn: Turn) -> None:  # noqa: C901 - a case for each action
        stopped: list[ev.Event] = []
        for action, node in zip(turn.actions, turn.nodes, strict=True):
            self.actions.append(action)
            match action:
                case act.Play():
                    stopped += self._stopped()
                    self._playing, self._play_began = action, self.now
                    self._note("says", as_read(action.prompt))
                case act.StopPlay():
                    stopped += self._stopped()
                case act.StartTimer(timer_id=timer_id, after_ms=after_ms):
                    self._timers[timer_id] = self.now + after_ms
                case act.CancelTimer(timer_id=timer_id):
                    self._timers.pop(timer_id, None)
                case act.MaskDigits(masked=masked):
                    self._masked = masked
                case act.HttpRequest() | act.Connect() | act.JoinConference() | act.Record():
                    self.asked = action
                    self._note("does", _words(action))
                case act.StopRecording() if isinstance(self.asked, act.Record):
                    name = f"recording-{self.asked.recording_id}"
                    stopped.append(
                        ev.RecordingFinished(self.now, self.asked.recording_id, _USUAL_MESSAGE_MS, name)
                    )
                    self.asked = None
                case act.LeaveConference() if isinstance(self.asked, act.JoinConference):
                    stopped.append(ev.ConferenceLeft(self.now, self.asked.conference_id, "left"))
                    self.asked = None
                case act.StopConnect() if isinstance(self.asked, act.Connect):
                    stopped.append(ev.ConnectEnded(self.now, self.asked.connect_id, "failed"))
                    self.asked = None
                case act.HangUp(result=result):
                    self._playing, self.asked = None, None
                    self._note("ends", result)
                case act.OptOut() | act.SendEvent():
                    self._note("does", _words(action), node)
                case act.RequestCallback(callback_id=callback_id):
                    self._note("does", _words(action))
                    stopped.append(ev.CallbackSet(self.now, callback_id))
                case act.StopRecording() | act.LeaveConference() | act.StopConnect():
                    pass
                case _:
                    assert_never(action)
        for event in stopped:
            self._give(event)

    def _stop_play(self, *, completed: bool = False) -> None:
        for event in self._stopped(completed=completed):
            self._give(event)

    def _stopped(self, *, completed: bool = False) -> list[ev.Event]:
        if self._playing is None:
            return []
        play, self._playing = self._playing, None
        return [ev.PlayFinished(self.now, play.play_id, self.now - self._play_began, completed)]

    def _note(
        self, kind: Literal["says", "keys", "does", "hears", "ends"], text: str, node: str | None = None
    ) -> None:
        self.lines.append(Line(self.now, node or self.state.node, kind, text))


def _words(action: act.Action) -> str:
    match action:
        case act.HttpRequest(method=method, url=url):
            return f"asks {method} {url}"
        case act.Connect(to=to):
            return f"calls {', '.join(to)}"
        case act.JoinConference(room=room):
            return f"joins the room {room}"
        case act.Record():
            return "records"
        case act.OptOut(type=type_):
            return f"opts out from {type_}"
        case act.SendEvent(name=name):
            return f"sends the event {name}"
        case act.RequestCallback(at=at):
            return f"asks for a call at {at}"
        case _:
            return type(action).__name__

"""The calls of the demo: which number, and what has to come out."""

from dataclasses import dataclass

BRIDGE = "12025550199"
IMPATIENT_BRIDGE = "12025550198"
"""Its trunk lets a phone ring for IMPATIENT_RING_S only."""
IMPATIENT_RING_S = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One call to a phone of the simulated network, and what is expected of it."""

    number: str
    title: str
    status: str
    """The disposition."""
    heard: bool = False
    """The whole announcement has to be heard at the far end."""
    least_played_s: float = 0.0
    dtmf: str = ""
    hangup_by: str | None = None
    codec: str | None = None
    ptime: int | None = None
    bridge: str = BRIDGE


SCENES = (
    Scene(number="12025550100", title="answers, listens", status="ANSWER", heard=True, hangup_by="system"),
    Scene(number="12025550101", title="hangs up after 3 s", status="ANSWER", hangup_by="callee"),
    Scene(number="12025550102", title="is busy", status="BUSY"),
    Scene(number="12025550103", title="declines", status="BUSY"),
    Scene(number="12025550104", title="rings out", status="NOANSWER", bridge=IMPATIENT_BRIDGE),
    Scene(number="12025550105", title="unknown number", status="CONGESTION"),
    Scene(number="12025550107", title="early media first", status="ANSWER", heard=True),
    Scene(number="12025550108", title="presses 1", status="ANSWER", heard=True, dtmf="1"),
    Scene(number="12025550109", title="presses 42#", status="ANSWER", heard=True, dtmf="42#"),
    Scene(number="12025550110", title="answers with G.722", status="ANSWER", heard=True, codec="G722"),
    Scene(number="12025550111", title="30 ms packets", status="ANSWER", heard=True, ptime=30),
    Scene(number="12025550112", title="login with MD5", status="ANSWER", heard=True),
    Scene(number="12025550113", title="login with SHA-256", status="ANSWER", heard=True),
    Scene(number="12025550114", title="loses its BYE", status="ANSWER", hangup_by="callee"),
    Scene(number="12025550117", title="holds for a second", status="ANSWER", least_played_s=5.0),
    Scene(number="12025550119", title="two phones answer", status="ANSWER", heard=True),
)

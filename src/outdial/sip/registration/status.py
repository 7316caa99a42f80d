"""What a registration tells: whether the registrar knows us, and what went wrong."""

from dataclasses import dataclass
from enum import Enum


class RegistrationProblem(Enum):
    """Why a REGISTER came to nothing."""

    NO_ANSWER = "no answer"
    UNREACHABLE = "unreachable"
    UNLOCATED = "no address"
    LOGIN_WANTED = "login wanted"
    """It asks for a user name and a password, and there are none, or in no way that we know."""
    LOGIN_REFUSED = "login refused"
    """Our user name and password were given, and are not right."""
    REFUSED = "refused"
    NOT_KEPT = "not kept"
    """A 2xx that keeps our address for no time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationStatus:
    """One registration at one moment. Times are those of the endpoint's clock, in seconds."""

    registered: bool = False
    ended: bool = False
    contact: str = ""
    """Our address as the registrar has it, or is asked to take it; `""` before that is known."""
    until: float | None = None
    """When what was granted is over; None while it does not know us."""
    retry_at: float | None = None
    """When it is asked again after a failure."""
    problem: RegistrationProblem | None = None
    """What the last REGISTER came to, None if it was granted."""
    status: int | None = None
    reason: str = ""
    """Of the failure response, or what the system said about the name."""

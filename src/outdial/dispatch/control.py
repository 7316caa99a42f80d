"""How the dispatcher reaches into a call that runs: cancel it, end it at a shutdown, give it up."""

from outdial.dispatch.phones import Phone, Tracer
from outdial.domain.call import Lease
from outdial.domain.disposition import EndReason


class CallControl:
    """One running call. The first reason to stop counts; a lost lease overrides all."""

    __slots__ = ("_phone", "lease", "lost", "reason", "tracer")

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.reason: EndReason | None = None
        """Why somebody wants the call to stop; None while nobody does."""
        self.lost = False
        """The lease is lost: hang up, and write nothing."""
        self.tracer: Tracer | None = None
        self._phone: Phone | None = None

    def attach(self, phone: Phone, tracer: Tracer) -> None:
        """Take the leg of this call; hung up at once if a stop was asked for before."""
        self._phone, self.tracer = phone, tracer
        if self.reason is not None:
            phone.hang_up(self.reason)

    def stop(self, reason: EndReason) -> None:
        """End the call wherever it is: CANCEL while it is dialled, BYE afterwards."""
        if self.reason is None:
            self.reason = reason
            if self._phone is not None:
                self._phone.hang_up(reason)

    def lose(self) -> None:
        """Give the call up: somebody else decides about it from now on."""
        self.lost = True
        self.stop(EndReason.INTERRUPTED)

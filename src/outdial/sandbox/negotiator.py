"""The media side of a phone's session: what it can, and whether it holds."""

from outdial.sandbox.phone import Phone
from outdial.sdp.codec import CODECS, Codec
from outdial.sdp.description import SessionDescription
from outdial.sdp.direction import Direction
from outdial.sdp.negotiation import AgreedMedia, LocalMedia, answer_offer, make_offer, read_answer

_G729 = Codec("G729", 18, 8000, 8000)  # known by name only, to have something that nobody can agree on
_BY_NAME = {codec.name: codec for codec in (*CODECS, _G729)}


class PhoneNegotiator:
    """A :class:`outdial.sip.session.negotiator.MediaNegotiator` for one phone.

    ``direction`` is what the phone wants; setting it shows in the next offer. ``agreed`` is None before the
    first agreement.
    """

    def __init__(self, phone: Phone, address: str, port: int, session_id: int) -> None:
        self.agreed: AgreedMedia | None = None
        self.direction = Direction.SENDRECV
        self._forced = _BY_NAME[phone.forces_codec] if phone.forces_codec else None
        self._local = LocalMedia(
            address=address,
            port=port,
            session_id=session_id,
            codecs=tuple(_BY_NAME[name] for name in phone.codecs),
            ptime_ms=phone.ptime_ms,
        )
        self._sent: SessionDescription | None = None

    def offer(self) -> bytes:
        """An offer of what the phone can, in the direction that it wants."""
        return self._publish(make_offer(self._local, direction=self.direction))

    def accept_answer(self, body: bytes) -> None:
        """Take the answer to the last offer. Raises SdpError."""
        self.agreed = read_answer(self._sent or make_offer(self._local), body)

    def answer(self, offer: bytes) -> bytes:
        """Answer an offer. Raises SdpError."""
        description, self.agreed = answer_offer(offer, self._local, want_direction=self.direction)
        if self._forced is not None:
            local = LocalMedia(
                address=self._local.address,
                port=self._local.port,
                session_id=self._local.session_id,
                codecs=(self._forced,),
            )
            description = make_offer(local)
        return self._publish(description)

    def _publish(self, description: SessionDescription) -> bytes:
        self._sent = description.following(self._sent)
        return self._sent.to_bytes()

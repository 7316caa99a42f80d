"""The media side of one session: our description, the far end's, and what was agreed (RFC 3264)."""

from dataclasses import replace

from outdial.sdp.description import SessionDescription
from outdial.sdp.negotiation import AgreedMedia, LocalMedia, answer_offer, make_offer, read_answer


class LegNegotiator:
    """Offers and answers for one leg; `agreed` is what holds now, None before the first agreement."""

    def __init__(self, local: LocalMedia) -> None:
        self.agreed: AgreedMedia | None = None
        self._local = local
        self._sent: SessionDescription | None = None

    def offer(self) -> bytes:
        """Return an offer; its version grows only if the text changed (§8).

        The first one names everything that we can. What is being played later is encoded in the agreed codec,
        so a refresh or a delayed offer names only that.
        """
        return self._publish(make_offer(self._settled(), previous=self._sent)).to_bytes()

    def accept_answer(self, body: bytes) -> None:
        """Take the answer to our offer. Raises SdpError, and then the old agreement stands."""
        self.agreed = read_answer(self._sent or make_offer(self._local), body)

    def answer(self, offer: bytes) -> bytes:
        """Answer the far end's offer. Raises SdpError, and then the old agreement stands.

        The codec of a call that is up stays: a hold that lists other codecs first must not change it, because
        what is being played is encoded in it.
        """
        description, self.agreed = answer_offer(offer, self._settled())
        return self._publish(description).to_bytes()

    def _settled(self) -> LocalMedia:
        return self._local if self.agreed is None else replace(self._local, codecs=(self.agreed.codec,))

    def _publish(self, description: SessionDescription) -> SessionDescription:
        self._sent = description.following(self._sent)
        return self._sent

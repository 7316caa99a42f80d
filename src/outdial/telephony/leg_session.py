"""The SIP session of a leg: what is offered, to whom, as whom."""

from collections.abc import Callable, Mapping

from outdial.sdp.codec import CODECS
from outdial.sdp.negotiation import LocalMedia
from outdial.sip.session.calling import CallingSession, OutgoingCall
from outdial.sip.session.context import SessionContext, SessionTimerPolicy
from outdial.sip.session.events import Event
from outdial.sip.transport import Address
from outdial.sip.uri import SipUri
from outdial.telephony.caller_id import caller_id, contact_user
from outdial.telephony.leg_values import LegRequest
from outdial.telephony.negotiation import LegNegotiator
from outdial.telephony.user_agent import UserAgent

TELEPHONE_EVENT_PAYLOAD_TYPE = 101
"""What we announce; the far end may answer with another number for its direction (RFC 3264 §6.1)."""


def new_session(
    user_agent: UserAgent,
    request: LegRequest,
    located: Mapping[Address, str],
    media_port: int,
    on_event: Callable[[Event], None],
    observer: Callable[[bool, bytes, Address, float], None],
) -> tuple[CallingSession, LegNegotiator]:
    """Prepare a session that has sent nothing yet, and what negotiates its media at `media_port`.

    `located` are the trunk's addresses, each with ours as it should see it; `observer` sees every message.
    """
    trunk, port = request.trunk, user_agent.address[1]
    # All are told the one address of ours; where another leads to them, rport and RTP find the way back.
    host = next(iter(located.values()))
    negotiator = LegNegotiator(
        LocalMedia(
            address=user_agent.options.media_address or host,
            port=media_port,
            session_id=int(user_agent.endpoint.new_token()[:12], 16),
            codecs=tuple(codec for name in _offered(request) for codec in CODECS if codec.name == name),
            ptime_ms=trunk.ptime_ms,
            telephone_event_payload_type=TELEPHONE_EVENT_PAYLOAD_TYPE,
        )
    )
    context = SessionContext(
        layer=user_agent.endpoint.layer,
        new_token=user_agent.endpoint.new_token,
        negotiator=negotiator,
        on_event=on_event,
        contact=f"<{SipUri.for_user(contact_user(trunk, request.caller_number), host, port)}>",
        user_agent=user_agent.options.user_agent,
        credentials=trunk.credentials,
        session_timer=SessionTimerPolicy(interval_s=trunk.session_expires_s),
        keep_to_peer=trunk.keep_to_peer,
        sent_by=(host, port),
        observer=observer,
    )
    from_, identity = caller_id(trunk, request.caller_number, request.caller_name, host)
    trunk_port = None if trunk.port == 5060 else trunk.port
    uri = str(SipUri.for_user(f"{trunk.dial_prefix}{request.to}", trunk.host, trunk_port))
    call = OutgoingCall(
        uri=uri,
        from_=from_,
        to=f"<{uri}>",
        destinations=tuple(located),
        call_id=request.sip_call_id,
        headers=(*identity, *trunk.headers),
        ring_timeout_s=min(request.ring_timeout_s, trunk.ring_timeout_s),
    )
    return user_agent.endpoint.call(context, call), negotiator


def _offered(request: LegRequest) -> tuple[str, ...]:
    """The trunk's codecs that the leg may have; the request's own where the trunk has none of them."""
    trunk, wanted = request.trunk.codecs, request.codecs
    if wanted is None:
        return trunk
    return tuple(name for name in trunk if name in wanted) or wanted

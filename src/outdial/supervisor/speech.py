"""Text to speech as the settings have it."""

from outdial.config import Settings
from outdial.egress.allow_list import AllowList
from outdial.egress.client import EgressClient
from outdial.egress.message import EgressOptions
from outdial.egress.urls import parse_target
from outdial.speech.engine import parse_server_voice
from outdial.speech.openai_server import SpeechServer
from outdial.speech.setup import SpeechOptions
from outdial.supervisor.parts import egress_options


def speech_options(settings: Settings) -> SpeechOptions:
    """The part of the settings that the engines read."""
    speech = settings.speech
    server = None
    if speech.server.base_url is not None:
        key = speech.server.key
        server = SpeechServer(
            base_url=speech.server.base_url,
            key=None if key is None else key.get_secret_value(),
            model=speech.server.model,
            voices=tuple(parse_server_voice(each) for each in speech.server.voices),
            timeout_s=speech.server.timeout_seconds,
        )
    return SpeechOptions(
        engines=speech.engines, voice=speech.voice, server=server, words_dir=speech.words_dir
    )


def speech_client(settings: Settings) -> EgressClient:
    """The client that asks the speech server, which the operator named: a private address is no surprise."""
    options = egress_options(settings)
    base_url = settings.speech.server.base_url
    if base_url is None:
        return EgressClient(options)
    target = parse_target(base_url)
    host = f"[{target.host}]" if ":" in target.host else target.host
    allowed = AllowList.parse([*settings.egress.allow, f"{host}:{target.url.port}"])
    return EgressClient(EgressOptions(allow=allowed, user_agent=options.user_agent))

"""The sections of the settings, one frozen model each. Field descriptions are the reference documentation."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from outdial.config.values import IPv4, Networks, Port, PublicUrl, StoreUrl
from outdial.egress.allow_list import AllowList
from outdial.speech.engine import parse_server_voice


class Section(BaseModel):
    """What all sections share: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ApiSettings(Section):
    """Where the HTTP API listens."""

    host: str = Field(
        default="127.0.0.1", description="Address to listen on. 0.0.0.0 listens on every interface."
    )
    port: Port = Field(default=8080, description="TCP port to listen on. 0 lets the system choose one.")
    trusted_proxies: Networks = Field(
        default=(),
        description="Addresses or networks of reverse proxies whose `X-Forwarded-For` says where a request"
        ' comes from, such as `["127.0.0.1"]`. Tokens that are bound to addresses, the throttle of wrong'
        " tokens and the logs need it behind a proxy.",
    )
    public_url: PublicUrl = Field(
        default="",
        description="How others reach the API, such as `https://voice.example.com`: `recording_url` in"
        " webhooks and every link in answers begin with it. Unset: links of lists begin with the address that"
        " was asked, the others are paths.",
    )
    requests_per_second: int = Field(
        default=2000,
        ge=0,
        description="Requests of one token in a second, in one API process; more are answered with 429. 0: no"
        " limit.",
    )


class BlobSettings(Section):
    """Where sounds and recordings are kept."""

    url: StoreUrl = Field(
        default=None,
        description="`file:///folder`, `s3://bucket/prefix` or another object store. Unset: `blobs` in"
        " `data_dir`. Needed when roles run on several machines.",
    )
    endpoint: str | None = Field(
        default=None,
        description="Address of an S3-compatible store that is not Amazon's, with its scheme and port.",
    )
    region: str | None = Field(default=None, description="Region of the bucket. Unset: `AWS_REGION`.")
    access_key_id: SecretStr | None = Field(
        default=None, description="Unset: `AWS_ACCESS_KEY_ID`, or what the machine's own role gives."
    )
    secret_access_key: SecretStr | None = Field(
        default=None, description="Unset: `AWS_SECRET_ACCESS_KEY`, or what the machine's own role gives."
    )
    cache_bytes: int = Field(
        default=2 * 1024**3,
        ge=0,
        description="Copies of remote sounds, in `cache` in `data_dir`, take about this much; the least"
        " recently used make room.",
    )


class SipSettings(Section):
    """The dialer's SIP socket."""

    bind_address: IPv4 = Field(default="0.0.0.0", description="Address of the UDP socket.")  # noqa: S104 - a SIP endpoint has to be reachable; strangers get silence
    port: Port = Field(default=5060, description="UDP port of the socket. 0 lets the system choose one.")
    public_address: IPv4 | None = Field(
        default=None,
        description="The address that carriers see, when the server stands behind NAT; it goes into Via,"
        " Contact and SDP. Unset: the address of the interface that leads to the trunk.",
    )


class MediaSettings(Section):
    """RTP ports and the processes that pace them."""

    bind_address: IPv4 = Field(default="0.0.0.0", description="Address of the RTP sockets.")  # noqa: S104 - RTP comes from carriers' own gateways
    public_address: IPv4 | None = Field(
        default=None, description="The address that SDP names. Unset: the same as `sip.public_address`."
    )
    port_min: int = Field(
        default=10000, ge=1024, le=65534, description="First UDP port for RTP; a leg takes two ports."
    )
    port_max: int = Field(default=20000, ge=1025, le=65535, description="Last UDP port for RTP.")
    workers: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="Media worker processes. Unset: one for each core but one; two on two cores.",
    )
    fill_to: int = Field(
        default=500,
        ge=1,
        description="Legs that a media worker gets before the next one gets any; beyond that they are shared."
        " A busy worker takes 7 % of a core however few its legs are. With 1 they are shared from the start,"
        " so that a worker that dies takes fewer calls with it.",
    )
    rtp_timeout_seconds: float = Field(
        default=30.0,
        gt=0,
        description="A leg that is not on hold and receives no RTP for this long is ended.",
    )

    @model_validator(mode="after")
    def _range_holds_a_leg(self) -> "MediaSettings":
        if self.port_max <= self.port_min:
            raise ValueError(
                f"media.port_max ({self.port_max}) should be above media.port_min ({self.port_min})"
            )
        if self.legs == 0:
            raise ValueError(
                f"media.port_max ({self.port_max}) should be above {self.port_max}: a leg takes two ports,"
                " the first one even"
            )
        return self

    @property
    def legs(self) -> int:
        """For how many legs there are ports, each an even one and the odd one above it."""
        return len(range(self.port_min + self.port_min % 2, self.port_max, 2))


class DispatchSettings(Section):
    """How much a dialer takes on, and how it lets go."""

    max_concurrent: int = Field(
        default=1000,
        ge=1,
        description="Legs at once, in one dialer: one for each call, one for each agent that a flow calls.",
    )
    lease_seconds: float = Field(
        default=60.0,
        ge=1,
        description="A dialer that does not renew a claim for this long has lost it; another one clears up."
        " A database may be away for two thirds of this without costing a call.",
    )
    drain_seconds: float = Field(
        default=30.0,
        ge=0,
        description="On shutdown, calls in progress may go on for this long before they are hung up.",
    )
    record: bool = Field(
        default=False,
        description="Record what callees say, one object an attempt in the store of `blobs.url`: the"
        " codec's bytes as they came (`.ulaw`, `.alaw`, `.g722`). Mind the law of the callee's country.",
    )


class LimitSettings(Section):
    """Bounds on what a request may ask for."""

    upload_bytes: int = Field(
        default=50 * 1024 * 1024, ge=1024, description="Largest accepted sound file, in bytes."
    )
    sound_seconds: float = Field(default=600.0, gt=0, description="Longest accepted sound.")
    retries: int = Field(
        default=3,
        ge=0,
        le=10,
        description="How often a call with an `interval` and without `retries` is dialled again when it was"
        " not answered.",
    )
    recipients: int = Field(default=10_000, ge=1, description="Most numbers in one `outgoing/send`.")


def _allow_list(entries: tuple[str, ...]) -> tuple[str, ...]:
    AllowList.parse(entries)
    return entries


class EgressSettings(Section):
    """Requests to addresses that customers give: webhooks and audio."""

    allow: Annotated[tuple[str, ...], AfterValidator(_allow_list)] = Field(
        default=(),
        description="Networks and host names that may be asked although they are not public, such as"
        ' `["10.20.0.0/16", "192.168.1.5:8080", "crm.internal"]`; all other private addresses are refused.',
    )
    audio_timeout_seconds: float = Field(
        default=20.0, ge=1, le=25, description="An audio URL has this long to send all of its file."
    )
    audio_fresh_seconds: float = Field(
        default=300.0,
        ge=1,
        description="What an audio URL sent is played for this long before it is asked whether that changed.",
    )
    audio_cache_bytes: int = Field(
        default=10 * 1024 * 1024 * 1024,
        ge=1024 * 1024,
        description="Most bytes of audio that is kept of URLs and of rendered prompts. Past this, what was"
        " not asked for the longest goes, a day later: calls may still be playing it.",
    )


def _server_voices(entries: tuple[str, ...]) -> tuple[str, ...]:
    for entry in entries:
        parse_server_voice(entry)
    return entries


class SpeechServerSettings(Section):
    """A server that speaks OpenAI's protocol (`POST /v1/audio/speech`); its voices are called `http:…`."""

    base_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]",
        description="Its address up to and with the version, such as `http://127.0.0.1:8880/v1`. It may be"
        " private: it is yours. Unset: there is no such server.",
    )
    key: SecretStr | None = Field(default=None, description="Sent as a bearer token.")
    model: str = Field(default="tts-1", description="Model to ask for.")
    voices: Annotated[tuple[str, ...], AfterValidator(_server_voices)] = Field(
        default=("alloy:en:neutral", "echo:en:male", "nova:en:female"),
        description="Voices that it has: name, language and gender (female, male, neutral), with colons"
        ' between, such as `["af_heart:en-US:female", "hf_alpha:hi:female"]`.',
    )
    timeout_seconds: float = Field(
        default=20.0, ge=0.1, le=120, description="It has this long to answer with all of the audio."
    )


class SpeechSettings(Section):
    """Text to speech."""

    engines: tuple[Literal["http", "pico", "espeak"], ...] = Field(
        default=("http", "pico", "espeak"),
        description="Engines to use, the preferred one first: `http` (if `speech.server.base_url` is set),"
        " `pico` (comes with Outdial) and `espeak` (if the program `espeak-ng` is installed).",
    )
    voice: str | None = Field(
        default=None,
        description="Voice of what names no other, such as `pico:en-GB`; `outdial voices` lists them. Unset:"
        " the first one of the preferred engine.",
    )
    timeout_seconds: float = Field(
        default=60.0, ge=1, le=600, description="A prompt is rendered within this time, or fails."
    )
    wait_minutes: float = Field(
        default=60.0,
        ge=0,
        le=10_080,
        description="For about this long calls wait for a speech server that is away, refuses us or is slow,"
        " before they end with the reason `audio_unavailable`. `expires_at` of a call counts, too.",
    )
    processes: int = Field(default=2, ge=1, le=64, description="Prompts that a dialer renders at once.")
    words_dir: Path | None = Field(
        default=None,
        description="Folder with further sets of recorded words, each a folder with a `manifest.json`; see"
        " the guide to speech.",
    )
    keep_days: float = Field(
        default=7.0,
        gt=0,
        description="How long rendered prompts are kept that no call asks for any more, with their texts.",
    )
    server: SpeechServerSettings = SpeechServerSettings()


class BillingSettings(Section):
    """What calls of prepaid accounts hold back of the balance."""

    reserve_seconds: float = Field(
        default=60.0,
        ge=1,
        le=86_400,
        description="Talk that is reserved for a call of a prepaid account whose length is not known when it"
        " is accepted (audio by URL, a flow); it may not talk for longer than what is reserved pays for.",
    )


class WebhookSettings(Section):
    """How events are delivered to webhooks."""

    timeout_seconds: float = Field(
        default=10.0, ge=0.1, le=60, description="An endpoint has this long to take an event."
    )
    per_endpoint: int = Field(
        default=10,
        ge=1,
        description="Requests at once to one endpoint, in one process; one while the endpoint fails.",
    )
    max_concurrent: int = Field(
        default=500, ge=1, description="Requests at once in one process, to all endpoints."
    )
    off_after_hours: float = Field(
        default=72.0, gt=0, description="An endpoint that took nothing for this long is switched off."
    )
    keep_days: float = Field(
        default=30.0,
        ge=3,
        description="How long delivered and given up events, and the log of their deliveries, are kept.",
    )


class RetentionSettings(Section):
    """How long what is no longer needed is kept, in days; of a call, after its end."""

    traces_days: float | None = Field(default=30.0, gt=0, description="SIP and media traces of calls.")
    recordings_days: float | None = Field(default=90.0, gt=0, description="Recordings of what callees said.")
    personal_days: float | None = Field(
        default=None,
        gt=0,
        description="Numbers, digits, variables and custom ids of calls. Then they are taken out of the"
        " records, traces and recordings with them; outcomes, durations and charges stay. Unset: for ever.",
    )
    audit_days: float | None = Field(default=None, gt=0, description="The audit log. Unset: for ever.")


class MetricsSettings(Section):
    """Who may read `/metrics`, and where, beside the API, it is served."""

    allow: Networks = Field(
        default=("127.0.0.0/8", "::1/128"),
        description="Networks from which `/metrics` may be read without a token. What a proxy passes on"
        " needs the token.",
    )
    token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="With `Authorization: Bearer` and this, `/metrics` may be read from anywhere.",
    )
    host: str = Field(default="127.0.0.1", description="Address on which `metrics.port` listens.")
    port: Port | None = Field(
        default=None,
        description="TCP port with `/metrics` for a machine that runs no API: one process answers for all of"
        " them. Unset: none.",
    )


class TracingSettings(Section):
    """Traces of calls by OpenTelemetry, with the extra `outdial[otel]`."""

    endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://[^/\s]+/\S+$",
        description="Address of a collector that takes OTLP over HTTP, such as"
        " `http://127.0.0.1:4318/v1/traces`. Unset: no traces.",
    )
    sample_ratio: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Share of the traces that begin here which are told, from 0 to 1; a request with a"
        " `traceparent` says itself whether it is.",
    )


class SandboxSettings(Section):
    """The simulated phone network (`--sandbox`)."""

    bind_address: IPv4 = Field(default="127.0.0.1", description="Address of its SIP and RTP sockets.")
    port: Port = Field(default=5070, description="UDP port of its SIP socket.")
    phones: Path | None = Field(default=None, description="TOML file with further phones.")
    bridge: str = Field(
        default="12025550199", description="Number of the bridge that `--sandbox` creates on its trunk."
    )


class LogFormat(StrEnum):
    """How a log line looks."""

    CONSOLE = "console"
    JSON = "json"


class LogLevel(StrEnum):
    """Least severity that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogSettings(Section):
    """Logging, always to standard error."""

    level: LogLevel = Field(default=LogLevel.INFO, description="Least severity that is written.")
    format: LogFormat = Field(
        default=LogFormat.CONSOLE,
        description="`console` for people, `json` for machines (one object a line).",
    )

"""All settings of a server as one frozen value."""

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from outdial.config.sections import (
    ApiSettings,
    BillingSettings,
    BlobSettings,
    DispatchSettings,
    EgressSettings,
    LimitSettings,
    LogSettings,
    MediaSettings,
    MetricsSettings,
    RetentionSettings,
    SandboxSettings,
    SipSettings,
    SpeechSettings,
    TracingSettings,
    WebhookSettings,
)

ENV_PREFIX = "OUTDIAL_"
ENV_NESTING = "__"


class Settings(BaseSettings):
    """Every setting, validated once by `load_settings`; the field descriptions are the reference."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter=ENV_NESTING, frozen=True, extra="forbid"
    )

    data_dir: Path = Field(
        default=Path("data"),
        description="Folder for the embedded database, sounds, recordings and run-time sockets;"
        " created when missing. Relative to the working directory.",
        validate_default=True,
    )
    database_url: str | None = Field(
        default=None,
        description="`sqlite:////absolute/path.db` or `postgresql+psycopg://user:password@host/name`."
        " Unset: `outdial.db` in `data_dir`.",
    )
    api: ApiSettings = ApiSettings()
    blobs: BlobSettings = BlobSettings()
    sip: SipSettings = SipSettings()
    media: MediaSettings = MediaSettings()
    dispatch: DispatchSettings = DispatchSettings()
    limits: LimitSettings = LimitSettings()
    egress: EgressSettings = EgressSettings()
    speech: SpeechSettings = SpeechSettings()
    billing: BillingSettings = BillingSettings()
    webhooks: WebhookSettings = WebhookSettings()
    retention: RetentionSettings = RetentionSettings()
    metrics: MetricsSettings = MetricsSettings()
    tracing: TracingSettings = TracingSettings()
    sandbox: SandboxSettings = SandboxSettings()
    log: LogSettings = LogSettings()

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("should start with sqlite:/// or postgresql+psycopg://")
        return value

    @property
    def legs_at_once(self) -> int:
        """How many legs a dialer may have: as many as it is told to, and as there are RTP ports for."""
        return min(self.dispatch.max_concurrent, self.media.legs)

    @property
    def resolved_database_url(self) -> str:
        """`database_url`, or the embedded default in `data_dir`."""
        return self.database_url or f"sqlite:///{self.data_dir / 'outdial.db'}"

    @property
    def is_sqlite(self) -> bool:
        """True for the embedded database, which the server migrates by itself."""
        return self.resolved_database_url.startswith("sqlite:")

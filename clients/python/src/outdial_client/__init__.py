"""Typed client of Outdial's HTTP API, without dependencies: `Outdial(url, token).calls.send(…)`."""

from outdial_client import models, webhooks
from outdial_client.client import Outdial
from outdial_client.errors import (
    BadRequest,
    Conflict,
    ErrorAnswer,
    Forbidden,
    InvalidParameters,
    InvalidWebhook,
    NoAnswer,
    NotFound,
    OutdialClientError,
    PaymentRequired,
    ServerFault,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
)
from outdial_client.transport import UNSET, Unset

__all__ = [
    "UNSET",
    "BadRequest",
    "Conflict",
    "ErrorAnswer",
    "Forbidden",
    "InvalidParameters",
    "InvalidWebhook",
    "NoAnswer",
    "NotFound",
    "Outdial",
    "OutdialClientError",
    "PaymentRequired",
    "ServerFault",
    "TooLarge",
    "TooManyRequests",
    "Unauthorized",
    "Unavailable",
    "UnexpectedAnswer",
    "Unset",
    "models",
    "webhooks",
]

"""Everything that the client raises, as one tree.

::

    OutdialClientError
    ├── NoAnswer              no connection, or it broke off, or the answer took too long
    ├── UnexpectedAnswer      what answered does not speak Outdial's language
    ├── InvalidWebhook        a webhook request is not signed by the secret, or is too old
    └── ErrorAnswer           the server answered with an error: `status`, `message`, `errors`
        ├── BadRequest            400
        ├── Unauthorized          401
        ├── PaymentRequired       402
        ├── Forbidden             403
        ├── NotFound              404
        ├── Conflict              409
        ├── TooLarge              413
        ├── InvalidParameters     422
        ├── TooManyRequests       429
        └── ServerFault           500 and above
            └── Unavailable       503
"""

# ruff: noqa: N818 - a name says what is wrong; that it is an error is said by the tree
from collections.abc import Mapping, Sequence


class OutdialClientError(Exception):
    """The root: catching it catches what the client raises on purpose and nothing else."""


class NoAnswer(OutdialClientError):
    """No answer came, whatever was tried; whether the server did what was asked is not known."""


class UnexpectedAnswer(OutdialClientError):
    """An answer that is not Outdial's: a proxy's page, a redirect, another program at this address."""


class InvalidWebhook(OutdialClientError):
    """A request to a webhook is not to be trusted."""


class ErrorAnswer(OutdialClientError):
    """The server's error, in the shape that all of its errors have.

    `errors` has sentences by the name of the parameter that they are about; `retry_after` is how many seconds
    to wait, if the server said so.
    """

    def __init__(
        self,
        status: int,
        message: str,
        errors: Mapping[str, Sequence[str]],
        *,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.status}: {self.message}"


class BadRequest(ErrorAnswer):
    """400: the body cannot be read."""


class Unauthorized(ErrorAnswer):
    """401: no token, or one that is not valid."""


class PaymentRequired(ErrorAnswer):
    """402: the credit of the account does not cover it."""


class Forbidden(ErrorAnswer):
    """403: the token lacks the scope, or may not be used from this address."""


class NotFound(ErrorAnswer):
    """404: no such thing, or not yours."""


class Conflict(ErrorAnswer):
    """409: the state does not allow it, or the idempotency key was used for another request."""


class TooLarge(ErrorAnswer):
    """413: more than the server takes."""


class InvalidParameters(ErrorAnswer):
    """422: a value is missing or wrong; `errors` says which."""


class TooManyRequests(ErrorAnswer):
    """429: too fast."""


class ServerFault(ErrorAnswer):
    """500 and above: not the caller's fault."""


class Unavailable(ServerFault):
    """503: the database cannot be reached just now; whether the request was stored is not known."""


_BY_STATUS: Mapping[int, type[ErrorAnswer]] = {
    400: BadRequest,
    401: Unauthorized,
    402: PaymentRequired,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    422: InvalidParameters,
    429: TooManyRequests,
    503: Unavailable,
}


def class_of(status: int) -> type[ErrorAnswer]:
    """The class for an HTTP status."""
    return _BY_STATUS.get(status, ServerFault if status >= 500 else ErrorAnswer)

"""What can go wrong, as one tree.

    HubError
    ├── BadRequest        the caller's arguments cannot be served as they are
    ├── MissingKey        the call needs a key and none is set
    ├── AuthFailed        the hub does not accept the key
    ├── Forbidden         the key may not do this
    ├── PaymentRequired   the account has no balance left
    ├── ModelNotFound     no model of that id
    ├── WrongEndpoint     the model speaks another protocol only
    ├── ContextTooLong    the prompt does not fit the model
    ├── RateLimited       the hub or the model's vendor asks to wait
    ├── Unreachable       no connection to the hub
    ├── TimedOut          the hub took too long
    ├── HubFailed         the hub answered with a failure of its own
    ├── BadAnswer         the hub's answer cannot be used
    └── OverBudget        the call might cost more than it may

`SettingsError` stands apart: it stops the start, before there is anybody to answer.
"""

from __future__ import annotations

from typing import ClassVar


class HubError(Exception):
    """A failure that the caller can understand and act on.

    `message` says what happened, `hint` what to do; together they are the text that a
    host shows. `retryable` means that the same call may succeed later.
    `retry_after` is in seconds; `request_id` is the hub's own, for its support. `refused`
    means that the hub turned a chat away before it generated anything.
    """

    code: ClassVar[str] = "hub_failed"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        status: int | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
        nearest: tuple[str, ...] = (),
        refused: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.status = status
        self.retry_after = retry_after
        self.request_id = request_id
        self.nearest = nearest
        self.refused = refused

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class BadRequest(HubError):
    code = "bad_request"


class MissingKey(HubError):
    code = "missing_key"


class AuthFailed(HubError):
    code = "auth_failed"


class Forbidden(HubError):
    code = "forbidden"


class PaymentRequired(HubError):
    code = "payment_required"


class ModelNotFound(HubError):
    code = "model_not_found"


class WrongEndpoint(HubError):
    code = "wrong_endpoint"


class ContextTooLong(HubError):
    code = "context_too_long"


class RateLimited(HubError):
    code = "rate_limited"
    retryable = True


class Unreachable(HubError):
    code = "unreachable"
    retryable = True


class TimedOut(HubError):
    code = "timed_out"
    retryable = True


class HubFailed(HubError):
    code = "hub_failed"
    retryable = True


class BadAnswer(HubError):
    code = "bad_answer"


class OverBudget(HubError):
    code = "over_budget"


class SettingsError(Exception):
    """A setting that cannot be used: names the variable and what it takes, in one line."""

"""One chat under way: which model is asked, when again, and what it costs.

A request is sent once. It is sent again only where nothing can have been billed: see `_ask`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import anyio

from . import spend
from .chat import INCOMPLETE, Fold, ask
from .clock import Clock, Stamp
from .errors import (
    AuthFailed,
    BadRequest,
    ContextTooLong,
    Forbidden,
    HubError,
    HubFailed,
    ModelNotFound,
    PaymentRequired,
    RateLimited,
    TimedOut,
    Unreachable,
    WrongEndpoint,
)
from .models import ChatDelta, ChatReply, ChatRequest, Message, Model, Usage
from .upstream import NeverConnected, Upstream

logger = logging.getLogger(__name__)

MAX_RESENDS = 2
LONGEST_RETRY_WAIT = 20.0

_STREAMED: Mapping[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
_REFUSES_OPTIONS = re.compile(r"stream_options|include_usage", re.IGNORECASE)
_REFUSES_STREAM = re.compile(r"\bstream(ing|ed)?\b", re.IGNORECASE)

_REQUEST_TIMEOUT = 408
_NEVER_BILLED = (
    NeverConnected,
    AuthFailed,
    Forbidden,
    PaymentRequired,
    ModelNotFound,
    WrongEndpoint,
    ContextTooLong,
    RateLimited,
)

FindModel = Callable[[str], Awaitable[Model | None]]


class Run:
    """One answer in the making; `execute` runs in a task of its own, callers wait for `done`."""

    def __init__(
        self,
        request: ChatRequest,
        model: str,
        messages: Sequence[Message],
        *,
        key: str,
        upstream: Upstream,
        clock: Clock,
        timeout: float,
        ceiling: float | None,
        budget: spend.Budget,
        find_model: FindModel,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.request = request
        self.messages = messages
        self.model = model
        self.done = anyio.Event()
        self.stopped: Stamp | None = None
        self.error: HubError | None = None
        self.notes: list[str] = []
        self.returned = 0
        self.guess = Usage()
        self._started = clock.stamp()
        self._ended: Stamp | None = None
        self.fold = Fold(model, self._started)
        self._key = key
        self._upstream = upstream
        self._clock = clock
        self._timeout = timeout
        self._ceiling = ceiling
        self._budget = budget
        self._find_model = find_model
        self._sleep = sleep
        self._known: Model | None = None
        self._may_cost = False
        self._scope = anyio.CancelScope()
        self._news: anyio.Event | None = None

    # --- for those who wait

    def stop(self) -> None:
        """Close the connection; what came so far stays."""
        self.stopped = self._clock.stamp()
        self._scope.cancel()

    async def news(self) -> None:
        """Wait until something more has come."""
        self._news = self._news or anyio.Event()
        await self._news.wait()

    @property
    def phase(self) -> str:
        """What is happening, in a word or two, for a progress message."""
        if self.fold.length:
            return f"{spend.guess_tokens(self.fold.length)} tokens"
        return "thinking" if self.fold.thinking else "waiting"

    def reply(self) -> ChatReply:
        """The answer so far."""
        return self.fold.reply(self._ended or self._clock.stamp(), self.fold.finish_reason or INCOMPLETE)

    def forget_question(self) -> None:
        """Free what was asked, pictures and all; `guess` remembers about what it counted."""
        reply = self.reply()
        self.guess = spend.guess_usage(self.messages, reply.text + reply.reasoning)
        self.messages, self.request = (), replace(self.request, messages=())

    # --- the work

    async def execute(self) -> None:
        """Get the answer, or the error that there is instead; never raises one of ours."""
        try:
            with self._scope:
                await self._answer_in_time()
        except HubError as error:
            self._end(error)
        except Exception:
            logger.exception("A chat failed unexpectedly")
            self._end(HubFailed("hub-mcp itself failed at this.", hint="Its log on stderr says more."))
        finally:
            self._end(Unreachable("The chat was stopped.", hint="Ask again."))
            self._ended = self._clock.stamp()
            self.done.set()
            self._tell()

    async def _answer_in_time(self) -> None:
        with anyio.move_on_after(self._timeout) as timer:
            await self._first_that_answers()
        if timer.cancelled_caught:
            raise TimedOut(
                f"The answer took longer than {self._timeout:g} s.",
                hint="Ask for less, or raise HUB_MCP_CHAT_TIMEOUT.",
            )

    def _end(self, error: HubError) -> None:
        """Text that came is an answer, if not a whole one; without any there is the error.

        Only the first end counts: an answer that is whole stays so, whatever goes wrong behind it.
        """
        if self.error is not None or self.fold.finish_reason is not None:
            return
        if self.fold.empty:
            billed = self._may_cost and isinstance(error, Unreachable | TimedOut)
            hints = (error.hint, "It may have been billed all the same." if billed else "", *self.notes)
            error.hint = " ".join(hint for hint in hints if hint)
            self.error = error
        else:
            self.fold.finish_reason = INCOMPLETE
            self.notes.append(f"The answer is not whole: {error.message}")

    async def _first_that_answers(self) -> None:
        *others, last = dict.fromkeys((self.model, *self.request.fallback_models))
        for model in others:
            try:
                await self._within_ceilings(model, resends=0)
                break
            except HubError as error:
                if not (error.refused or (isinstance(error, ModelNotFound) and self.fold.untouched)):
                    raise
                self.notes.append(f"{model} was tried first and refused ({error.code}).")
        else:
            await self._within_ceilings(last, resends=MAX_RESENDS)
        if self.fold.finish_reason is None:
            raise HubFailed(
                "The stream ended before the answer did.", hint="Ask again, or choose another model."
            )

    async def _within_ceilings(self, model: str, resends: int) -> None:
        """Set the worst case aside, ask, and note what it came to."""
        self.model = model
        self._may_cost = False
        self.fold = Fold(model, self._started)
        reservation = self._budget.reserve(await self._worst_case(model))
        try:
            await self._ask(model, resends)
        finally:
            self._budget.settle(reservation, self._spent(reservation.amount))

    async def _worst_case(self, model: str) -> float:
        """The most this can cost; nobody asks for the catalog where no ceiling is set."""
        ceilings = ((self.request.max_cost, "max_cost"), (self._ceiling, "HUB_MCP_MAX_COST"))
        if not self._budget.limited and all(ceiling is None for ceiling, _ in ceilings):
            return 0.0
        self._known = await self._find_model(model)
        worst = spend.worst_case(self._known, self.messages, self.request.options, self.request.max_tokens)
        for ceiling, name in ceilings:
            spend.check_ceiling(worst, ceiling, name)
        return worst

    def _spent(self, worst: float) -> float:
        """What to count against the budget: what the hub said, else the most that it can be.

        Of an answer that was cut short nobody knows how much was generated.
        """
        if not self._may_cost or self._known is None:
            return 0.0
        reply = self.reply()
        if reply.usage is not None:
            return spend.cost(reply.usage, self._known.pricing) or 0.0
        if self.fold.finish_reason is not None:
            said = reply.text + reply.reasoning
            asked = (self.messages, self.request.options)
            # A context of unknown length passed the ceiling only where input is free.
            usage = spend.most_usage(*asked, said, self._known.context_length or 0)
            return min(spend.cost(usage, self._known.pricing) or 0.0, worst)
        if self._budget.limited and worst:
            self.notes.append(f"The budget counts it with {spend.dollars(worst)}, the most it can have cost.")
        return worst

    async def _ask(self, model: str, resends: int) -> None:
        """Send one chat.

        Again, at most twice, after a refusal that names a short wait; and once, without the
        fields that ask for a stream, where a 400 refuses just these.
        """
        body = {**self.request.options, "model": model, "messages": list(self.messages), **_STREAMED}
        while True:
            try:
                await self._send(body)
            except HubError as error:
                plainer = _without_refused_fields(body, error)
                if plainer is not None and body.keys() >= _STREAMED.keys():
                    body = plainer
                elif resends and _may_be_resent(error):
                    resends -= 1
                    await self._sleep(error.retry_after or 0.0)
                else:
                    raise
            else:
                return

    async def _send(self, body: Mapping[str, Any]) -> None:
        # From here on, unless the hub or the network says that nothing was generated.
        self._may_cost = True
        try:
            await ask(self._upstream, body, self._key, self._add, self._add_text)
        except HubError as error:
            self._may_cost = not (self.fold.untouched and _turned_away(error))
            raise

    def _add(self, delta: ChatDelta) -> None:
        self.fold.add(delta, self._clock.stamp())
        self._tell()

    def _add_text(self, piece: str) -> None:
        self.fold.add_text(piece, self._clock)
        if self._news is not None:
            self._tell()

    def _tell(self) -> None:
        if self._news is not None:
            self._news.set()
            self._news = None


def _without_refused_fields(body: Mapping[str, Any], error: HubError) -> dict[str, Any] | None:
    """The request without what a 400 refuses of our own fields; None where it refuses something else."""
    if not isinstance(error, BadRequest) or error.status != 400:
        return None
    if _REFUSES_OPTIONS.search(error.message):
        return {name: value for name, value in body.items() if name != "stream_options"}
    if _REFUSES_STREAM.search(error.message):
        return {name: value for name, value in body.items() if name not in _STREAMED}
    return None


def _may_be_resent(error: HubError) -> bool:
    """Whether the hub turned the chat away and named a short wait; a model that does not exist never will."""
    short = error.retry_after is not None and error.retry_after <= LONGEST_RETRY_WAIT
    return error.refused and short and not isinstance(error, ModelNotFound)


def _turned_away(error: HubError) -> bool:
    """Whether the chat never came to a model, so that it cannot be billed."""
    status = error.status or 0
    return (
        error.refused
        or isinstance(error, _NEVER_BILLED)
        or (300 <= status < 500 and status != _REQUEST_TIMEOUT)
    )

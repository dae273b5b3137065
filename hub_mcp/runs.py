"""One chat under way: which model is asked, when again, and what it costs.

A request is sent once. It is sent again only where nothing can have been billed: see `_ask`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import anyio

from . import spend
from .chat import INCOMPLETE, Fold, ask
from .clock import Clock
from .errors import BadRequest, HubError, HubFailed, ModelNotFound, TimedOut, Unreachable
from .models import ChatDelta, ChatReply, ChatRequest, Message, Model, Pricing
from .upstream import NeverConnected, Upstream

logger = logging.getLogger(__name__)

MAX_RESENDS = 2
LONGEST_RETRY_WAIT = 20.0

_STREAMED: Mapping[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
_REFUSES_OPTIONS = re.compile(r"stream_options|include_usage", re.IGNORECASE)
_REFUSES_STREAM = re.compile(r"\bstream(ing|ed)?\b", re.IGNORECASE)

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
    ) -> None:
        self.request = request
        self.messages = messages
        self.model = model
        self.done = anyio.Event()
        self.stopped = False
        self.error: HubError | None = None
        self.notes: list[str] = []
        self.returned = 0
        self._started = clock.stamp()
        self.fold = Fold(model, self._started)
        self._key = key
        self._upstream = upstream
        self._clock = clock
        self._timeout = timeout
        self._ceiling = ceiling
        self._budget = budget
        self._find_model = find_model
        self._pricing = Pricing()
        self._may_cost = False
        self._scope = anyio.CancelScope()
        self._news: anyio.Event | None = None

    # --- for those who wait

    def stop(self) -> None:
        """Close the connection; what came so far stays."""
        self.stopped = True
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
        return self.fold.reply(self._clock.stamp(), self.fold.finish_reason or INCOMPLETE)

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
            self.error = HubFailed("hub-mcp itself failed at this.", hint="Its log on stderr says more.")
        finally:
            if self._scope.cancelled_caught:
                self._end(Unreachable("The chat was stopped.", hint="Ask again."))
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
        """Text that came is an answer, if not a whole one; without any there is the error."""
        if self.fold.finish_reason is not None:
            # Whole, whatever went wrong behind it.
            return
        if self.fold.empty:
            self.error = error
        else:
            self.fold.finish_reason = INCOMPLETE
            self.notes.append(f"The answer is not whole: {error.message}")

    async def _first_that_answers(self) -> None:
        models = (self.model, *self.request.fallback_models)
        for position, model in enumerate(models):
            last = position == len(models) - 1
            try:
                await self._within_ceilings(model, resends=MAX_RESENDS if last else 0)
            except HubError as error:
                if last or not (error.refused or isinstance(error, ModelNotFound)):
                    raise
                self.notes.append(f"{model} was tried first and refused ({error.code}).")
            else:
                self.model = model
                break
        if self.fold.finish_reason is None:
            raise HubFailed(
                "The stream ended before the answer did.", hint="Ask again, or choose another model."
            )

    async def _within_ceilings(self, model: str, resends: int) -> None:
        """Set the worst case aside, ask, and note what it came to."""
        self._may_cost = False
        self.fold = Fold(model, self._started)
        reservation = self._budget.reserve(await self._worst_case(model))
        try:
            await self._ask(model, resends)
        finally:
            self._budget.settle(reservation, self._spent())

    async def _worst_case(self, model: str) -> float:
        """The most this can cost; nobody asks for the catalog where no ceiling is set."""
        ceilings = ((self.request.max_cost, "max_cost"), (self._ceiling, "HUB_MCP_MAX_COST"))
        if not self._budget.limited and all(ceiling is None for ceiling, _ in ceilings):
            return 0.0
        known = await self._find_model(model)
        worst = spend.worst_case(known, self.messages, self.request.options, self.request.max_tokens)
        for ceiling, name in ceilings:
            spend.check_ceiling(worst, ceiling, name)
        self._pricing = known.pricing if known else Pricing()
        return worst

    def _spent(self) -> float:
        """What to count against the budget: what the hub said, else the most that what came can have cost."""
        if not self._may_cost:
            return 0.0
        reply = self.reply()
        usage = reply.usage or spend.most_usage(
            self.messages, self.request.options, reply.text + reply.reasoning
        )
        return spend.cost(usage, self._pricing) or 0.0

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
                elif resends and error.refused and _short_wait(error):
                    resends -= 1
                    await anyio.sleep(error.retry_after or 0.0)
                else:
                    raise
            else:
                return

    async def _send(self, body: Mapping[str, Any]) -> None:
        # From here on, unless the hub or the network says that nothing was generated.
        self._may_cost = True
        try:
            await ask(self._upstream, body, self._key, self._add)
        except HubError as error:
            if isinstance(error, NeverConnected) or error.refused or 400 <= (error.status or 0) < 500:
                self._may_cost = False
            raise

    def _add(self, delta: ChatDelta) -> None:
        self.fold.add(delta, self._clock.stamp())
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


def _short_wait(error: HubError) -> bool:
    return error.retry_after is not None and error.retry_after <= LONGEST_RETRY_WAIT

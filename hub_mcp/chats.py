"""Chats and their threads: start one, wait for it, collect the rest, stop it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import count
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import TaskGroup

from . import spend, text
from .catalog import Catalog, Snapshot
from .chat import INCOMPLETE, RUNNING
from .clock import Clock, Stamp, elapsed
from .errors import BadRequest, HubError, ModelNotFound, OverBudget
from .formats import Checked, check_answer
from .models import ChatReply, ChatRequest, Message, Model
from .results import ChatResult
from .runs import Run
from .settings import Settings
from .threads import Thread, Threads
from .upstream import Upstream

logger = logging.getLogger(__name__)

Progress = Callable[[float, str], Awaitable[None]]
"""Told how far a chat is: a growing number and what is happening."""

PROGRESS_SECONDS = 0.25
SIGN_OF_LIFE_SECONDS = 10.0
_JUST_NOW = 1.0
_MAX_LOGGED = 4000


class Chats:
    """The chats of one hub. An async context manager; what still runs at its end is stopped and logged."""

    def __init__(
        self,
        upstream: Upstream,
        catalog: Catalog,
        settings: Settings,
        clock: Clock,
        *,
        sign_of_life: float = SIGN_OF_LIFE_SECONDS,
    ) -> None:
        self._upstream = upstream
        self._catalog = catalog
        self._settings = settings
        self._clock = clock
        self._sign_of_life = sign_of_life
        self._budget = spend.Budget(settings.budget)
        self._threads: Threads[Run] = Threads(clock)
        self._stack = AsyncExitStack()
        self._tasks: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._stack.callback(self._tasks.cancel_scope.cancel)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._log_what_is_lost()
        await self._stack.aclose()

    async def chat(self, request: ChatRequest, key: str, progress: Progress | None = None) -> ChatResult:
        """Ask, or collect what is missing of a thread; returns within the request's `wait`; raises HubError.

        A caller that is cancelled stops its chat.
        """
        owner = hashlib.sha256(key.encode()).hexdigest()
        thread = self._threads.find(request.thread, owner) if request.thread else None
        if thread is not None and not request.messages:
            run = _last_answer(thread)
        else:
            thread, run = self._start(request, key, owner, thread)
        wait = self._settings.chat_wait if request.wait is None else request.wait
        await self._follow(run, wait, progress)
        return self._result(thread, run, key)

    # --- starting

    def _start(
        self, request: ChatRequest, key: str, owner: str, thread: Thread[Run] | None
    ) -> tuple[Thread[Run], Run]:
        if thread is not None:
            _check_settled(thread)
        model = request.model or (thread.model if thread is not None else "")
        if not model:
            raise BadRequest("The argument 'model' is missing.", hint="search_models finds one.")
        run = Run(
            request,
            model,
            _conversation(request, thread),
            key=key,
            upstream=self._upstream,
            clock=self._clock,
            timeout=self._settings.chat_timeout,
            ceiling=self._settings.max_cost,
            budget=self._budget,
            find_model=lambda model_id: self._find(model_id, key),
        )
        thread = thread or self._threads.begin(owner)
        thread.answer, thread.running = run, True
        assert self._tasks is not None
        self._tasks.start_soon(self._execute, thread, run)
        return thread, run

    async def _execute(self, thread: Thread[Run], run: Run) -> None:
        try:
            await run.execute()
        finally:
            thread.running = False
            thread.owed = run.stopped is None
            self._threads.touch(thread)
            if run.error is None:
                thread.model = run.model
                thread.remember((*run.messages, *_said(run.reply())))
            elif run.stopped is not None:
                self._forget_failed(thread, run)
            run.forget_question()

    async def _find(self, model_id: str, key: str) -> Model | None:
        """The model of the catalog, which is loaded first where it must be: a ceiling without prices is none."""
        try:
            return (await self._catalog.read(key)).value.index.by_id.get(model_id)
        except HubError as error:
            raise OverBudget(
                f"A ceiling is set, and the prices cannot be read: {error.message}",
                hint="Try again later, or leave the ceiling out.",
            ) from error

    # --- waiting

    async def _follow(self, run: Run, seconds: float, progress: Progress | None) -> None:
        """Wait for the answer, so long and no longer, and tell how far it is; whoever is cancelled stops the chat."""
        try:
            async with anyio.create_task_group() as tasks:
                if progress is not None:
                    tasks.start_soon(_tell, run, progress, self._sign_of_life)
                with anyio.move_on_after(seconds):
                    await run.done.wait()
                tasks.cancel_scope.cancel()
        except anyio.get_cancelled_exc_class():
            run.stop()
            raise

    # --- returning

    def _result(self, thread: Thread[Run], run: Run, key: str) -> ChatResult:
        if not run.done.is_set():
            return self._so_far(thread, run)
        thread.owed = False
        if run.error is not None:
            self._forget_failed(thread, run)
            raise _with_nearest(run.error, run.model, self._catalog.peek(key))
        return self._whole(thread, run, key)

    def _so_far(self, thread: Thread[Run], run: Run) -> ChatResult:
        # Half a tool call must not be mistaken for one.
        reply = replace(run.reply(), finish_reason=RUNNING, tool_calls=())
        offset, run.returned = run.returned, len(reply.text)
        return ChatResult(
            reply=reply,
            text=reply.text[offset:],
            thread=thread.id,
            offset=offset,
            notes=tuple(run.notes),
            next_step=f'Not finished. Call chat with thread="{thread.id}" and no prompt for the rest, at no cost.',
        )

    def _whole(self, thread: Thread[Run], run: Run, key: str) -> ChatResult:
        reply = run.reply()
        offset = run.returned if run.returned < len(reply.text) else 0
        run.returned = len(reply.text)
        amount, guessed = _cost(run, reply, self._catalog.peek(key))
        checked = _checked(run.request, reply)
        return ChatResult(
            reply=reply,
            text=reply.text[offset:],
            thread=thread.id,
            offset=offset,
            cost=amount,
            cost_is_estimate=guessed and amount is not None,
            is_json=checked.is_json,
            parsed=checked.value,
            notes=(*run.notes, *checked.notes, *_on_emptiness(reply)),
        )

    def _forget_failed(self, thread: Thread[Run], run: Run) -> None:
        """A failed chat leaves the conversation as it was before; a thread that never had an answer ends."""
        if thread.answer is run:
            thread.answer = None
        if not thread.turns:
            self._threads.drop(thread)

    def _log_what_is_lost(self) -> None:
        now = self._clock.stamp()
        for thread in self._threads.all():
            run = thread.answer
            if run is None or not (thread.running or thread.owed or _just_stopped(run, now)):
                continue
            reply = run.reply()
            lost = reply.text[run.returned :]
            if lost or reply.tool_calls:
                shown = text.clean(" ".join((lost, *map(str, reply.tool_calls))), _MAX_LOGGED)
                logger.warning("Lost at the end, %d characters of %s: %s", len(lost), reply.model, shown)


def _just_stopped(run: Run, now: Stamp) -> bool:
    """Whether the end itself stopped a chat: its caller was cancelled a moment before."""
    return run.stopped is not None and elapsed(run.stopped, now) < _JUST_NOW


async def _tell(run: Run, progress: Progress, sign_of_life: float) -> None:
    for step in count(1):
        told = run.phase
        try:
            await progress(step, told)
        except Exception:
            # Whoever cannot be told can still get the answer.
            logger.debug("Progress could not be reported", exc_info=True)
            return
        await anyio.sleep(PROGRESS_SECONDS)
        if run.phase == told:
            with anyio.move_on_after(sign_of_life - 2 * PROGRESS_SECONDS):
                await run.news()


def _last_answer(thread: Thread[Run]) -> Run:
    if thread.answer is None:
        raise BadRequest("This thread has no answer to collect.", hint="Give a prompt to continue it.")
    return thread.answer


def _check_settled(thread: Thread[Run]) -> None:
    """Raises BadRequest where the thread cannot go on: an answer that is paid must be had first."""
    answer = thread.answer
    if thread.running or (thread.owed and answer is not None and answer.error is None):
        state = "is still running" if thread.running else "was not collected"
        raise BadRequest(
            f"The thread's last answer {state}; nothing was sent.",
            hint=f'Collect it first, at no cost: chat with thread="{thread.id}" and no prompt.',
        )
    thread.check_open()


def _conversation(request: ChatRequest, thread: Thread[Run] | None) -> tuple[Message, ...]:
    """What was said before, then what is said now; a new system prompt takes the place of the old one."""
    before = thread.messages if thread is not None else []
    if request.system:
        kept = [message for message in before if message.get("role") != "system"]
        return ({"role": "system", "content": request.system}, *kept, *request.messages)
    return (*before, *request.messages)


def _said(reply: ChatReply) -> tuple[Message, ...]:
    """What the thread remembers of an answer: nothing of an empty one, and no tool call that is not whole."""
    message: dict[str, object] = {"role": "assistant", "content": reply.text}
    if reply.tool_calls and reply.finish_reason != INCOMPLETE:
        message["tool_calls"] = list(reply.tool_calls)
    return (message,) if reply.text or "tool_calls" in message else ()


def _cost(run: Run, reply: ChatReply, catalog: Snapshot | None) -> tuple[float | None, bool]:
    """The cost as far as prices are known, and whether it is a guess because the hub did not say what was used."""
    model = catalog.index.by_id.get(run.model) if catalog is not None else None
    if model is None:
        return None, False
    return spend.cost(reply.usage or run.guess, model.pricing), reply.usage is None


def _with_nearest(error: HubError, model_id: str, catalog: Snapshot | None) -> HubError:
    if isinstance(error, ModelNotFound) and catalog is not None:
        error.nearest = catalog.index.nearest(model_id)
        if error.nearest:
            error.hint = f"Nearest: {', '.join(error.nearest)}."
    return error


def _checked(request: ChatRequest, reply: ChatReply) -> Checked:
    if reply.tool_calls or not reply.text or not (request.wants_json or request.schema is not None):
        return Checked(False)
    return check_answer(reply.text, request.schema)


def _on_emptiness(reply: ChatReply) -> tuple[str, ...]:
    if reply.text or reply.tool_calls:
        return ()
    if reply.finish_reason == "length":
        return (
            "The answer is empty because max_tokens was used up, by reasoning most likely: set a larger max_tokens.",
        )
    return ("The model answered with nothing.",)

"""Chats and their threads: start one, wait for it, collect the rest, stop it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

import anyio
from anyio.abc import TaskGroup

from . import spend, text
from .catalog import Catalog, Snapshot
from .chat import RUNNING
from .clock import Clock
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
_MAX_LOGGED = 4000


class Chats:
    """The chats of one hub. An async context manager; what still runs at its end is stopped and logged."""

    def __init__(self, upstream: Upstream, catalog: Catalog, settings: Settings, clock: Clock) -> None:
        self._upstream = upstream
        self._catalog = catalog
        self._settings = settings
        self._clock = clock
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
        await _follow(run, wait, progress)
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
            thread.owed = not run.stopped
            self._threads.touch(thread)
            if run.error is None:
                thread.model = run.model
                thread.remember((*run.messages, _said(run.reply())))

    async def _find(self, model_id: str, key: str) -> Model | None:
        """The model of the catalog, which is loaded first where it must be: a ceiling without prices is none."""
        try:
            return (await self._catalog.read(key)).value.index.by_id.get(model_id)
        except HubError as error:
            raise OverBudget(
                f"A ceiling is set, and the prices cannot be read: {error.message}",
                hint="Try again later, or leave the ceiling out.",
            ) from error

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
        reply = run.reply()
        offset, run.returned = run.returned, len(reply.text)
        return ChatResult(
            reply=replace(reply, finish_reason=RUNNING),
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
        """A failed chat leaves the thread as it was before; a thread that never had an answer ends."""
        if thread.answer is run:
            thread.answer = None
        if not thread.turns:
            self._threads.drop(thread)

    def _log_what_is_lost(self) -> None:
        for thread in self._threads.all():
            run = thread.answer
            if run is not None and (thread.running or thread.owed) and not run.fold.empty:
                reply = run.reply()
                lost = text.clean(reply.text[run.returned :], _MAX_LOGGED)
                logger.warning("Lost at the end: %d characters of %s: %s", len(reply.text), reply.model, lost)


async def _follow(run: Run, seconds: float, progress: Progress | None) -> None:
    """Wait for the answer, so long and no longer, and tell how far it is; whoever is cancelled stops the chat."""
    try:
        async with anyio.create_task_group() as tasks:
            if progress is not None:
                tasks.start_soon(_tell, run, progress)
            with anyio.move_on_after(seconds):
                await run.done.wait()
            tasks.cancel_scope.cancel()
    except anyio.get_cancelled_exc_class():
        run.stop()
        raise


async def _tell(run: Run, progress: Progress) -> None:
    step = 0
    while True:
        step += 1
        try:
            await progress(step, run.phase)
        except Exception:
            # Whoever cannot be told can still get the answer.
            logger.debug("Progress could not be reported", exc_info=True)
            return
        await anyio.sleep(PROGRESS_SECONDS)
        with anyio.move_on_after(SIGN_OF_LIFE_SECONDS - 2 * PROGRESS_SECONDS):
            await run.news()


def _last_answer(thread: Thread[Run]) -> Run:
    if thread.answer is None:
        raise BadRequest("This thread has no answer to collect.", hint="Give a prompt to continue it.")
    return thread.answer


def _check_settled(thread: Thread[Run]) -> None:
    if thread.running:
        raise BadRequest(
            "The thread's last answer is still running; nothing was sent.",
            hint=f'Collect it first: chat with thread="{thread.id}" and no prompt.',
        )
    thread.check_open()


def _conversation(request: ChatRequest, thread: Thread[Run] | None) -> tuple[Message, ...]:
    """What was said before, then what is said now; a new system prompt takes the place of the old one."""
    before = thread.messages if thread is not None else []
    if request.system:
        kept = [message for message in before if message.get("role") != "system"]
        return ({"role": "system", "content": request.system}, *kept, *request.messages)
    return (*before, *request.messages)


def _said(reply: ChatReply) -> Message:
    message: dict[str, object] = {"role": "assistant", "content": reply.text}
    return {**message, "tool_calls": list(reply.tool_calls)} if reply.tool_calls else message


def _cost(run: Run, reply: ChatReply, catalog: Snapshot | None) -> tuple[float | None, bool]:
    """The cost as far as prices are known, and whether it is a guess because the hub did not say what was used."""
    model = catalog.index.by_id.get(run.model) if catalog is not None else None
    if model is None:
        return None, False
    usage = reply.usage or spend.guess_usage(run.messages, reply.text + reply.reasoning)
    return spend.cost(usage, model.pricing), reply.usage is None


def _with_nearest(error: HubError, model_id: str, catalog: Snapshot | None) -> HubError:
    if isinstance(error, ModelNotFound) and catalog is not None:
        error.nearest = catalog.index.nearest(model_id)
        if error.nearest:
            error.hint = f"Nearest: {', '.join(error.nearest)}."
    return error


def _checked(request: ChatRequest, reply: ChatReply) -> Checked:
    if reply.tool_calls or not (request.wants_json or request.schema is not None):
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

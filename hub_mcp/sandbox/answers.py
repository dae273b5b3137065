"""What the sandbox says: an answer made from the request alone, whole or as stream chunks.

Tokens are counted simply: one for each word piece, that is up to 16 letters and the space after them.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from .schema import instance_of
from .state import Sandbox

Json = dict[str, Any]

_CREATED = 1626777600
_LONGEST_ECHO = 1000  # a long prompt is not echoed for minutes, 20 ms a word
_THOUGHT = "The user wants an echo, so I echo."  # eight tokens: a limit of 8 leaves none to answer with


@dataclass(frozen=True)
class Ask:
    """A chat request, as far as the sandbox looks at it."""

    model: str
    messages: list[Json]
    body: Json

    @property
    def stream(self) -> bool:
        return self.body.get("stream") is True

    @property
    def include_usage(self) -> bool:
        return _dict(self.body.get("stream_options")).get("include_usage") is True

    @property
    def limit(self) -> int | None:
        limit = self.body.get("max_completion_tokens") or self.body.get("max_tokens")
        return limit if isinstance(limit, int) and limit > 0 else None


@dataclass(frozen=True)
class Answer:
    """Reasoning, content and tool arguments come in the pieces in which they are streamed."""

    id: str
    model: str
    reasoning: list[str]
    content: list[str]
    tool: str
    arguments: list[str]
    finish: str
    usage: Json


def parse(body: Any) -> Ask | str:
    """The request, or what is wrong with it."""
    if not isinstance(body, dict):
        return "The request body must be a JSON object"
    model, messages = body.get("model"), body.get("messages")
    if not isinstance(model, str) or not model:
        return "You must provide a model parameter"
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        return "You must provide a messages parameter"
    return Ask(model, messages, body)


def compose(sandbox: Sandbox, ask: Ask, tid: int) -> Answer:
    tool = _called_tool(ask.body)
    arguments = _compact(instance_of(tool.get("parameters", {})) or {}) if tool else ""
    reasoning, content, finish = _within(
        ask.limit,
        pieces(_THOUGHT) if _thinks(sandbox, ask.model) else [],
        [] if tool else pieces(_text(ask)),
    )
    return Answer(
        id=f"chatcmpl-sandbox-{tid}",
        model=ask.model,
        reasoning=reasoning,
        content=content,
        tool=tool.get("name", ""),
        arguments=[arguments[at : at + 5] for at in range(0, len(arguments), 5)],
        finish="tool_calls" if tool else finish,
        usage=_usage(sandbox, ask, len(reasoning), len(content) + len(pieces(arguments))),
    )


def pieces(text: str) -> list[str]:
    return re.findall(r"\S{1,16}\s*|\s+", text)


def _within(limit: int | None, thought: list[str], said: list[str]) -> tuple[list[str], list[str], str]:
    """Cut to the limit. Thinking spends it first, so little is left, or nothing, to answer with."""
    room = len(thought) + len(said) if limit is None else limit
    reasoning, content = thought[:room], said[: max(0, room - len(thought))]
    return reasoning, content, "stop" if len(content) == len(said) else "length"


def _thinks(sandbox: Sandbox, model: str) -> bool:
    row = sandbox.row(model)
    return model == "sandbox-quirks" or (row is not None and "thinking" in row.get("features", ""))


def _text(ask: Ask) -> str:
    said = next((_words_of(m) for m in reversed(ask.messages) if m.get("role") == "user"), "")
    wanted = _dict(ask.body.get("response_format"))
    if wanted.get("type") == "json_object":
        return _compact({"echo": said})
    if wanted.get("type") == "json_schema":
        return _compact(instance_of(_dict(wanted.get("json_schema")).get("schema")))
    return _SPEECHES.get(ask.model, "{echo}").replace("{echo}", _echo(ask, said))


def _echo(ask: Ask, said: str) -> str:
    shown = said if len(said) <= _LONGEST_ECHO else said[:_LONGEST_ECHO] + "…"
    images = sum(part.get("type") == "image_url" for message in ask.messages for part in _parts(message))
    seen = f" with {images} image{'s'[: images != 1]}" if images else ""
    return f'sandbox/{ask.model}: you said "{shown}" ({len(said)} characters){seen}'


def _parts(message: Json) -> list[Json]:
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _words_of(message: Json) -> str:
    return " ".join(str(part.get("text", "")) for part in _parts(message) if part.get("type") == "text")


def _called_tool(body: Json) -> Json:
    """The function to call: the first one when one is required, the named one when it is named."""
    tools, choice = body.get("tools"), body.get("tool_choice")
    functions = [_dict(_dict(tool).get("function")) for tool in tools] if isinstance(tools, list) else []
    if choice == "required":
        return functions[0] if functions else {}
    named = _dict(_dict(choice).get("function")).get("name")
    return next((function for function in functions if named and function.get("name") == named), {})


def _usage(sandbox: Sandbox, ask: Ask, reasoning: int, said: int) -> Json:
    prompt = sum(len(pieces(_words_of(message))) for message in ask.messages)
    cached = sandbox.seen_before(_compact([ask.model, ask.messages]))
    usage: Json = {
        "prompt_tokens": prompt,
        "completion_tokens": reasoning + said,
        "total_tokens": prompt + reasoning + said,
    }
    if cached:
        usage["prompt_tokens_details"] = {"cached_tokens": prompt}
    if reasoning:
        usage["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return usage


def _dict(value: Any) -> Json:
    """A part of the request that should be an object; what is not one counts as absent."""
    return value if isinstance(value, dict) else {}


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def whole(answer: Answer) -> Json:
    message: Json = {"role": "assistant", "content": "".join(answer.content)}
    if answer.reasoning:
        message["reasoning_content"] = "".join(answer.reasoning)
    if answer.tool:
        message |= {"content": None, "tool_calls": [_call(answer, "".join(answer.arguments))]}
    return {
        "id": answer.id,
        "object": "chat.completion",
        "created": _CREATED,
        "model": answer.model,
        "choices": [{"index": 0, "message": message, "finish_reason": answer.finish}],
        "usage": answer.usage,
    }


def chunks(answer: Answer, *, include_usage: bool) -> list[Json]:
    """Role, reasoning, content, tool call, the reason it ended, and the usage when it was asked for."""
    deltas = [
        {"role": "assistant", "content": ""},
        *({"reasoning_content": piece} for piece in answer.reasoning),
        *({"content": piece} for piece in answer.content),
        *_tool_deltas(answer),
    ]
    said = [_chunk(answer, [_choice(delta)]) for delta in deltas]
    ended = _chunk(answer, [_choice({}, answer.finish)])
    used = [_chunk(answer, []) | {"usage": answer.usage}] if include_usage else []
    return [*said, ended, *used]


def _tool_deltas(answer: Answer) -> list[Json]:
    """The first fragment names the function, the others carry its arguments bit by bit."""
    if not answer.tool:
        return []
    first = {"index": 0, **_call(answer, "")}
    rest = ({"index": 0, "function": {"arguments": piece}} for piece in answer.arguments)
    return [{"tool_calls": [fragment]} for fragment in (first, *rest)]


def _call(answer: Answer, arguments: str) -> Json:
    function = {"name": answer.tool, "arguments": arguments}
    return {"id": f"call-{answer.id}", "type": "function", "function": function}


def _choice(delta: Json, finish: str | None = None) -> Json:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _chunk(answer: Answer, choices: list[Json]) -> Json:
    return {
        "id": answer.id,
        "object": "chat.completion.chunk",
        "created": _CREATED,
        "model": answer.model,
        "choices": choices,
    }


_SPEECHES = {
    "sandbox-trickle": " ".join(f"drop-{number}" for number in range(1, 21)),
    "sandbox-burst": " ".join(f"word-{number}" for number in range(1, 2001)),
    "sandbox-quirks": "{echo} – ça va, 你好 🙂",
}

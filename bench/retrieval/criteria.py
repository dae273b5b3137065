"""Criteria in the words of those who ask, and superlatives. Prices: a bare bound is the input's."""

from __future__ import annotations

from . import families as f
from .question import Question, ask, ask_named
from .rules import (
    FREE,
    Rule,
    can,
    cheap,
    cheapest,
    context,
    every,
    family,
    input_at_most,
    kind,
    largest,
    output,
    output_at_most,
    reads,
)

VISION, AUDIO, VIDEO_IN, PDF = reads("image"), reads("audio"), reads("video"), reads("pdf")
THINKS, TOOLS, JSON, WEB, DEEP = (
    can("thinking"),
    can("tools"),
    can("structured_outputs"),
    can("web"),
    can("deepsearch"),
)
LLM = kind("llm")
EMBEDDING = kind("embedding", "embed")
RERANK = kind("rerank", "rerank")
STT = kind("stt", "whisper")
TTS = kind("tts", "tts")
OCR = kind("ocr", "ocr")
PICTURES = kind("image_generation", "image|dall|flux|cogview")
CLIPS = kind("video", "video|t2v|i2v")
LONG, LONG_OUTPUT = context(200_000), output(32_000)
MILLION = context(1_000_000)


def _ask(text: str, *rules: Rule) -> Question:
    return ask("criteria", text, *rules)


CRITERIA = [
    _ask("vision model under $1", VISION, input_at_most(1)),
    _ask("model that reads pdfs", PDF),
    _ask("audio in, 1m context", AUDIO, MILLION),
    _ask("reasoning model with tools and json under $0.3", THINKS, TOOLS, JSON, input_at_most(0.3)),
    _ask("embedding model", EMBEDDING),
    _ask("speech to text", STT),
    _ask("image generation", PICTURES),
    _ask("reranker", RERANK),
    _ask("text to speech", TTS),
    _ask("free vision model with tools", FREE, VISION, TOOLS),
    _ask("free reasoning model", FREE, THINKS),
    _ask("function calling and web search", TOOLS, WEB),
    _ask("thinking model with at least 200k context", THINKS, LONG),
    _ask("models with long output", LONG_OUTPUT),
    _ask("long context under $0.1", LONG, input_at_most(0.1)),
    _ask("$0.5 per million output", output_at_most(0.5)),
    _ask("vision, under $1 per million output", VISION, output_at_most(1)),
    _ask("tool use with an output price below $0.4", TOOLS, output_at_most(0.4)),
    _ask("video input and 1m context", VIDEO_IN, MILLION),
    _ask("ocr", OCR),
    _ask("2m context", context(2_000_000)),
    _ask("max output 128k and reasoning", output(128_000), THINKS),
    _ask("text to video", CLIPS),
    _ask("embedding model that accepts images", EMBEDDING, VISION),
    _ask("rerank models under $0.06", RERANK, input_at_most(0.06)),
    _ask("thinking model that takes images, audio and video", THINKS, reads("image", "audio", "video")),
    _ask("web search under $0.2", WEB, input_at_most(0.2)),
    _ask("free models with structured outputs", FREE, JSON),
    _ask("free with 1m context", FREE, MILLION),
    _ask("json, tools, 400k context, under $0.5", JSON, TOOLS, context(400_000), input_at_most(0.5)),
    _ask("transcription", STT),
    _ask("can see images and call functions, less than 0.5 dollars", VISION, TOOLS, input_at_most(0.5)),
    _ask("deepsearch models", DEEP),
    _ask("embeddings under $0.05", EMBEDDING, input_at_most(0.05)),
    _ask("free llm that reads images and video", FREE, LLM, reads("image", "video")),
    _ask("image input, 256k context, at most $0.1", VISION, context(256_000), input_at_most(0.1)),
    _ask("reasoning with 500k context and 64k output", THINKS, context(500_000), output(64_000)),
    _ask("speech recognition", STT),
    _ask("text-to-image", PICTURES),
    _ask("an llm with audio input and function calling", LLM, AUDIO, TOOLS),
    _ask("web search + reasoning + 1m context", WEB, THINKS, MILLION),
    _ask("reasoning, image input, max $2 per million output", THINKS, VISION, output_at_most(2)),
    _ask("context of 1,000,000 tokens and json output", MILLION, JSON),
    _ask("free, 200000 tokens of context", FREE, LONG),
    _ask("structured output below $0.05 per million input tokens", JSON, input_at_most(0.05)),
    _ask("pdf and audio input, thinking", reads("pdf", "audio"), THINKS),
    _ask("tts", TTS),
    _ask("video generation", CLIPS),
    _ask("free vision llm with long context", FREE, VISION, LLM, LONG),
    _ask("free function calling models with long output", FREE, TOOLS, LONG_OUTPUT),
    _ask("vision and audio under $0.2", reads("image", "audio"), input_at_most(0.2)),
    _ask("tools, thinking, vision, 1m context", TOOLS, THINKS, VISION, MILLION),
    _ask("I need a model that can listen to audio and search the web", AUDIO, WEB),
    _ask("multimodal model for images and video with 250k context under 10 cents",
         reads("image", "video"), context(250_000), input_at_most(0.1)),
]  # fmt: skip


def _first(text: str, best: frozenset[str] | str, *rules: Rule) -> Question:
    return ask("superlatives", text, *rules, best=best)


def _cheapest(text: str, *rules: Rule) -> Question:
    return ask("superlatives", text, *rules, best=cheapest(every(*rules)))


def _cheap(text: str, *rules: Rule) -> Question:
    return ask("superlatives", text, *rules, best=cheap(every(*rules)))


def _newest(text: str, whose: Rule, best: str) -> Question:
    return ask_named("superlatives", text, whose, best=best)


SUPERLATIVES = [
    _cheapest("cheapest embedding", EMBEDDING),
    _cheapest("cheapest vision model", VISION),
    _cheapest("cheapest claude", f.CLAUDE),
    _newest("newest claude opus", family("opus"), "claude-opus-4-8"),
    _newest("latest gemini pro", f.GEMINI, "gemini-3.1-pro-preview"),
    _newest("latest deepseek", f.DEEPSEEK, "deepseek-v4-pro deepseek-v4-flash"),
    _cheap("cheap reasoning model", THINKS),
    _cheap("cheap model with tools", TOOLS),
    _cheapest("cheapest reranker", RERANK),
    _cheapest("cheapest model with 1m context and vision", MILLION, VISION),
    _newest("newest kimi", f.KIMI, "kimi-k2.7-code kimi-k2.7-code-highspeed"),
    _newest("latest glm", f.GLM, "glm-5.2"),
    _newest("newest qwen max", f.QWEN, "qwen3.7-max"),
    _first("cheapest ocr model", "deepseek-ocr DeepSeek-OCR", OCR),
    _cheapest("cheapest model that reads pdf", PDF),
    _first("largest context window", largest("context_length", context(1))),
    _newest("latest grok", f.GROK, "grok-4.3 grok-4-20-reasoning grok-4-20-non-reasoning"),
    _newest("latest claude sonnet", family("sonnet"), "claude-sonnet-5"),
    _cheapest("cheapest mistral", f.MISTRAL),
    _cheapest("cheapest gemini with reasoning", f.GEMINI, THINKS),
    _newest("newest gpt image model", family("gpt-image"), "gpt-image-2"),
    _newest("latest minimax", f.MINIMAX, "minimax-m3"),
    _cheapest("cheapest model with web search", WEB),
    _cheap("cheap long context model with json", LONG, JSON),
    _newest("newest gemini flash", f.GEMINI, "gemini-3.5-flash"),
    _newest("latest ernie", f.ERNIE, "ernie-5.1"),
    _cheapest("lowest priced grok with vision", f.GROK, VISION),
    _cheapest("cheapest 128k output", output(128_000)),
    _first("longest context with vision", largest("context_length", VISION), VISION),
    _newest("newest gpt codex", f.CODEX, "gpt-5.3-codex"),
    _newest("latest doubao", f.DOUBAO, "doubao-seed-2-1-pro doubao-seed-2-1-turbo"),
    _cheapest("cheapest openai reasoning model", f.OPENAI, THINKS),
    _cheap("inexpensive vision model with function calling", VISION, TOOLS),
    _newest("the latest claude", f.CLAUDE, "claude-sonnet-5 claude-fable-5 claude-opus-4-8"),
    _newest("newest gpt", f.GPT, "gpt-5.5 gpt-5.5-pro gpt-chat-latest"),
    _cheapest("cheapest audio input", AUDIO),
]

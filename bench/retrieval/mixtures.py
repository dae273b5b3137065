"""A name or a family, with criteria. Rows of the name whose facts are unknown may follow the known ones."""

from __future__ import annotations

from . import families as f
from .criteria import (
    AUDIO,
    EMBEDDING,
    JSON,
    LONG,
    LONG_OUTPUT,
    MILLION,
    PDF,
    PICTURES,
    THINKS,
    TOOLS,
    VIDEO_IN,
    VISION,
    WEB,
)
from .names import VEO_31
from .question import Question, ask_named
from .rules import FREE, Rule, context, family, input_at_most, kind, output, output_at_most

_GPT_41 = "gpt-4.1-mini gpt-4.1-nano gpt-4.1-free gpt-4.1-mini-free gpt-4.1-nano-free"
_WHISPER = "whisper-1 whisper-large-v3 whisper-large-v3-turbo"
_SONNET = "claude-sonnet-5 claude-sonnet-4-6 claude-sonnet-4-5"


def _mix(text: str, *rules: Rule, best: str = "") -> Question:
    return ask_named("mixtures", text, *rules, best=best)


MIXTURES = [
    _mix("claude with 1m context", f.CLAUDE, MILLION),
    _mix("free gpt", f.GPT, FREE),
    _mix("qwen vision model under $0.1", f.QWEN, VISION, input_at_most(0.1)),
    _mix("gemini that reads pdf", f.GEMINI, PDF),
    _mix("gpt-5 mini with tools", TOOLS, best="gpt-5-mini"),
    _mix("free gemini", f.GEMINI, FREE, best="gemini-3-flash-preview-free"),
    _mix("google embedding model", f.GOOGLE, EMBEDDING),
    _mix("openai speech to text", f.OPENAI, kind("stt", "whisper"), best=_WHISPER),
    _mix("deepseek with reasoning under $0.5", f.DEEPSEEK, THINKS, input_at_most(0.5)),
    _mix("grok 2m context", f.GROK, context(2_000_000)),
    _mix("claude haiku with vision", VISION, best="claude-haiku-4-5"),
    _mix("free minimax", f.MINIMAX, FREE),
    _mix("kimi that understands images", f.KIMI, VISION),
    _mix("doubao with audio input", f.DOUBAO, AUDIO, best="doubao-seed-2-0-lite-260428"),
    _mix("jina reranker", f.JINA, kind("rerank", "rerank")),
    _mix("jina embeddings", f.JINA, EMBEDDING),
    _mix("qwen embedding", f.QWEN, EMBEDDING),
    _mix("qwen rerank under $0.2", f.QWEN, kind("rerank", "rerank"), input_at_most(0.2)),
    _mix("openai image generation", f.OPENAI, PICTURES),
    _mix("gpt codex with 400k context", f.CODEX, context(400_000)),
    _mix("claude under $2", f.CLAUDE, input_at_most(2)),
    _mix("anthropic thinking 128k output", f.CLAUDE, THINKS, output(128_000)),
    _mix("llama with tools and images", f.LLAMA, TOOLS, VISION),
    _mix("gemini flash with audio input", AUDIO, f.GEMINI, family("flash")),
    _mix("ernie with function calling", f.ERNIE, TOOLS),
    _mix("mimo free", f.MIMO, FREE),
    _mix("glm vision", f.GLM, VISION, best="glm-5v-turbo glm-4.6v glm-4.5v"),
    _mix("openai tts", f.OPENAI, kind("tts", "tts")),
    _mix("xai model under $0.5 with reasoning", f.GROK, THINKS, input_at_most(0.5)),
    _mix("moonshot 200k context with json", f.KIMI, LONG, JSON),
    _mix("deepseek v4 with long output", LONG_OUTPUT, best="deepseek-v4-pro deepseek-v4-flash"),
    _mix("mistral with vision", f.MISTRAL, VISION, best="mistral-large-3"),
    _mix("qwen3 coder 1m context", MILLION, best="qwen3-coder-plus qwen3-coder-next qwen3-coder-30b-a3b-instruct"),
    _mix("nvidia reasoning model", f.NVIDIA, THINKS, best="nvidia-nemotron-3-super-120b-a12b"),
    _mix("gpt 4.1 under $0.5 long context", LONG, input_at_most(0.5), best=_GPT_41),
    _mix("alibaba with video input under $0.05", f.ALIBABA, VIDEO_IN, input_at_most(0.05)),
    _mix("free step flash", f.STEP, FREE, best="step-3.7-flash-free"),
    _mix("cluade sonnet with 1m context", f.CLAUDE, MILLION, best=_SONNET),
    _mix("gemini with web search", f.GEMINI, WEB),
    _mix("cohere reranker", f.COHERE, kind("rerank", "rerank")),
    _mix("minimax under $0.3 input and under $1.2 output", f.MINIMAX, input_at_most(0.3), output_at_most(1.2)),
    _mix("openai model with web search and 1m context", f.OPENAI, WEB, MILLION),
    _mix("microsoft phi with image input", f.PHI, VISION),
    _mix("bytedance image generation", f.BYTEDANCE, PICTURES),
    _mix("google video generation", f.GOOGLE, kind("video", "veo"), best=VEO_31),
    _mix("free glm for coding", f.GLM, FREE),
    _mix("hunyuan with 200k context", f.TENCENT, LONG, best="hy3-preview"),
    _mix("gpt with audio in", f.GPT, AUDIO),
]  # fmt: skip

"""What is asked: many different questions, so that nothing remembered between calls helps."""

from __future__ import annotations

FILTERS = (
    {"features": ["tools"], "modalities": ["image"], "max_input_price": 1, "sort_by": "input_price"},
    {"type": "llm", "min_context": 200_000, "sort_by": "context_length"},
    {"developer": "openai", "features": "structured_outputs"},
    {"type": "image_generation", "sort_by": "name"},
    {"modalities": ["image", "pdf"], "max_output_price": 10, "sort_by": "output_price"},
    {"model": "mini", "features": ["tools", "thinking"]},
    {"free": True, "type": "llm"},
    {"type": "embedding", "sort_by": "name", "sort_order": "desc"},
)

QUERIES = (
    "gpt 5 mini",
    "claude sonnet",
    "cluade sonet",
    "gemini flash",
    "gemni pro preview",
    "deepseek v3",
    "deepseak reasoner",
    "qwen3 coder",
    "qwen 3 235b instruct",
    "llama 3.1 405b",
    "lama 70b",
    "grok 4 fast reasoning",
    "kimi k2",
    "glm 4.7",
    "minimax m2",
    "image generation",
    "text embedding",
    "rerank",
    "rerankr multilingual",
    "video from an image",
    "speech to text",
    "whisper",
    "a cheap model for code",
    "a model for reasoning with tools",
    "long context documents",
    "gpt-4o-mini-2024-07-18",
    "o3 deep research",
    "openai codex",
    "anthropic opus",
    "antropic opus",
    "mistral large",
    "doubao seed 1.6",
    "doubao flash",
    "jina colbert",
    "command a cohere",
    "gemma 3 27b",
    "free model for chat",
    "ernie",
    "hunyuan",
    "vison model that reads pictures",
)

# Criteria in words, alone and beside a name.
MIXTURES = (
    "cheapest vision model",
    "free models with tools",
    "200k context under $1",
    "newest claude with vision",
    "gpt with structured output under $2 per million tokens",
    "largest context gemini",
    "便宜的视觉模型",
    "open model that thinks, at least 64k output",
)

BEGINNINGS = ("", "g", "gpt", "claude-3", "deepseek-r", "flash", "Qwen2.5-C", "no such model")

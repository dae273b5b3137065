"""The words that the hubs' documents name for types, features and input modalities."""

from __future__ import annotations

TYPES = ("llm", "image_generation", "video", "tts", "stt", "embedding", "rerank", "ocr", "search")
FEATURES = ("thinking", "tools", "web", "deepsearch", "long_context", "structured_outputs")
MODALITIES = ("text", "image", "audio", "video", "pdf")

TYPE_ALIASES = {"t2t": "llm", "t2i": "image_generation", "t2v": "video", "reranking": "rerank"}
FEATURE_ALIASES = {
    # Set unevenly by the hub, and the same to a user.
    "function_calling": "tools",
    "tool": "tools",
    "tool_use": "tools",
    "reasoning": "thinking",
    "web_search": "web",
    "json": "structured_outputs",
}
MODALITY_ALIASES = {"images": "image", "vision": "image"}

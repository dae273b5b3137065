"""Who made a model, read from its id: one small table.

Hubs name the developer by number, by whoever hosts the model, or not at all.
An id is read from its last part: `deepinfra-llama-4-scout` and `meta-llama/Llama-3` are Meta's.
"""

from __future__ import annotations

import re
from functools import lru_cache

_STARTS = {
    "01-ai": "yi-",
    "aihubmix": "auto aihubmix-router",
    "ai21": "jamba",
    "alibaba": "wan2 wan- gte- gme- happyhorse text-embedding-v tongyi",
    "anthropic": "claude opus- sonnet- haiku-",
    "baai": "bge-",
    "baichuan": "baichuan",
    "baidu": "ernie qianfan paddleocr pp-structure musesteamer embedding-v1 tao-8k",
    "black-forest-labs": "flux",
    "bytedance": "doubao seed-",
    "cohere": "command cohere embed-v- rerank-v",
    "deepseek": "deepseek janus",
    "google": "gemini gemma imagen veo learnlm text-embedding-00 palm",
    "ideogram": "v_ v3 describe upscale ideogram",
    "inclusionai": "ling- ring-",
    "jina": "jina",
    "kuaishou": "kling kat-",
    "meituan": "longcat",
    "meta": "llama meta-llama",
    "microsoft": "phi- mai- wizardlm wizardcoder",
    "minimax": "minimax",
    "mistral": "mistral mixtral codestral ministral magistral devstral pixtral",
    "moonshot": "kimi moonshot moonlight k2",
    "netease": "bce-",
    "nvidia": "nemotron llama-3.1-nemotron llama-3.3-nemotron llama-3_1-nemotron",
    "openai": "gpt chatgpt o1 o3 o4 davinci babbage text-ada text-babbage text-curie text-davinci"
    " text-search text-moderation text-embedding-ada text-embedding-3 omni-moderation code-davinci"
    " codex computer-use dall-e sora tts-1 whisper distil-whisper",
    "perplexity": "sonar llama-3.1-sonar",
    "qwen": "qwen qwq qvq",
    "stability": "stable-diffusion sdxl",
    "stepfun": "step-1 step-2 step-3 step3",
    "tencent": "hunyuan hy3",
    "tng": "deepseek-r1t",
    "xai": "grok",
    "xiaomi": "mimo xiaomi",
    "zhipu": "glm chatglm cogview cogvideo embedding-2 embedding-3",
}

_HOSTS = re.compile(
    r"^(?:(?:aihubmix|aihub|ahm|alicloud|anthropic|azure|bai|cbs|cc|cerebras|cloudflare|coding|deepinfra|fx|google"
    r"|groq|mm|moonshot|nvidia|qianfan|sf|zai|meta)-(?=[a-z]))+"
)

# The longest start decides: `llama-3.1-sonar` is not Meta's.
_BY_START = sorted(
    ((start, developer) for developer, starts in _STARTS.items() for start in starts.split()),
    key=lambda pair: -len(pair[0]),
)

_NOT_MAKERS = frozenset(
    {"", "custom", "system", "library", "vllm", "llamacpp", "user", "organization", "owner"}
)


@lru_cache(maxsize=4096)
def developer_of(model_id: str, owned_by: str = "") -> str:
    """The developer's short name, `owned_by` where the id says nothing, or an empty string."""
    path = model_id.casefold().split("/")
    name = path[-1]
    bare = _HOSTS.sub("", name)
    owner = owned_by.casefold().strip()
    known = _by_start(bare) or _by_start(name)
    return known or (path[0] if len(path) > 1 else "") or ("" if owner in _NOT_MAKERS else owner)


def _by_start(name: str) -> str:
    return next((developer for start, developer in _BY_START if name.startswith(start)), "")

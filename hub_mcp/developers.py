"""Who made a model, read from its id: one small table.

Hubs name the developer by number, by whoever hosts the model, or not at all.
An id is read from its last part: `deepinfra-llama-4-scout` and `meta-llama/Llama-3` are Meta's.
"""

from __future__ import annotations

import re
from functools import lru_cache

from . import text

_STARTS = {
    "01-ai": "yi",
    "aihubmix": "auto aihubmix-router",
    "ai21": "jamba",
    "alibaba": "wan gte- gme- happyhorse text-embedding-v tongyi",
    "amazon": "nova titan",
    "anthropic": "claude opus sonnet haiku",
    "baai": "bge-",
    "baichuan": "baichuan",
    "baidu": "ernie qianfan paddleocr pp-structurev musesteamer embedding-v1 tao-8k",
    "black-forest-labs": "flux",
    "bytedance": "doubao seed-",
    "cohere": "command cohere embed-v- rerank-v",
    "deepseek": "deepseek janus",
    "google": "gemini gemma imagen veo learnlm text-embedding-004 text-embedding-005 palm",
    "huggingface": "distil-whisper smollm zephyr",
    "ibm": "granite",
    "ideogram": "v_ v3 describe upscale ideogram",
    "inclusionai": "ling- ring-",
    "jina": "jina",
    "kuaishou": "kling kat-",
    "meituan": "longcat",
    "meta": "llama codellama meta-llama",
    "microsoft": "phi mai- wizardlm wizardcoder",
    "minimax": "minimax",
    "mistral": "mistral mixtral codestral ministral magistral devstral pixtral",
    "moonshot": "kimi moonshot moonlight k2",
    "netease": "bce-",
    "nomic": "nomic",
    "nvidia": "nemotron llama-3.1-nemotron llama-3.3-nemotron llama-3_1-nemotron",
    "openai": "gpt chatgpt o1 o3 o4 davinci babbage text-ada text-babbage text-curie text-davinci"
    " text-search text-moderation text-embedding-ada text-embedding-3 omni-moderation code-davinci"
    " codex computer-use dall-e sora tts-1 whisper",
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

_DEVELOPER_OF = {start: developer for developer, starts in _STARTS.items() for start in starts.split()}


def _whole_word(start: str) -> str:
    last = start[-1]
    return re.escape(start) + (r"(?![^\W\d_])" if last.isalpha() else r"(?!\d)" if last.isdigit() else "")


# The longest start decides: `llama-3.1-sonar` is not Meta's.
_ANY_START = re.compile("|".join(map(_whole_word, sorted(_DEVELOPER_OF, key=len, reverse=True))))

_ORGANIZATIONS = {
    "deepseek-ai": "deepseek",
    "google-deepmind": "google",
    "ibm-granite": "ibm",
    "meta-llama": "meta",
    "minimaxai": "minimax",
    "mistralai": "mistral",
    "moonshotai": "moonshot",
    "stabilityai": "stability",
    "stepfun-ai": "stepfun",
    "thudm": "zhipu",
    "x-ai": "xai",
    "z-ai": "zhipu",
    "zai-org": "zhipu",
    "zhipuai": "zhipu",
}
"""Where the name before the slash, or in `owned_by`, is not the developer's short one."""

_NOT_MAKERS = frozenset(
    {"custom", "library", "llamacpp", "models", "organization", "organization-owner", "owner", "pro"}
    | {"system", "user", "vllm"}
)


@lru_cache(maxsize=4096)
def developer_of(model_id: str, owned_by: str = "") -> str:
    """The developer's short name, `owned_by` where the id says nothing, or an empty string."""
    *path, name = text.fold(model_id).split("/")
    known = _by_start(bare_name(name)) or _by_start(name)
    return known or _by_organization(path[-1] if path else "") or _by_organization(text.fold(owned_by))


@lru_cache(maxsize=4096)
def family_of(model_id: str) -> str:
    """The family that an id begins with, such as `claude` or `gpt`; empty where the table knows none."""
    name = bare_name(model_id)
    start = _start(name)
    family = start.strip("-_").rstrip("0123456789.") or start
    return _FAMILY_NAMES.get(family, family)


COMPANIES = {"qwen": "alibaba"}
"""Developers that are better known by their own name than by their company's."""

_FAMILY_NAMES = {"hy": "hunyuan", "v": "ideogram"}
"""Where ids begin with less than the family's name."""


def bare_name(model_id: str) -> str:
    """An id without the organization and the host before it: `scout` models are `llama-4-scout` everywhere."""
    return _HOSTS.sub("", text.fold(model_id).rpartition("/")[2])


def _by_start(name: str) -> str:
    return _DEVELOPER_OF.get(_start(name), "")


def _start(name: str) -> str:
    """The longest known start that `name` begins with as a word of its own: `phi3` with `phi`, not `philosopher`."""
    found = _ANY_START.match(name)
    return found[0] if found else ""


def _by_organization(name: str) -> str:
    name = name.strip()
    return "" if name in _NOT_MAKERS else _ORGANIZATIONS.get(name, name)

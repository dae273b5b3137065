"""Where a quick reading goes wrong: twins, words that are name and criterion, prices that are none."""

from __future__ import annotations

from . import families as f
from .criteria import CLIPS, STT, THINKS, VISION
from .question import Question, ask, ask_in_vain, ask_named, names
from .rules import FREE, context, every, family, ids, input_at_most, matching

GROUP = "traps"


def _name(text: str, best: str = "") -> Question:
    return names(GROUP, [(text, best or text)])[0]


TRAPS = [
    # Case twins: the exact one first.
    _name("DeepSeek-V3"),
    _name("DeepSeek-v3"),
    _name("deepseek-v3"),
    _name("GPT-OSS-20B"),
    _name("gpt-oss-20b"),
    _name("cc-MiniMax-M2"),
    _name("ernie-x1.1-preview"),
    _name("Qwen3-235B-A22B-Thinking-2507"),
    _name("DeepSeek-OCR"),
    # Numbers and criteria that are part of a name.
    _name("gpt-4-32k"),
    _name("moonshot-v1-128k"),
    _name("moonshot v1 32k", "moonshot-v1-32k"),
    _name("Doubao-pro-256k"),
    _name("doubao lite 128k", "Doubao-lite-128k"),
    _name("gpt 3.5 turbo 16k", "gpt-3.5-turbo-16k"),
    _name("minimax m1 80k", "MiniMaxAI/MiniMax-M1-80k"),
    _name("ernie 4.5 turbo 128k", "ernie-4.5-turbo-128k-preview"),
    _name("baichuan3 turbo 128k", "Baichuan3-Turbo-128k"),
    _name("tao-8k"),
    _name("llama3 70b 8192", "llama3-70b-8192"),
    _name("grok-4-fast-reasoning"),
    _name("grok-4-fast-non-reasoning"),
    _name("grok 4.1 fast non reasoning", "grok-4-1-fast-non-reasoning"),
    _name("gpt-4-vision-preview"),
    _name("gpt 4 vision", "gpt-4-vision-preview"),
    _name("gpt-4o-search-preview"),
    _name("gpt 4o audio", "gpt-4o-audio-preview"),
    _name("kimi k2 thinking", "kimi-k2-thinking"),
    _name("kimi-thinking-preview"),
    _name("qwen max longcontext", "qwen-max-longcontext"),
    _name("qwen-long"),
    _name("llama 3.1 405b reasoning", "llama-3.1-405b-reasoning"),
    _name("llama 3.2 11b vision", "llama-3.2-11b-vision-preview aihubmix-Llama-3-2-11B-Vision"),
    _name("gemini pro vision", "gemini-pro-vision"),
    _name("jina-search"),
    _name("jina deepsearch", "jina-deepsearch-v1"),
    _name("o3 deep research", "o3-deep-research"),
    _name("embedding-3"),
    _name("text embedding v4", "text-embedding-v4"),
    _name("qwen image edit", "qwen-image-edit"),
    _name("gpt-image-1-mini"),
    _name("codestral-latest"),
    _name("gpt chat latest", "gpt-chat-latest"),
    _name("qwen plus latest", "qwen-plus-latest"),
    _name("gpt-4o-free"),
    _name("coding glm 5.2 free", "coding-glm-5.2-free"),
    _name("gemini 2.5 flash nothink", "gemini-2.5-flash-nothink"),
    _name("llama-3.1-8b-instruct:free", "meta-llama/llama-3.1-8b-instruct:free"),
    _name("ernie 5.0 thinking", "ernie-5.0-thinking-preview ernie-5.0-thinking-exp"),
    _name("deepseek v3.2 speciale", "azure-deepseek-v3.2-speciale"),
    _name("phi 4 multimodal", "aihub-Phi-4-multimodal-instruct"),
    _name("V3"),
    _name("wan2.6-t2i"),
    # An id that says free and costs; a row that is not priced per token.
    ask_in_vain(GROUP, "free llama"),
    ask_in_vain(GROUP, "free mistral"),
    ask_in_vain(GROUP, "free claude"),
    ask_in_vain(GROUP, "text to speech under $1"),
    ask_in_vain(GROUP, "free video generation"),
    ask_named(GROUP, "gemma under $0.05", f.GEMMA, input_at_most(0.05), best="google/gemma-2-9b-it:free"),
    ask(GROUP, "cheapest video generation", CLIPS),
    ask(GROUP, "cheap speech to text", STT),
    ask(GROUP, "free models", FREE),
    ask_named(GROUP, "grok reasoning", f.GROK, THINKS, best=matching(
        r"grok-(4|code|build)(?!.*non-).*") & ids(every(f.GROK, THINKS))),
    # Facts the catalog does not hold: the model that was named is still found.
    ask_named(GROUP, "yi-large 16k context", f.YI, context(16_000), best="yi-large"),
    ask_named(GROUP, "o1-pro 200k context", context(200_000), best="o1-pro"),
    ask_named(GROUP, "moonshot v1 vision", f.KIMI, VISION, best=(
        "moonshot-v1-128k-vision-preview moonshot-v1-32k-vision-preview moonshot-v1-8k-vision-preview")),
    ask_named(GROUP, "deepseek v3.2 with 128k context", f.DEEPSEEK, context(128_000),
              best="deepseek-v3.2 deepseek-v3.2-think"),
    ask_named(GROUP, "kimi k2.5 256k context", f.KIMI, context(256_000), best="kimi-k2.5"),
    ask_named(GROUP, "grok-3 with 100k context", context(100_000), best="grok-3"),
    ask_named(GROUP, "hunyuan 32k context", f.TENCENT, context(32_000),
              best="hy3-preview tencent/Hunyuan-A13B-Instruct"),
    ask_named(GROUP, "gpt-4-turbo with vision", VISION, best="gpt-4-turbo"),
    ask_named(GROUP, "sonnet 3.7 thinking", THINKS, family("sonnet"), best="claude-3-7-sonnet"),
]  # fmt: skip

"""Who made what, by the ids; and questions for a whole family or developer."""

from __future__ import annotations

from .question import Question
from .rules import Rule, family, matching

DISTILLED = r"distil|gme-|janus|nemotron"

CLAUDE = family(r"claude|^anthropic-")
GPT = family(r"(^|[/-])gpt-")
OPENAI = family(
    r"^(gpt-|o[134](-|$)|dall-e|whisper-|tts-1|codex-|sora-|computer-use|omni-moderation|text-moderation"
    r"|(text-|code-)?davinci|text-(ada|babbage|curie|search-ada|embedding-(3|ada)))",
    r"distil|^gpt-4o-zh|^gpt-image-test",
)
GEMINI = family(r"gemini", r"learnlm")
GEMMA = family(r"gemma")
GOOGLE = family(r"gemini|gemma|imagen|^veo-", r"learnlm|text-embedding-004")
QWEN = family(r"qwen|qwq|qvq", DISTILLED)
ALIBABA = family(r"qwen|qwq|qvq|^wan2|^gte-|happyhorse", DISTILLED + r"|text-embedding-v|^alicloud-")
DEEPSEEK = family(r"deepseek", r"distill|chimera")
LLAMA = family(r"llama", r"distill|nemotron|sonar|qianfan|groq-(70|8)b-8192-tool")
GLM = family(r"glm", r"cogview|^embedding-[23]$")
KIMI = family(r"kimi|moonshot|moonlight|k2\.6-code")
GROK = family(r"grok")
DOUBAO = family(r"doubao", r"seed-oss")
BYTEDANCE = family(r"doubao|seed-oss")
MINIMAX = family(r"minimax")
ERNIE = family(r"ernie")
BAIDU = family(
    r"ernie|qianfan", r"^embedding-v1|tao-8k|paddleocr|structurev3|musesteamer|distill|bce-|bge-large"
)
MISTRAL = family(r"mistral|codestral")
PHI = family(r"phi-[34]")
NEMOTRON = family(r"nemotron")
NVIDIA = family(r"nvidia|nemotron")
MIMO = family(r"mimo")
STEP = family(r"(^|-)step-|stepfun")
TENCENT = family(r"hunyuan|^hy3")
COHERE = family(r"cohere|(^|-)command|^embed-v-4")
JINA = family(r"^jina-")
CODEX = family(r"codex")
BAICHUAN = family(r"baichuan")
YI = family(r"^yi-")
LING = family(r"inclusionai")
PERPLEXITY = family(r"sonar")
MAI = family(r"^mai-image")
SEEDREAM = family(r"seedream")
WAN = family(r"^wan2")
HAPPYHORSE = family(r"happyhorse")
KLING = family(r"kling")
FLUX = family(r"flux")
VEO = family(r"^veo-")
IMAGEN = family(r"^imagen")

GROUP = "families"


def _whole(text: str, rule: Rule, best: str = "") -> Question:
    """`best` is the form of the ids that belong first: today's, not the copies or the retired."""
    return Question(text, GROUP, matching(best) if best else frozenset(), rule, named=True)


QUESTIONS = [
    _whole("claude", CLAUDE, r"claude-(sonnet-5|fable-5|opus-4-[78]|haiku-4-5|sonnet-4-6)"),
    _whole(
        "anthropic models", CLAUDE, r"claude-(sonnet-5|fable-5|opus-4-[78]|haiku-4-5|sonnet-4-6)|anthropic.*"
    ),
    _whole("openai", OPENAI),
    _whole("gemini", GEMINI, r"gemini-(3\.5-flash|3\.1-(pro|flash|flash-lite).*|3-.*|2\.5-(pro|flash))"),
    _whole("google models", GOOGLE),
    _whole("gemma", GEMMA, r"gemma-[34].*"),
    _whole("qwen", QWEN, r"qwen3.*|qwen-(max|plus|flash|turbo|long)"),
    _whole("alibaba", ALIBABA),
    _whole("deepseek", DEEPSEEK, r"deepseek-v(4|3\.2).*"),
    _whole("llama", LLAMA, r"llama-(4|3\.3).*"),
    _whole("meta models", LLAMA),
    _whole("glm", GLM, r"glm-[45].*"),
    _whole("zhipu", GLM),
    _whole("kimi", KIMI, r"kimi-k2.*"),
    _whole("moonshot", KIMI),
    _whole("grok", GROK, r"grok-(4|build|code).*"),
    _whole("xai models", GROK),
    _whole("doubao", DOUBAO, r"doubao-seed.*"),
    _whole("bytedance", BYTEDANCE),
    _whole("minimax models", MINIMAX, r"minimax-m[23].*"),
    _whole("ernie", ERNIE, r"ernie-[45].*"),
    _whole("baidu", BAIDU),
    _whole("mistral", MISTRAL, r"mistral-.*|Mistral-.*"),
    _whole("microsoft phi", PHI),
    _whole("nemotron", NEMOTRON),
    _whole("nvidia models", NVIDIA),
    _whole("xiaomi mimo", MIMO, r"(xiaomi-)?mimo-v2.*"),
    _whole("stepfun", STEP),
    _whole("tencent", TENCENT),
    _whole("cohere models", COHERE),
    _whole("jina", JINA),
    _whole("codex", CODEX),
    _whole("baichuan", BAICHUAN),
    _whole("01.ai yi", YI),
    _whole("inclusion ai", LING),
    _whole("perplexity sonar", PERPLEXITY),
    _whole("wan", WAN),
    _whole("flux", FLUX),
    _whole("veo", VEO),
    _whole("imagen", IMAGEN, r"imagen-4.*"),
    _whole("happyhorse", HAPPYHORSE),
    _whole("seedream", SEEDREAM),
    _whole("opus", family("opus"), r"claude-opus-4-[678]"),
    _whole("sonnet", family("sonnet"), r"claude-sonnet-(5|4-6)"),
    _whole("haiku", family("haiku"), r"claude-haiku-4-5"),
]

"""Names, families and criteria as they are asked for in Chinese."""

from __future__ import annotations

from . import families as f
from .criteria import (
    AUDIO,
    CLIPS,
    EMBEDDING,
    JSON,
    LLM,
    LONG,
    MILLION,
    OCR,
    PDF,
    PICTURES,
    RERANK,
    STT,
    THINKS,
    TOOLS,
    TTS,
    VIDEO_IN,
    VISION,
    WEB,
)
from .question import Question, ask, ask_named, names
from .rules import FREE, Rule, cheap, cheapest, context, family, input_at_most, output, output_at_most

GROUP = "chinese"


def _ask(text: str, *rules: Rule, best: frozenset[str] | str = "") -> Question:
    return ask(GROUP, text, *rules, best=best)


def _named(text: str, *rules: Rule, best: frozenset[str] | str = "") -> Question:
    return ask_named(GROUP, text, *rules, best=best)


def _name(text: str, best: str) -> Question:
    return names(GROUP, [(text, best)])[0]


CHINESE = [
    _ask("免费的视觉模型", FREE, VISION),
    _name("通义千问3 max", "qwen3-max"),
    _ask("嵌入模型", EMBEDDING),
    _name("豆包 seed 2.0 pro", "doubao-seed-2-0-pro"),
    _ask("语音转文字", STT),
    _named("深度求索", f.DEEPSEEK),
    _ask("文生图", PICTURES),
    _name("文心一言 5.1", "ernie-5.1"),
    _ask("支持图片输入的推理模型", VISION, THINKS),
    _name("智谱 glm 5.2", "glm-5.2"),
    _ask("重排序模型", RERANK),
    _name("月之暗面 kimi k2.6", "kimi-k2.6"),
    _ask("100万上下文", MILLION),
    _ask("文生视频", CLIPS),
    _name("深度求索 v3.2", "deepseek-v3.2"),
    _ask("最便宜的嵌入模型", EMBEDDING, best=cheapest(EMBEDDING)),
    _named("阿里 视觉模型", f.ALIBABA, VISION),
    _ask("支持函数调用和结构化输出", TOOLS, JSON),
    _ask("语音合成", TTS),
    _named("最新的 claude opus", family("opus"), best="claude-opus-4-8"),
    _ask("输入价格低于1美元的视觉模型", input_at_most(1), VISION),
    _named("腾讯混元", f.TENCENT),
    _ask("支持联网搜索的模型", WEB),
    _name("百川4", "Baichuan4"),
    _ask("能读pdf的模型", PDF),
    _named("零一万物", f.YI),
    _ask("免费 长上下文", FREE, LONG),
    _named("小米 免费", f.MIMO, FREE),
    _ask("思考模型 工具调用 20万上下文", THINKS, TOOLS, LONG),
    _name("谷歌 gemini 2.5 flash", "gemini-2.5-flash"),
    _ask("便宜的推理模型", THINKS, best=cheap(THINKS)),
    _named("阶跃星辰", f.STEP),
    _ask("输出价格低于0.4美元 支持工具", output_at_most(0.4), TOOLS),
    _ask("支持音频输入的大模型", AUDIO, LLM),
    _named("字节跳动 图像生成", f.BYTEDANCE, PICTURES),
    _name("可灵 v3", "kling-v3-omni"),
    _ask("免費的視覺模型", FREE, VISION),
    _ask("語音轉文字", STT),
    _named("百度 函数调用", f.BAIDU, TOOLS),
    _ask("视频理解 100万上下文", VIDEO_IN, MILLION),
    _ask("推理模型 输出128k", THINKS, output(128_000)),
    _named("千问 免费", f.QWEN, FREE, best="qwen3.6-plus-preview-free"),
    _ask("文字识别", OCR),
    _named("智谱 视觉", f.GLM, VISION),
    _named("稀宇 minimax 免费", f.MINIMAX, FREE),
    _ask("２５６ｋ上下文 图片输入 不超过0.1美元", context(256_000), VISION, input_at_most(0.1)),
    _named("最新的豆包", f.DOUBAO, best="doubao-seed-2-1-pro doubao-seed-2-1-turbo"),
    _named("免费的 gpt", f.GPT, FREE),
]  # fmt: skip

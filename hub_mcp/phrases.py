"""The phrases that name a criterion, in English and Chinese: data for `understanding`, longest first."""

from __future__ import annotations

import re
from collections.abc import Mapping

FILLERS = frozenset(
    "a able accept accepts an and any are at be best by can capable card cost costing costs do does find for from give good"
    " great handle handles has have i in input is it least less list made make me model models more most need of on"
    " one or output per please price priced prices pricing recommend show some strong suggest support supporting supports"
    " tell than that the their to token tokens top up use used want what which who whose with you".split()
)
CHINESE_FILLERS = re.compile(
    "模型|支持|可以|读|看|写|听|说|用|能够|哪些|哪个|什么|一个|请问|推荐|需要|价格|上下文|并且|而且|以及|带有|具有|每|的|和|与|带|有|能|会|要|我|找|给|大|且|并|，|。|？"
)
CHINESE_NAMES = {
    "通义千问": "qwen",
    "千问": "qwen",
    "通义": "qwen",
    "阿里巴巴": "qwen",
    "阿里": "qwen",
    "文心一言": "ernie",
    "文心": "ernie",
    "百度": "baidu",
    "豆包": "doubao",
    "字节跳动": "bytedance",
    "字节": "bytedance",
    "智谱": "glm",
    "混元": "hunyuan",
    "腾讯": "tencent",
    "深度求索": "deepseek",
    "谷歌": "google",
    "月之暗面": "kimi",
    "小米": "xiaomi",
    "阶跃星辰": "stepfun",
    "阶跃": "stepfun",
    "零一万物": "yi",
    "百川": "baichuan",
    "可灵": "kling",
    "美团": "meituan",
    "克劳德": "claude",
    "英伟达": "nvidia",
    "微软": "microsoft",
    "代码": "code",
    "数学": "math",
}
CHINESE_NAME = re.compile("|".join(CHINESE_NAMES))


def _phrase(pattern: str, **note: str) -> tuple[re.Pattern[str], Mapping[str, str]]:
    """English phrases end at word borders, Chinese ones need none."""
    chinese = re.search(r"[\u3400-\u9fff]", pattern) is not None
    return re.compile(pattern if chinese else rf"(?<![\w.\-/:@])(?:{pattern})(?![\w./]|-\w)"), note


# The longer phrase first: "image generation" is not "image".
PHRASES: tuple[tuple[re.Pattern[str], Mapping[str, str]], ...] = (
    # types
    _phrase(
        r"(?:image|picture|art)s?[\s-]*(?:generat\w+|creation|synthesis)|text[\s-]*to[\s-]*image|t2i"
        r"|(?:generat|creat|mak|draw|paint)(?:e|es|ing|s)?\s+(?:images?|pictures?|art)|can\s+(?:draw|paint)",
        types="image_generation",
    ),
    _phrase(r"image models?", types="image_generation"),
    _phrase(r"video models?", types="video"),
    _phrase(r"文生图|图像生成|图片生成|生成图[像片]|画图|绘图|绘画", types="image_generation"),
    _phrase(
        r"video[\s-]*(?:generat\w+|creation|synthesis)|text[\s-]*to[\s-]*video|image[\s-]*to[\s-]*video|t2v"
        r"|(?:generat|creat|mak)(?:e|es|ing)?\s+videos?",
        types="video",
    ),
    _phrase(r"文生视频|图生视频|视频生成|生成视频", types="video"),
    _phrase(
        r"text[\s-]*to[\s-]*speech|speech[\s-]*(?:synthesis|generation)|tts|voice[\s-]*(?:over|synthesis|generation)",
        types="tts",
    ),
    _phrase(r"语音合成|文字转语音|文本转语音", types="tts"),
    _phrase(
        r"speech[\s-]*to[\s-]*text|(?:audio\s+|speech\s+)?transcri(?:be|bes|bing|ption)s?(?:\s+(?:audio|speech))?"
        r"|speech[\s-]*recognition|stt|asr",
        types="stt",
    ),
    _phrase(r"语音识别|语音转文[字本]|转录|听写", types="stt"),
    _phrase(r"(?:text\s+)?embeddings?(?:\s+models?)?|embedders?|vectori[sz]\w+", types="embedding"),
    _phrase(r"嵌入|向量化?|词向量", types="embedding"),
    _phrase(r"re-?rank(?:er|ers|ing|s)?", types="rerank"),
    _phrase(r"重新?排序?", types="rerank"),
    _phrase(r"ocr|text recognition", types="ocr"),
    _phrase(r"文字识别|光学字符", types="ocr"),
    _phrase(r"llms?|large language models?|language models?", types="llm"),
    _phrase(r"大?语言模型|大模型", types="llm"),
    # features
    _phrase(
        r"(?:with\s+)?(?:function|tool)s?[\s_-]*(?:call(?:s|ing)?|us(?:e|es|ing|age))|tools?(?:\s+support)?"
        r"|(?:calls?|uses?|calling|using)\s+(?:tools?|functions?)",
        features="tools",
    ),
    _phrase(r"函数调用|工具(?:调用|使用)?|调用(?:工具|函数)", features="tools"),
    _phrase(r"reason(?:s|ing|er)?|think(?:s|ing)?|chain[\s-]*of[\s-]*thought|cot", features="thinking"),
    _phrase(r"推理|思考|思维链", features="thinking"),
    _phrase(
        r"(?:structured|json)[\s_-]*(?:outputs?|mode|schema|responses?)|json", features="structured_outputs"
    ),
    _phrase(r"结构化(?:输出)?", features="structured_outputs"),
    _phrase(r"deep[\s-]*(?:search|research)", features="deepsearch"),
    _phrase(r"深度(?:搜索|研究)", features="deepsearch"),
    _phrase(
        r"(?:web|internet|online)[\s_-]*(?:search(?:ing)?|access|browsing|enabled)|search(?:es|ing)?\s+the\s+(?:web|internet)"
        r"|brows(?:es?|ing)(?:\s+the)?\s+(?:web|internet)|web",
        features="web",
    ),
    _phrase(r"联网(?:搜索)?|网络搜索|网页搜索", features="web"),
    # sizes without a number
    _phrase(
        r"(?:longest|largest|biggest|highest|max(?:imum)?)\s+(?:outputs?|answers?|responses?)",
        order="longest_output",
    ),
    _phrase(r"最[长大](?:的)?输出|输出最[长大]", order="longest_output"),
    _phrase(r"(?:long|large|big|huge)[\s_-]*context(?:\s+window)?", min_context=""),
    _phrase(r"长上下文|长文本|(?<!最)大上下文", min_context=""),
    _phrase(r"(?:long|large|big)[\s-]*(?:outputs?|answers?|responses?)", min_output=""),
    _phrase(r"长输出", min_output=""),
    _phrase(
        r"(?:largest|longest|biggest|highest)(?:\s+context(?:\s+(?:window|length))?)?|max(?:imum)?\s+context(?:\s+(?:window|length))?",
        order="largest_context",
    ),
    _phrase(r"最[长大](?:的)?上下文|上下文最[长大]", order="largest_context"),
    # input modalities
    _phrase(
        r"(?:reads?|accepts?|reading|understands?|with|takes?)?\s*pdfs?(?:\s+(?:files?|documents?|input|support))?",
        modalities="pdf",
    ),
    _phrase(
        r"(?:image|picture|photo|visual|vision)s?[\s-]*(?:inputs?|enabled|understanding|support|recognition|capab\w+|in)"
        r"|(?:reads?|sees?|accepts?|understands?|with|takes?|reading|analy[sz]\w+)\s+(?:images?|pictures?|photos?|screenshots?)"
        r"|can\s+see|vision|multi-?modal|images?|pictures?|photos?|screenshots?",
        modalities="image",
    ),
    _phrase(r"视觉|看图|识图|图[像片](?:理解|识别|输入)?|多模态", modalities="image"),
    _phrase(
        r"(?:reads?|accepts?|understands?|hears?|listens? to|takes?)?\s*(?:audio|sound|voice)s?(?:[\s-]*(?:input|understanding|support|in))?|can\s+hear",
        modalities="audio",
    ),
    _phrase(r"音频(?:理解|输入)?|声音|语音输入", modalities="audio"),
    _phrase(
        r"(?:reads?|accepts?|understands?|watch(?:es)?|takes?)?\s*videos?(?:[\s-]*(?:input|understanding|support|in))?",
        modalities="video",
    ),
    _phrase(r"视频(?:理解|输入)?", modalities="video"),
    # purposes: they raise who is named after them, and exclude nobody
    _phrase(r"(?:for\s+)?(?:coding|programming|writing\s+code|everyday\s+use)", soft=""),
    _phrase(r"写代码|编程", soft=""),
    # price and age
    _phrase(
        r"(?:for\s+)?free(?:\s+of\s+charge)?|(?:no|zero)[\s-]cost|costs?\s+(?:nothing|0)|gratis", free=""
    ),
    _phrase(r"免费", free=""),
    _phrase(
        r"(?:cheap(?:est|er|ly)?|low(?:est)?[\s-]*(?:cost|price[ds]?)|inexpensive|affordable|budget|least\s+expensive|best\s+value(?:\s+for\s+money)?)",
        order="cheapest",
    ),
    _phrase(r"最?便宜|低价|价格最低|性价比", order="cheapest"),
    _phrase(r"(?:most|more)\s+(?:expensive|costly)|priciest|dearest|expensive", order="dearest"),
    _phrase(r"最贵|价格最高", order="dearest"),
    _phrase(r"newest|latest|most recent|new", order="newest"),
    _phrase(r"最新", order="newest"),
)

TRADITIONAL = str.maketrans(
    "費視覺語轉識別圖頻輸長價調數聯網開讀寫繪畫鏈維結構錄聽應麼個這與帶萬問訊騰編碼檢過於處範運環億對話點義",
    "费视觉语转识别图频输长价调数联网开读写绘画链维结构录听应么个这与带万问讯腾编码检过于处范运环亿对话点义",
)
"""Traditional characters -> the simplified ones that the phrases above are written in."""

SYNONYMS = {"chatgpt": "gpt", "tongyi": "qwen", "llamas": "llama", "reasoner": "reasoning"}
"""Other names for words that stand in ids."""

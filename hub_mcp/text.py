"""Other people's text, made safe to show; words, made comparable."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -~]?"
)
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co"})
_HIDDEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2065\u3164\uffa0")
# Chinese and Japanese put no spaces between words: each of their characters counts as one.
_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_SEPARATORS = re.compile(r"[\W_]+")
_WORD = re.compile(rf"[{_CJK}]|(?:(?![{_CJK}])[^\W\d_])+|\d+")
_ROOM = 50
"""Characters read for each that may be shown: more is padding, or an attack on our time."""


def clean(text: str, limit: int) -> str:
    """One line of at most `limit` characters, without control, ANSI, zero-width or direction characters."""
    text = text[: limit * _ROOM]
    if not (text.isascii() and text.isprintable()):
        text = "".join(
            " " if c.isspace() else c for c in _ANSI.sub("", text) if c.isspace() or not _is_hidden(c)
        )
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def is_clean(text: str) -> bool:
    """Whether `text` holds nothing that `clean` would take away, line breaks included."""
    return text.isprintable() and (text.isascii() or not any(_is_hidden(c) for c in text))


def sentence(text: str) -> str:
    """`text` with a full stop, unless it ends as a sentence does."""
    return text if text.endswith(tuple(".!?…。！？")) else f"{text}."


def fold(text: str) -> str:
    """Without case, width and compatibility differences: `ＧＰＴ` and `gpt` are the same."""
    return unicodedata.normalize("NFKC", text).casefold()


@lru_cache(maxsize=4096)
def squeeze(text: str) -> str:
    """Letters and digits only, folded: `GPT-4o mini` and `gpt4omini` are the same."""
    return "".join(filter(str.isalnum, fold(text)))


def words(text: str) -> list[str]:
    """Runs of letters and runs of digits, folded: `gpt5-Mini` is gpt, 5, mini."""
    return _WORD.findall(fold(text))


def sorted_words(text: str) -> str:
    """What stands between separators, folded and sorted: the same for `gpt-5-mini` and `mini GPT 5`."""
    return " ".join(sorted(_SEPARATORS.split(fold(text)))).strip()


def _is_hidden(char: str) -> bool:
    if char < "\x7f":
        return char < " "
    return (
        unicodedata.category(char) in _HIDDEN_CATEGORIES
        or char in _HIDDEN
        or "\ufe00" <= char <= "\ufe0f"
        or "\ufff0" <= char <= "\ufff8"
        or "\U000e0000" <= char <= "\U000e0fff"
    )

"""Other people's text, made safe to show; words, made comparable."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -~]?"
)
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co"})
_HIDDEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_WORD = re.compile(r"[^\W\d_]+|\d+")


def clean(text: str, limit: int) -> str:
    """One line of at most `limit` characters, without control, ANSI, zero-width or direction characters."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(
            " " if c.isspace() else c for c in _ANSI.sub("", text) if c.isspace() or not _is_hidden(c)
        )
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def is_clean(text: str) -> bool:
    """Whether `text` holds nothing that `clean` would take away, line breaks included."""
    return text.isprintable() and not any(_is_hidden(c) for c in text)


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


def _is_hidden(char: str) -> bool:
    if char < "\x7f":
        return char < " "
    return (
        unicodedata.category(char) in _HIDDEN_CATEGORIES
        or char in _HIDDEN
        or "\ufe00" <= char <= "\ufe0f"
        or "\U000e0100" <= char <= "\U000e01ef"
    )

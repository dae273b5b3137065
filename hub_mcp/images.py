"""Pictures into a question: pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .errors import BadRequest

_USABLE = re.compile(r"https://[^\s]+|data:image/[\w.+-]+;base64,[A-Za-z0-9+/=_-]+", re.IGNORECASE)


def with_images(messages: Sequence[dict[str, Any]], images: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """The messages with the pictures behind the last one of the user; raises BadRequest for an unusable address."""
    if not images:
        return tuple(messages)
    for number, image in enumerate(images, start=1):
        if not _USABLE.fullmatch(image):
            raise BadRequest(
                f"Image {number} is neither an https URL nor a base64 data URL of an image.", hint=_HOW
            )
    last = max((n for n, message in enumerate(messages) if message.get("role") == "user"), default=None)
    if last is None:
        raise BadRequest("images need a message of the user to go with.", hint="Give a prompt.")
    shown = [{"type": "image_url", "image_url": {"url": image}} for image in images]
    asked = {**messages[last], "content": [*_parts(messages[last].get("content")), *shown]}
    return (*messages[:last], asked, *messages[last + 1 :])


def _parts(content: Any) -> list[Any]:
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content}] if content else []


_HOW = "Such as https://example.org/cat.png or data:image/png;base64,...."

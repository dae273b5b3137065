"""Puts a hub together as the settings say, with the embedded hub where they name it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from pydantic import SecretStr

from .hub import Hub
from .settings import Settings

SANDBOX_KEY = "sk-sandbox"


@asynccontextmanager
async def open_hub(settings: Settings) -> AsyncIterator[Hub]:
    """An open hub; the embedded one listens on a free loopback port and needs no key of the user's."""
    if settings.base_urls:
        async with Hub(settings) as hub:
            yield hub
        return
    # Its web server costs a fifth of a second and 20 MB: only for who asks for it.
    from .sandbox.serve import running
    from .sandbox.state import Sandbox

    async with running(Sandbox()) as url:
        embedded = replace(settings, base_urls=(url,), api_key=settings.api_key or SecretStr(SANDBOX_KEY))
        async with Hub(embedded) as hub:
            yield hub

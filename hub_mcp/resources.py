"""The catalog as resources: whole, summed up, or one model at a time."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import unquote

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)

from . import text, views
from .errors import HubError, ModelNotFound
from .hub import Hub
from .results import CatalogState
from .settings import Settings
from .tools import OUR_BUG, error_data

logger = logging.getLogger(__name__)

CATALOG_URI = "hub://catalog"
SUMMARY_URI = "hub://catalog/summary"
MODEL_URI = "hub://models/"
MODEL_TEMPLATE = MODEL_URI + "{+model}"
_JSON = "application/json"

Context = ServerRequestContext[Hub]
Scope = Literal["public", "private"]


class Resources:
    """The handlers; an answer that depends on the key may be kept by its host only."""

    def __init__(self, settings: Settings) -> None:
        keyed = settings.api_key is not None or settings.profile.embedded
        self._catalog_scope: Scope = "private" if keyed and settings.profile.keyed_catalog else "public"
        self._model_scope: Scope = "private" if keyed else "public"

    async def list(self, _: Context, __: PaginatedRequestParams | None) -> ListResourcesResult:
        catalog = Resource(
            uri=CATALOG_URI,
            name="catalog",
            title="Model catalog",
            description="Every model of the hub: limits, prices, features. Large; the tools answer less.",
            mime_type=_JSON,
        )
        summary = Resource(
            uri=SUMMARY_URI,
            name="summary",
            title="Catalog summary",
            description="How many models of which type, feature, input and developer; the price range.",
            mime_type=_JSON,
        )
        return ListResourcesResult(resources=[catalog, summary])

    async def list_templates(
        self, _: Context, __: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        model = ResourceTemplate(
            uri_template=MODEL_TEMPLATE,
            name="model",
            title="One model",
            description="Everything known of one model.",
            mime_type=_JSON,
        )
        return ListResourceTemplatesResult(resource_templates=[model])

    async def read(self, context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        uri = str(params.uri)
        try:
            return await self._read(context.lifespan_context, uri)
        except HubError as error:
            code = INVALID_PARAMS if isinstance(error, ModelNotFound) else INTERNAL_ERROR
            raise MCPError(code, str(error), {"uri": uri, **error_data(error)}) from error
        except MCPError:
            raise
        except Exception:
            # The SDK would send its text to hosts of the older revisions.
            logger.exception("resources/read failed unexpectedly")
            raise MCPError(INTERNAL_ERROR, str(OUR_BUG), {"uri": uri, **error_data(OUR_BUG)}) from None

    async def _read(self, hub: Hub, uri: str) -> ReadResourceResult:
        if uri == CATALOG_URI:
            every = await hub.every_model()
            return _contents(uri, views.list_view(every), every.catalog, self._catalog_scope)
        if uri == SUMMARY_URI:
            summary = await hub.summary()
            return _contents(uri, views.summary_view(summary), summary.catalog, self._catalog_scope)
        if uri.startswith(MODEL_URI):
            info = await hub.get_model(unquote(uri.removeprefix(MODEL_URI)))
            return _contents(uri, views.info_view(info)["model"], info.catalog, self._model_scope)
        raise MCPError(INVALID_PARAMS, f"There is no resource {text.clean(uri, 200)}.", {"uri": uri})


def _contents(
    uri: str, content: Mapping[str, Any], catalog: CatalogState, scope: Scope
) -> ReadResourceResult:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return ReadResourceResult(
        contents=[TextResourceContents(uri=uri, text=body, mime_type=_JSON)],
        ttl_ms=int(catalog.fresh_for * 1000),
        cache_scope=scope,
    )

"""What differs between hubs, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CatalogShape = Literal["aihubmix", "openai"]


@dataclass(frozen=True, slots=True)
class Profile:
    """How one kind of hub is spoken to.

    `catalog_path` answers with every model in `catalog_shape`; `keyed_catalog` says that
    the answer depends on the key. `hub_orders` are the orders that only the hub knows.
    `access_path`, where there is one, lists the models that a key may use.
    """

    name: str
    title: str
    base_urls: tuple[str, ...]
    catalog_path: str
    catalog_shape: CatalogShape
    keyed_catalog: bool
    hub_orders: tuple[str, ...] = ()
    access_path: str | None = None
    embedded: bool = False


AIHUBMIX = Profile(
    name="aihubmix",
    title="AIHubMix",
    base_urls=("https://aihubmix.com", "https://api.inferera.com"),
    catalog_path="/api/v1/models",
    catalog_shape="aihubmix",
    keyed_catalog=False,
    hub_orders=("coding", "model_ratio"),
    access_path="/v1/models",
)

OPENAI = Profile(
    name="openai",
    title="OpenAI-compatible hub",
    base_urls=(),
    catalog_path="/v1/models",
    catalog_shape="openai",
    keyed_catalog=True,
)

SANDBOX = Profile(
    name="sandbox",
    title="embedded hub",
    base_urls=(),
    catalog_path=AIHUBMIX.catalog_path,
    catalog_shape=AIHUBMIX.catalog_shape,
    keyed_catalog=AIHUBMIX.keyed_catalog,
    hub_orders=AIHUBMIX.hub_orders,
    access_path=AIHUBMIX.access_path,
    embedded=True,
)

PROFILES = {profile.name: profile for profile in (AIHUBMIX, OPENAI, SANDBOX)}

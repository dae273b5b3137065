"""Who made a model is read from its id."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

import hub_mcp.sandbox
from hub_mcp.developers import developer_of

IDS = [
    row["model_id"]
    for row in json.loads((Path(hub_mcp.sandbox.__file__).parent / "catalog.json").read_bytes())["data"]
]


def test_every_model_of_the_catalog_has_a_developer():
    assert [model_id for model_id in IDS if not developer_of(model_id)] == []


def test_the_catalog_has_few_developers_that_made_one_model_only():
    """A host or a part of an id that was taken for a developer would show up here."""
    counts = Counter(developer_of(model_id) for model_id in IDS)
    assert {name for name, count in counts.items() if count == 1} == {
        "ai21",
        "gryphe",
        "huggingface",
        "netease",
        "stability",
        "tng",
    }
    assert len(counts) < 40


@pytest.mark.parametrize(
    ("model_id", "developer"),
    [
        ("gpt-5-mini", "openai"),
        ("o3-deep-research", "openai"),
        ("text-embedding-3-large", "openai"),
        ("claude-sonnet-4-5", "anthropic"),
        ("anthropic-opus-4-6", "anthropic"),
        ("gemini-2.5-pro", "google"),
        ("text-embedding-004", "google"),
        ("google/gemma-2-9b-it:free", "google"),
        ("Qwen/Qwen3-32B", "qwen"),
        ("deepinfra-llama-4-scout-17b-16e-instruct", "meta"),
        ("aihubmix-Llama-3-1-405B-Instruct", "meta"),
        ("llama3-70b-8192(33)", "meta"),
        ("llama-3.1-sonar-huge-128k-online", "perplexity"),
        ("nvidia-llama-3.1-nemotron-70b-instruct", "nvidia"),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "deepseek"),
        ("tngtech/DeepSeek-R1T-Chimera", "tng"),
        ("cc-deepseek-v3", "deepseek"),
        ("embedding-3", "zhipu"),
        ("embedding-v1", "baidu"),
        ("text-embedding-v4", "alibaba"),
        ("V_2_TURBO", "ideogram"),
        ("ahm-Phi-3-medium-4k", "microsoft"),
        ("chutesai/Mistral-Small-3.1-24B-Instruct-2503", "mistral"),
        ("phi3:mini", "microsoft"),
        ("x-ai/grok-4", "xai"),
    ],
)
def test_real_ids_tell_their_developer(model_id: str, developer: str):
    assert developer_of(model_id) == developer


@pytest.mark.parametrize(
    "model_id", ["autoglm-phone", "grokking", "commander-x", "o30", "philosopher", "veoh"]
)
def test_a_known_start_counts_as_a_whole_word_only(model_id: str):
    assert developer_of(model_id) == ""


@pytest.mark.parametrize(
    ("model_id", "developer"),
    [
        ("openrouter/anthropic/unheard-of", "anthropic"),
        ("mistralai/unheard-of", "mistral"),
        ("x-ai/unheard-of", "xai"),
        ("THUDM/unheard-of", "zhipu"),
        ("Gryphe/MythoMax-L2-13b", "gryphe"),
        ("Pro/unheard-of", ""),
        ("/unheard-of", ""),
    ],
)
def test_an_unknown_name_is_its_organization_s(model_id: str, developer: str):
    assert developer_of(model_id) == developer


def test_the_owner_counts_where_the_id_says_nothing():
    assert developer_of("unheard-of", "Acme") == "acme"
    assert developer_of("unheard-of", "meta-llama") == "meta"
    assert developer_of("gpt-5", "azure") == "openai"
    assert developer_of("acme/unheard-of", "custom") == "acme"


@pytest.mark.parametrize("owner", ["", " ", "vllm", "library", "custom", "system", "organization-owner"])
def test_software_and_placeholders_made_no_model(owner: str):
    assert developer_of("unheard-of", owner) == ""


def test_case_does_not_matter():
    assert [developer_of(model_id.upper()) for model_id in IDS] == [
        developer_of(model_id) for model_id in IDS
    ]

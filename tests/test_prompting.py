"""Prompts and completions as a host gets them."""

from __future__ import annotations

import json

import pytest
from mcp import MCPError
from mcp_types import PromptReference, ResourceTemplateReference
from surfaces import connected, settings

from hub_mcp.resources import MODEL_TEMPLATE

pytestmark = pytest.mark.anyio

TEMPLATE = ResourceTemplateReference(uri=MODEL_TEMPLATE)


async def completed(client, ref, name: str, value: str) -> list[str]:
    return (await client.complete(ref, {"name": name, "value": value})).completion.values


async def test_three_prompts_are_offered_with_what_they_need(embedded):
    async with connected(settings(embedded.url)) as client:
        offered = (await client.list_prompts()).prompts
    needs = {prompt.name: {each.name: each.required for each in prompt.arguments} for prompt in offered}
    assert needs == {
        "pick_model": {"task": True, "budget": False},
        "compare_models": {"models": True, "prompt": True},
        "second_opinion": {"text": True, "model": False},
    }


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("pick_model", {"task": "Sort mail"}, ["list_models", "get_model", "Sort mail"]),
        ("pick_model", {"task": "Sort mail", "budget": "a cent"}, ["max_input_price", "a cent"]),
        ("compare_models", {"models": "a, b", "prompt": "Why?"}, ["chat", "a, b", "Why?", "cost"]),
        ("second_opinion", {"text": "It is so."}, ["chat", "It is so.", "search_models"]),
        ("second_opinion", {"text": "It is so.", "model": "o3"}, ["Use the model o3", "It is so."]),
    ],
)
async def test_a_prompt_leads_to_the_right_tools(embedded, name, arguments, says):
    async with connected(settings(embedded.url)) as client:
        messages = (await client.get_prompt(name, arguments)).messages
    assert [message.role for message in messages] == ["user"]
    for each in says:
        assert each in messages[0].content.text


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("pick_model", {}, "needs 'task'"),
        ("pick_model", {"task": "x", "buget": "1"}, "no argument 'buget'"),
        ("pick_modle", {"task": "x"}, "Known: pick_model"),
        ("pick_model", {"task": "x" * 20_001}, "longer than 20000"),
    ],
)
async def test_a_prompt_that_cannot_be_written_is_refused_in_a_sentence(embedded, name, arguments, says):
    async with connected(settings(embedded.url)) as client:
        with pytest.raises(MCPError, match=says):
            await client.get_prompt(name, arguments)


async def test_prompts_that_lead_to_chat_go_where_chat_goes(embedded):
    async with connected(settings(embedded.url, HUB_MCP_READ_ONLY="1")) as client:
        assert [prompt.name for prompt in (await client.list_prompts()).prompts] == ["pick_model"]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("gpt-4o", "gpt-4o"),
        ("Qwen/Qwen3-3", "Qwen/Qwen3-32B"),
        ("GPT 4o mi", "gpt-4o-mini"),
        ("cluade-sonnet-4-5", "claude-sonnet-4-5"),
    ],
)
async def test_what_is_typed_of_a_model_is_completed_best_first(embedded, typed, first):
    async with connected(settings(embedded.url)) as client:
        assert (await completed(client, TEMPLATE, "model", typed))[0] == first


async def test_at_most_a_hundred_are_offered_and_the_rest_is_counted(embedded):
    async with connected(settings(embedded.url)) as client:
        found = (await client.complete(TEMPLATE, {"name": "model", "value": ""})).completion
    assert len(found.values) == 100
    assert found.total == len(embedded.sandbox.rows)
    assert found.has_more


async def test_the_last_of_several_models_is_completed_and_the_others_stay(embedded):
    async with connected(settings(embedded.url)) as client:
        values = await completed(client, PromptReference(name="compare_models"), "models", "o3, gpt-4o-mi")
    assert values[0] == "o3, gpt-4o-mini"


async def test_an_argument_that_names_no_model_gets_nothing(embedded):
    async with connected(settings(embedded.url)) as client:
        assert await completed(client, PromptReference(name="pick_model"), "task", "gpt") == []
        assert await completed(client, PromptReference(name="nothing"), "model", "gpt") == []


async def test_without_a_hub_nothing_is_offered_and_nothing_fails():
    async with connected(settings("http://127.0.0.1:9")) as client:
        assert await completed(client, TEMPLATE, "model", "gpt") == []


async def test_the_summary_counts_every_model_within_three_kilobytes(embedded):
    async with connected(settings(embedded.url)) as client:
        read = await client.read_resource("hub://catalog/summary")
    text = read.contents[0].text
    summary = json.loads(text)
    assert len(text.encode()) <= 3000
    assert summary["total"] == sum(summary["developers"].values()) == len(embedded.sandbox.rows)
    assert summary["types"]["llm"] == sum("llm" in row["types"].split(",") for row in embedded.sandbox.rows)
    assert summary["modalities"]["pdf"] == 2
    assert summary["input_price"]["lowest"] == 0
    assert summary["catalog"]["stale"] is False

"""Arguments as hosts send them: read leniently, refused by name where they make no sense."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub_mcp.arguments import Arguments, GetArguments, ListArguments, SearchArguments
from hub_mcp.errors import BadRequest
from hub_mcp.filters import Filters

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize("given", [None, {}])
def test_nothing_given_asks_for_the_first_twenty_of_everything(given):
    asked = ListArguments.read(given)
    assert (asked.limit, asked.cursor, asked.filters()) == (20, None, Filters())
    assert (asked.query().sort_by, asked.query().descending) == ("order", None)


def test_every_filter_reaches_the_query():
    asked = ListArguments.read(
        {
            "type": "llm",
            "modalities": ["image"],
            "features": "tools, web",
            "min_context": 1000,
            "min_output": "500",
            "max_input_price": 0.5,
            "max_output_price": 2,
            "free": False,
            "developer": "openai",
            "model": "gpt",
            "sort_by": "name",
            "sort_order": "desc",
        }
    )
    query = asked.query()
    assert query.filters == Filters(
        ("llm",), ("image",), ("tools", "web"), 1000, 500, 0.5, 2.0, free=False, developer="openai"
    )
    assert (query.part, query.sort_by, query.descending) == ("gpt", "name", True)


@pytest.mark.parametrize(
    "words",
    [
        ["tools", "web"],
        "tools,web",
        " tools ， web ".replace("，", ","),
        '["tools", "web"]',
        ' ["tools","web"] ',
        ["tools,web"],
        ["tools", None, "", "web"],
        "tools,,web,",
    ],
)
def test_words_may_come_in_every_shape_that_hosts_send(words):
    assert ListArguments.read({"features": words}).features == ("tools", "web")


def test_brackets_that_are_no_json_are_words():
    assert ListArguments.read({"features": "[tools]"}).features == ("[tools]",)


@pytest.mark.parametrize("empty", ["", None, [], [""], [None], "[]", "[null]", ",", " "])
def test_empty_words_count_as_not_given(empty):
    assert ListArguments.read({"features": empty}).features == ()


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("modalitys", "modalities"), ("context", "min_context"), ("max_price", "max_input_price")],
)
def test_an_argument_that_does_not_exist_is_refused_with_the_nearest(name, nearest):
    with pytest.raises(BadRequest, match=f"There is no argument '{name}'") as caught:
        ListArguments.read({name: 1})
    assert nearest in caught.value.nearest
    assert nearest in caught.value.hint


def test_an_argument_that_resembles_none_is_refused_with_all_that_exist():
    with pytest.raises(BadRequest) as caught:
        GetArguments.read({"model": "gpt-4o", "zzz\x1b[31m": 1})
    assert str(caught.value) == "There is no argument 'zzz'. It takes model."
    assert caught.value.nearest == ()


def test_an_unknown_argument_that_is_null_does_no_harm():
    assert GetArguments.read({"model": "gpt-4o", "zzz": None}).model == "gpt-4o"


@pytest.mark.parametrize(
    ("limit", "kind"), [(51, SearchArguments), (101, ListArguments), (0, SearchArguments)]
)
def test_a_limit_outside_its_bounds_is_refused(limit, kind):
    with pytest.raises(BadRequest, match="'limit'"):
        kind.read({"query": "gpt", "limit": limit} if kind is SearchArguments else {"limit": limit})


@pytest.mark.parametrize("price", [float("inf"), float("nan"), -0.1])
def test_a_price_that_is_no_amount_is_refused(price):
    with pytest.raises(BadRequest, match="'max_input_price'"):
        ListArguments.read({"max_input_price": price})


@pytest.mark.parametrize("kind", [ListArguments, SearchArguments, GetArguments])
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_a_host_sends_is_read_or_refused(kind: type[Arguments], data):
    names = st.sampled_from([*kind.model_fields, "other"])
    sent = data.draw(st.dictionaries(names, JSON, max_size=4))
    refused = None
    try:
        kind.read(sent)
    except BadRequest as error:
        refused = error
    assert refused is None or (refused.message and refused.hint)

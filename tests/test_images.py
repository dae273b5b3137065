"""Pictures that go with a question."""

from __future__ import annotations

import copy

import pytest

from hub_mcp.errors import BadRequest
from hub_mcp.images import with_images

URL = "https://example.org/cat,1.png?a=b"
DATA = "data:image/png;base64,iVBORw0KGgo="


def shown(address: str) -> dict[str, object]:
    return {"type": "image_url", "image_url": {"url": address}}


def test_without_pictures_the_messages_are_those_given():
    messages = [{"role": "user", "content": "Hello"}]
    assert with_images(messages, ()) == tuple(messages)


def test_pictures_come_behind_the_text_of_the_last_message_of_the_user():
    messages = [
        {"role": "user", "content": "first"},
        {"role": "user", "content": "second", "name": "kim"},
        {"role": "assistant", "content": "third"},
    ]
    before = copy.deepcopy(messages)
    first, second, third = with_images(messages, (URL, DATA))
    assert (first, third) == (messages[0], messages[2])
    text = {"type": "text", "text": "second"}
    assert second == {"role": "user", "name": "kim", "content": [text, shown(URL), shown(DATA)]}
    assert messages == before


def test_parts_that_were_there_stay_and_are_not_changed_in_place():
    part = {"type": "input_audio", "input_audio": {"data": "AA==", "format": None}}
    messages = [{"role": "user", "content": [part]}]
    (message,) = with_images(messages, (DATA,))
    assert message["content"] == [part, shown(DATA)]
    assert messages == [{"role": "user", "content": [part]}]


@pytest.mark.parametrize("content", [None, "", []])
def test_a_picture_needs_no_words(content):
    (message,) = with_images([{"role": "user", "content": content}], (URL,))
    assert message["content"] == [shown(URL)]


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/cat.png",
        "file:///etc/passwd",
        "/etc/passwd",
        "cat.png",
        "https://",
        "https://example.org/a cat.png",
        "data:text/html;base64,AAAA",
        "data:image/png,AAAA",
        "data:image/png;base64,",
        "data:image/png;base64,AA AA",
        "",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_by_its_number(address):
    with pytest.raises(BadRequest, match="Image 2 is neither an https URL nor"):
        with_images([{"role": "user", "content": "look"}], (URL, address))


def test_pictures_need_a_message_of_the_user():
    with pytest.raises(BadRequest, match="need a message of the user"):
        with_images([{"role": "system", "content": "Be brief."}], (URL,))

"""Prompts that a person picks in a host; each leads the host's model to the right tool calls. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .errors import BadRequest
from .filters import nearest_words

MAX_ARGUMENT = 20_000


@dataclass(frozen=True, slots=True)
class Argument:
    name: str
    description: str
    required: bool = True
    names_models: bool = False


@dataclass(frozen=True, slots=True)
class HubPrompt:
    """`tools` are those it leads to; `write` gets the arguments that were given and returns the message."""

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...]
    tools: tuple[str, ...]
    write: Callable[[Mapping[str, str]], str]

    def names_models(self, argument: str) -> bool:
        """Whether an argument takes model ids."""
        return any(known.name == argument and known.names_models for known in self.arguments)

    def render(self, given: Mapping[str, str]) -> str:
        """The message; raises BadRequest for an argument that is missing, unknown or too long."""
        present = {name: value.strip() for name, value in given.items() if value.strip()}
        known = [argument.name for argument in self.arguments]
        for name in present.keys() - set(known):
            raise BadRequest(
                f"{self.name} has no argument '{name[:60]}'.", nearest=nearest_words(name, known)
            )
        for argument in self.arguments:
            if argument.required and argument.name not in present:
                raise BadRequest(f"{self.name} needs '{argument.name}': {argument.description}.")
            if len(present.get(argument.name, "")) > MAX_ARGUMENT:
                raise BadRequest(f"'{argument.name}' is longer than {MAX_ARGUMENT} characters.")
        return self.write(present)


def _pick_model(given: Mapping[str, str]) -> str:
    budget = given.get("budget")
    within = f" It may cost: {budget}." if budget else ""
    price = (
        " Turn the budget into max_input_price and max_output_price (USD per million tokens)."
        if budget
        else ""
    )
    return (
        "Choose the right model of the hub for the task below, without asking any of them yet.\n"
        "1. Work out what the task needs: inputs (text, image, audio, video, pdf), features (tools, thinking,"
        " structured_outputs, web), context length, quality.\n"
        f"2. Call list_models with those as filters, cheapest first (sort_by input_price).{price} Where the task"
        " names a model or a family, call search_models instead.\n"
        "3. Call get_model for the two or three best. An absent limit or price is unknown, not zero.\n"
        "4. Answer with one model id, why, what the task will cost about, and one alternative.\n\n"
        f"The task:{within}\n{given['task']}"
    )


def _compare_models(given: Mapping[str, str]) -> str:
    return (
        "Ask each of these models the same question with the chat tool, then compare the answers.\n"
        f"Models: {given['models']}\n"
        "1. Call get_model for each, to be sure of the id and to know the prices. Say what the calls will cost"
        " about, before you make them.\n"
        "2. Call chat once for each model, with the prompt below word for word and the same max_tokens. Where an answer"
        " returns as running, collect the rest by its thread.\n"
        "3. Answer with a table: model, seconds, tokens, cost; then what is right or wrong in each answer, and which is"
        " the best for its price.\n\n"
        f"The prompt:\n{given['prompt']}"
    )


def _second_opinion(given: Mapping[str, str]) -> str:
    model = given.get("model")
    choose = (
        f"Use the model {model}."
        if model
        else "Choose a strong model of another developer than your own: search_models with 'reasoning', then get_model."
    )
    return (
        f"Get a second opinion on the text below. {choose}\n"
        "1. Call chat with that model. Ask it what is wrong, missing or doubtful, with reasons; give it the text whole,"
        " and none of your own opinion.\n"
        "2. Then say where you agree, where you do not, and what should change. Name the model and what it cost.\n\n"
        f"The text:\n{given['text']}"
    )


ALL = {
    prompt.name: prompt
    for prompt in (
        HubPrompt(
            "pick_model",
            "Pick a model",
            "Choose a model for a task, by what it needs and may cost",
            (
                Argument("task", "What the model is to do"),
                Argument("budget", "What it may cost, in your own words", required=False),
            ),
            ("list_models", "search_models", "get_model"),
            _pick_model,
        ),
        HubPrompt(
            "compare_models",
            "Compare models",
            "Ask several models the same and compare answers, time and cost",
            (
                Argument("models", "Model ids, comma-separated", names_models=True),
                Argument("prompt", "What to ask them"),
            ),
            ("get_model", "chat"),
            _compare_models,
        ),
        HubPrompt(
            "second_opinion",
            "Second opinion",
            "Have another model look for what is wrong or missing in a text",
            (
                Argument("text", "The text"),
                Argument("model", "Model id; else one is chosen", required=False, names_models=True),
            ),
            ("search_models", "get_model", "chat"),
            _second_opinion,
        ),
    )
}

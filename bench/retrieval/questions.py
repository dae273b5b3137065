"""All questions, checked against the catalog, and which of them are held out."""

from __future__ import annotations

from collections import defaultdict

from . import chinese, criteria, families, mixtures, names, traps
from .question import Question
from .rules import rows

QUESTIONS: tuple[Question, ...] = (
    *names.EXACT,
    *names.SLIPS,
    *families.QUESTIONS,
    *criteria.CRITERIA,
    *mixtures.MIXTURES,
    *criteria.SUPERLATIVES,
    *chinese.CHINESE,
    *traps.TRAPS,
)

# Where every answer must satisfy what was stated. A family alone is judged by its first answers.
STATED = ("criteria", "mixtures", "superlatives", "chinese", "traps")


def is_held_out(position: int) -> bool:
    """Every third question of a group, by its place in the list."""
    return position % 3 == 2


def chosen(held_out: bool) -> list[Question]:
    found: list[Question] = []
    places: defaultdict[str, int] = defaultdict(int)
    for question in QUESTIONS:
        if is_held_out(places[question.group]) == held_out:
            found.append(question)
        places[question.group] += 1
    return found


def mistakes() -> list[str]:
    """What is wrong with the questions themselves; names no question, only its group and what is amiss."""
    known = {row["model_id"] for row in rows()}
    texts = [question.text for question in QUESTIONS]
    found = [f"{question.group}: no such model: {sorted(question.best - known)}" for question in QUESTIONS
             if question.best - known]  # fmt: skip
    found += [f"{question.group}: nothing is right" for question in QUESTIONS
              if not question.happy and not question.nothing]  # fmt: skip
    if len(set(texts)) < len(texts):
        found.append("a question is asked twice")
    return found

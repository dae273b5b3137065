"""Puts questions to the search, and figures to its answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from .question import Question
from .questions import STATED
from .rules import Row, rows

LIMIT = 10
Find = Callable[[str], Sequence[str]]

# A row that the catalog cannot decide may follow when its id says the word asked for: `DeepSeek-OCR`.
_SAID_BY_ID = {
    "vision": ("vision", "视觉", "視覺"),
    "ocr": ("ocr", "文字识别"),
    "embed": ("embed", "嵌入"),
    "rerank": ("rerank", "重排"),
    "reason": ("reason", "推理"),
    "think": ("think", "思考"),
    "audio": ("audio", "音频"),
    "search": ("search", "搜索"),
    "tts": ("tts", "text to speech", "语音合成"),
    "image": ("image", "文生图", "图像"),
    "video": ("video", "视频"),
}


@dataclass(frozen=True)
class Outcome:
    """One question, and the ids that came back, best first."""

    question: Question
    ids: tuple[str, ...]

    @property
    def rank(self) -> int:
        """Where the first right answer is, from 1; 0 is nowhere."""
        if self.question.nothing:
            return 0 if self.ids else 1
        ranks = (place for place, model in enumerate(self.ids, 1) if model in self.question.happy)
        return next(ranks, 0)

    @property
    def is_judged(self) -> bool:
        """Whether every answer must satisfy something."""
        return self.question.nothing or self.question.rule is not None

    @cached_property
    def offenders(self) -> tuple[str, ...]:
        """The answers that do not satisfy what was stated, or that are undecided and in the wrong place."""
        if self.question.nothing:
            return self.ids
        if self.question.rule is None:
            return ()
        by_id = {row["model_id"]: row for row in rows()}
        return tuple(
            model
            for place, model in enumerate(self.ids)
            if not self._may_stand(by_id[model], self.ids[place:])
        )

    def _may_stand(self, row: Row, onwards: Sequence[str]) -> bool:
        verdict = self.question.verdict(row)
        if verdict is not None:
            return verdict
        ordered = self.question.best <= self.question.relevant
        return _tolerates(self.question, row) and not (ordered and self.question.relevant & {*onwards})

    @property
    def recall(self) -> float | None:
        """Of ten or fewer that qualify, the share that came back; no figure where a name asks for fewer of them."""
        relevant, best = self.question.relevant, self.question.best
        if not relevant or len(relevant) > LIMIT or (best and not best >= relevant):
            return None
        return len(relevant & {*self.ids}) / len(relevant)

    @property
    def failed(self) -> bool:
        unmet = bool(self.offenders) or self.recall not in (None, 1.0)
        return self.rank != 1 or (self.question.group in STATED and unmet)


def _tolerates(question: Question, row: Row) -> bool:
    text, name = question.text.lower(), row["model_id"].lower()
    return question.named or any(
        stem in name and any(word in text for word in said) for stem, said in _SAID_BY_ID.items()
    )


@dataclass(frozen=True)
class Figures:
    questions: int
    hit1: float
    hit5: float
    mrr: float
    precision: float | None
    recall: float | None
    recalled: int  # how many questions the recall is of


def ask_all(questions: Sequence[Question], find: Find) -> list[Outcome]:
    return [Outcome(question, tuple(find(question.text))[:LIMIT]) for question in questions]


def figures(outcomes: Sequence[Outcome]) -> Figures:
    judged = [outcome for outcome in outcomes if outcome.is_judged]
    returned = sum(len(outcome.ids) for outcome in judged)
    wrong = sum(len(outcome.offenders) for outcome in judged)
    recalls = [outcome.recall for outcome in outcomes if outcome.recall is not None]
    return Figures(
        questions=len(outcomes),
        hit1=_mean([outcome.rank == 1 for outcome in outcomes]) or 0.0,
        hit5=_mean([1 <= outcome.rank <= 5 for outcome in outcomes]) or 0.0,
        mrr=_mean([1 / outcome.rank if outcome.rank else 0.0 for outcome in outcomes]) or 0.0,
        precision=1 - wrong / returned if returned else None,
        recall=_mean(recalls),
        recalled=len(recalls),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None

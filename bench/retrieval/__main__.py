"""`python -m bench.retrieval`: how well the search finds, on the tuning questions or on those held out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence

from hub_mcp import search, wire
from hub_mcp.developers import developer_of
from hub_mcp.filters import ANYTHING
from hub_mcp.index import Index
from hub_mcp.models import Model
from hub_mcp.sandbox.state import load_rows

from .measure import LIMIT, Figures, Find, Outcome, ask_all, figures
from .questions import STATED, chosen, mistakes
from .rules import rows

HEADINGS = ("group", "questions", "hit@1", "hit@5", "MRR", "precision", "recall@10", "(of)")


def main() -> int:
    options = _options()
    if amiss := mistakes():
        sys.stderr.write("\n".join(amiss) + "\n")
        return 2
    find = searcher()
    met = True
    for held_out in (False, True) if options.check else (options.held_out,):
        met &= _report(held_out, find, options.verbose)
    known = sum(bool(developer_of(row["model_id"])) for row in rows())
    _say(f"developers: {known} of {len(rows())} rows ({known / len(rows()):.1%})")
    return 0 if met or not options.check else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.retrieval", description=__doc__)
    parser.add_argument("--held-out", action="store_true", help="the held-out third instead, figures only")
    parser.add_argument("--verbose", action="store_true", help="show each question that failed")
    parser.add_argument("--check", action="store_true", help="both sets; exit with 1 where a goal is missed")
    return parser.parse_args()


def searcher() -> Find:
    index = Index(_models())

    def find(query: str) -> list[str]:
        return [match.model.id for match in search.find(index, query, ANYTHING, LIMIT).matches]

    return find


def _models() -> Sequence[Model]:
    """As the embedded hub serves them, descriptions included."""
    return wire.decode_catalog(json.dumps({"data": load_rows()}).encode(), "aihubmix").models


def _report(held_out: bool, find: Find, verbose: bool) -> bool:
    outcomes = ask_all(chosen(held_out), find)
    groups = dict.fromkeys(outcome.question.group for outcome in outcomes)
    of_group = {group: [one for one in outcomes if one.question.group == group] for group in groups}
    _say("held out" if held_out else "tuning")
    _say(_line(HEADINGS))
    for group, its in of_group.items():
        _say(_line((group, *_cells(figures(its)))))
    _say(_line(("overall", *_cells(figures(outcomes)))))
    if verbose:
        for outcome in outcomes:
            if outcome.failed:
                _say(_failure(outcome))
    reached = list(goals(outcomes))
    for text, value, goal in reached:
        _say(f"{'ok   ' if value >= goal else 'under'}  {text}: {value:.3f} (goal {goal})")
    _say("")
    return all(value >= goal for _, value, goal in reached)


def goals(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, float, float]]:
    """What is promised, what is reached, and how much of it is promised."""
    slips = [outcome for outcome in outcomes if outcome.question.group == "names-slips"]
    stated = figures([outcome for outcome in outcomes if outcome.question.group in STATED])
    yield "names with slips, hit@1", figures(slips).hit1, 0.97
    yield "stated criteria, precision", 0.0 if stated.precision is None else stated.precision, 1.0
    yield "stated criteria, recall@10 where 10 or fewer qualify", stated.recall or 0.0, 1.0
    yield "overall, MRR", figures(outcomes).mrr, 0.95


def _cells(of: Figures) -> Iterator[str]:
    yield str(of.questions)
    for value in (of.hit1, of.hit5, of.mrr, of.precision, of.recall):
        yield "" if value is None else f"{value:.3f}"
    yield str(of.recalled or "")


def _line(cells: Sequence[str]) -> str:
    return f"{cells[0]:<14}" + "".join(f"{cell:>11}" for cell in cells[1:])


def _failure(outcome: Outcome) -> str:
    question = outcome.question
    lines = [
        f"  {question.group}: {question.text!r}: rank {outcome.rank or '-'}",
        f"    got    {_some(outcome.ids)}",
    ]
    if outcome.rank != 1:
        lines.append(f"    wanted {_some(sorted(question.happy)) or 'nothing'}")
    if outcome.offenders:
        lines.append(f"    unfit  {_some(outcome.offenders)}")
    if outcome.recall not in (None, 1.0):
        lines.append(f"    missed {_some(sorted(question.relevant - {*outcome.ids}))}")
    return "\n".join(lines)


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:5]) + (", …" if len(ids) > 5 else "")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())

"""The answer in words: which configuration is best, by how much, and whether that is certain."""

from __future__ import annotations

from typing import NamedTuple

from descentlab.evaluation.intervals import Interval
from descentlab.report import numbers
from descentlab.report.answers import Answers, Row, lower_is_better
from descentlab.report.names import metric_name


class Piece(NamedTuple):
    """A stretch of text, strong or not."""

    text: str
    strong: bool = False


Sentence = list[Piece]


def plain(sentence: Sentence) -> str:
    """Return a sentence without its emphasis."""
    return "".join(piece.text for piece in sentence)


def standing(found: Answers) -> str | None:
    """Say what is missing, or None for a complete study."""
    if found.complete:
        return None
    if not found.done:
        return f"No run is finished yet: 0 of {numbers.count(found.planned)} planned runs."
    missing = sum(not row.done for row in found.rows)
    configurations = (
        f" {_count(missing, 'configuration')} {'has' if missing == 1 else 'have'} no finished run."
        if missing
        else ""
    )
    return (
        f"Incomplete: {numbers.count(found.done)} of {numbers.count(found.planned)} planned runs are "
        f"finished.{configurations} Everything below is over the finished runs and may change."
    )


def answer(found: Answers) -> list[Sentence]:
    """Return the answer to the study's question, as far as its runs give one."""
    best = found.best
    if best is None:
        return [[Piece(_nothing(found))]]
    sentences = [_leader(found, best)]
    others = [row for row in found.rows[1:] if row.used]
    twins = [row for row in others if _identical(row)]
    rivals = [row for row in others if not _identical(row)]
    if twins:
        sentences.append(_same(twins))
    if rivals:
        sentences.append(_compare(found, rivals[0]))
        sentences += _rest(rivals)
    if best.diverged:
        sentences.append(
            [Piece(f"{best.diverged} of its {best.done} runs diverged and are not in that mean.")]
        )
    elif found.diverged:
        sentences.append(_diverged(found))
    return sentences


def _nothing(found: Answers) -> str:
    if not found.done:
        return "There is no answer yet: no run is finished."
    return f"There is no answer: all {numbers.count(found.done)} finished runs diverged."


def _leader(found: Answers, best: Row) -> Sentence:
    assert found.primary
    interval = best.metrics[found.primary]
    extreme = "lowest" if lower_is_better(found.primary) else "highest"
    name, metric = Piece(best.name, True), metric_name(found.primary)
    if len(found.rows) == 1:
        start = [Piece(f"The mean final {metric} is "), Piece(numbers.value(interval.mean), True)]
    else:
        so_far = "" if found.complete else " so far"
        start = [name, Piece(f" has the {extreme} mean final {metric}{so_far}: ")]
        start.append(Piece(_mean_text(interval.mean, interval.half), True))
    if interval.low is None or interval.high is None:
        return [
            *start,
            Piece(". That is one run: with one seed it can’t tell how much of it is luck."),
        ]
    if interval.low == interval.high:
        return [
            *start,
            Piece(
                f", the same in all {interval.n} seeds: nothing in these runs depends on the seed."
            ),
        ]
    low, high = numbers.ends(interval.low, interval.high)
    return [*start, Piece(f" (95 % interval {low} to {high}, {_count(interval.n, 'seed')}).")]


def _compare(found: Answers, second: Row) -> Sentence:
    assert found.primary
    gap = second.gap
    mean = numbers.value(second.metrics[found.primary].mean)
    name = Piece(second.name, True)
    if gap is None:
        return [
            Piece("Next is "),
            name,
            Piece(f" ({mean}); they share no seed, so they are not compared in pairs."),
        ]
    if gap.low is None or gap.high is None:
        return [
            Piece("Next is "),
            name,
            Piece(
                f" ({mean}). With one shared seed the study can’t tell which of the two is better; run more seeds."
            ),
        ]
    low, high = sorted((abs(gap.low), abs(gap.high))) if gap.excludes(0) else (gap.low, gap.high)
    first, last = numbers.ends(low, high)
    start = [Piece("Next is "), name, Piece(f" ({mean}). ")]
    if not gap.excludes(0):
        text = f"{_by_how_much(found, gap)} (95 % interval of the difference {first} to {last}, which includes zero): "
        return [
            *start,
            Piece(text),
            Piece("these runs do not tell the two apart", True),
            Piece("."),
        ]
    if gap.low == gap.high:
        return [*start, Piece(f"{_by_how_much(found, gap)}, exactly so in each of them.")]
    text = f"{_by_how_much(found, gap)} (95 % interval of the difference {first} to {last}), which "
    return [
        *start,
        Piece(text),
        Piece("is more than the spread over seeds explains", True),
        Piece("."),
    ]


def _rest(rivals: list[Row]) -> list[Sentence]:
    compared = [row for row in rivals if row.gap and row.gap.low is not None and not row.diverged]
    if not compared:
        return []
    near = sum(not row.gap.excludes(0) for row in compared if row.gap)
    some = f"{numbers.count(near)} of the" if near else "None of the"
    text = f"{some} {numbers.count(len(compared))} others compared with the best "
    text += (
        "cannot be told apart from it at 95 %. " if near else "is as good within 95 % intervals. "
    )
    text = text if len(compared) > 1 else ""
    return [
        [
            Piece(
                f"{text}The best was picked after seeing the results and nothing here is corrected for that: "
                "read this as exploration, and confirm it with fresh seeds."
            )
        ]
    ]


def _same(twins: list[Row]) -> Sentence:
    names = ", ".join(row.name for row in twins[:3]) + (
        f" and {len(twins) - 3} more" if len(twins) > 3 else ""
    )
    give = "give" if len(twins) > 1 else "gives"
    return [Piece(names, True), Piece(f" {give} exactly the same figure, seed by seed.")]


def _diverged(found: Answers) -> Sentence:
    where = [row for row in found.rows if row.diverged]
    return [
        Piece(
            f"{_count(found.diverged, 'run')} in {_count(len(where), 'configuration')} diverged; "
            f"{'it ranks' if len(where) == 1 else 'they rank'} last."
        )
    ]


def _identical(row: Row) -> bool:
    return row.gap is not None and row.gap.n > 0 and row.gap.mean == 0 and row.gap.half in (0, None)


def _mean_text(mean: float, half: float | None) -> str:
    found = numbers.estimate(mean, half)
    return f"{found.mean} × {found.power}" if found.power else found.mean


def _by_how_much(found: Answers, gap: Interval) -> str:
    """Say by how much the second differs, with the digits that the difference's interval supports."""
    size = _mean_text(abs(gap.mean), gap.half)
    way = "higher" if gap.mean > 0 else "lower"
    return f"Seed by seed, over {gap.n} seeds, its final {metric_name(found.primary or '')} is {size} {way}"


def _count(number: int, noun: str) -> str:
    return f"{numbers.count(number)} {noun}{'' if number == 1 else 's'}"

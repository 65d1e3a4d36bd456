"""The answer in words: what is best, by how much, and whether the seeds tell it apart."""

from __future__ import annotations

from typing import NamedTuple

from descentlab.evaluation.intervals import Interval
from descentlab.report import numbers
from descentlab.report.answers import Answers, Row, lower_is_better
from descentlab.report.names import metric_name

CAUTION = (
    "The best was picked after seeing the results and nothing here is corrected for that: "
    "read this as exploration, and confirm it with fresh seeds."
)


class Piece(NamedTuple):
    """A stretch of text, strong or not."""

    text: str
    strong: bool = False


Sentence = list[Piece]


def plain(sentence: Sentence) -> str:
    """Return a sentence without its emphasis."""
    return "".join(piece.text for piece in sentence)


def count(number: int, noun: str) -> str:
    """Return '1 run', '2 runs'."""
    return f"{numbers.count(number)} {noun}{'' if number == 1 else 's'}"


def standing(found: Answers) -> str | None:
    """Say what is missing, or None for a complete study."""
    if found.complete:
        return None
    planned = numbers.count(found.planned)
    if not found.done:
        return f"Incomplete: none of the {planned} planned runs is finished yet."
    text = f"Incomplete: {numbers.count(found.done)} of {planned} planned runs are finished."
    missing = sum(not row.done for row in found.rows)
    if missing:
        have = "has" if missing == 1 else "have"
        text += f" {count(missing, 'configuration')} {have} no finished run."
    return f"{text} Everything below is over the finished runs and may change."


def answer(found: Answers) -> list[Sentence]:
    """Return the answer to the study's question, as far as its runs give one.

    Which configuration has the best mean of the primary metric, with its interval; the
    next one's difference from it, paired by seed; and what that does not show.
    """
    best = found.best
    if best is None:
        return [[Piece(_nothing(found))]]
    sentences = [_leader(found, best)]
    others = [row for row in found.rows[1:] if row.used]
    twins = [row for row in others if row.same]
    rivals = [row for row in others if not row.same]
    if twins:
        sentences.append(_same(twins))
    if rivals:
        sentences += [_compare(found, rivals[0]), *_caution(rivals)]
    if best.diverged:
        text = f"{best.diverged} of its {best.done} runs diverged and are not in that mean."
        sentences.append([Piece(text)])
    elif found.diverged:
        sentences.append(_diverged(found))
    return sentences


def _nothing(found: Answers) -> str:
    if not found.done:
        return "There is no answer yet: no run is finished."
    return f"There is no answer: all {count(found.done, 'finished run')} diverged."


def _leader(found: Answers, best: Row) -> Sentence:
    metric = found.primary or ""
    interval = best.metrics[metric]
    mean = Piece(_mean(interval), True)
    if len(found.rows) == 1:
        start = [Piece(f"The mean final {metric_name(metric)} is "), mean]
    else:
        extreme = "lowest" if lower_is_better(metric) else "highest"
        so_far = "" if found.complete else " so far"
        text = f" has the {extreme} mean final {metric_name(metric)}{so_far}: "
        start = [Piece(best.name, True), Piece(text), mean]
    if interval.low is None or interval.high is None:
        text = ". That is one run: with one seed it can’t tell how much of it is luck."
    elif interval.low == interval.high:
        text = f", the same in all {interval.n} seeds."
    else:
        low, high = numbers.ends(interval.low, interval.high)
        text = f" (95 % interval {low} to {high}, {count(interval.n, 'seed')})."
    return [*start, Piece(text)]


def _compare(found: Answers, second: Row) -> Sentence:
    gap = second.gap
    start = [Piece("Next is "), Piece(second.name, True)]
    mean = _mean(second.metrics[found.primary or ""])
    if gap is None:
        text = f" ({mean}); the two share no seed, so they are not compared in pairs."
        return [*start, Piece(text)]
    if gap.low is None or gap.high is None:
        text = f" ({mean}). With one shared seed the study can’t tell which of the two is better; "
        return [*start, Piece(text + "run more seeds.")]
    difference = _difference(found, gap)
    start.append(Piece(f" ({mean}). {difference}"))
    if gap.low == gap.high:
        return [*start, Piece(", exactly so in each of them.")]
    if not gap.excludes(0):
        low, high = numbers.ends(gap.low, gap.high)
        text = f" (95 % interval of the difference {low} to {high}, which includes zero): "
        return [
            *start,
            Piece(text),
            Piece("these runs do not tell the two apart", True),
            Piece("."),
        ]
    low, high = numbers.ends(*sorted((abs(gap.low), abs(gap.high))))
    text = f" (95 % interval of the difference {low} to {high}), which "
    return [
        *start,
        Piece(text),
        Piece("is more than the spread over seeds explains", True),
        Piece("."),
    ]


def _difference(found: Answers, gap: Interval) -> str:
    """Say by how much the second differs, in the digits that the interval supports."""
    size = _mean(gap._replace(mean=abs(gap.mean)))
    way = "higher" if gap.mean > 0 else "lower"
    metric = metric_name(found.primary or "")
    return f"Seed by seed, over {gap.n} seeds, its final {metric} is {size} {way}"


def _caution(rivals: list[Row]) -> list[Sentence]:
    gaps = [row.gap for row in rivals if not row.diverged]
    compared = [gap for gap in gaps if gap is not None and gap.low is not None]
    if not compared:
        return []
    near = sum(not gap.excludes(0) for gap in compared)
    others = numbers.count(len(compared))
    if len(compared) == 1:
        text = ""
    elif near:
        text = (
            f"{numbers.count(near)} of the {others} others cannot be told apart from the best, "
            "compared one by one at 95 %. "
        )
    else:
        text = f"All {others} others are worse than the best, compared one by one at 95 %. "
    return [[Piece(text + CAUTION)]]


def _same(twins: list[Row]) -> Sentence:
    names = "; ".join(row.name for row in twins[:3])
    if len(twins) > 3:
        names += f" and {numbers.count(len(twins) - 3)} more"
    give = "give" if len(twins) > 1 else "gives"
    return [Piece(names, True), Piece(f" {give} the same figure to five digits, seed by seed.")]


def _diverged(found: Answers) -> Sentence:
    where = sum(row.diverged > 0 for row in found.rows)
    rank = "it ranks" if where == 1 else "they rank"
    runs, places = count(found.diverged, "run"), count(where, "configuration")
    return [Piece(f"{runs} in {places} diverged; {rank} last.")]


def _mean(interval: Interval) -> str:
    found = numbers.estimate(interval.mean, interval.half)
    return f"{found.mean} × {found.power}" if found.power else found.mean

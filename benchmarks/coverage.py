"""Do intervals of nominal 95 % cover the truth in 93 to 97 % of cases? A simulation.

    python benchmarks/coverage.py          # about 4 minutes; REPEATS=200 for a quick look

Known populations over a grid of true rates: 2, 3, 7 classes, balanced and not, the
rarest class with 10 or 12 examples on average. For each figure: coverage averaged over
the grid, the least of any population, how often an end was outside the figure's range,
and the mean width. The last lines are the common percentile bootstrap, for comparison.
"""

from __future__ import annotations

import os
import sys
import time
from collections import defaultdict

import numpy as np

from descentlab.evaluation import counts
from descentlab.evaluation.areas import areas
from descentlab.evaluation.counts import Cells, Margins
from descentlab.evaluation.probabilistic import calibration, mean_estimate, summarise
from descentlab.evaluation.proportions import f1_interval, paired_difference, wilson
from descentlab.evaluation.resampling import bootstrap_interval, posterior_interval
from descentlab.evaluation.scores import Scores

REPEATS = int(os.environ.get("REPEATS", "1000"))
DRAWS = 2000

MEANS = {
    "balanced accuracy": counts.balanced_accuracy,
    "macro precision": lambda m: counts.macro(counts.precision(m)),
    "macro F1": lambda m: counts.macro(counts.f1(m)),
    "weighted F1": lambda m: counts.weighted(counts.f1(m), m.support),
}
CHANCE = {"Matthews": counts.matthews, "kappa": counts.kappa}


class Table:
    """Hits, widths and ends outside the range, by figure and population."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, list]] = defaultdict(lambda: defaultdict(list))

    def add(self, figure: str, population: str, truth: float, ends: tuple, least=0.0, most=1.0):
        """Note one interval; an undefined one counts for nothing."""
        low, high = ends
        if low is None or not (np.isfinite(low) and np.isfinite(high) and np.isfinite(truth)):
            return
        inside = low - 1e-9 <= truth <= high + 1e-9
        out = low < least - 1e-12 or high > most + 1e-12
        self.rows[figure][population].append((inside, out, high - low))

    def print(self, title: str) -> None:
        """Print a line a figure."""
        print(f"\n### {title}\n")
        print("| figure | mean coverage | least | populations | outside its range | mean width |")
        print("| --- | --- | --- | --- | --- | --- |")
        for figure, populations in self.rows.items():
            cover = [np.mean([row[0] for row in rows]) for rows in populations.values()]
            rows = np.array([row for found in populations.values() for row in found], float)
            flag = "" if 0.93 <= np.mean(cover) <= 0.97 else " **outside 93–97 %**"
            print(
                f"| {figure} | {100 * np.mean(cover):.1f} %{flag} | {100 * min(cover):.1f} % | "
                f"{len(cover)} | {int(rows[:, 1].sum())} of {len(rows):,} | "
                f"{rows[:, 2].mean():.3f} |",
                flush=True,
            )
        self.rows.clear()


def populations():
    """Joint distributions of (label, prediction): sizes of classes × true recalls."""
    for n, expected in ((40, [20, 20]), (200, [100, 90, 10]), (1003, None)):
        if expected is None:
            expected = [670, 115, 110, 51, 33, 12, 12]  # like skin lesions
        share = np.array(expected) / sum(expected)
        for recall in (0.1, 0.3, 0.5, 0.7, 0.9, 0.97):
            wrong = np.outer(np.ones(len(share)), share)
            np.fill_diagonal(wrong, 0)
            wrong *= (1 - recall) / wrong.sum(axis=1, keepdims=True)
            joint = share[:, None] * (wrong + recall * np.eye(len(share)))
            yield f"K={len(share)} n={n} recall={recall}", n, joint


def count_figures(table: Table, generator: np.random.Generator) -> None:
    """Figures that depend on the confusion matrix alone."""
    for name, n, joint in populations():
        truth = Margins(np.diag(joint), joint.sum(1), joint.sum(0))
        classes = len(joint)
        for repeat in range(REPEATS):
            matrix = generator.multinomial(n, joint.ravel()).reshape(joint.shape)
            if (matrix.sum(axis=1) == 0).any():
                continue
            _one_matrix(table, name, matrix, truth, classes, repeat)


def _one_matrix(table, name, matrix, truth, classes, repeat):
    cells = Cells.of(matrix)
    m = cells.margins()
    n = matrix.sum()
    table.add("accuracy", name, float(counts.accuracy(truth)), wilson(m.hits.sum(), n))
    rare = classes - 1
    table.add(
        "recall, rarest class", name, float(counts.recall(truth)[rare]),
        wilson(m.hits[rare], m.support[rare]),
    )  # fmt: skip
    if m.predicted[rare]:
        table.add(
            "precision, rarest class", name, float(counts.precision(truth)[rare]),
            wilson(m.hits[rare], m.predicted[rare]),
        )  # fmt: skip
    low, high = f1_interval(m.hits, m.support + m.predicted - 2 * m.hits)
    for label, k in (("F1, rarest class", rare), ("F1, commonest class", 0)):
        table.add(label, name, float(counts.f1(truth)[k]), (low[k], high[k]))
    figures = MEANS | CHANCE
    for label, ends in posterior_interval(cells, figures, draws=DRAWS, seed=repeat).items():
        table.add(label, name, float(figures[label](truth)), ends, least=-1 * (label in CHANCE))
    others = figures | {
        "recall, rarest class": lambda m: counts.recall(m)[..., rare],
        "F1, rarest class": lambda m: counts.f1(m)[..., rare],
    }
    for label, ends in bootstrap_interval(cells, others, draws=DRAWS, seed=repeat).items():
        truly = float(others[label](truth))
        table.add(f"percentile bootstrap: {label}", name, truly, ends, least=-1)


def many_classes(table: Table, generator: np.random.Generator) -> None:
    """Twelve to a hundred classes of ten examples each, from guesses to good answers."""
    for classes in (12, 20, 32, 100):
        for recall in (1 / classes, 0.5, 0.9):
            joint = np.full((classes, classes), (1 - recall) / (classes - 1) / classes)
            np.fill_diagonal(joint, recall / classes)
            truth = Margins(np.diag(joint), joint.sum(1), joint.sum(0))
            name = f"K={classes} recall={recall:.2f}"
            for repeat in range(max(50, REPEATS // 5)):
                cells = Cells.of(
                    generator.multinomial(10 * classes, joint.ravel()).reshape(joint.shape)
                )
                figures = MEANS | CHANCE
                found = posterior_interval(cells, figures, draws=DRAWS // 2, seed=repeat)
                for label, ends in found.items():
                    table.add(label, name, float(figures[label](truth)), ends,
                              least=-1 * (label in CHANCE))  # fmt: skip


def score_population(generator, n: int, share: np.ndarray, gap: float):
    """Labels, and probabilities that are calibrated but for their sharpness."""
    labels = generator.choice(len(share), size=n, p=share)
    logits = generator.normal(size=(n, len(share)))
    logits[np.arange(n), labels] += gap
    logits = logits * 0.9 + np.log(share)
    exps = np.exp(logits - logits.max(axis=1, keepdims=True))
    return labels, exps / exps.sum(axis=1, keepdims=True)


def score_figures(table: Table, generator: np.random.Generator) -> None:
    """Figures that need scores; the truth comes from half a million examples."""
    sizes = ((40, [0.5, 0.5]), (100, [0.9, 0.1]), (200, [0.5, 0.45, 0.05]), (1000, [0.1] * 10))
    for n, share in sizes:
        for gap in (0.0, 0.5, 1.0, 2.0, 3.0):
            truth = _score_figures(*score_population(generator, 500_000, np.array(share), gap), 1)
            name = f"K={len(share)} n={n} gap={gap}"
            for repeat in range(max(50, REPEATS // 2)):
                labels, p = score_population(generator, n, np.array(share), gap)
                if (np.bincount(labels, minlength=len(share)) < 2).any():
                    continue
                for figure, estimate in _score_figures(labels, p, repeat).items():
                    most = {"log loss": np.inf, "Brier score": 2}.get(figure, 1)
                    table.add(
                        figure,
                        name,
                        truth[figure].value or 0.0,
                        (estimate.low, estimate.high),
                        most=most,
                    )


def _score_figures(labels, probabilities, seed):
    scores = Scores.of("probabilities", probabilities)
    found = areas(labels, scores)
    _, sums = summarise(scores, labels)
    half = 0.5 if scores.classes == 2 else 1
    return {
        "AUC, rarest class": found.auc_by_class[-1],
        **{f"AUC {name}": estimate for name, estimate in found.auc.items()},
        "average precision, rarest class": found.precision_by_class[-1],
        **{f"average precision {k}": e for k, e in found.average_precision.items()},
        "log loss": mean_estimate(sums.loss, sums.count, 0.95),
        "Brier score": mean_estimate(sums.brier * [half, half**2], sums.count, 0.95, 2 * half),
        "calibration error": calibration(sums.bins, draws=DRAWS, seed=seed).error,
    }


def comparisons(table: Table, generator: np.random.Generator) -> None:
    """Two models on the same examples: the difference of accuracies and of other figures."""
    for n in (100, 1000):
        for agree, better in ((0.9, 0.0), (0.9, 0.05), (0.6, 0.0), (0.6, 0.1)):
            name = f"n={n} agree={agree} better={better}"
            b, c = (1 - agree + better) / 2, (1 - agree - better) / 2
            for _ in range(REPEATS):
                _, first, second = generator.multinomial(n, [agree, b, c])
                table.add(
                    "difference of accuracies", name, better,
                    paired_difference(first, second, n)[1:], least=-1,
                )  # fmt: skip


def main() -> None:
    """Print the tables."""
    generator = np.random.default_rng(0)
    begun = time.time()
    table = Table()
    wanted = set(sys.argv[1:]) or {"counts", "many", "scores", "comparisons"}
    if "counts" in wanted:
        count_figures(table, generator)
        table.print("Figures of the confusion matrix")
    if "many" in wanted:
        many_classes(table, generator)
        table.print("Many classes of ten examples each")
    if "scores" in wanted:
        score_figures(table, generator)
        table.print("Figures of scores")
    if "comparisons" in wanted:
        comparisons(table, generator)
        table.print("Two models on the same examples")
    print(f"\n{time.time() - begun:.0f} s, {REPEATS} repeats")


if __name__ == "__main__":
    main()

"""Evaluating ten million predictions of ten classes: against scikit-learn and torchmetrics.

    python benchmarks/evaluation.py             # everything, about 15 minutes on two cores
    python benchmarks/evaluation.py matrix auc  # parts: matrix report auc bootstrap memory
    EXAMPLES=1000000 REPEATS=5 python benchmarks/evaluation.py

All variants are asked in turn (A B A B) in one process on the same arrays; figures are
medians of seconds. Needs the extra ``peers``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from statistics import median

import numpy as np

EXAMPLES = int(os.environ.get("EXAMPLES", "10000000"))
REPEATS = int(os.environ.get("REPEATS", "3"))
CLASSES = 10


def made(n: int = EXAMPLES):
    """Labels, probabilities and logits of a classifier that is right four times of five."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, CLASSES, n)
    logits = generator.standard_normal((n, CLASSES), dtype=np.float32)
    logits[np.arange(n), labels] += 2.5
    exps = np.exp(logits)
    probabilities = exps / exps.sum(axis=1, keepdims=True)
    return labels, probabilities, logits


def compare(title: str, variants: dict, wanted: float | None = None) -> None:
    """Call the variants in turn and print medians and ratios to the first."""
    for work in variants.values():
        work()
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(REPEATS):
        for name, work in variants.items():
            begun = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - begun)
    base = next(iter(seconds))
    print(f"\n### {title}" + (f" (aim: {wanted:g}×)" if wanted else "") + "\n")
    print("| variant | median s | least | most | ratio |\n| --- | --- | --- | --- | --- |")
    for name, values in seconds.items():
        ratio = median(v / b for v, b in zip(values, seconds[base], strict=True))
        figures = f"{median(values):.3g} | {min(values):.3g} | {max(values):.3g}"
        print(f"| {name} | {figures} | {ratio:.1f} |", flush=True)


def matrix(labels, probabilities) -> None:
    """Counts of (label, prediction)."""
    import sklearn.metrics as sk
    import torch
    import torchmetrics.functional as tm

    from descentlab.evaluation.counts import confusion_matrix

    predictions = probabilities.argmax(axis=1)
    a, b = torch.from_numpy(labels), torch.from_numpy(predictions)
    compare(
        "Confusion matrix",
        {
            "descentlab": lambda: confusion_matrix(labels, predictions, CLASSES),
            "scikit-learn": lambda: sk.confusion_matrix(labels, predictions),
            "torchmetrics": lambda: tm.confusion_matrix(
                b, a, task="multiclass", num_classes=CLASSES
            ),
        },
        15,
    )


def report(labels, probabilities) -> None:
    """Counts, precision, recall and F1 by class and their means, and log loss, from scores."""
    import sklearn.metrics as sk
    import torch
    import torchmetrics as tm

    from descentlab.evaluation import counts
    from descentlab.evaluation.probabilistic import summarise
    from descentlab.evaluation.scores import Scores

    def ours():
        best, sums = summarise(Scores.of("probabilities", probabilities), labels)
        margins = counts.count_cells(labels, best, CLASSES).margins()
        for figure in (counts.precision, counts.recall, counts.f1):
            counts.macro(figure(margins))
        return sums.loss[0] / sums.count

    def theirs():
        predictions = probabilities.argmax(axis=1)
        sk.classification_report(labels, predictions, output_dict=True)
        return sk.log_loss(labels, probabilities, labels=range(CLASSES))

    kind = {"task": "multiclass", "num_classes": CLASSES}
    a, b = torch.from_numpy(labels), torch.from_numpy(probabilities)

    def torch_report():
        collection = tm.MetricCollection(
            [tm.Precision(average=None, **kind), tm.Recall(average=None, **kind),
             tm.F1Score(average=None, **kind), tm.Accuracy(**kind)]
        )  # fmt: skip
        collection(b, a)
        torch.nn.functional.nll_loss(b.log(), a)

    def everything():
        from descentlab.evaluation import evaluate

        evaluate(labels, probabilities=probabilities)

    compare(
        "Report: answers, counts, precision, recall, F1, log loss",
        {"descentlab": ours, "scikit-learn": theirs, "torchmetrics": torch_report}, 8,
    )  # fmt: skip
    begun = time.perf_counter()
    everything()
    print(
        f"\nThe whole of `evaluate` (all figures, areas, curves, intervals): "
        f"{time.perf_counter() - begun:.1f} s"
    )


def auc(labels, probabilities) -> None:
    """The exact area under the ROC curve of every class against the rest."""
    import sklearn.metrics as sk
    import torch
    import torchmetrics.functional as tm

    from descentlab.evaluation.areas import auc_by_class
    from descentlab.evaluation.scores import Scores

    scores = Scores.of("probabilities", probabilities)
    a, b = torch.from_numpy(labels), torch.from_numpy(probabilities)
    normed = probabilities.astype(np.float64)
    normed /= normed.sum(axis=1, keepdims=True)
    one, other = auc_by_class(labels, scores), None

    def theirs():
        nonlocal other
        other = sk.roc_auc_score(labels, normed, multi_class="ovr", average=None)

    compare(
        "Exact AUC of all classes",
        {
            "descentlab": lambda: auc_by_class(labels, scores),
            "descentlab, one thread": lambda: auc_by_class(labels, scores, threads=1),
            "scikit-learn": theirs,
            "torchmetrics": lambda: tm.auroc(
                b, a, task="multiclass", num_classes=CLASSES, average=None
            ),
        },
        8,
    )
    print(f"\nlargest difference to scikit-learn: {np.abs(one - np.asarray(other)).max():.1e}")


def bootstrap(labels, probabilities) -> None:
    """Ten thousand bootstrap replicates of macro F1 and others."""
    from descentlab.evaluation import counts
    from descentlab.evaluation.resampling import bootstrap_interval, posterior_interval

    cells = counts.count_cells(labels, probabilities.argmax(axis=1), CLASSES)
    figures = {
        "macro F1": lambda m: counts.macro(counts.f1(m)),
        "balanced accuracy": counts.balanced_accuracy,
        "Matthews": counts.matthews,
    }
    compare(
        "10,000 replicates of three figures (aim: 1 s)",
        {
            "bootstrap": lambda: bootstrap_interval(cells, figures),
            "posterior": lambda: posterior_interval(cells, figures),
        },
    )


def memory() -> None:
    """Peak memory of a whole evaluation beside that of its input, each in a process of its own."""
    found = {}
    for what in ("nothing", "evaluate", "auc"):
        text = subprocess.run(
            [sys.executable, __file__, "--peak", what], capture_output=True, text=True, check=True
        ).stdout
        found[what] = [float(x) for x in text.split()]
    size = found["evaluate"][1]
    print(f"\n### Peak memory (input {size:.0f} MB; aim: 2× the input)\n")
    print("| work | peak MB above the input | (input + that) / input |\n| --- | --- | --- |")
    for what in ("auc", "evaluate"):
        more = found[what][0] - found["nothing"][0]
        print(f"| {what} | {more:.0f} | {1 + more / size:.2f} |")


def peak(what: str) -> None:
    """Do one piece of work and print the process's peak memory and the input's size, in MB."""
    import resource

    from descentlab.evaluation import evaluate
    from descentlab.evaluation.areas import auc_by_class
    from descentlab.evaluation.scores import Scores

    generator = np.random.default_rng(0)
    labels = generator.integers(0, CLASSES, EXAMPLES)
    probabilities = np.empty((EXAMPLES, CLASSES), np.float32)
    for start in range(0, EXAMPLES, 1 << 16):  # in blocks: the making must not be the peak
        block = probabilities[start : start + (1 << 16)]
        block[:] = generator.random(block.shape, dtype=np.float32)
        block[np.arange(len(block)), labels[start : start + (1 << 16)]] += 1
        block /= block.sum(axis=1, keepdims=True)
    evaluate(labels[:1000], probabilities=probabilities[:1000])  # imports
    if what == "evaluate":
        evaluate(labels, probabilities=probabilities)
    elif what == "auc":
        auc_by_class(labels, Scores.of("probabilities", probabilities))
    print(
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        (labels.nbytes + probabilities.nbytes) / 1e6,
    )


def main() -> None:
    """Run the parts that were asked for, all by default."""
    if sys.argv[1:2] == ["--peak"]:
        peak(sys.argv[2])
        return
    wanted = sys.argv[1:] or ["matrix", "report", "auc", "bootstrap", "memory"]
    if "memory" in wanted:
        memory()
    parts = {"matrix": matrix, "report": report, "auc": auc, "bootstrap": bootstrap}
    if set(wanted) & set(parts):
        labels, probabilities, _ = made()
        for name in wanted:
            if name in parts:
                parts[name](labels, probabilities)


if __name__ == "__main__":
    main()

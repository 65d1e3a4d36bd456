"""Agreement with scikit-learn over a generated matrix of cases: the largest differences.

    python benchmarks/agreement.py   # about a minute

Cases: numbers of classes × examples × precision × with and without ties × with and
without a class that never occurs × with and without one that is never predicted. Where a
figure is undefined here (NaN) it must be so there under ``zero_division=np.nan``.
"""

from __future__ import annotations

import itertools
import warnings
from collections import defaultdict

import numpy as np
import sklearn.metrics as sk

from descentlab.evaluation import Evaluation, evaluate


def cases():
    """Yield labels and probabilities."""
    generator = np.random.default_rng(0)
    grid = itertools.product(
        (2, 3, 5, 10), (30, 300, 3000), (np.float32, np.float64), (False, True), (False, True),
        (False, True), range(3),
    )  # fmt: skip
    for classes, n, dtype, ties, absent, unpredicted, _ in grid:
        labels = generator.integers(0, classes - (absent and classes > 2), n)
        labels[:2] = 0, 1
        logits = generator.normal(size=(n, classes))
        logits[np.arange(n), labels] += 1
        if unpredicted:
            logits[:, 0] -= 20
        exps = np.exp(logits)
        if ties:  # sums stay exact: sixteenths
            exps = generator.multinomial(16, exps / exps.sum(1, keepdims=True)).astype(float)
        yield labels, (exps / exps.sum(axis=1, keepdims=True)).astype(dtype)


def theirs(labels: np.ndarray, p: np.ndarray) -> dict:
    """Return scikit-learn's figures."""
    n, classes = p.shape
    answers, every = p.argmax(axis=1), np.arange(classes)
    hot, there = np.eye(classes, dtype=int)[labels], np.unique(labels)
    kind = {"labels": every, "zero_division": np.nan}
    found: dict = {
        "accuracy": sk.accuracy_score(labels, answers),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, answers),
        "kappa": sk.cohen_kappa_score(labels, answers),
        "matthews": sk.matthews_corrcoef(labels, answers),
        "log_loss": sk.log_loss(labels, p, labels=every),
        "confusion_matrix": sk.confusion_matrix(labels, answers, labels=every),
    }
    brier = sk.brier_score_loss(labels, p[:, 1] if classes == 2 else p, **(
        {} if classes == 2 else {"labels": every}))  # fmt: skip
    found["brier"] = brier
    for name, score in (
        ("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score),
    ):  # fmt: skip
        found[f"{name} by class"] = score(labels, answers, average=None, **kind)
        for mean in ("macro", "weighted"):
            found[f"{mean}_{name}"] = score(labels, answers, average=mean, **kind)
    for k in (2, 3, 5):
        if k < classes:
            found[f"top_{k}"] = sk.top_k_accuracy_score(labels, p, k=k, labels=every)
    areas = sk.roc_auc_score(hot[:, there], p[:, there], average=None)
    found["auc by class"] = areas
    found["auc macro"] = areas.mean()
    found["auc weighted"] = (areas * hot.sum(0)[there]).sum() / n
    found["auc micro"] = sk.roc_auc_score(hot, p, average="micro")
    precise = sk.average_precision_score(hot[:, there], p[:, there], average=None)
    found["average precision by class"] = precise
    found["average precision micro"] = sk.average_precision_score(hot, p, average="micro")
    if len(there) == classes > 2 and p.dtype == np.float64:  # it wants sums of exactly 1
        for mean in ("macro", "weighted"):
            found[f"auc ovo_{mean}"] = sk.roc_auc_score(labels, p, multi_class="ovo", average=mean)
    return found


def ours(e: Evaluation, name: str) -> np.ndarray:
    """Return the same figure of an evaluation, NaN where it is undefined."""
    if name == "confusion_matrix":
        assert e.matrix is not None
        return e.matrix
    if name.endswith(" by class"):
        key = name.removesuffix(" by class").replace(" ", "_")
        found = [getattr(each, key).value for each in e.per_class]
        if key in ("auc", "average_precision"):
            found = [value for value in found if value is not None]
        return np.array(found, float)
    if name.startswith("auc "):
        return np.array(e.auc[name[4:]].value, float)
    if name.startswith("average precision "):
        return np.array(e.average_precision[name[18:]].value, float)
    return np.array(e.figures[name].value, float)


def main() -> None:
    """Print the largest difference of each figure."""
    warnings.simplefilter("ignore")
    worst: dict[str, float] = defaultdict(float)
    compared: dict[str, int] = defaultdict(int)
    undefined: dict[str, int] = defaultdict(int)
    total = 0
    for labels, p in cases():
        total += 1
        evaluation = evaluate(labels, probabilities=p)
        for name, value in theirs(labels, p).items():
            mine, value = np.broadcast_arrays(ours(evaluation, name), np.asarray(value, float))
            if name in ("matthews", "kappa") and np.isnan(mine).all():
                undefined[name] += 1  # where scikit-learn puts 0
                continue
            unlike = np.isnan(mine) != np.isnan(value)
            undefined[name] += int(np.isnan(mine).sum())
            compared[name] += int(np.isfinite(mine).sum())
            gap = np.where(unlike, np.inf, np.abs(np.nan_to_num(mine) - np.nan_to_num(value)))
            worst[name] = max(worst[name], float(gap.max()))
    print(f"\n### Agreement with scikit-learn {sk.__name__ and __import__('sklearn').__version__}: "
          f"{total} cases\n")  # fmt: skip
    print("| figure | values compared | undefined in both | largest difference |")
    print("| --- | --- | --- | --- |")
    for name, gap in worst.items():
        print(f"| {name} | {compared[name]:,} | {undefined[name]:,} | {gap:.1e} |")


if __name__ == "__main__":
    main()

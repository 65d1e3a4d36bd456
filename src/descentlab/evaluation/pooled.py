"""The micro means: all (example, class) pairs as one ranking problem, without sorting them all.

The pairs (example, its class) are the positives. They are sorted once; the negatives
come class by class, sorted already, and are looked up among them. Nothing as long as
all pairs is ever held.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from descentlab.evaluation.grouping import Sample
from descentlab.evaluation.ranking import (
    Standing,
    auc_interval,
    places,
    precision_interval,
    thinned,
)
from descentlab.evaluation.results import Curve, Estimate
from descentlab.evaluation.scores import Scores

CHUNK = 1 << 18


@dataclass(frozen=True)
class Micro:
    """The areas over all pairs, with their curves."""

    auc: Estimate
    average_precision: Estimate
    roc: Curve
    precision_recall: Curve


@dataclass
class Pool:
    """Positives, and how many negatives lie between them.

    Attributes:
        own: scores of the positives, sorted.
        sampled: scores of the positives of a sample of the examples, in its order.
        reached: of the negatives, how many are at or above exactly i positives, i = 0 … n;
            once they are all there, how many are at or above at most i.
        tied: of those, how many are equal to the i-th positive; None where none is.
        ordered: twice the pairs in the right order, ties counted once.
        negatives: number of negatives.
    """

    own: Float[np.ndarray, " n"]
    sampled: Float[np.ndarray, " m"]
    reached: Int[np.ndarray, " n+1"]
    tied: Int[np.ndarray, " n+1"] | None
    ordered: int
    negatives: int
    lock: threading.Lock

    @classmethod
    def of(cls, scores: Scores, labels: Int[np.ndarray, " n"], sample: Sample) -> Pool:
        """Return the pool of the positives, without negatives yet."""
        own = scores.own(labels)
        sampled = own[sample.index]
        own.sort()
        negatives = len(own) * (scores.classes - 1)
        counts = np.zeros(len(own) + 1, np.int32 if negatives < 2**31 else np.int64)
        return cls(own, sampled, counts, None, 0, negatives, threading.Lock())

    def add(self, negatives: Sequence[Float[np.ndarray, " part"]]) -> None:
        """Add negatives, in parts that are sorted each."""
        for part in negatives:
            for start in range(0, len(part), CHUNK):
                self._add(part[start : start + CHUNK])

    def _add(self, part: np.ndarray) -> None:
        below, upto = places(self.own, part)
        tied = below[upto > below] if upto is not below else below[:0]
        ordered = 2 * len(self.own) * len(part) - int(below.sum()) - int(upto.sum())
        with self.lock:
            self.ordered += ordered
            _count(self.reached, upto)
            if len(tied):
                if self.tied is None:
                    self.tied = np.zeros_like(self.reached)
                _count(self.tied, tied)

    def shares_above(self, values: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        """Return the share of positives above each value, equal ones counted half."""
        below, upto = places(self.own, values)
        return 1 - (below + upto) / (2 * len(self.own))

    def finish(
        self, sample: Sample, shares: Float[np.ndarray, " m"], classes: int, level: float
    ) -> Micro:
        """Return the areas, once every negative has been added.

        An example brings one positive and a negative for each other class, which are not
        independent; its influence on the AUC is that of both together.

        Args:
            sample: the examples whose influence is looked at.
            shares: Σ over an example's negatives of the share of positives above.
            classes: number of classes.
            level: the nominal coverage.
        """
        np.cumsum(self.reached, out=self.reached)
        n = len(self.own)
        auc = self.ordered / (2 * n * self.negatives)
        below, upto = self._negatives(np.searchsorted(self.own, self.sampled))
        under = (below + upto) / (2 * self.negatives)
        influence = (under - auc) + (shares / (classes - 1) - auc)
        variance = sample.variance_of_mean(influence, n)
        precision = self._average_precision()
        standing = self._standing()
        return Micro(
            Estimate(auc, *auc_interval(auc, variance, n, level), "DeLong, logit"),
            Estimate(precision, *precision_interval(precision, n, level), "logit"),
            standing.roc(),
            standing.precision_recall(),
        )

    def _negatives(self, first: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the negatives below, and not above, the positive first of its score."""
        below = self.reached[first].astype(np.int64)
        return below, below if self.tied is None else below + self.tied[first]

    def _average_precision(self) -> float:
        n, total = len(self.own), 0.0
        for start in range(0, n, CHUNK):
            first = np.searchsorted(self.own, self.own[start : start + CHUNK])
            right = n - first
            wrong = self.negatives - self._negatives(first)[0]
            total += float((right / (right + wrong)).sum())
        return total / n

    def _standing(self) -> Standing:
        """Return where some of the positives stand, enough for a plot."""
        scores = np.unique(self.own[thinned(len(self.own))])
        first, last = places(self.own, scores)
        return Standing(
            scores, last - first, len(self.own) - first, *self._negatives(first), len(self.own),
            self.negatives,
        )  # fmt: skip


def _count(counts: np.ndarray, places: np.ndarray) -> None:
    """Add 1 at each place; the places are sorted, so that runs can be counted."""
    first = np.flatnonzero(np.diff(places, prepend=-1))
    counts[places[first]] += np.diff(first, append=len(places)).astype(counts.dtype)

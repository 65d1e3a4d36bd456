"""The micro means: all (example, class) pairs as one ranking problem, without sorting them all.

The pairs (example, its class) are the positives. They are sorted once; the negatives
come class by class, sorted already, and are looked up among them.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from descentlab.evaluation.grouping import Sample
from descentlab.evaluation.ranking import Ranking, places
from descentlab.evaluation.scores import Scores


@dataclass
class Pool:
    """Positives, and how many negatives lie between them.

    Attributes:
        own: scores of the positives, sorted.
        sampled: scores of the positives of a sample of the examples, in its order.
        reached: of the negatives, how many are at or above exactly i positives, i = 0 … n.
        tied: of those, how many are equal to the i-th positive; None where none is.
    """

    own: Float[np.ndarray, " n"]
    sampled: Float[np.ndarray, " m"]
    reached: Int[np.ndarray, " n+1"]
    tied: Int[np.ndarray, " n+1"] | None
    lock: threading.Lock

    @classmethod
    def of(cls, scores: Scores, labels: Int[np.ndarray, " n"], sample: Sample) -> Pool:
        """Return the pool of the positives, without negatives yet."""
        own = scores.own(labels)
        sampled = own[sample.index]
        own.sort()
        counts = np.zeros(len(own) + 1, _counter(len(own) * (scores.classes - 1)))
        return cls(own, sampled, counts, None, threading.Lock())

    def add(self, negatives: Sequence[Float[np.ndarray, " part"]]) -> None:
        """Add negatives, in parts that are sorted each."""
        for part in negatives:
            below, upto = places(self.own, part)
            tied = below[upto > below] if upto is not below else below[:0]
            with self.lock:
                _count(self.reached, upto)
                if len(tied):
                    if self.tied is None:
                        self.tied = np.zeros_like(self.reached)
                    _count(self.tied, tied)

    def ranking(self) -> Ranking:
        """Return the ranking of all pairs, once every negative has been added."""
        first = np.flatnonzero(np.diff(self.own, prepend=np.nan) != 0)
        ties = np.diff(first, append=len(self.own))
        # Below positives[first:first+ties]: negatives that reach at most the ones before.
        below = np.cumsum(self.reached, dtype=np.int64)[first]
        equal = 0 if self.tied is None else self.tied[first]
        return Ranking(self.own[first], ties, below, below + equal, int(self.reached.sum()))

    def shares_above(self, values: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
        """Return the share of positives above each value, equal ones counted half."""
        below, upto = places(self.own, values)
        return 1 - (below + upto) / (2 * len(self.own))

    def variance(
        self, ranking: Ranking, sample: Sample, shares: Float[np.ndarray, " m"], classes: int
    ) -> float:
        """Return the variance of the micro AUC.

        An example brings one positive and a negative for each other class, which are not
        independent; its influence is that of both together.

        Args:
            ranking: of all pairs.
            sample: the examples whose influence is looked at.
            shares: Σ over an example's negatives of the share of positives above.
            classes: number of classes.
        """
        place = np.searchsorted(ranking.scores, self.sampled)
        below = (ranking.below[place] + ranking.upto[place]) / (2 * ranking.negatives)
        influence = (below - ranking.auc) + (shares / (classes - 1) - ranking.auc)
        return sample.variance_of_mean(influence, len(self.own))


def _counter(most: int) -> type:
    return np.int32 if most < 2**31 else np.int64


def _count(counts: np.ndarray, places: np.ndarray) -> None:
    """Add 1 at each place; the places are sorted, so that runs can be counted."""
    if not len(places):
        return
    first = np.flatnonzero(np.diff(places, prepend=-1))
    counts[places[first]] += np.diff(first, append=len(places)).astype(counts.dtype)

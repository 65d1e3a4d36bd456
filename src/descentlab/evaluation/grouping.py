"""Examples by class, and a sample of each class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

SAMPLE = 20_000


@dataclass(frozen=True)
class Groups:
    """Examples by class: their numbers, class after class, and where each class begins."""

    order: Int[np.ndarray, " n"]
    edges: Int[np.ndarray, " classes+1"]

    @classmethod
    def of(cls, labels: Int[np.ndarray, " n"], classes: int) -> Groups:
        """Group examples by label."""
        edges = np.append(0, np.cumsum(np.bincount(labels, minlength=classes)))
        small = labels.astype(np.min_scalar_type(classes), copy=False)
        order = np.argsort(small, kind="stable")  # a radix sort for 8 and 16 bits
        return cls(order.astype(np.min_scalar_type(len(labels))), edges)

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.order)

    @property
    def support(self) -> Int[np.ndarray, " classes"]:
        """Number of examples of each class."""
        return np.diff(self.edges)

    def members(self, k: int) -> Int[np.ndarray, " members"]:
        """Return the numbers of the examples of class ``k``, ascending."""
        return self.order[self.edges[k] : self.edges[k + 1]]

    def split(self, grouped: Float[np.ndarray, " n"]) -> list[Float[np.ndarray, " members"]]:
        """Return the values of each class, sorted in place, from values in this order."""
        parts = [grouped[a:b] for a, b in zip(self.edges[:-1], self.edges[1:], strict=True)]
        for part in parts:
            part.sort()
        return parts

    def in_two(
        self, column: Float[np.ndarray, " n"], k: int
    ) -> tuple[Float[np.ndarray, " members"], Float[np.ndarray, " others"]]:
        """Return the values of class ``k`` and those of all others, sorted."""
        members = self.members(k)
        return np.sort(column[members]), np.sort(np.delete(column, members))


@dataclass(frozen=True)
class Sample:
    """Examples that stand for all: evenly spaced ones of every class, each with its weight.

    A variance over examples is estimated on at most about 20,000 of them; with no more
    than that every example is in the sample.

    Attributes:
        index: numbers of the examples, class after class.
        edges: where each class begins.
        weight: share of all examples that each stands for; they sum to 1.
    """

    index: Int[np.ndarray, " m"]
    edges: Int[np.ndarray, " classes+1"]
    weight: Float[np.ndarray, " m"]

    @classmethod
    def of(cls, groups: Groups, most: int = SAMPLE) -> Sample:
        """Take a sample of about ``most`` examples, as many of a small class as of a large one."""
        support = groups.support
        cap = max(20, most // max(1, int((support > 0).sum())))
        taken = support if len(groups) <= most else np.minimum(support, cap)
        index = [
            groups.members(k)[np.arange(count) * support[k] // count]
            for k, count in enumerate(taken)
            if count
        ]
        with np.errstate(invalid="ignore"):
            each = support / taken / len(groups)
        return cls(np.concatenate(index), np.append(0, np.cumsum(taken)), np.repeat(each, taken))

    def part(self, k: int) -> slice:
        """Return where the examples of class ``k`` are in the sample."""
        return slice(int(self.edges[k]), int(self.edges[k + 1]))

    def variance_of_mean(self, influence: Float[np.ndarray, " m"], n: int) -> float:
        """Return the variance of a figure over ``n`` examples from their influence on it."""
        return float((self.weight * influence**2).sum() / n)

"""Batch orders: which examples each update sees, as a pure function of key and epoch.

An order is drawn once an epoch, as one array of indices, so that a compiled loop
only slices it. All kinds but ``full`` share that path:

==============  =====================================================  ====================
kind            indices of an epoch                                    updates an epoch
==============  =====================================================  ====================
``full``        all examples, in their order                           1
``shuffled``    a permutation; the last partial batch kept or dropped  ⌈n/size⌉ or ⌊n/size⌋
``replacement`` independent uniform draws                              ⌈n/size⌉
``single``      independent uniform draws, one example an update       n
==============  =====================================================  ====================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from descentlab.core.catalogue import Catalogue
from descentlab.core.errors import SpecError
from descentlab.core.spec import Spec

if TYPE_CHECKING:
    from jaxtyping import Array, Int, Key


class Batches(Spec):
    """Base of the batch orders; ``size`` examples an update out of ``examples``."""

    def check(self, examples: int) -> None:
        """Raise :class:`SpecError` if the data has too few examples for one batch."""
        size = self.batch_size(examples)
        if size > examples:
            raise SpecError(
                f"run.batches.size: a batch of {size} is larger than the training data "
                f"({examples} examples); choose at most {examples}, or 'batches: full'"
            )

    def batch_size(self, examples: int) -> int:
        """Return the number of examples of one full batch."""
        raise NotImplementedError

    def steps_per_epoch(self, examples: int) -> int:
        """Return the number of updates in one epoch."""
        return -(-examples // self.batch_size(examples))

    def order(self, key: Key[Array, ""], examples: int) -> Int[Array, " steps*size"]:
        """Return the indices of one epoch, batch after batch, padded to whole batches."""
        raise NotImplementedError


class Full(Batches):
    """Every update sees the whole training set (gradient descent)."""

    kind: Literal["full"] = "full"

    def batch_size(self, examples: int) -> int:
        """Return all examples."""
        return examples


class Shuffled(Batches):
    """A fresh permutation every epoch, cut into batches of ``size``.

    ``last`` says what happens to a last batch with fewer examples: ``keep`` (its
    loss is the mean over the examples it has) or ``drop``.
    """

    kind: Literal["shuffled"] = "shuffled"
    size: int = Field(default=64, ge=1)
    last: Literal["keep", "drop"] = "keep"

    def batch_size(self, examples: int) -> int:
        """Return ``size``."""
        return self.size

    def steps_per_epoch(self, examples: int) -> int:
        """Return ⌈n/size⌉ when the last partial batch is kept, ⌊n/size⌋ when dropped."""
        return examples // self.size if self.last == "drop" else -(-examples // self.size)

    def order(self, key: Key[Array, ""], examples: int) -> Int[Array, " steps*size"]:
        """Return a permutation of 0 … n-1, padded with n (no example) or cut."""
        import jax
        import jax.numpy as jnp

        order = jax.random.permutation(key, examples).astype(jnp.int32)
        length = self.steps_per_epoch(examples) * self.size
        padding = max(0, length - examples)
        return jnp.pad(order[:length], (0, padding), constant_values=examples)


class Replacement(Batches):
    """Every batch is ``size`` independent uniform draws from the training set."""

    kind: Literal["replacement"] = "replacement"
    size: int = Field(default=64, ge=1)

    def batch_size(self, examples: int) -> int:
        """Return ``size``."""
        return self.size

    def order(self, key: Key[Array, ""], examples: int) -> Int[Array, " steps*size"]:
        """Return uniform draws with replacement."""
        return _draws(key, self.steps_per_epoch(examples) * self.size, examples)


class Single(Batches):
    """Every update sees one example, drawn uniformly at random (stochastic gradient descent)."""

    kind: Literal["single"] = "single"

    def batch_size(self, examples: int) -> int:
        """Return one."""
        return 1

    def order(self, key: Key[Array, ""], examples: int) -> Int[Array, " steps*size"]:
        """Return uniform draws with replacement."""
        return _draws(key, examples, examples)


def _draws(key: Key[Array, ""], count: int, examples: int) -> Int[Array, " count"]:
    import jax
    import jax.numpy as jnp

    return jax.random.randint(key, (count,), 0, examples, dtype=jnp.int32)


CATALOGUE = Catalogue(
    "batches",
    {"full": Full, "shuffled": Shuffled, "replacement": Replacement, "single": Single},
    default="shuffled",
)

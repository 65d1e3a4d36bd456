"""Random keys by name: a run's luck depends on its seed and on nothing else.

``init``, ``order`` and ``dropout`` are streams of their own, so that two
configurations with the same seed start from the same weights and see the same
batches, whatever their optimizer and whoever trains beside them.
"""

from __future__ import annotations

import zlib

import jax
from jaxtyping import Array, Int, Key


def named_key(seed: Int[Array, ""] | int, name: str) -> Key[Array, ""]:
    """Return the key of one stream of a run: ``fold_in(key(seed), crc32(name))``.

    Threefry is named explicitly, so that a process-wide change of JAX's default
    generator does not change results.
    """
    return jax.random.fold_in(jax.random.key(seed, impl="threefry2x32"), zlib.crc32(name.encode()))

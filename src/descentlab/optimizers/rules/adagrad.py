"""Adagrad."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from descentlab.optimizers.base import Direction, Epsilon, FirstOrder, Strength


class Adagrad(FirstOrder):
    """Gradient descent with each coordinate scaled by the root of its summed squares.

    a ← a + g²;  θ ← θ - η g / (√a + ε), with a = ``initial_accumulator`` at first.

    Where libraries differ: PyTorch begins at a = 0 and adds ε = 1e-10 ``outside`` the root,
    as the paper's δ is; Optax and Keras begin at 0.1 and add 1e-7 ``inside``, √(a + ε).
    PyTorch's ``lr_decay`` is the schedule ``inverse_time`` here.

    Source: Duchi, Hazan & Singer 2011, figure 1, the diagonal form; it leaves δ open.
    """

    SOURCE: ClassVar[str] = "Duchi, Hazan & Singer 2011"
    FLAVOURS: ClassVar[dict[str, dict[str, Any]]] = {
        "torch": {"learning_rate": 0.01, "initial_accumulator": 0.0, "epsilon": 1e-10,
                  "epsilon_at": "outside"},
        "optax": {"learning_rate": 0.01, "initial_accumulator": 0.1, "epsilon": 1e-7,
                  "epsilon_at": "inside"},
        "keras": {"learning_rate": 0.001, "initial_accumulator": 0.1, "epsilon": 1e-7,
                  "epsilon_at": "inside"},
        "paper": {"learning_rate": 0.01, "initial_accumulator": 0.0, "epsilon": 1e-8,
                  "epsilon_at": "outside"},
    }  # fmt: skip

    kind: Literal["adagrad"] = "adagrad"
    flavour: Literal["torch", "optax", "keras", "paper"] = "torch"
    initial_accumulator: Strength = 0.0
    epsilon: Epsilon = 1e-10
    epsilon_at: Literal["outside", "inside"] = "outside"

    def direction(self) -> Direction:
        """Return g over the root of the sum of its squares."""
        import optax

        if self.epsilon_at == "inside":
            return Direction(optax.scale_by_rss(self.initial_accumulator, self.epsilon))
        from descentlab.optimizers.rules.moments import scale_by_root_of_sum

        return Direction(scale_by_root_of_sum(self.initial_accumulator, self.epsilon))

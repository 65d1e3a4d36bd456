"""Schedule-Free SGD and AdamW."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from descentlab.optimizers.base import Decay, Direction, Epsilon, FirstOrder, Rate, Strength

if TYPE_CHECKING:
    from descentlab.optimizers.protocol import Optimizer, Schedule

Interpolation = Annotated[float, Field(gt=0, lt=1)]


class ScheduleFreeSGD(FirstOrder):
    """Gradient descent whose iterates are averaged, in place of a falling learning rate.

    y = (1-β) z + β x, where gradients are taken;  z ← z - γ_t (∇f(y) + λ y);
    x ← (1-c) x + c z, which is evaluated;  c = w_t / (w₁ + … + w_t).

    Warm-up comes from the run's ``schedule``, γ_t = η s(t); a falling one defeats the idea.
    Where codes differ: ``weight`` w_t is the square of the ``largest`` rate so far in the
    authors' PyTorch package ``schedulefree``; of the ``largest_next``, the coming update's
    rate included, in Optax, which differs while rates rise; of the rate ``applied`` in the
    paper.

    Source: Defazio et al. 2024, eqs. 3-5 and section 4.
    """

    SOURCE: ClassVar[str] = "Defazio et al. 2024"
    FLAVOURS: ClassVar[dict[str, dict[str, Any]]] = {
        "torch": {"learning_rate": 1.0, "weight": "largest"},
        "optax": {"learning_rate": 1.0, "weight": "largest_next"},
        "paper": {"learning_rate": 1.0, "weight": "applied"},
    }

    INNER_STATES: ClassVar[tuple[str, ...]] = ("keep", "reset")

    kind: Literal["schedule_free_sgd"] = "schedule_free_sgd"
    learning_rate: Rate = 1.0
    flavour: Literal["torch", "optax", "paper"] = "torch"
    beta1: Interpolation = 0.9
    weight: Literal["largest", "largest_next", "applied"] = "largest"

    def direction(self) -> Direction:
        """Return the gradient itself."""
        import optax

        return Direction(optax.identity())

    def build(self, schedule: Schedule) -> Optimizer:
        """Return the optimizer."""
        import optax

        from descentlab.optimizers.accumulation import accumulated
        from descentlab.optimizers.schedule_free import ScheduleFree

        averaged = ScheduleFree(
            optax.chain(*self.preparations(), self.direction().before),
            self.learning_rate,
            schedule,
            beta=self.beta1,
            weight=self.weight,
            weight_decay=self.weight_decay,
            corrected_by=self._corrected_by(),
        )
        return accumulated(averaged, self.accumulate)

    def _corrected_by(self) -> Any:
        """Return β₂ where the rate carries the second moment's correction."""
        return None


class ScheduleFreeAdamW(ScheduleFreeSGD):
    """AdamW without a first moment, whose iterates are averaged instead.

    As ``schedule_free_sgd`` with  z ← z - γ_t (g / (√v̂ + ε) + λ y),
    v ← β₂ v + (1-β₂) g²,  v̂ = v / (1-β₂ᵗ).

    Where codes differ: as there; and the paper's algorithm corrects the ``rate``,
    γ_t = η s(t) √(1-β₂ᵗ), so that ε is beside the uncorrected root, and the decay and the
    weights are corrected too; the authors' package and Optax correct the ``root``.

    Source: Defazio et al. 2024, algorithm 1.
    """

    FLAVOURS: ClassVar[dict[str, dict[str, Any]]] = {
        "torch": {"learning_rate": 0.0025, "weight": "largest", "correction": "root"},
        "optax": {"learning_rate": 0.0025, "weight": "largest_next", "correction": "root"},
        "paper": {"learning_rate": 0.0025, "weight": "applied", "correction": "rate"},
    }

    kind: Literal["schedule_free_adamw"] = "schedule_free_adamw"  # type: ignore[assignment]
    learning_rate: Rate = 0.0025
    beta2: Decay = 0.999
    epsilon: Epsilon = 1e-8
    weight_decay: Strength | None = None
    correction: Literal["root", "rate"] = "root"

    def direction(self) -> Direction:
        """Return g over its root mean square."""
        import optax

        return Direction(
            optax.scale_by_rms(
                self.beta2,
                self.epsilon,
                eps_in_sqrt=False,
                bias_correction=self.correction == "root",
            )
        )

    def _corrected_by(self) -> Any:
        return self.beta2 if self.correction == "rate" else None

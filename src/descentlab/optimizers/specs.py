"""Optimizers by name, in PyTorch's conventions where libraries differ and nothing is said.

Any Optax transformation can be used from Python too: :func:`descentlab.train`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, model_validator

from descentlab.core.catalogue import Catalogue
from descentlab.core.errors import SpecError
from descentlab.optimizers.base import OptimizerSpec
from descentlab.optimizers.rules.adabelief import AdaBelief
from descentlab.optimizers.rules.adagrad import Adagrad
from descentlab.optimizers.rules.adam import Adam, AdamW
from descentlab.optimizers.rules.lbfgs import LBFGS
from descentlab.optimizers.rules.lion import Lion
from descentlab.optimizers.rules.muon import Muon
from descentlab.optimizers.rules.nadam import NAdam
from descentlab.optimizers.rules.newton import Newton, SaddleFree
from descentlab.optimizers.rules.rmsprop import RMSProp
from descentlab.optimizers.rules.schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from descentlab.optimizers.rules.sgd import SGD

if TYPE_CHECKING:
    from descentlab.optimizers.protocol import Optimizer, Schedule


class Lookahead(OptimizerSpec):
    """Slow weights that follow the fast ones of any inner optimizer, k updates at a time.

    From φ the inner optimizer makes ``k`` updates to θ; then φ ← φ + α (θ - φ), and θ starts
    at φ again. The slow weights φ are what is evaluated, and part of every checkpoint.

    ``adaptive`` chooses α at each synchronisation as the paper's section 3.2 does, the minimum
    of a quadratic model along the way between φ and θ,
    α = 1 + gᵀ(φ - θ) / (φ - θ)ᵀA(φ - θ), clipped to [``alpha_low``, 1], with g the gradient at
    θ and A the diagonal empirical Fisher information, a running mean of g² (0.999, corrected).

    ``inner_state`` says what becomes of the inner optimizer's moments at a synchronisation:
    ``keep``, ``reset`` to zero, or ``pull_back`` towards those of the last synchronisation by
    α, as the weights are. None of them rewinds a schedule. Weights that the inner optimizer keeps
    (another Lookahead's slow ones, an average) move along with θ. (The authors' code knows
    them for the momentum of SGD alone; Optax's ``reset_state`` rewinds schedules too.)

    Source: Zhang, Lucas, Hinton & Ba 2019, algorithm 1 and section 3.2.
    """

    SOURCE: ClassVar[str] = "Zhang, Lucas, Hinton & Ba 2019"

    kind: Literal["lookahead"] = "lookahead"
    inner: Annotated[Any, PlainValidator(lambda raw: CATALOGUE.validate(raw))]
    k: int = Field(default=5, ge=1)
    alpha: float = Field(default=0.5, gt=0, le=1)
    adaptive: bool = False
    alpha_low: float = Field(default=0.2, gt=0, le=1)
    inner_state: Literal["keep", "reset", "pull_back"] = "keep"
    accumulate: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _accumulation_outside(self) -> Lookahead:
        if self.inner.batches_per_update > 1:
            raise ValueError(
                "give 'accumulate' to lookahead and not to its inner optimizer: k counts updates"
            )
        if self.inner_state not in self.inner.inner_states:
            raise ValueError(
                f"'inner_state: {self.inner_state}' is not for {self.inner.kind}, which takes "
                f"{' or '.join(self.inner.inner_states)}: it keeps no moments that could be "
                "changed apart from its weights"
            )
        return self

    @property
    def inner_states(self) -> tuple[str, ...]:
        """Reset, if its own inner optimizer can be; slow weights are never pulled back."""
        return tuple(state for state in ("keep", "reset") if state in self.inner.inner_states)

    def build(self, schedule: Schedule) -> Optimizer:
        """Return the optimizer; the schedule is the inner one's."""
        from descentlab.optimizers.accumulation import accumulated
        from descentlab.optimizers.slow_weights import SlowWeights

        inner = self.inner.build(schedule)
        low = self.alpha_low if self.adaptive else None
        return accumulated(
            SlowWeights(inner, self.k, self.alpha, low, self.inner_state), self.accumulate
        )

    @property
    def base_rate(self) -> float:
        """The inner optimizer's."""
        return self.inner.base_rate

    def workspace(self, parameters: int, live: int) -> int:
        """Return the inner optimizer's."""
        return self.inner.workspace(parameters, live)

    def check_memory(self, parameters: int, live: int, each: int, memory: int, where: str) -> None:
        """Ask the inner optimizer."""
        self.inner.check_memory(parameters, live, each, memory, f"{where}.inner")

    def check_length(self, batches: int, where: str) -> None:
        """Refuse a run without a synchronisation, and what the inner optimizer refuses."""
        super().check_length(batches, where)
        if self.k > batches // self.accumulate:
            raise SpecError(
                f"{where}.k: {self.k} updates before the slow weights move, but the run has "
                f"{batches // self.accumulate}: choose at most that"
            )
        self.inner.check_length(batches // self.accumulate, f"{where}.inner")

    def flops(self, parameters: int, gradient: int) -> int:
        """Return the inner optimizer's."""
        return self.inner.flops(parameters, gradient)


CATALOGUE = Catalogue(
    "optimizer",
    {
        "sgd": SGD,
        "adagrad": Adagrad,
        "rmsprop": RMSProp,
        "adam": Adam,
        "adamw": AdamW,
        "nadam": NAdam,
        "adabelief": AdaBelief,
        "lion": Lion,
        "muon": Muon,
        "schedule_free_sgd": ScheduleFreeSGD,
        "schedule_free_adamw": ScheduleFreeAdamW,
        "lookahead": Lookahead,
        "lbfgs": LBFGS,
        "newton": Newton,
        "saddle_free": SaddleFree,
    },
    base=OptimizerSpec,
)

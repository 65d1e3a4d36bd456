"""What the specifications of optimizers have in common: flavours, clipping, penalties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

from pydantic import Field, model_validator

from descentlab.core.errors import SpecError
from descentlab.core.spec import Spec
from descentlab.optimizers.clipping import ClipField

if TYPE_CHECKING:
    import optax

    from descentlab.optimizers.protocol import Optimizer, Schedule

Decay = Annotated[float, Field(ge=0, lt=1)]
Rate = Annotated[float, Field(ge=0)]
Epsilon = Annotated[float, Field(gt=0)]
Strength = Annotated[float, Field(ge=0)]


class OptimizerSpec(Spec):
    """Base of the optimizers' specifications.

    A ``flavour`` names a library, or the paper, whose conventions are to be followed. It
    fills the fields that it speaks of and that are not given, so that a resolved
    specification says all that matters.
    """

    FLAVOURS: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """What each flavour fills in; the first is the default, and its values the fields' own."""

    SOURCE: ClassVar[str] = ""
    """Paper, for lists."""

    INNER_STATES: ClassVar[tuple[str, ...]] = ("keep",)
    """What ``inner_states`` are, unless they depend on fields."""

    @property
    def inner_states(self) -> tuple[str, ...]:
        """What Lookahead around it may do with its state at a synchronisation."""
        return self.INNER_STATES

    def build(self, schedule: Schedule) -> Optimizer:
        """Return the optimizer; called inside a compiled program, so floats may be traced."""
        raise NotImplementedError

    def workspace(self, parameters: int, live: int) -> int:
        """Return how many numbers an update needs at once, besides gradients and state.

        Args:
            parameters: of the model.
            live: numbers that the computation of a gradient holds at once.
        """
        return 0

    def check_memory(self, parameters: int, live: int, each: int, memory: int, where: str) -> None:
        """Raise :class:`SpecError` if an update needs more memory than there is.

        Args:
            parameters: of the model.
            live: numbers that the computation of a gradient holds at once.
            each: bytes of a number.
            memory: bytes that there are.
            where: the optimizer's path.
        """

    def flops(self, parameters: int, gradient: int) -> int:
        """Return the operations of an update, besides those of its gradients, ``gradient``."""
        return 0

    def check_length(self, batches: int, where: str) -> None:
        """Raise :class:`SpecError` if a run of so many batches is too short to move anything."""
        if self.batches_per_update > batches:
            raise SpecError(
                f"{where}.accumulate: {self.batches_per_update} batches make an update, but the "
                f"run has {batches}: choose at most {batches}"
            )

    @property
    def base_rate(self) -> float:
        """The learning rate that a schedule multiplies."""
        return self.learning_rate  # type: ignore[attr-defined]

    @property
    def batches_per_update(self) -> int:
        """Batches whose gradients make one update of the rule, which schedules count."""
        return getattr(self, "accumulate", 1)

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping) or not cls.FLAVOURS:
            return raw
        flavour = raw.get("flavour", next(iter(cls.FLAVOURS)))
        filled = cls.FLAVOURS.get(flavour, {}) if isinstance(flavour, str) else {}
        return {**filled, **raw}


class Direction(NamedTuple):
    """What the rate scales, and what then keeps the scaled: see :class:`Descent`."""

    before: optax.GradientTransformation
    after: optax.GradientTransformation | None = None


class FirstOrder(OptimizerSpec):
    """Base of the rules that turn gradients into a direction, and step along it.

    Before the rule the mean of ``accumulate`` batches' gradients is taken, then ``clip``
    clips it, then the penalties' gradients are added, g + l2·θ + l1·sign(θ), as PyTorch's
    ``weight_decay`` of SGD and Adam adds its own. ``weight_decay`` is decoupled from
    the gradients instead: θ ← θ - η s(t) λ θ beside the rule's step, as AdamW's. Neither is
    part of the loss that is recorded.
    """

    INNER_STATES: ClassVar[tuple[str, ...]] = ("keep", "reset", "pull_back")

    learning_rate: Rate = 0.01
    l2: Strength | None = None
    l1: Strength | None = None
    weight_decay: Strength | None = None
    clip: ClipField | None = None
    accumulate: int = Field(default=1, ge=1)

    def direction(self) -> Direction:
        """Return the rule's direction; called inside a compiled program."""
        raise NotImplementedError

    def evaluation(self) -> Callable[[Any, Any], Any] | None:
        """Return what is evaluated, from parameters and state; None for the parameters."""
        return None

    def build(self, schedule: Schedule) -> Optimizer:
        """Return the optimizer."""
        import optax

        from descentlab.optimizers.accumulation import accumulated
        from descentlab.optimizers.descent import Descent

        rule = self.direction()
        descent = Descent(
            optax.chain(*self.preparations(), rule.before),
            self.learning_rate,
            schedule,
            velocity=rule.after,
            weight_decay=self.weight_decay,
            decay_scaled_by=getattr(self, "decay_scaled_by", "rate"),
            evaluate=self.evaluation(),
        )
        return accumulated(descent, self.accumulate)

    def preparations(self) -> list[optax.GradientTransformation]:
        """Return what is done to the gradients before the rule, in order."""
        from descentlab.optimizers.penalties import l1_penalty, l2_penalty

        found = [] if self.clip is None else [self.clip.build()]
        found += [] if self.l2 is None else [l2_penalty(self.l2)]
        return found + ([] if self.l1 is None else [l1_penalty(self.l1)])

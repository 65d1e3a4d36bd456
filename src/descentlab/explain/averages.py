"""Schedule-Free descent worked by hand: z steps, x averages the z, and w lies between them.

With z and x at the first parameters, w = (1-β) z + β x, of which the gradient is taken:
z ← z - η (d + λ w);  x ← (1-c) x + c z;  w ← (1-β) z + β x. With one rate for all updates
every z weighs the same, c = 1/t; where the rate itself is corrected, as its square.

Source: Defazio et al. 2024, eqs. 3-5 and algorithm 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from descentlab.core.formulas import Name

if TYPE_CHECKING:
    from descentlab.explain.rules import Lines

FREE = frozenset({"schedule_free_sgd", "schedule_free_adamw"})


def schedule_free(spec: Any, lines: Lines) -> None:
    """Add the lines of one parameter's update at a constant learning rate."""
    for letter in "zx":
        lines.worked.buffers.setdefault((letter, lines.parameter), Name(lines.now))
    rate, direction = _scaled(spec, lines)
    if spec.weight_decay is not None:
        direction = f"({direction} + weight_decay*w)"
    lines.buffer("z", f"z - {rate}*{direction}")
    share = "1/t"
    if rate == "rate" and spec.weight != "largest_next":
        lines.buffer("total", "total + rate^2")
        share = "rate^2/total"
    lines.buffer("x", f"(1 - {share})*x + {share}*z")
    lines.new("(1 - beta1)*z + beta1*x")


def _scaled(spec: Any, lines: Lines) -> tuple[str, str]:
    """Return the rate and the direction, having added the second moment where there is one."""
    if spec.kind == "schedule_free_sgd":
        return "learning_rate", "g"
    lines.buffer("v", "beta2*v + (1 - beta2)*g^2")
    if spec.correction == "root":
        lines.line("vhat", "v/(1 - beta2^t)")
        return "learning_rate", "g/(sqrt(vhat) + epsilon)"
    lines.line("rate", "learning_rate*sqrt(1 - beta2^t)")
    return "rate", "g/(sqrt(v) + epsilon)"

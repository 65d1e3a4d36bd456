"""Landscapes to watch optimizers on: formula, domain, minima and source of each, by name.

Reading this catalogue loads nothing heavy; :func:`function_of` gives what is computed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from descentlab.core.errors import SpecError, nearest, unknown

NAMES = ("w1", "w2")
"""The variables in formulas."""

Interval = tuple[float, float]
Domain = tuple[Interval, Interval]
Function = Callable[[Any, Mapping[str, Any]], Any]
"""Of points ``[..., 2]`` and settings by name (floats, maybe traced)."""


class Minimum(NamedTuple):
    """A local minimum: where, and the value there."""

    point: tuple[float, float]
    value: float


@dataclasses.dataclass(frozen=True)
class LandscapeInfo:
    """A function of two variables that descents are watched on.

    Attributes:
        name: in the catalogue; a typed formula's own text.
        title: for headings.
        template: the formula in w1, w2, with ``{condition}`` where a setting goes.
        domain: what maps show: ((w1 from, w1 to), (w2 from, w2 to)).
        minima: local minima within the domain, the lowest first; those that are known.
        start: where a descent may well begin.
        source: where it comes from.
        about: a sentence.
        settings: floats that may be chosen: ``condition`` (largest curvature over the
            smallest) and ``variance`` (of the noise on each coordinate of the gradient).
        more: there may be local minima that ``minima`` does not name.
        typed: the formula is a user's.
    """

    name: str
    title: str
    template: str
    domain: Domain
    minima: tuple[Minimum, ...]
    start: tuple[float, float]
    source: str
    about: str
    settings: Mapping[str, float] = dataclasses.field(default_factory=dict)
    more: bool = False
    typed: bool = False

    def __hash__(self) -> int:
        """Return the hash of what is computed."""
        return hash((self.key, *sorted(self.settings.items()), self.domain))

    @property
    def formula(self) -> str:
        """The formula as the safe parser reads it, settings put in."""
        found = self.template
        for name, value in self.settings.items():
            found = found.replace("{" + name + "}", _short(value))
        return found

    @property
    def key(self) -> str:
        """What is compiled: settings are data, and no part of it."""
        return f"formula {self.template}" if self.typed else self.name

    @property
    def noisy(self) -> bool:
        """Whether gradients are stochastic."""
        return self.settings.get("variance", 0.0) > 0

    @property
    def lowest(self) -> float | None:
        """The lowest known minimum's value; None where none is known."""
        return min((m.value for m in self.minima), default=None)

    @property
    def diagonal(self) -> float:
        """The length of the domain's diagonal."""
        (a, b), (c, d) = self.domain
        return ((b - a) ** 2 + (d - c) ** 2) ** 0.5

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "name": self.name,
            "title": self.title,
            "formula": self.formula,
            "domain": [list(side) for side in self.domain],
            "minima": [{"point": list(m.point), "value": m.value} for m in self.minima],
            "start": list(self.start),
            "settings": dict(self.settings),
            "source": self.source,
            "about": self.about,
            "more_minima": self.more,
            "typed": self.typed,
        }


def _square(side: float) -> Domain:
    return (-side, side), (-side, side)


ROOT = 2.0**0.5
LOW, HIGH = -2.903534027771177, 2.746802761039862
"""Minima of (x⁴ - 16x² + 5x)/2: roots of 4x³ - 32x + 5."""


def _two(x: float, y: float) -> Minimum:
    """Return a minimum of the Styblinski–Tang function, with its value."""
    return Minimum((x, y), sum((z**4 - 16 * z**2 + 5 * z) / 2 for z in (x, y)) + 78.33234)


_ALL = (
    LandscapeInfo(
        "himmelblau",
        "Himmelblau",
        "(w1^2 + w2 - 11)^2 + (w1 + w2^2 - 7)^2",
        _square(5.0),
        (
            Minimum((3.0, 2.0), 0.0),
            Minimum((-2.805118086952745, 3.131312518250573), 0.0),
            Minimum((-3.779310253377747, -3.283185991286170), 0.0),
            Minimum((3.584428340330492, -1.848126526964404), 0.0),
        ),
        (0.0, 4.0),
        "Himmelblau, Applied Nonlinear Programming (1972)",
        "Four minima of 0 around a maximum.",
    ),
    LandscapeInfo(
        "styblinski_tang",
        "Styblinski–Tang",
        "(w1^4 - 16*w1^2 + 5*w1 + w2^4 - 16*w2^2 + 5*w2)/2 + 78.33234",
        _square(5.0),
        (
            _two(LOW, LOW),
            _two(LOW, HIGH),
            _two(HIGH, LOW),
            _two(HIGH, HIGH),
        ),
        (0.5, 4.5),
        "Styblinski & Tang, Neural Networks 3 (1990), with 78.33234 added",
        "Four minima, one of about 0, two of 14.1, one of 28.3.",
    ),
    LandscapeInfo(
        "rosenbrock",
        "Rosenbrock",
        "(1 - w1)^2 + 100*(w2 - w1^2)^2",
        _square(2.0),
        (Minimum((1.0, 1.0), 0.0),),
        (-1.54, -0.64),
        "Rosenbrock, The Computer Journal 3 (1960)",
        "A curved valley whose floor is almost flat: curvatures of 0.4 and 1002 at its end.",
    ),
    LandscapeInfo(
        "goldstein_price",
        "Goldstein–Price",
        "(1 + (w1 + w2 + 1)^2*(19 - 14*w1 + 3*w1^2 - 14*w2 + 6*w1*w2 + 3*w2^2))"
        "*(30 + (2*w1 - 3*w2)^2*(18 - 32*w1 + 12*w1^2 + 48*w2 - 36*w1*w2 + 27*w2^2))",
        ((-1.5, 0.5), (-1.5, 0.5)),
        (Minimum((0.0, -1.0), 3.0), Minimum((-0.6, -0.4), 30.0)),
        (-0.67, 0.46),
        "Goldstein & Price, Mathematics of Computation 25 (1971)",
        "Gradients from 0 to 10⁵ within a small map; two minima, 3 and 30.",
    ),
    LandscapeInfo(
        "beale",
        "Beale",
        "(1.5 - w1 + w1*w2)^2 + (2.25 - w1 + w1*w2^2)^2 + (2.625 - w1 + w1*w2^3)^2",
        _square(4.5),
        (Minimum((3.0, 0.5), 0.0),),
        (1.0, 1.5),
        "Beale, On an iterative method for finding a local minimum (1958)",
        "A flat valley between steep corners.",
    ),
    LandscapeInfo(
        "rastrigin",
        "Rastrigin",
        "w1^2 - 10*cos(2*pi*w1) + w2^2 - 10*cos(2*pi*w2) + 20",
        _square(5.12),
        (Minimum((0.0, 0.0), 0.0),),
        (2.3, -3.4),
        "Rastrigin, Systems of Extremal Control (1974)",
        "A bowl with a dent near each pair of integers: 121 minima, one of them 0.",
        more=True,
    ),
    LandscapeInfo(
        "ackley",
        "Ackley",
        "20 + e - 20*exp(-sqrt((w1^2 + w2^2)/2)/5) - exp((cos(2*pi*w1) + cos(2*pi*w2))/2)",
        _square(5.0),
        (Minimum((0.0, 0.0), 0.0),),
        (2.4, -3.3),
        "Ackley, A Connectionist Machine for Genetic Hillclimbing (1987)",
        "Dents all over a nearly flat plain, and a funnel to a tip in the middle.",
        more=True,
    ),
    LandscapeInfo(
        "ravine",
        "Ravine",
        "(w1^2 + {condition}*w2^2)/2",
        _square(5.0),
        (Minimum((0.0, 0.0), 0.0),),
        (-4.5, 2.0),
        "the quadratic of every text on conditioning, such as Nocedal & Wright (2006), ch. 3",
        "A quadratic with the curvatures 1 and the condition number that is chosen.",
        MappingProxyType({"condition": 100.0}),
    ),
    LandscapeInfo(
        "saddle",
        "Saddle between two minima",
        "5*w1^2 - w2^2 + w2^4/4",
        _square(2.5),
        (Minimum((0.0, ROOT), -1.0), Minimum((0.0, -ROOT), -1.0)),
        (1.0, 0.001),
        "5x² - y² bent up by y⁴/4, as examples of saddle-free methods are",
        "A saddle at the origin; minima of -1 at both sides.",
    ),
    LandscapeInfo(
        "hyperbolic_saddle",
        "Hyperbolic saddle",
        "w1^2 - w2^2",
        _square(2.0),
        (),
        (1.5, 0.01),
        "the hyperbolic paraboloid",
        "A saddle at the origin and no minimum: whoever leaves it falls for ever.",
    ),
    LandscapeInfo(
        "monkey_saddle",
        "Monkey saddle",
        "w1^3 - 3*w1*w2^2",
        _square(2.0),
        (),
        (1.5, 0.3),
        "Hilbert & Cohn-Vossen, Anschauliche Geometrie (1932)",
        "Three ways down from the origin, where all curvatures are 0; no minimum.",
    ),
    LandscapeInfo(
        "cliff",
        "Plateau with a cliff",
        "5*sigmoid(20*(w1 - 1)) + 0.05*(w1^2 + w2^2)",
        _square(4.0),
        (Minimum((-2.0611449e-06, 0.0), 1.0305e-08),),
        (3.0, -2.0),
        "this lab's, after the cliffs of recurrent networks: Pascanu, Mikolov & Bengio 2013",
        "A plateau with slopes of 0.3, a cliff with slopes of 25, a wide bowl below it.",
    ),
    LandscapeInfo(
        "noisy_quadratic",
        "Noisy quadratic",
        "(w1^2 + {condition}*w2^2)/2",
        _square(5.0),
        (Minimum((0.0, 0.0), 0.0),),
        (-4.0, 2.0),
        "the noisy quadratic model, Zhang et al. 2019, without its rotation",
        "A quadratic whose gradients carry normal noise of the variance that is chosen.",
        MappingProxyType({"condition": 10.0, "variance": 1.0}),
    ),
)

LANDSCAPES: Mapping[str, LandscapeInfo] = MappingProxyType({each.name: each for each in _ALL})
"""All landscapes by name, in the order in which they are shown."""

ALSO = {"quadratic": "ravine", "goldstein": "goldstein_price", "styblinski": "styblinski_tang"}
"""Other names under which some are known."""

LIMITS = {"condition": (1.0, 1e12), "variance": (0.0, 1e12)}
"""What the settings may be."""


def find_landscape(
    text: str,
    *,
    condition: float | None = None,
    variance: float | None = None,
    domain: Domain | None = None,
) -> LandscapeInfo:
    """Return a landscape by name, or the one that a formula in w1 and w2 describes.

    Args:
        text: a name of ``LANDSCAPES``, or a formula.
        condition: of those that have one.
        variance: of the noise on each coordinate of the gradient; any landscape takes it.
        domain: what is shown, instead of the landscape's own (±5 for a formula).

    Raises:
        SpecError: there is no such landscape, the formula is none, or a setting is out of
            range; names what.

    Example:
        >>> find_landscape("ravine", condition=50).formula
        '(w1^2 + 50*w2^2)/2'
        >>> find_landscape("w1^2 + abs(w2)").typed
        True
    """
    from descentlab.objectives.typed import typed_landscape

    name = text.strip().lower().replace("-", "_").replace(" ", "_")
    name = ALSO.get(name, name)
    if name in LANDSCAPES:
        found = LANDSCAPES[name]
    elif name.isidentifier() and (name not in NAMES or nearest(name, LANDSCAPES)):
        raise SpecError(
            f"{unknown('landscape', text.strip(), LANDSCAPES)}; or type a formula in w1 and w2, "
            "such as '(w1 - 1)^2 + 10*w2^2'"
        )
    else:
        found = typed_landscape(text)
    changes: dict[str, Any] = {}
    if condition is not None and "condition" not in found.settings:
        able = ", ".join(n for n, each in LANDSCAPES.items() if "condition" in each.settings)
        raise SpecError(f"condition: {found.name} has none to set; these do: {able}")
    given = {"condition": condition, "variance": variance}
    new = {name: _setting(name, value) for name, value in given.items() if value is not None}
    if new:
        changes["settings"] = MappingProxyType({**found.settings, **new})
    if domain is not None:
        changes["domain"] = checked_domain(domain)
    return dataclasses.replace(found, **changes) if changes else found


def function_of(landscape: LandscapeInfo) -> Function:
    """Return a landscape's function of points ``[..., 2]`` and settings, for JAX."""
    from descentlab.objectives import landscapes, typed

    if landscape.typed:
        return typed.function_of(landscape.template)
    if "condition" in landscape.settings:
        return lambda point, settings: landscapes.quadratic(settings["condition"])(point)
    plain = getattr(landscapes, landscape.name)
    return lambda point, settings: plain(point)


def checked_domain(domain: Any) -> Domain:
    """Return a domain, having seen that its sides are finite and lie apart."""
    try:
        (a, b), (c, d) = domain
        sides = (float(a), float(b)), (float(c), float(d))
    except (TypeError, ValueError):
        raise SpecError("domain: expected four numbers, w1 from, w1 to, w2 from, w2 to") from None
    for name, (low, high) in zip(NAMES, sides, strict=True):
        if not (-1e12 <= low < high <= 1e12 and high - low >= 1e-9 * max(abs(low), abs(high))):
            raise SpecError(f"domain: {name} from {low:g} to {high:g} is no interval to show")
    return sides


def _setting(name: str, value: float) -> float:
    low, high = LIMITS[name]
    if not isinstance(value, (int, float)) or not low <= value <= high:  # NaN is refused too
        raise SpecError(f"{name}: expected a number from {low:g} to {high:g}, found {value!r}")
    return float(value)


def _short(value: float) -> str:
    return repr(value).removesuffix(".0")

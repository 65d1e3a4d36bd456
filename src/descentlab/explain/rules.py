"""Optimizers worked by hand: each rule as formulas over named quantities, one update at a time.

A rule is written in the exercise's own names: ``g`` of parameter w is ``d_w``, its buffer
``v_w``, its new value ``w_new``. The formulas are for showing and for checking; what they give
is compared with the lab's own optimizer whenever a calculation is made
(:class:`descentlab.explain.numbers.Numbers`). An optimizer whose update has no formula by
coordinates (Muon, L-BFGS, saddle-free Newton, adaptive clipping, accumulated batches) is shown
by what it makes alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np

from descentlab.core.formulas import Expression, Name, Number, evaluate, parse, replaced
from descentlab.explain.averages import FREE, schedule_free
from descentlab.explain.graph import Builder, Kind, Quantity
from descentlab.explain.newton import newton

Before = Mapping[tuple[str, str], Any]
"""Buffers before the first update by (letter, parameter), where they are not zero."""


class Names(Protocol):
    """How names are made: of a parameter's gradient, of a buffer, of the new parameter."""

    def __call__(self, base: str, step: int | None) -> str:
        """Return the name of ``base`` at an update."""
        ...


class Worked:
    """The lines of one optimizer over the updates of one calculation.

    Args:
        builder: the graph in the making.
        spec: the optimizer's specification.
        named: makes a name of a base and an update.
        before: buffers before the first update, if they are not zero.
        first: how many updates came before the first one here.
        rate: the learning rate of the first update, if a schedule made it.
        schedule: the schedule's factor in it.
    """

    def __init__(
        self,
        builder: Builder,
        spec: Any,
        named: Names,
        before: Before | None = None,
        first: int = 0,
        rate: float | None = None,
        schedule: float | None = None,
    ) -> None:
        self.builder, self.spec, self.named = builder, spec, named
        self.first, self.rate, self.schedule = first, rate, schedule
        self.buffers: dict[tuple[str, str], Expression] = {
            place: self._given(f"{place[0]}_{place[1]}_before", value)
            for place, value in (before or {}).items()
        }
        self.step: int | None = None
        self.count = first

    def update(
        self,
        parameters: Mapping[str, str],
        gradients: Mapping[str, str],
        step: int | None,
        after: Mapping[str, str],
    ) -> bool:
        """Add the lines of one update.

        Args:
            parameters: the name of each parameter's value now.
            gradients: the name of each one's gradient, by the name of its value.
            step: the update's number; None if there is but one.
            after: the name of each parameter after the update.

        Returns:
            Whether there are formulas for it.
        """
        rule = rule_of(self.spec)
        later = self.first > 0 or self.rate is not None
        if rule is None or (self.spec.kind in FREE and later):  # whose average is not known
            return False
        self.step = step
        self.count += 1
        own = [gradients[now] for now in parameters.values()]
        lines = {
            p: Lines(self, p, now, self._prepared(p, now, gradients[now], own), after[p])
            for p, now in parameters.items()
        }
        rule(self, lines)
        return True

    def setting(self, name: str, value: float | None = None) -> Name:
        """Return a setting of the optimizer as a given quantity."""
        spec = self.spec.inner if self.spec.kind == "lookahead" and name != "alpha" else self.spec
        by_schedule = {"learning_rate": self.rate, "schedule": self.schedule}.get(name)
        if by_schedule is not None:
            value = by_schedule
        number = getattr(spec, name) if value is None else value
        known = self.builder.quantities.get(name)
        if known is None or known.kind != "setting":  # a name of the exercise's own is refused
            self._given(name, number, "setting")
        return Name(name)

    def add(
        self, kind: Kind, base: str, of: str, formula: Expression, name: str | None = None
    ) -> Name:
        """Add a line, and return its name."""
        with np.errstate(all="ignore"):
            value = evaluate(formula, self.builder.values)
        full = self.named(base, self.step) if name is None else name
        if of and of in self.builder.values:
            value = np.broadcast_to(value, np.shape(self.builder.values[of]))
        quantity = Quantity(full, kind, formula, base=base, of=of, step=self.step)
        return Name(self.builder.add(quantity, value))

    def _given(self, name: str, value: Any, kind: Kind = "given") -> Name:
        array = np.asarray(value, float)
        return Name(self.builder.add(Quantity(name, kind, value=array, base=name), array))

    def _prepared(
        self, parameter: str, now: str, gradient: str, gradients: Iterable[str]
    ) -> Expression:
        """Return the gradient as the rule gets it: clipped, then with the penalties' own."""
        spec = self.spec.inner if self.spec.kind == "lookahead" else self.spec
        tree: Expression = Name(gradient)
        clip = getattr(spec, "clip", None)
        if clip is not None:
            self.setting("clip", clip.at)
            if clip.kind == "value":
                text = "max(min(g, clip), -clip)"
            else:
                squares = " + ".join(f"sum({name}^2)" for name in gradients)
                text = f"g*min(1, clip/sqrt({squares}))"
            clipped = replaced(parse(text), {"g": tree})
            tree = self.add("state", f"clipped_{parameter}", now, clipped)
        for name, text in (("l2", "g + l2*w"), ("l1", "g + l1*sign(w)")):
            if getattr(spec, name, None) is not None:
                self.setting(name)
                penalised = replaced(parse(text), {"g": tree, "w": Name(now)})
                tree = self.add("state", f"{name}_{parameter}", now, penalised)
        return tree


class Lines:
    """The lines of one parameter's update."""

    def __init__(
        self, worked: Worked, parameter: str, now: str, gradient: Expression, after: str
    ) -> None:
        self.worked, self.parameter, self.now, self.after = worked, parameter, now, after
        self.names: dict[str, Expression] = {"w": Name(now), "g": gradient}

    def buffer(self, letter: str, formula: str, initial: float = 0.0) -> None:
        """Add a buffer's new value; in its formula the letter is the old one."""
        place = letter, self.parameter
        old = self.worked.buffers.get(place, Number(initial))
        new = self.line(letter, formula, old)
        self.worked.buffers[place] = new

    def line(self, letter: str, formula: str, old: Expression | None = None) -> Name:
        """Add an intermediate number under a letter, by which later lines call it."""
        names = self.names if old is None else {**self.names, letter: old}
        tree = self.filled(formula, names)
        made = self.worked.add("state", f"{letter}_{self.parameter}", self.now, tree)
        self.names[letter] = made
        return made

    def new(self, formula: str) -> None:
        """Add the new parameter."""
        tree = self.filled(formula, self.names)
        self.worked.add("updated", self.parameter, self.now, tree, self.after)

    def filled(self, formula: str, names: Mapping[str, Expression]) -> Expression:
        """Return a formula with letters and settings by their names."""
        tree = parse(formula)
        known = dict(names) | {"t": Number(float(self.worked.count), str(self.worked.count))}
        from descentlab.core.formulas import names_in

        for name in names_in(tree):
            if name not in known:
                known[name] = self.worked.setting(name)
        return replaced(tree, known)


Rule = Callable[[Worked, dict[str, Lines]], None]


def rule_of(spec: Any) -> Rule | None:
    """Return the worked form of an optimizer; None if it has none."""
    inner = spec.inner if spec.kind == "lookahead" else spec
    clip = getattr(inner, "clip", None)
    if spec.batches_per_update > 1 or (clip is not None and clip.kind == "adaptive"):
        return None
    if spec.kind == "lookahead":
        plain = not spec.adaptive and spec.inner_state == "keep"
        inside = BY_KIND.get(inner.kind) if inner.kind in FIRST_ORDER else None
        return _lookahead(inside) if plain and inside is not None else None
    if spec.kind == "newton" and spec.method != "dense":
        return None
    return BY_KIND.get(spec.kind)


def _each(lines: Callable[[Any, Lines], None]) -> Rule:
    def rule(worked: Worked, by_parameter: dict[str, Lines]) -> None:
        spec = worked.spec.inner if worked.spec.kind == "lookahead" else worked.spec
        for each in by_parameter.values():
            lines(spec, each)

    return rule


def _decay(spec: Any) -> str:
    """Return the decoupled decay's share of an update."""
    return "" if spec.weight_decay is None else " - learning_rate*weight_decay*w"


def _sgd(spec: Any, lines: Lines) -> None:
    if spec.momentum is None:
        lines.new("w - learning_rate*g" + _decay(spec))
        return
    inside = spec.rate == "inside"
    gradient = "learning_rate*g" if inside else "g"
    undampened = spec.dampening is None or (
        not spec.dampen_first and ("v", lines.parameter) not in lines.worked.buffers
    )
    share = "" if undampened else "(1 - dampening)*"
    lines.buffer("v", f"momentum*v + {share}{gradient}")
    step = f"({gradient} + momentum*v)" if spec.nesterov else "v"
    lines.new(("w - " if inside else "w - learning_rate*") + step + _decay(spec))


def _adagrad(spec: Any, lines: Lines) -> None:
    lines.buffer("a", "a + g^2", spec.initial_accumulator)
    root = "sqrt(a + epsilon)" if spec.epsilon_at == "inside" else "(sqrt(a) + epsilon)"
    lines.new(f"w - learning_rate*g/{root}" + _decay(spec))


def _rmsprop(spec: Any, lines: Lines) -> None:
    lines.buffer("v", "decay*v + (1 - decay)*g^2")
    square = "v"
    if spec.centred:
        lines.buffer("m", "decay*m + (1 - decay)*g")
        square = "v - m^2"
    inside = spec.epsilon_at == "inside"
    root = f"sqrt({square} + epsilon)" if inside else f"(sqrt({square}) + epsilon)"
    if spec.momentum is None:
        lines.new(f"w - learning_rate*g/{root}" + _decay(spec))
    elif spec.rate == "after":
        lines.buffer("b", f"momentum*b + g/{root}")
        lines.new("w - learning_rate*b" + _decay(spec))
    else:
        lines.buffer("b", f"momentum*b + learning_rate*g/{root}")
        lines.new("w - b" + _decay(spec))


def _adam_step(spec: Any, lines: Lines) -> None:
    decay = _decay(spec)
    if getattr(spec, "decay_scaled_by", "rate") == "schedule" and decay:
        scheduled = lines.worked.schedule is not None
        decay = " - schedule*weight_decay*w" if scheduled else " - weight_decay*w"
    if spec.epsilon_at == "corrected":
        lines.line("mhat", "m/(1 - beta1^t)")
        lines.line("vhat", "v/(1 - beta2^t)")
        lines.new("w - learning_rate*mhat/(sqrt(vhat) + epsilon)" + decay)
    else:
        lines.line("rate", "learning_rate*sqrt(1 - beta2^t)/(1 - beta1^t)")
        lines.new("w - rate*m/(sqrt(v) + epsilon)" + decay)


def _adam(spec: Any, lines: Lines) -> None:
    lines.buffer("m", "beta1*m + (1 - beta1)*g")
    lines.buffer("v", "beta2*v + (1 - beta2)*g^2")
    _adam_step(spec, lines)


def _nadam(spec: Any, lines: Lines) -> None:
    moving = spec.momentum_decay is not None
    now = "beta1*(1 - 0.96^(momentum_decay*t)/2)" if moving else "beta1"
    then = "beta1*(1 - 0.96^(momentum_decay*(t + 1))/2)" if moving else "beta1"
    lines.line("mu", f"{now} + 0*w")
    lines.line("munext", f"{then} + 0*w")
    kept = "mu" if spec.average == "scheduled" else "beta1"
    lines.buffer("m", f"{kept}*m + (1 - {kept})*g")
    lines.buffer("v", "beta2*v + (1 - beta2)*g^2")
    lines.buffer("product", "product*mu", 1.0)
    lines.line("mhat", "munext*m/(1 - product*munext) + (1 - mu)*g/(1 - product)")
    scale = "beta2*" if spec.second_moment == "scaled" else ""
    lines.line("vhat", f"{scale}v/(1 - beta2^t)")
    lines.new("w - learning_rate*mhat/(sqrt(vhat) + epsilon)" + _decay(spec))


def _adabelief(spec: Any, lines: Lines) -> None:
    lines.buffer("m", "beta1*m + (1 - beta1)*g")
    lines.buffer("s", "beta2*s + (1 - beta2)*(g - m)^2 + epsilon_root")
    lines.line("mhat", "m/(1 - beta1^t)")
    if not spec.rectify:
        lines.line("shat", "s/(1 - beta2^t)")
        lines.new("w - learning_rate*mhat/(sqrt(shat) + epsilon)" + _decay(spec))
        return
    t, power = lines.worked.count, spec.beta2**lines.worked.count
    most = 2 / (1 - spec.beta2) - 1
    length = most - 2 * t * power / (1 - power)
    if length < 5:  # the variance of so few gradients is not tractable: no denominator
        lines.new("w - learning_rate*mhat" + _decay(spec))
        return
    lines.line("rho", "2/(1 - beta2) - 1 - 2*t*beta2^t/(1 - beta2^t) + 0*w")
    top, rest = "(rho - 4)*(rho - 2)", "(2/(1 - beta2) - 1)"
    bottom = f"(({rest} - 4)*({rest} - 2)*rho)"
    lines.line("r", f"sqrt((1 - beta2^t)*{top}*{rest}/{bottom})")
    lines.new("w - learning_rate*r*mhat/(sqrt(s) + epsilon)" + _decay(spec))


def _lion(spec: Any, lines: Lines) -> None:
    old = lines.worked.buffers.get(("m", lines.parameter), Number(0.0))
    lines.names["m"] = old
    lines.line("c", "beta1*m + (1 - beta1)*g")
    lines.buffer("m", "beta2*m + (1 - beta2)*g")
    lines.new("w - learning_rate*sign(c)" + _decay(spec))


def _lookahead(inner: Rule) -> Rule:
    """Return the inner rule's lines; after k updates the slow weights' and a new start."""

    def rule(worked: Worked, by_parameter: dict[str, Lines]) -> None:
        last = worked.count % worked.spec.k == 0
        for name, lines in by_parameter.items():
            worked.buffers.setdefault(("slow", name), Name(lines.now))
            if last:
                lines.new = lambda text, lines=lines: lines.line("fast", text)  # type: ignore
        inner(worked, by_parameter)
        for lines in by_parameter.values():
            if last:
                lines.new = Lines.new.__get__(lines)  # type: ignore[method-assign]
                old = worked.buffers["slow", lines.parameter]
                lines.names["slow"] = old
                lines.new("slow + alpha*(fast - slow)")
                worked.buffers["slow", lines.parameter] = Name(lines.after)

    return rule


BY_KIND: dict[str, Rule] = {
    "sgd": _each(_sgd),
    "adagrad": _each(_adagrad),
    "rmsprop": _each(_rmsprop),
    "adam": _each(_adam),
    "adamw": _each(_adam),
    "nadam": _each(_nadam),
    "adabelief": _each(_adabelief),
    "lion": _each(_lion),
    "schedule_free_sgd": _each(schedule_free),
    "schedule_free_adamw": _each(schedule_free),
    "newton": newton,
}

FIRST_ORDER = frozenset(BY_KIND) - {"newton"} - FREE

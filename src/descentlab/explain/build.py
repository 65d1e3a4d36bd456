"""From an exercise to its graph: every name of every update, in order, with its formula."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from descentlab.core.errors import SpecError, unknown
from descentlab.core.formulas import (
    Expression,
    FormulaError,
    Name,
    checked,
    evaluate,
    names_in,
    parse,
    replaced,
    written,
)
from descentlab.core.formulas.evaluate import shape_text
from descentlab.core.formulas.functions import FUNCTIONS
from descentlab.core.formulas.parse import NAME
from descentlab.core.marked import KEY, Marked, Path
from descentlab.explain.chain import NoInfluenceError, add_gradients
from descentlab.explain.exercise import Exercise, Found
from descentlab.explain.graph import Builder, Graph, NameTakenError, Quantity, Step
from descentlab.explain.rules import Worked

MOST_NUMBERS = 4000


def build(found: Found) -> Graph:
    """Return an exercise's graph.

    Raises:
        SpecError: with file, line and column: a formula that is none, an unknown name, a
            name used before it is given, a circle, shapes that do not fit, a value that is
            not finite.
    """
    return _Building(found).graph()


class _Building:
    def __init__(self, found: Found) -> None:
        self.exercise: Exercise = found.exercise
        self.convention = found.convention
        self.marked: Marked = found.marked
        self.builder = Builder()
        self.formulas = self._parsed("quantities")
        self.after = self._parsed("after")
        self.batches = list(self._batches())
        self.many = len(self.batches) > 1
        self.steps: list[Step] = []
        self.exact = True  # until a number is JAX's alone: then NumPy's are shapes and no more
        update = self.exercise.update
        self.parameters = {} if update is None else {name: name for name in update.parameters}
        self.worked = None if update is None else Worked(self.builder, update.optimizer, self.named)

    def graph(self) -> Graph:
        self._check_names()
        for name, value in self.exercise.given.items():
            self.builder.add(Quantity(name, "given", value=np.asarray(value), base=name),
                             np.asarray(value))  # fmt: skip
        for number, columns in enumerate(self.batches, 1):
            self._check_size()
            self._step(number if self.many else None, columns)
        for name, tree in self.after.items():
            self._quantity(name, tree, name, None, ("after", name))
        self._check_size()
        self._check_slips()
        asked = self._asked()
        optimizer = None if self.exercise.update is None else _built(self.exercise.update.optimizer)
        return Graph(
            self.builder.quantities, self.builder.values, tuple(self.steps), asked,
            self._aliases(), optimizer,
        )  # fmt: skip

    def named(self, base: str, step: int | None) -> str:
        """Return the name of something of one update."""
        return base if step is None else f"{base}_{step}"

    def fail(self, message: str, path: Path, column: int = 0) -> SpecError:
        return SpecError(f"{self.marked.at(path, column)}: {message}")

    def refused(self, error: SpecError, path: Path) -> SpecError:
        """Return an error with its place: that of the exercise's own name if one is taken."""
        if isinstance(error, NameTakenError):
            path = self.place(error.name) or path
        return self.fail(str(error), path)

    def place(self, name: str) -> Path | None:
        """Return the path of a name that the exercise gives to something."""
        columns = self.exercise.table.columns if self.exercise.table else ()
        if name in columns:
            return ("table", "columns", columns.index(name))
        paths = [(section, name, KEY) for section in ("given", "quantities", "after")]
        return next((path for path in paths if path in self.marked.marks), None)

    def _parsed(self, section: str) -> dict[str, Expression]:
        found = {}
        for name, text in getattr(self.exercise, section).items():
            try:
                found[name] = parse(text)
            except FormulaError as error:
                raise self.fail(f"'{name}': {error}", (section, name), error.at) from None
        return found

    def _check_names(self) -> None:
        exercise, seen = self.exercise, {}
        columns = exercise.table.columns if exercise.table else ()
        places = [(("given", n), n) for n in exercise.given]
        places += [(("table", "columns", i), n) for i, n in enumerate(columns)]
        places += [(("quantities", n), n) for n in self.formulas]
        places += [(("after", n), n) for n in self.after]
        for path, name in places:
            at = path if path[0] == "table" else (*path, KEY)
            if not re.fullmatch(NAME, name) or name in FUNCTIONS:
                reason = "is a function's" if name in FUNCTIONS else "is no name"
                raise self.fail(f"'{name}' {reason}: use letters, digits and _, such as w13", at)
            if name in seen:
                raise self.fail(f"'{name}' is there twice: in {seen[name]} and {path[0]}", at)
            seen[name] = path[0]
        self._check_order()
        for number, name in enumerate(self.parameters):
            if name not in exercise.given:
                raise self.fail(
                    f"the parameter '{name}' has no first value: "
                    + unknown("given", name, exercise.given),
                    ("update", "parameters", number),
                )

    def _check_size(self) -> None:
        sizes = {name: np.size(value) for name, value in self.builder.values.items()}
        if sum(sizes.values()) <= MOST_NUMBERS:
            return
        message = f"more than {MOST_NUMBERS:,} numbers; an exercise has at most that many"
        if self.many:
            raise self.fail(f"{message}: take fewer updates", ("update", KEY))
        base = self.builder.quantities[max(sizes, key=lambda name: sizes[name])].base
        message += f": take smaller arrays, above all for '{base}'"
        raise self.fail(message, self.place(base) or ("table", KEY))

    def _check_slips(self) -> None:
        """Refuse slips of what is not there; another convention may have other names."""
        if self.convention is not None:
            return
        known, values = self.builder.quantities, self.builder.values
        for number, slip in enumerate(self.exercise.slips):
            quantity = self._aliases().get(slip.quantity, slip.quantity)
            if quantity not in known:
                message = unknown("name", slip.quantity, known)
                raise self.fail(message, ("slips", number, "quantity"))
            try:
                shape = np.shape(checked(parse(slip.formula), values, finite=False))
                if shape not in ((), np.shape(values[quantity])):
                    raise FormulaError(f"this is {shape_text(np.ones(shape))}, the quantity "
                                       f"{shape_text(values[quantity])}")  # fmt: skip
            except FormulaError as error:
                where = ("slips", number, "formula")
                raise self.fail(f"'{slip.quantity}': {error}", where, error.at) from None

    def _check_order(self) -> None:
        """Refuse names that are used before they are given, and circles."""
        known = set(self.exercise.given)
        known |= set(self.exercise.table.columns if self.exercise.table else ())
        for name, tree in self.formulas.items():
            for used, column in names_in(tree).items():
                if used in known:
                    continue
                where: Path = ("quantities", name)
                if used not in self.formulas:
                    names = known | set(self.formulas)
                    raise self.fail(f"'{name}': {unknown('name', used, names)}", where, column)
                circle = self._circle(used, name)
                if circle:
                    text = " → ".join(circle)
                    message = f"a circle: {text}; each of these is made from the next"
                    raise self.fail(message, where, column)
                line = self.marked.marks[("quantities", used)].line
                raise self.fail(
                    f"'{name}' uses '{used}' before it is given (in line {line}): move it up",
                    where, column,
                )  # fmt: skip
            known.add(name)

    def _circle(self, start: str, end: str) -> list[str]:
        """Return the way from a quantity through its operands to another, and back; or none."""
        ways, seen = [[start]], {start}
        while ways:
            way = ways.pop(0)
            if way[-1] == end:
                return [end, *way]
            for used in names_in(self.formulas.get(way[-1], Name(""))):
                if used in self.formulas and used not in seen:
                    seen.add(used)
                    ways.append([*way, used])
        return []

    def _batches(self) -> Iterator[dict[str, Any]]:
        """Yield the columns of each update's batch."""
        update, table = self.exercise.update, self.exercise.table
        if table is None:
            for field in ("batch", "epochs"):
                if update is not None and getattr(update, field) is not None:
                    raise self.fail(f"'{field}' needs a table", ("update", field, KEY))
            for _ in range((update.steps if update else None) or 1):
                yield {}
            return
        if update is not None and update.steps is not None:
            raise self.fail("a table takes 'batch' and 'epochs'", ("update", "steps", KEY))
        for number, row in enumerate(table.rows):
            if len(row) != len(table.columns):
                raise self.fail(
                    f"row {number + 1} has {len(row)} numbers for {len(table.columns)} columns",
                    ("table", "rows", number),
                )
        rows = np.asarray(table.rows)
        batch = (update.batch if update else None) or len(rows)
        for _ in range((update.epochs if update else None) or 1):
            for start in range(0, len(rows), batch):
                yield dict(zip(table.columns, rows[start : start + batch].T, strict=True))

    def _step(self, step: int | None, columns: Mapping[str, Any]) -> None:
        current = dict(self.parameters)
        for name, values in columns.items():
            current[name] = self.named(name, step)
            quantity = Quantity(current[name], "given", value=values, base=name, step=step)
            self.builder.add(quantity, values)
        for name, tree in self.formulas.items():
            full = self.named(name, step)
            renamed = replaced(tree, {a: Name(b) for a, b in current.items() if a != b})
            self._quantity(full, renamed, name, step, ("quantities", name))
            current[name] = full
        if self.exercise.loss is None:
            return
        self._minimise(step, current)

    def _quantity(
        self, full: str, tree: Expression, name: str, step: int | None, path: Path
    ) -> None:
        try:
            value = checked(tree, self.builder.values, finite=self.exact)
        except FormulaError as error:
            raise self.fail(f"'{name}': {error}", path, error.at) from None
        try:
            self.builder.add(Quantity(full, "quantity", tree, base=name, step=step), value)
        except SpecError as error:
            raise self.refused(error, (*path, KEY)) from None

    def _minimise(self, step: int | None, current: Mapping[str, str]) -> None:
        exercise = self.exercise
        if exercise.loss not in self.formulas:
            raise self.fail(unknown("quantity", str(exercise.loss), self.formulas), ("loss",))
        loss = current[exercise.loss]
        if np.shape(self.builder.values[loss]):
            raise self.fail(f"the loss '{exercise.loss}' must be one number", ("loss",))
        wanted: dict[str, str] = {}
        for number, name in enumerate(exercise.gradients):
            if name not in self.formulas and name not in exercise.given and name not in current:
                names = [*exercise.given, *self.formulas]
                raise self.fail(unknown("name", name, names), ("gradients", number))
            wanted[name] = current.get(name, name)
        before = dict(self.parameters)
        base = {full: name for name, full in {**current, **before}.items()}
        try:
            gradients = add_gradients(
                self.builder, loss, [*before.values(), *wanted.values()],
                lambda full: self.named(f"d_{base.get(full, full)}", step), step,
            )  # fmt: skip
        except NoInfluenceError as error:
            asked = error.name in wanted.values()
            names = list((wanted if asked else before).values())
            where = ("gradients",) if asked else ("update", "parameters")
            raise self.fail(str(error), (*where, names.index(error.name))) from None
        except SpecError as error:
            raise self.refused(error, ("gradients",) if wanted else ("update",)) from None
        self._evaluate(gradients)
        after = self._update(before, gradients, step)
        forward = tuple(current[name] for name in self.formulas)
        self.steps.append(Step(loss, before, forward, gradients, after))

    def _evaluate(self, gradients: Mapping[str, str]) -> None:
        """Give gradients their values, as far as formulas do."""
        values = self.builder.values
        for of, name in gradients.items():
            quantity = self.builder.quantities[name]
            if quantity.formula is None:
                self.exact = False
                continue
            with np.errstate(all="ignore"):
                value = evaluate(quantity.formula, values)
            values[name] = np.broadcast_to(value, np.shape(values[of]))
            if self.exact and not np.all(np.isfinite(value)):
                through = self.builder.quantities[quantity.terms[-1].through].base
                raise self.fail(
                    f"the gradient {name} = {written(quantity.formula)} has no finite value",
                    ("quantities", through),
                )

    def _update(
        self, before: Mapping[str, str], gradients: Mapping[str, str], step: int | None
    ) -> dict[str, str]:
        """Add the lines of an update, and return the new parameters' names."""
        if self.worked is None:
            return {}
        last = len(self.steps) + 1 == len(self.batches)
        after = {p: f"{p}_new" if last else f"{p}_{step}" for p in before}
        try:
            if not self.worked.update(before, gradients, step, after):
                self._opaque(before, after, step)
        except SpecError as error:
            raise self.refused(error, ("update",)) from None
        opaque = any(self.builder.quantities[name].formula is None for name in after.values())
        self.exact = self.exact and not opaque and self.worked.spec.kind != "newton"
        for name in after.values():
            if self.exact and not np.all(np.isfinite(self.builder.values[name])):
                raise self.fail(f"'{name}' has no finite value: the updates diverge", ("update",))
        self.parameters = after
        return after

    def _opaque(self, before: Mapping[str, str], after: Mapping[str, str], step: Any) -> None:
        """Add updated parameters that the lab's optimizer alone can give."""
        for parameter, now in before.items():
            quantity = Quantity(after[parameter], "updated", base=parameter, of=now, step=step)
            self.builder.add(quantity, self.builder.values[now])

    def _asked(self) -> tuple[str, ...]:
        exercise, known = self.exercise, self.builder.quantities
        if exercise.asked is not None:
            aliases = self._aliases()
            for number, name in enumerate(exercise.asked):
                if aliases.get(name, name) not in known:
                    raise self.fail(unknown("name", name, known), ("asked", number))
            return tuple(aliases.get(name, name) for name in exercise.asked)
        wanted = {f"d_{name}" for name in exercise.gradients}
        return tuple(
            q.name
            for q in known.values()
            if q.kind == "quantity"
            or (q.kind == "gradient" and f"d_{q.base}" in wanted)
            or (q.kind == "updated" and q.name.endswith("_new"))
        )

    def _aliases(self) -> dict[str, str]:
        """Return ``w_2`` for ``w_new`` where there are two updates, and so on."""
        if self.worked is None or not self.many:
            return {}
        names = self.exercise.update.parameters if self.exercise.update else ()
        count = len(self.batches)
        found = {f"{name}_{count}": f"{name}_new" for name in names}
        return {a: b for a, b in found.items() if a not in self.builder.quantities}


def _built(spec: Any) -> Any:
    from descentlab.optimizers.schedules import constant

    return spec.build(constant)

"""The mathematics of one run, written for one run alone: start, updates, records.

Everything here is a pure function of one run's state, seed and floats and of the
shared data; :mod:`descentlab.engine.program` lays runs side by side. The step
counter is common to all runs of a chunk and stays unbatched, so that conditions on
it (a new epoch, a record) remain real branches when runs are vectorised.
"""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from descentlab.core.keys import named_key
from descentlab.engine.parameters import is_setting, trainable
from descentlab.engine.readings import MOST_UPDATES, reading_names, readings
from descentlab.engine.training import DRAWS, Cohort, Floats, Training
from descentlab.optimizers.protocol import fast_parameters

EVALUATION_BLOCK = 1024
"""Examples of one forward pass in an evaluation; fixed, so that sums are always the same."""


class State(NamedTuple):
    """What a run carries from update to update."""

    parameters: Any
    optimizer: Any
    sums: dict[str, Float[Array, ""]]
    """Running sums of the training metrics since the last record, over ``count`` examples."""
    count: Float[Array, ""]
    readings: dict[str, Float[Array, ""]]
    """Of the last update, by name; none for most runs."""
    diverged: Int[Array, ""]
    """Number of updates after which a loss or a parameter was not finite; -1 while all is well."""


class _Call(NamedTuple):
    """What stays the same during one call of a run's program."""

    static: Any
    optimizer: Any
    data: dict[str, tuple[Array, Array]]
    keys: dict[str, Array]
    start: Int[Array, ""]
    until: Int[Array, ""]


class OneRun:
    """The functions of one run of a cohort, traced once and compiled for all."""

    def __init__(self, cohort: Cohort) -> None:
        self.training: Training = cohort.training
        self.metrics = cohort.metrics
        self.readings = reading_names(cohort.training, cohort.runs[0].floats)
        self.parts = tuple(cohort.arrays.parts)
        self.examples = cohort.arrays.examples
        self.steps_per_epoch = cohort.steps_per_epoch
        self.batch_size = self.training.batches.batch_size(self.examples)
        self.full = self.training.batches.kind == "full"  # type: ignore[attr-defined]
        self.dtype = jnp.dtype(self.training.precision)
        ragged = self.steps_per_epoch * self.batch_size != self.examples
        self.ragged = ragged and getattr(self.training.batches, "last", "drop") == "keep"

    def start(self, seed: Int[Array, ""], floats: Floats) -> State:
        """Return the state before the first update: initial weights, empty sums."""
        parameters, _ = self._model(seed, floats)
        zero = jnp.zeros((), self.dtype)
        return State(
            parameters=parameters,
            optimizer=self.training.optimizer(floats).init(parameters),
            sums=dict.fromkeys(self.training.objective.metrics, zero),
            count=zero,
            readings=dict.fromkeys(self.readings, zero),
            diverged=jnp.full((), -1, jnp.int32),
        )

    def advance(
        self,
        state: State,
        seed: Int[Array, ""],
        floats: Floats,
        data: dict[str, tuple[Array, Array]],
        start: Int[Array, ""],
        until: Int[Array, ""],
        capacity: int,
    ) -> tuple[State, Float[Array, "capacity metrics"], Float[Array, "updates readings"]]:
        """Train from update ``start`` to ``until``; return the state, records and readings.

        A record at step 0 is made when ``start`` is 0. Records and readings fill the rows
        from the top; the caller chooses ``until`` so that they fit.
        """
        keys = {name: named_key(seed, name) for name in ("order", "dropout", "evaluation")}
        call = _Call(
            self._static(seed, floats), self.training.optimizer(floats), data, keys, start, until
        )
        places = 0 if self.full else self.steps_per_epoch * self.batch_size
        order = jnp.zeros(places, jnp.int32)
        rows = jnp.full((capacity, len(self.metrics)), jnp.nan, self.dtype)
        updates = MOST_UPDATES if self.readings else 0
        trace = jnp.full((updates, len(self.readings)), jnp.nan, self.dtype)
        carry = (state, start, order, jnp.zeros((), jnp.int32), rows, trace)
        state, _, _, _, rows, trace = jax.lax.while_loop(
            lambda carry: (carry[1] < until) | ((carry[1] == 0) & (carry[3] == 0)),
            lambda carry: self._stretch(call, *carry),
            carry,
        )
        return state, rows, trace

    def _stretch(
        self,
        call: _Call,
        state: State,
        step: Array,
        order: Array,
        row: Array,
        rows: Array,
        trace: Array,
    ) -> tuple[State, Array, Array, Array, Array, Array]:
        """Train to the next record, epoch or end of the call, whichever is first."""
        every = self.training.every
        end = jnp.minimum((step // every + 1) * every, call.until)
        if not self.full:
            epoch = step // self.steps_per_epoch
            order = jax.lax.cond(
                (step % self.steps_per_epoch == 0) | (step == call.start),
                lambda: self._order(call.keys["order"], epoch),
                lambda: order,
            )
            end = jnp.minimum(end, (epoch + 1) * self.steps_per_epoch)
        end = jnp.where((step == 0) & (row == 0), 0, end)  # first a record before any update

        def update(t: Array, carry: tuple[State, Array]) -> tuple[State, Array]:
            state = self._update(call, carry[0], order, t)
            return state, self._noted(carry[1], state, t - call.start)

        state, trace = jax.lax.fori_loop(step, end, update, (state, trace))

        def record() -> tuple[State, Array, Array]:
            drawn = (end - step // self.steps_per_epoch * self.steps_per_epoch) * self.batch_size
            values, recorded = self._record(call, state, end, self._draws(order, drawn))
            return recorded, row + 1, rows.at[row].set(values, mode="drop")

        due = (end % every == 0) | (end == self.training.steps)
        state, row, rows = jax.lax.cond(due, record, lambda: (state, row, rows))
        return state, end, order, row, rows, trace

    def _noted(self, trace: Array, state: State, update: Array) -> Array:
        """Write an update's readings into its row."""
        if not self.readings:
            return trace
        return trace.at[update].set(jnp.stack([state.readings[name] for name in self.readings]))

    def predict(
        self, state: State, seed: Int[Array, ""], floats: Floats, inputs: Float[Array, "n ..."]
    ) -> Float[Array, "n outputs"]:
        """Return the outputs for ``inputs`` with the parameters that are evaluated."""
        static = self._static(seed, floats)
        parameters = self._evaluated(state, self.training.optimizer(floats))
        key = named_key(seed, "predict") if self.training.evaluate_dropout else None
        size = min(EVALUATION_BLOCK, len(inputs))
        blocks = [inputs[i : i + size] for i in range(0, len(inputs), size)]
        return jnp.concatenate(
            [
                self._forward(
                    parameters, static, block, None if key is None else jax.random.fold_in(key, i)
                )
                for i, block in enumerate(blocks)
            ]
        )

    def gradients(
        self,
        parameters: Any,
        seed: Int[Array, ""],
        floats: Floats,
        inputs: Float[Array, "n ..."],
        targets: Array,
        key: Any = None,
    ) -> Any:
        """Return the gradients of one batch's mean loss as training computes them (dropout on).

        ``key`` is that of the dropout masks, such as an update's :meth:`dropout_key`.
        """
        static = self._static(seed, floats)
        key = named_key(seed, "dropout") if key is None else key

        def loss(parameters: Any) -> Array:
            outputs = self._forward(parameters, static, inputs, key)
            return self.training.objective.loss(outputs, targets).mean()

        return jax.grad(loss)(parameters)

    def examples_of(self, seed: Int[Array, ""], step: Int[Array, ""]) -> Int[Array, " batch"]:
        """Return which training examples update ``step``, counted from 0, sees.

        Where the last batch of an epoch has fewer examples, places are filled with their number.
        """
        if self.full:
            return jnp.arange(self.examples, dtype=jnp.int32)
        order = self._order(named_key(seed, "order"), step // self.steps_per_epoch)
        position = (step % self.steps_per_epoch) * self.batch_size
        return jax.lax.dynamic_slice_in_dim(order, position, self.batch_size)

    def dropout_key(self, seed: Int[Array, ""], step: Int[Array, ""]) -> Array:
        """Return the key of the dropout masks of update ``step``, counted from 0."""
        return jax.random.fold_in(named_key(seed, "dropout"), step)

    def _model(self, seed: Array, floats: Floats) -> tuple[Any, Any]:
        model = self.training.build(floats, named_key(seed, "init"))
        return eqx.partition(model, trainable, is_leaf=is_setting)

    def _static(self, seed: Array, floats: Floats) -> Any:
        """Return all of the model that is not trained.

        Only a model that holds other arrays is built for it (its initial weights are
        then dropped by the compiler); of any other the structure is enough, which
        saves tracing and lowering the random numbers again.
        """
        model = eqx.filter_eval_shape(self.training.build, floats, named_key(seed, "init"))
        is_shape = lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct)  # noqa: E731
        static = jax.tree.map(
            lambda leaf: (
                None if is_shape(leaf) and jnp.issubdtype(leaf.dtype, jnp.inexact) else leaf
            ),
            model,
            is_leaf=is_setting,
        )
        if any(map(is_shape, jax.tree.leaves(static))) or any(
            map(is_setting, jax.tree.leaves(static, is_leaf=is_setting))
        ):
            return self._model(seed, floats)[1]
        return static

    def _forward(self, parameters: Any, static: Any, inputs: Array, key: Any) -> Array:
        model = eqx.combine(parameters, static, is_leaf=is_setting)
        if self.training.batched:
            return model(inputs, key=key)
        if "key" not in inspect.signature(model).parameters:
            return jax.vmap(model)(inputs)
        if key is None:
            model = eqx.nn.inference_mode(model)
            return jax.vmap(lambda x: model(x, key=None))(inputs)
        keys = jax.random.split(key, len(inputs))
        return jax.vmap(lambda x, k: model(x, key=k))(inputs, keys)

    def _order(self, key: Array, epoch: Array) -> Int[Array, " steps*size"]:
        return self.training.batches.order(jax.random.fold_in(key, epoch), self.examples)

    def _batch(
        self, data: dict[str, tuple[Array, Array]], order: Array, step: Array
    ) -> tuple[Array, Array, Array | None]:
        """Return inputs, targets and weights (None where every batch is whole)."""
        inputs, targets = data["train"]
        if self.full:
            return inputs, targets, None
        position = (step % self.steps_per_epoch) * self.batch_size
        chosen = jax.lax.dynamic_slice_in_dim(order, position, self.batch_size)
        weights = (chosen < self.examples).astype(self.dtype) if self.ragged else None
        chosen = jnp.minimum(chosen, self.examples - 1)
        return inputs[chosen], targets[chosen], weights

    def _update(self, call: _Call, state: State, order: Array, step: Array) -> State:
        inputs, targets, weights = self._batch(call.data, order, step)
        dropout_key = jax.random.fold_in(call.keys["dropout"], step)
        objective = self.training.objective

        def mean(values: Array) -> Array:
            return values.mean() if weights is None else (values * weights).sum() / weights.sum()

        def loss(parameters: Any) -> tuple[Array, Array]:
            outputs = self._forward(parameters, call.static, inputs, dropout_key)
            return mean(objective.loss(outputs, targets)), outputs

        (value, outputs), gradients = jax.value_and_grad(loss, has_aux=True)(state.parameters)
        batch_loss = lambda parameters: loss(parameters)[0]  # noqa: E731

        def hvp(vector: Any) -> Any:
            return jax.jvp(jax.grad(batch_loss), (state.parameters,), (vector,))[1]

        parameters, optimizer_state = call.optimizer.update(
            gradients, state.optimizer, state.parameters, value=value, hvp=hvp, loss=batch_loss
        )
        return State(
            parameters=parameters,
            optimizer=optimizer_state,
            sums=self._accumulate(state, outputs, targets, value, weights),
            count=state.count + (self.batch_size if weights is None else weights.sum()),
            readings=readings(self.training, call.optimizer, optimizer_state, gradients),
            diverged=_first(state.diverged, ~jnp.isfinite(value), step),
        )

    def _accumulate(
        self, state: State, outputs: Array, targets: Array, value: Array, weights: Array | None
    ) -> dict[str, Array]:
        """Add one batch to the running sums; nothing is computed where train is evaluated."""
        if self.training.train_record == "evaluated":
            return state.sums
        size = self.batch_size if weights is None else weights.sum()
        sums = {}
        for name, metric in self.training.objective.metrics.items():
            if name == "loss":
                added = value * size
            else:
                values = metric(outputs, targets).astype(self.dtype)
                added = values.sum() if weights is None else (values * weights).sum()
            sums[name] = state.sums[name] + added
        return sums

    def _draws(self, order: Array, drawn: Array) -> dict[str, Float[Array, ""]]:
        """Return the shares of examples that are among the first ``drawn`` of an order."""
        if not self.training.draws:
            return {}
        if self.full:
            whole = (drawn > 0).astype(self.dtype)
            return dict.fromkeys(DRAWS, whole)
        new = (jnp.arange(len(order)) < drawn).astype(jnp.int32)
        times = jnp.zeros(self.examples, jnp.int32).at[order].add(new, mode="drop")
        shares = (times >= 1).sum(), (times == 1).sum()
        return {
            name: (count / self.examples).astype(self.dtype)
            for name, count in zip(DRAWS, shares, strict=True)
        }

    def _record(
        self, call: _Call, state: State, step: Array, draws: dict[str, Array]
    ) -> tuple[Float[Array, " metrics"], State]:
        parameters = self._evaluated(state, call.optimizer)
        key = jax.random.fold_in(call.keys["evaluation"], step)
        values = dict(draws)
        for number, part in enumerate(self.parts):
            part_key = jax.random.fold_in(key, number)
            if not self.training.evaluates(part):
                found = {name: total / state.count for name, total in state.sums.items()}
            else:
                found = self._evaluate(parameters, call.static, call.data[part], part_key)
            values |= {f"{part}_{name}": value for name, value in found.items()}
            if self.training.fast_weights and self.training.evaluates(part):
                fast = fast_parameters(call.optimizer, state.parameters, state.optimizer)
                found = self._evaluate(fast, call.static, call.data[part], part_key)
                values |= {f"{part}_fast_{name}": value for name, value in found.items()}
        losses = [v for n, v in values.items() if n.endswith("_loss")]
        if self.training.train_record == "running":
            losses = losses[1:]  # 0/0 at step 0; a bad batch loss was noticed when it came
        leaves = jax.tree.leaves(state.parameters)
        finite = jnp.stack([jnp.isfinite(x).all() for x in (*losses, *leaves)]).all()
        cleared = state._replace(
            sums=jax.tree.map(jnp.zeros_like, state.sums),
            count=jnp.zeros_like(state.count),
            diverged=_first(state.diverged, ~finite, step),
        )
        return jnp.stack([values[name] for name in self.metrics]), cleared

    def _evaluated(self, state: State, optimizer: Any) -> Any:
        return optimizer.evaluation_parameters(state.parameters, state.optimizer)

    def _evaluate(
        self, parameters: Any, static: Any, part: tuple[Array, Array], key: Array
    ) -> dict[str, Float[Array, ""]]:
        """Return the mean of each metric over a part, in blocks of fixed size."""
        inputs, targets = part
        count = len(inputs)
        size = min(EVALUATION_BLOCK, count)
        metrics = self.training.objective.metrics

        def block(index: Array, sums: dict[str, Array]) -> dict[str, Array]:
            first = jnp.minimum(index * size, count - size)
            x = jax.lax.dynamic_slice_in_dim(inputs, first, size)
            y = jax.lax.dynamic_slice_in_dim(targets, first, size)
            block_key = jax.random.fold_in(key, index) if self.training.evaluate_dropout else None
            outputs = self._forward(parameters, static, x, block_key)
            new = first + jnp.arange(size) >= index * size  # the last block overlaps the one before
            return {
                name: sums[name] + jnp.where(new, metric(outputs, y).astype(self.dtype), 0).sum()
                for name, metric in metrics.items()
            }

        zeros = {name: jnp.zeros((), self.dtype) for name in metrics}
        blocks = -(-count // size)
        sums = (
            block(jnp.int32(0), zeros)
            if blocks == 1
            else jax.lax.fori_loop(0, blocks, block, zeros)
        )
        return {name: total / count for name, total in sums.items()}


def _first(diverged: Array, bad: Array, step: Array) -> Array:
    return jnp.where((diverged < 0) & bad, jnp.asarray(step, jnp.int32), diverged)

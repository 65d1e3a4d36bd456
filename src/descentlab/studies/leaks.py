"""Does a data set's test part leak: copies, near copies and groups on both sides."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from descentlab.core.errors import DataError
from descentlab.evaluation.leakage import (
    Duplicates,
    Groups,
    NearDuplicates,
    exact_duplicates,
    near_duplicates,
    shared_groups,
)
from descentlab.studies.sides import load_sides

if TYPE_CHECKING:
    from descentlab.data.specs import Data
    from descentlab.evaluation.neighbours import Progress


Table = tuple[str, list[str], list[list[str]]]


@dataclasses.dataclass(frozen=True)
class Leaks:
    """What was found between the training and the test part of a data set.

    The numbers in pairs are counted from 0: rows of the file where both parts were drawn
    from ``one_table``, else rows of the training part and of the test part.
    """

    name: str
    n_train: int
    n_test: int
    split: str
    one_table: bool
    exact: Duplicates
    near: NearDuplicates
    group: str | None
    groups: Groups | None

    @property
    def found(self) -> bool:
        """Whether anything leaks from train into test."""
        shared = self.groups.examples if self.groups else 0
        return bool(self.exact.examples or self.near.examples or shared)

    def sentences(self) -> list[str]:
        """Say in words what was found, the worst first."""
        found = []
        if self.groups is not None:
            found.append((self.groups.examples, _group_sentence(self)))
        found.append((self.exact.examples, _exact_sentence(self)))
        found.append((self.near.examples, _near_sentence(self)))
        return [text for _, text in sorted(found, key=lambda one: -one[0])]

    def tables(self, most: int = 10) -> list[Table]:
        """Return the counts, and the worst cases of each kind, as text: title, heads, rows."""
        counts = [
            ("exact copies", self.exact.examples, self.exact.different_labels),
            ("near duplicates", self.near.examples, self.near.different_labels),
        ]
        rows = [
            [what, f"{n:,}", "–" if other is None else f"{other:,}"] for what, n, other in counts
        ]
        if self.groups is not None:
            rows.append([f"shared {self.group}", f"{self.groups.examples:,}", "–"])
        for part, n in (("train", self.exact.within_train), ("test", self.exact.within_test)):
            rows.append([f"exact copies within {part}", f"{n:,}", "–"])
        found: list[Table] = [("", ["", "examples", "with another label"], rows)]
        if self.groups is not None and self.groups.shared:
            shown = [[str(g), f"{b:,}", f"{a:,}"] for g, a, b in self.groups.shared[:most]]
            title = _title(f"{self.group} on both sides", len(self.groups.shared), most)
            found.append((title, [str(self.group), "in test", "in train"], shown))
        numbered = "row" if self.one_table else "row of its part"
        for what, pairs, ratios in (
            ("exact copies", self.exact.pairs, np.zeros(self.exact.examples)),
            ("near duplicates", self.near.pairs, self.near.ratios),
        ):
            if len(pairs):
                each = zip(pairs[:most].tolist(), ratios, strict=False)
                shown = [[f"{i:,}", f"{j:,}", f"{r:.3f}"] for (i, j), r in each]
                title = _title(f"{what} ({numbered}, counted from 0)", len(pairs), most)
                found.append((title, ["test", "train", "distance ratio"], shown))
        return found

    def summary(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        exact, near, groups = self.exact, self.near, self.groups
        pairs = zip(near.pairs.tolist(), near.ratios.tolist(), strict=True)
        return {
            "name": self.name,
            "train": self.n_train,
            "test": self.n_test,
            "split": self.split,
            "numbered_by": "row of the file" if self.one_table else "row of its own part",
            "leaks": self.found,
            "exact": {
                "examples": exact.examples,
                "different_labels": exact.different_labels,
                "within_train": exact.within_train,
                "within_test": exact.within_test,
                "pairs": [{"test": i, "train": j} for i, j in exact.pairs.tolist()],
            },
            "near": {
                "examples": near.examples,
                "different_labels": near.different_labels,
                "threshold": near.threshold,
                "dimension": near.dimension,
                "pairs": [{"test": i, "train": j, "ratio": r} for (i, j), r in pairs],
            },
            "groups": None
            if groups is None
            else {
                "name": self.group,
                "examples": groups.examples,
                "train_groups": groups.train_groups,
                "test_groups": groups.test_groups,
                "missing": groups.missing,
                "shared": [one._asdict() for one in groups.shared],
            },
            "verdict": self.sentences(),
        }


def leaks(
    data: Data | Mapping[str, Any] | str | os.PathLike[str],
    group: str | None = None,
    *,
    near: float | None = None,
    label: str | None = None,
    test: float | int | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
) -> Leaks:
    """Look for copies, near copies and groups on both sides of a data set's split.

    The split is the one that a study with these data trains and tests on.

    Args:
        data: a data specification, or what a study file says under ``data``; or a name
            such as ``mnist``; or a file: a study (``.yaml``), a table (``.csv``,
            ``.parquet``) or arrays (``.npz``, with ``test_…`` beside the training arrays,
            or all named ``train_…`` and ``test_…``).
        group: the column with the ids of groups (patients, lesions); of an ``.npz``, the
            name of the arrays without ``train_`` and ``test_``. It is no input then.
        near: the threshold of near duplicates; see
            :func:`descentlab.evaluation.leakage.near_duplicates`.
        label: the label's column or array, where it is not what the specification says.
        test: a share below 1, or a number of examples, drawn at random for testing.
        seed: of that draw; as in a study's ``split``.
        progress: called with the share that is done, from time to time.

    Returns:
        What was found. Without an official test part, a split in the specification or
        ``test``, a fifth of the examples is drawn, and ``split`` says so.

    Raises:
        SpecError: the name or the specification says nothing that can be loaded.
        DataError: the data are missing, damaged or unfit, or have no such group.
    """
    sides = load_sides(data, group, label=label, test=test, seed=seed)
    (train, train_labels), (tested, test_labels) = sides.train, sides.test
    try:
        exact = exact_duplicates(train, tested, train_labels, test_labels)
        close = near_duplicates(
            train,
            tested,
            near,
            train_labels=train_labels,
            test_labels=test_labels,
            exact=exact,
            progress=progress,
        )
        groups = None if sides.groups is None else shared_groups(*sides.groups)
    except ValueError as error:
        raise DataError(f"{sides.name}: {error}") from None
    exact = dataclasses.replace(exact, pairs=_by_row(exact.pairs, sides.rows))
    close = dataclasses.replace(close, pairs=_by_row(close.pairs, sides.rows))
    return Leaks(
        sides.name,
        len(train),
        len(tested),
        sides.split,
        sides.one_table,
        exact,
        close,
        group,
        groups,
    )


def _by_row(pairs: np.ndarray, rows: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return np.stack([rows[1][pairs[:, 0]], rows[0][pairs[:, 1]]], axis=1)


def _title(what: str, n: int, most: int) -> str:
    return what if n <= most else f"{what}: the first {most} of {n:,}"


def _group_sentence(found: Leaks) -> str:
    groups = found.groups
    assert groups is not None
    if groups.largest is None:
        missing = f" ({groups.missing:,} examples say none)" if groups.missing else ""
        return f"No test example shares a {found.group} with a training example{missing}."
    verb = "shares" if groups.examples == 1 else "share"
    one = groups.largest
    return (
        f"{_share(groups.examples, found.n_test)} {verb} a {found.group} with training examples: "
        f"{len(groups.shared):,} of the {groups.test_groups:,} in test are in train too, most "
        f"often {one.group} ({one.test:,} in test, {one.train:,} in train)."
    )


def _exact_sentence(found: Leaks) -> str:
    count, other = found.exact.examples, found.exact.different_labels
    if not count:
        return "No test example is an exact copy of a training example."
    what = "is an exact copy of a training example" if count == 1 else _COPIES
    return f"{_share(count, found.n_test)} {what}{_labelled(other, count)}."


def _near_sentence(found: Leaks) -> str:
    count, other, limit = found.near.examples, found.near.different_labels, found.near.threshold
    near = f"at most {limit:.2g} times as far away as the tenth nearest"
    if not count:
        return f"No test example is a near duplicate of a training example ({near})."
    what = "is a near duplicate of a training example" if count == 1 else _NEARLY
    return f"{_share(count, found.n_test)} {what} ({near}){_labelled(other, count)}."


_COPIES = "are exact copies of training examples"
_NEARLY = "are near duplicates of training examples"


def _labelled(other: int | None, count: int) -> str:
    if not other:
        return ""
    return ", with another label" if other == count else f", {other:,} of them with another label"


def _share(count: int, n: int) -> str:
    percent = 100 * count / n
    text = f"{percent:.0f}" if percent >= 10 else f"{percent:.2g}"
    return f"{count:,} of {n:,} test examples ({text} %)"

"""What ``descentlab landscape …`` prints and writes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from descentlab.cli.text import print_table, say, writing

if TYPE_CHECKING:
    from descentlab.engine.descents.run import Descent
    from descentlab.engine.descents.tune import Tuning
    from descentlab.objectives.landscape_catalogue import LandscapeInfo


def print_runs(found: list[Descent], judged: list[Any]) -> None:
    """Print what became of descents, and why."""
    rows = [
        [d.method.name, short(d.final_cost), short(float(d.gradient_norm[-1])),
         ", ".join(map(short, d.path[-1])), why.outcome]
        for d, why in zip(found, judged, strict=True)
    ]  # fmt: skip
    first = found[0]
    x, y = first.start
    print(f"{first.landscape.title} from ({x:g}, {y:g}), {first.steps:,} epochs; the cost there "
          f"is {short(float(first.cost[0]))}")  # fmt: skip
    print_table(["method", "final cost", "slope", "w1, w2", "outcome"], rows)
    for descent, why in zip(found, judged, strict=True):
        print(f"\n{descent.method.text()}")
        for sentence in why.sentences:
            print(f"  {sentence}")


def print_tuning(found: Tuning) -> None:
    """Print the best setting and the surest."""
    rows = []
    for title, choice in (("best", found.best), ("robust", found.robust)):
        epochs = "–" if choice.epochs is None else str(choice.epochs)
        rows.append(
            [title, choice.method.text(), short(choice.final_cost), epochs, f"{choice.success:.0%}"]
        )
    x, y = found.start
    print(f"{found.landscape.title} from ({x:g}, {y:g}), {found.steps:,} epochs; "
          f"{found.tried:,} settings tried")  # fmt: skip
    print_table(["", "setting", "final cost", "epochs", "success"], rows)
    for sentence in found.sentences():
        print(sentence)


def write_csv(path: Path, found: list[Descent]) -> None:
    """Write every epoch of descents."""
    import csv

    with writing(path), path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["method", "epoch", "w1", "w2", "cost", "slope", "learning_rate"])
        for descent in found:
            columns = (descent.path[:, 0], descent.path[:, 1], descent.cost,
                       descent.gradient_norm, descent.rate)  # fmt: skip
            for epoch, row in enumerate(zip(*columns, strict=True)):
                shown = [repr(float(x)) if math.isfinite(x) else "" for x in row]
                table.writerow([descent.method.text(), epoch, *shown])
    say(f"{path}: {sum(d.steps + 1 for d in found)} rows")


def write_study(path: Path, landscape: LandscapeInfo, found: list[Descent]) -> None:
    """Write descents as a study file."""
    from descentlab.core.yaml import write_yaml
    from descentlab.studies.landscapes import study_of

    raw = study_of(landscape, [d.method for d in found], found[0].start, found[0].steps)
    with writing(path):
        path.write_text(write_yaml(raw), encoding="utf-8")
    say(f"{path}: written; descentlab run {path} trains it")


def write_npz(path: Path, found: Any) -> None:
    """Write basins as arrays."""
    import numpy as np

    (a, b), (c, d) = found.domain
    rows, columns = found.index.shape
    with writing(path):
        np.savez_compressed(
            path,
            index=found.index,
            minima=np.asarray([m.point for m in found.minima]).reshape(-1, 2),
            values=np.asarray([m.value for m in found.minima]),
            w1=np.linspace(a, b, columns),
            w2=np.linspace(c, d, rows),
        )
    say(f"{path}: written")


def short(value: float) -> str:
    """Return a number to six digits."""
    return f"{value:.6g}"

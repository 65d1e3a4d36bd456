"""How often verdicts are wrong: simulated arms, and real runs that differ by their seeds alone.

    python benchmarks/verdicts.py             # everything, about two minutes on two cores
    python benchmarks/verdicts.py simulated   # parts: simulated claims power diverging looking real

Simulated: an arm's figure in a cell (a setting of what both arms share) and a seed is the
seed's own luck, shared by both arms, plus the arm's luck with the seed (correlation ρ
between its cells) plus noise of the cell. Real: one configuration trained with many
seeds; pairs of disjoint groups of them are compared as if they were two arms. Diverging:
a run of either arm fails with some probability, whatever its seed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time

import numpy as np
from scipy.special import stdtrit

from descentlab.evaluation.decisions import Advantage, Statement, decide
from descentlab.evaluation.sequential import look_levels, planned_looks
from descentlab.studies.claims.comparisons import Comparison
from descentlab.studies.claims.evidence import Side, gather
from descentlab.studies.claims.selection import Cell
from descentlab.studies.claims.spec import Better

REPEATS = int(os.environ.get("REPEATS", "4000"))
CELLS = 12
SEEDS = (3, 5, 10, 20)
STUDIES = (
    "five claims 'better'",
    "'best' of 10 that are equal",
    "'orders' of 4 that are equal",
    "'equivalent' at the margin",
)


def arms(random: np.random.Generator, seeds: int, correlation: float, gap: float = 0.0):
    """Return the advantages by seed of one arm over another, cell by cell: ``[cells, seeds]``."""
    sides = []
    for _ in range(2):
        own = random.normal(0, correlation**0.5, seeds)
        sides.append(own + random.normal(0, (1 - correlation) ** 0.5, (CELLS, seeds)))
    return sides[0] - sides[1] + gap


def decision(values: np.ndarray) -> str:
    """Return the verdict on 'the first arm is better', cells averaged within a seed."""
    return decide([Statement([Advantage(values.mean(axis=0))])])[0].decision


def simulated(random: np.random.Generator) -> None:
    """False verdicts and coverage with equal arms, against counting cells as repetitions."""
    print("\n### Equal arms, 12 cells: false verdicts and coverage of the 95 % interval\n")
    print(
        "| seeds | correlation within a seed | false verdicts | coverage | cells as repetitions |"
    )
    print("| --- | --- | --- | --- | --- |")
    for seeds in SEEDS:
        for correlation in (0.0, 0.1, 0.5):
            wrong = covered = naive = 0
            for _ in range(REPEATS):
                values = arms(random, seeds, correlation)
                wrong += decision(values) != "undecided"
                interval = Advantage(values.mean(axis=0)).interval(0.95)
                covered += interval.low <= 0 <= interval.high  # type: ignore[operator]
                naive += decide([Statement([Advantage(values.ravel())])])[0].decision != "undecided"
            rates = [100 * each / REPEATS for each in (wrong, covered, naive)]
            print(f"| {seeds} | {correlation} | " + " | ".join(f"{r:.1f} %" for r in rates) + " |")


def claims(random: np.random.Generator) -> None:
    """Studies with several claims, and claims with several comparisons, none of them true."""
    print("\n### Any false verdict in a study\n")
    print("| study | seeds | false verdicts |")
    print("| --- | --- | --- |")
    for seeds in SEEDS:
        wrong = dict.fromkeys(STUDIES, 0)
        for _ in range(REPEATS):
            five = [Statement([Advantage(random.normal(size=seeds))]) for _ in range(5)]
            wrong["five claims 'better'"] += any(
                each.decision != "undecided" for each in decide(five)
            )
            equal = random.normal(size=(10, seeds))
            rivals = [Advantage(equal[0] - other) for other in equal[1:]]
            wrong["'best' of 10 that are equal"] += _decided(rivals)
            steps = [Advantage(equal[i] - equal[i + 1]) for i in range(3)]
            wrong["'orders' of 4 that are equal"] += _decided(steps)
            edge = Advantage(random.normal(1, 1, seeds))
            wrong["'equivalent' at the margin"] += (
                decide([Statement([edge], -1.0, 1.0)])[0].decision == "supported"
            )
        for name, count in wrong.items():
            print(f"| {name} | {seeds} | {100 * count / REPEATS:.1f} % |")


def _decided(advantages: list[Advantage]) -> bool:
    return decide([Statement(advantages)])[0].decision != "undecided"


def power(random: np.random.Generator) -> None:
    """How often a true difference is found, by its size in standard deviations over seeds."""
    gaps = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
    print("\n### Power: verdict 'supported', by the true difference in standard deviations\n")
    print("| seeds | " + " | ".join(f"{gap:g}" for gap in gaps) + " |")
    print("| --- | " + " | ".join("---" for _ in gaps) + " |")
    for seeds in SEEDS:
        found = []
        for gap in gaps:
            verdicts = [
                decide([Statement([Advantage(random.normal(gap, 1, seeds))])])[0].decision
                for _ in range(REPEATS // 4)
            ]
            found.append(f"{100 * np.mean([v == 'supported' for v in verdicts]):.0f} %")
        print(f"| {seeds} | " + " | ".join(found) + " |")


class Drawn:
    """Figures of two arms, ``[seeds, arms]``, NaN where a run diverged."""

    metric, sign = "test_loss", -1.0

    def __init__(self, ends: np.ndarray) -> None:
        self.ends, self.result = ends, self

    def examples(self, metric: str) -> None:
        """Return None: no number of examples is known."""

    def seeds(self, ids: list[str]) -> list[int]:
        """Return all seeds."""
        return list(range(len(self.ends)))

    def trained(self, ids: list[str], seeds: list[int]) -> bool:
        """Return that there are no curves to compare."""
        return False

    def side(self, ids: tuple[str, ...], seeds: list[int]) -> Side:
        """Return an arm's figures."""
        values = self.ends[:, [0 if ids[0] == "a" else 1]]
        return Side(values, np.isnan(values))


def diverging(random: np.random.Generator) -> None:
    """Runs that diverge: false verdicts on equal arms, and a clear difference that is found."""
    cases = {
        "equal, both diverge": (0.0, True, True),
        "5 apart, the worse one diverges": (5.0, False, True),
        "5 apart, the better one diverges": (5.0, True, False),
    }
    shares = (0.0, 0.1, 0.3, 0.5, 1.0)
    comparison, claim = Comparison("a", "b", (Cell(("a",), ("b",)),)), Better(a={"x": "a"})
    print("\n### Runs that diverge with some probability: a verdict falls\n")
    print("| arms | seeds | " + " | ".join(f"{share:.0%}" for share in shares) + " |")
    print("| --- | --- | " + " | ".join("---" for _ in shares) + " |")
    for name, (gap, *which) in cases.items():
        for seeds in (2, *SEEDS[:3]):
            rates = []
            for share in shares:
                decided = 0
                for _ in range(REPEATS):
                    ends = random.normal([0, gap], 1, (seeds, 2))
                    ends[(random.random((seeds, 2)) < share) & which] = np.nan
                    found = gather(claim, comparison, Drawn(ends))  # type: ignore[arg-type]
                    word = decide([Statement([found.advantage])])[0].decision
                    decided += word == "supported" if gap else word != "undecided"
                rates.append(f"{100 * decided / REPEATS:.1f} %")
            print(f"| {name} | {seeds} | " + " | ".join(rates) + " |")


def small(random: np.random.Generator) -> None:
    """What carrying levels over to the t test costs where few seeds are allowed."""
    print("\n### False verdicts of all looks together, by the most seeds\n")
    print("| looks | false verdicts |")
    print("| --- | --- |")
    for most in (3, 4, 6, 9, 20):
        looks = planned_looks(3, most)
        values = random.normal(size=(50 * REPEATS, most))
        wrong = np.zeros(len(values), bool)
        for look, level in zip(looks, look_levels(looks, most), strict=True):
            part = values[:, :look]
            t = part.mean(axis=1) / part.std(axis=1, ddof=1) * look**0.5
            wrong |= np.abs(t) >= stdtrit(look - 1, 1 - level / 2)
        print(f"| {', '.join(map(str, looks))} | {100 * wrong.mean():.1f} % |")


def looking(random: np.random.Generator) -> None:
    """Adding seeds from 3 to 20 until a claim is decided: by a plan of looks, and by peeking."""
    looks = planned_looks(3, 20)
    levels = look_levels(looks, 20)
    print(f"\n### Seeds added until decided, looks at {looks}: false verdicts\n")
    print("| rule | false verdicts | mean seeds at a difference of 1 | 2 | 3 |")
    print("| --- | --- | --- | --- | --- |")
    for name, shares in (("α spending", levels), ("5 % at every look", [0.05] * len(looks))):
        wrong = sum(_stops(random.normal(size=20), looks, shares)[1] for _ in range(REPEATS))
        means = [
            np.mean([_stops(random.normal(gap, 1, 20), looks, shares)[0] for _ in range(1000)])
            for gap in (1, 2, 3)
        ]
        row = " | ".join(f"{mean:.1f}" for mean in means)
        print(f"| {name} | {100 * wrong / REPEATS:.1f} % | {row} |")
    small(random)


def _stops(values: np.ndarray, looks: list[int], shares: list[float]) -> tuple[int, bool]:
    """Return the number of seeds at which a claim is decided, and whether it is at all."""
    for look, share in zip(looks, shares, strict=True):
        statement = Statement([Advantage(values[:look])])
        if decide([statement], share, step_down=False)[0].decision != "undecided":
            return look, True
    return looks[-1], False


def real(random: np.random.Generator) -> None:
    """A/A: one small network on the digits with 400 seeds, disjoint groups against each other."""
    import descentlab
    from descentlab.studies.spec import Study

    raw = {
        "name": "a-against-a",
        "run": {
            "data": {"kind": "digits", "split": {"test": 0.5}},
            "model": {"kind": "mlp", "hidden": [16]},
            "optimizer": {"kind": "adam", "learning_rate": 0.01},
            "epochs": 5,
        },
        "seeds": 400,
    }
    with tempfile.TemporaryDirectory() as folder:
        frame = descentlab.run(Study.parse(raw), folder).frame()
    print("\n### Real runs that differ by their seeds alone: false verdicts\n")
    print("| metric | seeds | false verdicts | coverage |")
    print("| --- | --- | --- | --- |")
    for metric in ("test_loss", "test_accuracy"):
        values = frame[metric].to_numpy()
        for seeds in SEEDS:
            wrong = covered = 0
            for _ in range(REPEATS):
                chosen = random.choice(len(values), 2 * seeds, replace=False)
                difference = values[chosen[:seeds]] - values[chosen[seeds:]]
                wrong += _decided([Advantage(difference)])
                interval = Advantage(difference).interval(0.95)
                covered += interval.low <= 0 <= interval.high  # type: ignore[operator]
            shares = f"{100 * wrong / REPEATS:.1f} % | {100 * covered / REPEATS:.1f} %"
            print(f"| {metric} | {seeds} | {shares} |")


def main() -> None:
    """Run the parts that are asked for."""
    begun, random = time.time(), np.random.default_rng(0)
    parts = {
        "simulated": simulated,
        "claims": claims,
        "power": power,
        "diverging": diverging,
        "looking": looking,
        "real": real,
    }
    for name in sys.argv[1:] or parts:
        parts[name](random)
    print(f"\n{time.time() - begun:.0f} s, {REPEATS} repeats")


if __name__ == "__main__":
    main()

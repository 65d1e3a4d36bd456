"""The checker of worked solutions: does it find the first wrong number, and how fast is it?

Run ``python benchmarks/checker.py [COUNT]``. Students work every exercise of the library: they
round or truncate to 2–5 digits, go on from what they wrote or from their calculator's memory, and
write what is asked or every intermediate number. One slip is planted in each of 500 workings,
larger than rounding can explain (by trying corners of the units' box, not by the checker's own
bounds); another 500 have none. See ``tests/explain/students.py``.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.explain.students import SLIPS, right_workings, workings  # noqa: E402

from descentlab.engine.platform import enable_cache  # noqa: E402
from descentlab.explain.checking.check import Checker  # noqa: E402
from descentlab.explain.exercise import library  # noqa: E402


def main(count: int) -> None:
    enable_cache()
    by_slip: dict[str, Counter[str]] = defaultdict(Counter)
    print("| exercise | located | guessed | false alarms | one, ms | 1,000, s |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in library():
        checker = Checker.of(name)
        key = checker.key
        right = right_workings(key, count, 1)
        alarms = sum(found.count("wrong") > 0 for found in checker.check_all(right))
        planted = workings(key, count, 2)
        wrong = [solution for _, _, solution in planted]
        located = guessed = 0
        for (slip, label, _), found in zip(planted, checker.check_all(wrong), strict=True):
            first = found.first_wrong
            hit = first is not None and first.name == label
            located += hit
            guessed += hit and first is not None and first.guess is not None
            by_slip[slip]["all"] += 1
            by_slip[slip]["located"] += hit
        single = []
        for solution in wrong[:25] + right[:25]:
            begun = time.perf_counter()
            checker.check(solution)
            single.append(time.perf_counter() - begun)
        class_set = (wrong + right) * (1 + 500 // count)
        begun = time.perf_counter()
        checker.check_all(class_set[:1000])
        many = time.perf_counter() - begun
        shares = f"{100 * located / count:.1f} % | {100 * guessed / count:.0f} %"
        print(
            f"| {name} | {shares} | {alarms} | {1000 * statistics.median(single):.0f} | "
            f"{many:.1f} |",
            flush=True,
        )
    for slip in SLIPS:
        seen = by_slip[slip]
        print(f"{slip}: {seen['located']} of {seen['all']} located")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)

"""Storing 10,000 runs × 1,000 records: seconds, megabytes, the 20 best; memory of long studies.

    python benchmarks/store.py                          # about five minutes on two cores
    PEERS=/path/to/python python benchmarks/store.py    # the rival in an environment of its own

The curves are made up (a falling loss with noise, an accuracy on 400 examples); everything
after that is the lab's own way: the engine's layout, stretches, segments, files synced to the
disk, ``StudyResult``. Rivals store the same curves, but fewer of them: their seconds and
megabytes are multiplied up to 10,000 runs. Optuna keeps one metric a report, so it stores half.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

REPEATS = int(os.environ.get("REPEATS", "3"))
PEERS = os.environ.get("PEERS", sys.executable)
RUNS, RECORDS, SEEDS = 10_000, 1_000, 5
ROWS_SAMPLE, JOURNAL_SAMPLE, DATABASE_SAMPLE = 1_000, 20, 4


def curves(runs: int, seed: int, accuracy: bool = True) -> np.ndarray:
    """Return ``[runs, records, 2]``: a noisy falling loss, and an accuracy or another loss."""
    random = np.random.default_rng(seed)
    step = np.arange(RECORDS)
    least, pace = random.uniform(0.05, 0.35, (runs, 1)), random.uniform(20, 420, (runs, 1))
    noise = 1 + 0.03 * random.standard_normal((2, runs, RECORDS))
    loss = (least + 0.6 * np.exp(-step / pace)) * noise
    other = np.round(400 * np.exp(-loss[1])) / 400 if accuracy else loss[1]
    return np.stack([loss[0], other], axis=2).astype(np.float32)


def study(runs: int, steps: int):
    """Return a study of a logistic regression with so many runs, every update recorded."""
    from descentlab.studies.spec import Study

    return Study.parse({
        "name": "many", "question": "Which rate?", "seeds": SEEDS,
        "run": {"data": {"kind": "blobs", "examples": 400, "classes": 2, "features": 2},
                "model": {"kind": "logistic"}, "loss": "binary_cross_entropy",
                "batches": "full", "optimizer": {"kind": "sgd"}, "steps": steps,
                "record": {"every": 1, "train": "evaluated"}},
        "vary": {"optimizer.learning_rate": np.geomspace(1e-4, 1, runs // SEEDS).tolist()},
        "report": {"metric": "train_loss"},
    })  # fmt: skip


def descentlab(accuracy: bool) -> dict:
    """Write all runs as stretches of the engine's layout, then find the 20 best."""
    from descentlab.core.yaml import write_yaml
    from descentlab.engine.lanes import Job
    from descentlab.engine.program import Program
    from descentlab.engine.strategy import Platform
    from descentlab.store.folder import Folder
    from descentlab.studies.plan import plan
    from descentlab.studies.run import prepare

    prepared = prepare(study(RUNS, RECORDS - 1))
    (cohort,) = plan(prepared.configurations, prepared.study.seeds, Platform.current())
    program = Program(cohort.cohort, cohort.strategy)
    with tempfile.TemporaryDirectory() as place:
        folder = Folder(place)
        folder.write("study.yaml", write_yaml(prepared.resolved).encode())
        writing = 0.0
        for number, chunk in enumerate(cohort.chunks):
            rows = curves(len(chunk), number, accuracy)
            writing += store(folder, Job(program, chunk), rows, number)
        return {"write": writing, "MB": size(place), **shown(place)}


def store(folder, job, rows: np.ndarray, number: int) -> float:
    """Write one chunk's curves as the executor does; return the seconds taken."""
    from descentlab.engine.lanes import Stretch
    from descentlab.store.segments import write_segment
    from descentlab.studies.rows import segment_columns

    alive = np.full(len(job.runs), -1)
    ends = [*range(job.program.capacity - 1, RECORDS - 1, job.program.capacity - 1), RECORDS - 1]
    starts = [-1, *ends[:-1]]
    stretches = [
        Stretch(job, max(0, a), b, tuple(range(a + 1, b + 1)), rows[:, a + 1 : b + 1], alive,
                None, 0.5)  # pyright: ignore[reportArgumentType]
        for a, b in zip(starts, ends, strict=True)
    ]  # fmt: skip
    begun = time.perf_counter()
    name = f"{job.program.cohort.name}-{number:010d}-00000000-{RECORDS - 1:08d}"
    write_segment(folder, name, segment_columns(stretches, alive >= 0), {"cohort": "k"})
    return time.perf_counter() - begun


def shown(place: str) -> dict:
    """Open the folder and find the 20 best; and the whole command, start-up included."""
    from descentlab.studies.result import StudyResult

    begun = time.perf_counter()
    final = StudyResult(place).frame().nsmallest(20, "train_loss")
    middle = time.perf_counter()
    ever = StudyResult(place).best_records("train_loss").nsmallest(20, "train_loss")
    end = time.perf_counter()
    assert len(final) == len(ever) == 20
    command = [sys.executable, "-m", "descentlab", "show", place]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return {"final": middle - begun, "ever": end - middle, "show": time.perf_counter() - end}


def rows() -> dict:
    """SQLite, one table keyed by run and step, ``executemany``, one transaction per 100 runs."""
    with tempfile.TemporaryDirectory() as place:
        base = sqlite3.connect(f"{place}/runs.db")
        base.execute("CREATE TABLE c (run, step, loss, accuracy, PRIMARY KEY (run, step)) "
                     "WITHOUT ROWID")  # fmt: skip
        writing = 0.0
        for number in range(ROWS_SAMPLE // 100):
            block = curves(100, number).tolist()
            begun = time.perf_counter()
            with base:
                base.executemany(
                    "INSERT INTO c VALUES (?, ?, ?, ?)",
                    ((f"c{number:04d}-s{i}", step, *values)
                     for i, run in enumerate(block) for step, values in enumerate(run)),
                )  # fmt: skip
            writing += time.perf_counter() - begun
        marks = [time.perf_counter()]
        for query in (
            "SELECT run, loss FROM c WHERE step = 999 ORDER BY loss LIMIT 20",
            "SELECT run, min(loss) AS m FROM c GROUP BY run ORDER BY m LIMIT 20",
        ):
            assert len(base.execute(query).fetchall()) == 20
            marks.append(time.perf_counter())
        found = {"write": writing, "MB": size(place), "final": marks[1] - marks[0],
                 "ever": marks[2] - marks[1]}  # fmt: skip
        return {key: value * RUNS / ROWS_SAMPLE for key, value in found.items()}


def optuna(journal: bool) -> dict:
    """Optuna's storage: a report a record, then all trials loaded and sorted."""
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    runs = JOURNAL_SAMPLE if journal else DATABASE_SAMPLE
    with tempfile.TemporaryDirectory() as place:

        def storage():
            if journal:
                return optuna.storages.JournalStorage(JournalFileBackend(f"{place}/log"))
            return optuna.storages.RDBStorage(f"sqlite:///{place}/runs.db")

        made = optuna.create_study(storage=storage(), study_name="many")
        begun = time.perf_counter()
        for run in curves(runs, 0)[:, :, 0].tolist():
            trial = made.ask()
            for step, loss in enumerate(run):
                trial.report(loss, step)
            made.tell(trial, run[-1])
        marks = [time.perf_counter()]
        for last in (True, False):
            trials = optuna.load_study(storage=storage(), study_name="many").trials
            sorted((t.value if last else min(t.intermediate_values.values())) for t in trials)
            marks.append(time.perf_counter())
        found = {"write": marks[0] - begun, "MB": size(place), "final": marks[1] - marks[0],
                 "ever": marks[2] - marks[1]}  # fmt: skip
        return {key: value * RUNS / runs for key, value in found.items()}


def memory(runs: int) -> dict:
    """Resident megabytes of a real study: at its first finished chunk, at its end, with results."""
    import resource

    from descentlab.engine.strategy import Strategy
    from descentlab.store.folder import Folder
    from descentlab.studies.result import StudyResult
    from descentlab.studies.run import Options, execute, prepare

    def resident() -> float:
        return (
            int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6
        )

    options = Options(strategy=Strategy("vmap", 100, 2))
    first = 0.0
    with tempfile.TemporaryDirectory() as place:
        before = resident()
        prepared = prepare(study(runs, 499), options)
        planned = resident() - before
        for event in execute(prepared, Folder(place), options):
            first = first or (resident() if event.runs_done else 0.0)
        last = resident()
        assert len(StudyResult(place).frame()) == runs
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return {"prepared": planned, "first": first, "last": last, "peak": peak}


def size(place: str) -> float:
    """Return the megabytes of the files in a folder."""
    return sum(path.stat().st_size for path in Path(place).rglob("*") if path.is_file()) / 1e6


VARIANTS = {
    "DescentLab, a loss and an accuracy": lambda: descentlab(True),
    "DescentLab, two losses": lambda: descentlab(False),
    f"SQLite rows ({ROWS_SAMPLE:,} runs)": rows,
    f"Optuna, journal file ({JOURNAL_SAMPLE} runs, one metric)": lambda: optuna(True),
    f"Optuna, SQLite ({DATABASE_SAMPLE} runs, one metric)": lambda: optuna(False),
    **{f"memory {n}": lambda n=n: memory(n) for n in (1_000, 4_000, 16_000)},
}


def ask(name: str) -> dict:
    """Call one variant in a process of its own."""
    python = PEERS if name.startswith("Optuna") else sys.executable
    done = subprocess.run([python, __file__, "--one", name], capture_output=True, text=True,
                          check=False)  # fmt: skip
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        print(f"{name}: {done.stderr.strip().splitlines()[-1:]}", flush=True)
        return {}
    return json.loads(lines[0][7:])


def main() -> None:
    """Call every variant in turn and print two tables."""
    if "--one" in sys.argv:
        print("RESULT " + json.dumps(VARIANTS[sys.argv[-1]]()))
        return
    stores = [name for name in VARIANTS if not name.startswith("memory")]
    found: dict[str, list[dict]] = {name: [] for name in stores}
    for _ in range(REPEATS):
        for name in stores:
            found[name] += filter(None, [ask(name)])
    keys = ("write", "MB", "final", "ever", "show")
    print("| store | write s | MB | 20 best at the end s | 20 best ever s | `show` s |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, answers in found.items():
        cells = []
        for key in keys:
            values = [row[key] for row in answers if key in row]
            cells.append(f"{median(values):.3g} ({min(values):.3g} … {max(values):.3g})"
                         if values else "")  # fmt: skip
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    print(
        "\n| runs | configurations MB | first chunk done MB | all done MB | peak with results MB |"
    )
    print("| --- | --- | --- | --- | --- |")
    for name in VARIANTS:
        if name.startswith("memory"):
            row = ask(name)
            print(f"| {name.split()[1]} | {' | '.join(f'{v:.0f}' for v in row.values())} |")


if __name__ == "__main__":
    main()

"""Killed, stopped, starved: nothing that was saved is lost, and a rerun gives the same tables."""

from __future__ import annotations

import contextlib
import errno
import os

import numpy as np
import pandas as pd
import pytest

from descentlab.core.errors import StoreError
from descentlab.engine import lanes
from descentlab.store.folder import Folder
from descentlab.studies import execute as executing
from descentlab.studies.result import StudyResult
from descentlab.studies.run import execute, prepare, run
from descentlab.studies.spec import Study


class Killed(BaseException):
    """Stands for SIGKILL: from then on nothing of the process reaches the disk."""


@contextlib.contextmanager
def killed_at(monkeypatch, number: int):
    """Let the ``number``-th system call that changes a file fail, and every one after it."""
    calls = 0

    def counting(real):
        def call(*args, **kwargs):
            nonlocal calls
            calls += 1
            if calls > number:
                raise Killed
            return real(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        for name in ("fsync", "replace"):
            patch.setattr(os, name, counting(getattr(os, name)))
        patch.setattr("pathlib.Path.unlink", counting(__import__("pathlib").Path.unlink))
        yield


@pytest.fixture
def often(monkeypatch):
    """Checkpoints after every stretch, and stretches of a few updates."""
    monkeypatch.setattr(executing, "CHECKPOINT_SECONDS", -1.0)
    monkeypatch.setattr(lanes, "_longer", lambda length, done, seconds: 7)


def tables(folder) -> tuple[pd.DataFrame, list[pd.DataFrame], list[pd.DataFrame]]:
    result = StudyResult(folder)
    assert result.complete
    predictions = [
        result.predictions(c.id, s) for c in result.configurations for s in result.study.seeds
    ]
    return (
        result.frame(),
        [result.curves(m) for m in result.metrics],
        [p for p in predictions if p is not None],
    )


def assert_same(found, expected):
    pd.testing.assert_frame_equal(found[0], expected[0], check_exact=True)
    for a, b in zip(found[1], expected[1], strict=True):
        pd.testing.assert_frame_equal(a, b, check_exact=True)
    for a, b in zip(found[2], expected[2], strict=True):
        pd.testing.assert_frame_equal(a, b, check_exact=True)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    from .conftest import SMALL

    folder = tmp_path_factory.mktemp("undisturbed") / "r"
    run(Study.parse(SMALL), folder)
    return tables(folder)


def test_the_small_study_says_what_it_should(undisturbed):
    frame, _, predictions = undisturbed
    assert len(frame) == 8 and frame["diverged"].sum() == 2
    bad = frame[frame["diverged"]]
    assert set(bad["configuration"]) == {"c03"} and (bad["diverged_step"] >= 1).all()
    assert bad.filter(like="loss").isna().all(axis=None)
    good = frame[~frame["diverged"]]
    assert np.isfinite(good.filter(like="_").drop(columns="diverged_step")).all(axis=None)
    assert (good["step"] == 24).all() and (good["epoch"] == 6).all()
    assert len(predictions) == 8 and len(predictions[0]) == 30
    accuracy = (predictions[0]["label"] == predictions[0]["prediction"]).mean()
    assert accuracy == pytest.approx(frame.loc[0, "test_accuracy"])


def test_killed_at_every_write_point_the_rerun_gives_the_same_tables(
    study, tmp_path, monkeypatch, often, undisturbed
):
    """One kill after each of the system calls that change files, until a run gets through."""
    prepared = prepare(study)
    number, survived = 0, False
    while not survived:
        folder = Folder(tmp_path / f"r{number}")
        with killed_at(monkeypatch, number):
            try:
                for _ in execute(prepared, folder):
                    pass
                survived = True
            except Killed:
                pass
        if (
            number % 5 == 0 or survived
        ):  # finish a fifth of the folders, each kind of write among them
            run(study, folder)
            assert_same(tables(folder), undisturbed)
            assert not list((tmp_path / f"r{number}" / "checkpoints").glob("*"))
            assert not list((tmp_path / f"r{number}").rglob(".tmp-*"))
        number += 1
    assert number > 40


def test_killed_again_and_again_in_one_folder_it_still_gets_there(
    study, tmp_path, monkeypatch, often, undisturbed
):
    folder = Folder(tmp_path / "r")
    for number in range(4, 400, 5):
        with killed_at(monkeypatch, number):
            try:
                for _ in execute(prepare(study), folder):
                    pass
                break
            except Killed:
                continue
    assert_same(tables(tmp_path / "r"), undisturbed)


def test_closing_the_iteration_keeps_what_was_trained(study, tmp_path, often, undisturbed):
    folder = Folder(tmp_path / "r")
    stretches = execute(prepare(study), folder)
    for _ in range(5):
        next(stretches)
    stretches.close()
    before = set(folder.names("segments"))
    assert before
    run(study, folder.path)
    assert before <= set(folder.names("segments"))  # nothing was trained twice
    assert_same(tables(tmp_path / "r"), undisturbed)


def test_a_full_disk_stops_with_a_message_and_loses_nothing(
    study, tmp_path, monkeypatch, often, undisturbed
):
    calls, real = 0, os.fsync

    def full(descriptor):
        nonlocal calls
        calls += 1
        if calls > 20:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match=r"disk is full; free some space"):
            run(study, tmp_path / "r")
    run(study, tmp_path / "r")
    assert_same(tables(tmp_path / "r"), undisturbed)


def test_a_finished_study_is_not_touched_again(study, tmp_path):
    run(study, tmp_path / "r")
    files = {p: p.read_bytes() for p in (tmp_path / "r").rglob("*") if p.is_file()}
    run(study, tmp_path / "r")
    assert files == {p: p.read_bytes() for p in (tmp_path / "r").rglob("*") if p.is_file()}


def test_a_folder_of_another_study_is_refused_with_the_difference(small, study, tmp_path):
    run(study, tmp_path / "r")
    small["run"]["epochs"] = 7
    with pytest.raises(StoreError, match=r"another study[\s\S]*- +epochs: 6[\s\S]*\+ +epochs: 7"):
        run(Study.parse(small), tmp_path / "r")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("do not touch")
    with pytest.raises(StoreError, match=r"other files"):
        run(study, tmp_path / "full")


def test_results_can_live_in_an_object_store(study, undisturbed):
    result = run(study, "memory://bucket/r")
    assert result.complete
    pd.testing.assert_frame_equal(result.frame(), undisturbed[0])


def test_other_layouts_give_the_same_study_within_rounding(small, tmp_path):
    from descentlab.engine.strategy import Strategy

    small["run"]["precision"] = "float64"
    study = Study.parse(small)
    frames = [
        run(study, tmp_path / str(i), strategy=layout).frame()
        for i, layout in enumerate([None, Strategy("map", 1, 2), Strategy("vmap", 3, 1)])
    ]
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0], rtol=1e-9)


def test_in_reproducible_mode_a_run_is_bit_equal_with_fewer_or_more_beside_it(small, tmp_path):
    few = run(Study.parse({**small, "seeds": [1]}), tmp_path / "few", reproducible=True)
    many = run(Study.parse({**small, "seeds": [3, 1, 2]}), tmp_path / "many", reproducible=True)
    found = many.frame().query("seed == 1").reset_index(drop=True)
    pd.testing.assert_frame_equal(few.frame(), found, check_exact=True)

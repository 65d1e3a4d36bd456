"""A study's results as text."""

from __future__ import annotations

from descentlab.report import words
from descentlab.report.answers import Result, answers


def show(result: Result) -> None:
    found = answers(result)
    for sentence in words.answer(found):
        print(words.plain(sentence))

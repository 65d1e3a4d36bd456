"""The languages of worked calculations: one catalogue of messages each, in ``words/``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal

from descentlab.core.digits import persian
from descentlab.core.yaml import read_yaml

Code = Literal["en", "fa"]
LANGUAGES: tuple[Code, ...] = ("en", "fa")


@dataclasses.dataclass(frozen=True)
class Language:
    """Messages and digits of a language.

    Attributes:
        code: ``en`` or ``fa``.
        persian_digits: write numbers with Persian digits.
    """

    code: Code = "en"
    persian_digits: bool = False

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        """Which way its text runs; formulas run from left to right in every language."""
        return "rtl" if self.code == "fa" else "ltr"

    def text(self, key: str, **values: Any) -> str:
        """Return a message with its places filled in; ``key`` is one of the catalogue's."""
        return catalogue(self.code)[key].format(**values)

    def number(self, text: str) -> str:
        """Return a number's text in the digits asked for."""
        return persian(text) if self.persian_digits else text


@cache
def catalogue(code: Code) -> Mapping[str, str]:
    """Return a language's messages by key."""
    file = resources.files("descentlab.explain") / "words" / f"{code}.yaml"
    return read_yaml(file.read_text("utf-8"), f"{code}.yaml")

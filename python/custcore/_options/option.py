"""What an option of the public API is: its name, type, default and choices, and what help says about it.

The tables beside this module describe every option once. ``tools/options.py`` writes signatures, docstrings and the
stub of the core from them (``make options``); the command line reads them when it starts.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

__all__ = ["GROUPS", "REQUIRED", "Option", "names"]

# Sections of help on the command line, in their order.
GROUPS = (
    "Base",
    "Customer",
    "Columns",
    "Time",
    "What counts",
    "Cohorts",
    "Measures",
    "Life cycle",
    "Lifetime value",
    "Experiment",
    "Scores",
    "Classes",
    "Clusters",
    "List",
    "Files",
    "Output",
    "General",
)


class Required:
    """The default of an option that has none."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED = Required()


@dataclass(frozen=True, slots=True)
class Option:
    """One option.

    Attributes
    ----------
    name : str
        The name of the argument.
    annotation : str
        The annotation in signatures; default: made of the choices.
    text : str
        The paragraph in docstrings. Lines are wrapped anew.
    default : object
        The default, or ``REQUIRED``.
    type : str
        The type in docstrings, without the default; default: made of the annotation or the choices.
    choices : tuple of str
        The words that may be given, if only words may.
    core : str
        The type in which the core takes it, if it is a key of one of the core's dicts of options.
    help : str
        What the command line says.
    flags : tuple of str
        The names on the command line, if not ``--name``.
    group : str
        The section of help on the command line that it is in, one of ``GROUPS``.
    metavar : str
        The placeholder of the value on the command line.
    shown_default : str
        The default as the command line says it, if it is not the value.
    repeatable : bool
        Whether it may be given several times on the command line.
    minimum, maximum : int, optional
        Bounds of a whole number, checked by the command line before a file is opened.
    """

    name: str
    annotation: str = ""
    text: str = ""
    default: object = REQUIRED
    type: str = ""
    choices: tuple[str, ...] = ()
    core: str = ""
    help: str = ""
    group: str = ""
    flags: tuple[str, ...] = ()
    metavar: str = ""
    shown_default: str = ""
    repeatable: bool = False
    minimum: int | None = None
    maximum: int | None = None

    def but(self, **changes: Any) -> Option:  # noqa: ANN401 (values of any field)
        """Give the option as another call has it."""
        return dataclasses.replace(self, **changes)

    @property
    def parameter(self) -> str:
        """The option as a parameter of a signature, e.g. ``sort: bool = True``."""
        annotation = self.annotation or f"Literal[{', '.join(map(_quoted, self.choices))}]"
        if self.default is REQUIRED:
            return f"{self.name}: {annotation}"
        return f"{self.name}: {annotation} = {_literal(self.default)}"

    @property
    def entry(self) -> str:
        """The heading of its entry in a docstring, e.g. ``sort : bool, default True``."""
        kind = self.type or (f"{{{', '.join(map(_quoted, self.choices))}}}" if self.choices else self.annotation)
        if self.default is REQUIRED:
            return f"{self.name} : {kind}"
        if self.default is None:
            return f"{self.name} : {kind.removesuffix(' | None')}, optional"
        return f"{self.name} : {kind}, default {_literal(self.default)}"


def names(options: tuple[Option, ...]) -> tuple[str, ...]:
    """The names of a group of options, in order."""
    return tuple(option.name for option in options)


def _quoted(word: str) -> str:
    return f'"{word}"'


def _literal(value: object) -> str:
    """The value as code, strings in double quotes."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, tuple) and len(value) > 1:
        return f"({', '.join(map(_literal, value))})"
    if isinstance(value, float) and value == 1e-4:
        return "1e-4"
    return repr(value)

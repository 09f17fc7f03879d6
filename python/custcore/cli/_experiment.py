"""What the verbs on experiments share: files of groups, and texts of options as the API takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from custcore.cli import _lists, _run
from custcore.cli._failure import DataProblem
from custcore.errors import CustcoreError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from custcore._read import Source
    from custcore._read.options import Reading

__all__ = ["Numbers", "Words", "as_argument", "groups_of", "numbers"]


class Words(click.ParamType[Any]):
    """Words, separated by commas; ``none`` is none."""

    is_list = True
    name = "WORD[,...]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401, ARG002
        """Part ``a,b``."""
        if not isinstance(value, str):
            return value
        return [part.strip() for part in value.split(",") if part.strip()]


class Numbers(click.ParamType[Any]):
    """A number, or numbers by name: ``0.99``, ``fixed=500,per_contact=0.2``. `numbers` parses the text."""

    name = "N|NAME=N,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Check the text, and leave it as it is."""
        try:
            numbers(str(value))
        except ValueError:
            return self.fail(f"{value!r} is neither a number nor numbers by name, such as a=1,b=2", param, ctx)
        return str(value)


def numbers(text: str | None) -> float | dict[str, float] | None:
    """One number, or a dict of them."""
    if text is None:
        return None
    if "=" not in text:
        return float(text)
    pairs = (part.rpartition("=") for part in text.split(","))
    return {name.strip(): float(number) for name, _, number in pairs}


def as_argument(words: list[str] | None, single: Iterable[str] = ()) -> Any:  # noqa: ANN401
    """Words as an argument: ``none`` is None, and one of `single` is a word by itself."""
    if words is None or words == ["none"]:
        return None
    return words[0] if len(words) == 1 and words[0] in set(single) else words


def groups_of(path: str, reading: Reading, names: Iterable[str]) -> tuple[Source, Any]:
    """The columns of a file of groups.

    Parameters
    ----------
    path
        Its name.
    reading
        How files are read.
    names
        The columns.
    """
    files = _run.open_files((path,), {}, reading)
    there = files.column_names
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in there:
            raise DataProblem(f"{files._name}: there is no column {name!r}{_lists.proposal(name, there)}")
    try:
        return files, files.table(wanted, {})
    except CustcoreError as error:
        raise _run.explained(error, files, {}) from error

"""Files of models on the command line: ``--save-model`` writes one, ``--model`` reads one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import click

import custcore
from custcore.cli import _command, _options
from custcore.cli._failure import DataProblem
from custcore.errors import ModelFormatError, ModelVersionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Model", "check_target", "load", "model_option", "save_option"]

Command = TypeVar("Command", bound="Callable[..., Any]")
Model: TypeAlias = "custcore.RFMScorer | custcore.QuantileScorer | custcore.KMeans"

SCORING = (custcore.RFMScorer, custcore.QuantileScorer, custcore.KMeans)
OTHERS = ((custcore.SegmentMap, "a segment map"), (custcore.Scaler, "a scaler"))


def save_option(what: str) -> Callable[[Command], Command]:
    """Create the option ``--save-model``.

    Parameters
    ----------
    what
        What is written: "the scorer".
    """
    return _command.option(
        "--save-model",
        group="Output",
        type=_options.Target(),
        metavar="OUT",
        help=f"Write {what} (.json), for `custcore score --model`.",
    )


def model_option(text: str, *, required: bool) -> Callable[[Command], Command]:
    """Create the option ``--model``.

    Parameters
    ----------
    text
        What help says.
    required
        Whether the command needs one.
    """
    return _command.option(
        "--model", group="Scores", type=_options.Target(), metavar="FILE", required=required, help=text
    )


def check_target(target: Path, inputs: Sequence[str] = ()) -> None:
    """Raise before any work if a model cannot be written to `target`.

    Parameters
    ----------
    target
        The file to be.
    inputs
        Files that are read, and are not to be overwritten.

    Raises
    ------
    click.UsageError
        If it is a folder or an input, or its folder is missing or not writable.
    """
    folder = target.resolve().parent
    if target.is_dir():
        raise click.UsageError(f"{target} is a folder")
    if not folder.is_dir():
        raise click.UsageError(f"the folder {target.parent} for {target.name} does not exist")
    if not os.access(folder, os.W_OK):
        raise click.UsageError(f"the folder {folder} is not writable")
    if any(Path(name).resolve() == target.resolve() for name in inputs):
        raise click.UsageError(f"{target} is an input file; choose another name for the model")


def load(path: Path, kinds: tuple[type[Any], ...] = SCORING) -> Any:  # noqa: ANN401 (one of the kinds)
    """Read a fitted model of one of some kinds.

    Parameters
    ----------
    path
        What ``--save-model`` or ``save`` wrote.
    kinds
        The classes that serve.

    Raises
    ------
    click.UsageError
        If there is no such file.
    DataProblem
        If it is not such a model.
    """
    if not path.is_file():
        raise click.UsageError(
            f"--model: there is no file {path}" if not path.exists() else f"--model: {path} is no file"
        )
    errors = []
    for kind in kinds:
        try:
            return kind.load(path)
        except ModelVersionError:
            raise
        except ModelFormatError as error:
            errors.append(str(error))
    expected = " or ".join(kind.__name__ for kind in kinds)
    for kind, what in (*((kind, f"a {kind.__name__}") for kind in SCORING if kind not in kinds), *OTHERS):
        try:
            kind.load(path)
        except ModelFormatError:
            continue
        raise DataProblem(f"{str(path)!r} is {what}; expected the file of a fitted {expected}")
    # A file that is changed or truncated: of the errors the one that is not about another kind.
    raise DataProblem(next((text for text in errors if "of the kind" not in text), errors[0]))

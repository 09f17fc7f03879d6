"""Files of models on the command line: ``--save-model`` writes one, ``--model`` reads one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import click

import custcore
from custcore._rfm.segment_profile import FREQUENCY, MONETARY
from custcore.cli import _command, _lists, _options
from custcore.cli._failure import DataProblem
from custcore.errors import ModelFormatError, ModelVersionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Model", "Needs", "apply", "check_target", "load", "model_option", "save_option", "segments_of"]

Command = TypeVar("Command", bound="Callable[..., Any]")
Model: TypeAlias = "custcore.RFMScorer | custcore.QuantileScorer | custcore.KMeans"

SCORING = (custcore.RFMScorer, custcore.QuantileScorer, custcore.KMeans)
OTHERS = (
    (custcore.SegmentMap, "a segment map"),
    (custcore.Scaler, "a scaler"),
    (custcore.LifecycleModel, "a LifecycleModel"),
    (custcore.ChurnModel, "a ChurnModel"),
    (custcore.NextCategory, "a NextCategory"),
    (custcore.clv.PurchaseModel, "a model of purchases (custcore clv --with)"),
    (custcore.clv.GammaGamma, "a model of spend (custcore clv --with)"),
    (custcore.clv.SBG, "an SBG"),
)


@dataclass(frozen=True)
class Needs:
    """What a model needs of a customer.

    Attributes
    ----------
    columns : tuple of str
        The columns it scores, and that of its groups.
    by : str or None
        The column of its groups.
    measures : dict
        The options of `custcore.profile` that suit its columns.
    """

    columns: tuple[str, ...]
    by: str | None
    measures: dict[str, str]

    @staticmethod
    def of(model: Model, path: Path) -> Needs:
        """Find what a model needs.

        Parameters
        ----------
        model
            A fitted model.
        path
            Its file, for errors.
        """
        if isinstance(model, custcore.KMeans):
            if model.feature_names_in_ is None:
                raise DataProblem(
                    f"{path} was fitted on an array, whose features have no names, so no columns of a file can be "
                    "found for them. Fit it on a table, or use predict(x) in Python"
                )
            return Needs(tuple(model.feature_names_in_), None, {})
        settings = model.get_params()
        if isinstance(model, custcore.QuantileScorer):
            return Needs(tuple(settings["columns"]), None, {})
        measures = {name: settings[name] for name in ("frequency", "monetary")}
        columns = ["recency_days", FREQUENCY[measures["frequency"]]]
        if "monetary" in set(model.thresholds["dimension"]):
            columns.append(MONETARY[measures["monetary"]])
        by = settings["by"]
        return Needs((*columns, *([by] if by else [])), by, measures)

    def of_purchases(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Arguments of `custcore.rfm` by which purchases have these columns.

        Parameters
        ----------
        arguments
            What `_options.settings` made.

        Raises
        ------
        DataProblem
            If a column cannot be made of purchases.
        """
        found = dict(arguments)
        if "n_days" in self.columns:
            found["n_days"] = True
        keys = found["customer_id"] if isinstance(found["customer_id"], list) else [found["customer_id"]]
        if self.by is not None and self.by not in keys:
            found["attributes"] = {self.by: "first", **(found.get("attributes") or {})}
        return found

    def check(self, table: custcore.Table, path: Path) -> None:
        """Raise if a table of purchases by customer lacks a column.

        Parameters
        ----------
        table
            What `custcore.rfm` returned.
        path
            The file of the model.
        """
        lacking = [name for name in self.columns if name not in table.column_names]
        if any(name in MONETARY.values() for name in lacking):
            raise click.UsageError(f"{path} scores money: name its column by --amount, without --no-amount")
        if lacking:
            raise DataProblem(
                f"{path} scores the column {lacking[0]!r}, which is not among those made of purchases: "
                f"{', '.join(table.column_names)}. Pass a file with one row per customer that has it"
            )


def save_option(what: str, verb: str = "score") -> Callable[[Command], Command]:
    """Create the option ``--save-model``.

    Parameters
    ----------
    what
        What is written: "the scorer".
    verb
        The command that reads it.
    """
    return _command.option(
        "--save-model",
        group="Output",
        type=_options.Target(),
        metavar="OUT",
        help=f"Write {what} (.json), for `custcore {verb} --model`.",
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
        If it is a folder, an input, or not named .json, or its folder is missing or not writable.
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
    if target.suffix.lower() != ".json":
        raise click.UsageError(f"{target} has an unknown extension; models are written as .json")


def load(path: Path, kinds: tuple[type[Any], ...] = SCORING, flag: str = "--model") -> Any:  # noqa: ANN401 (one of the kinds)
    """Read a fitted model of one of some kinds.

    Parameters
    ----------
    path
        What ``--save-model`` or ``save`` wrote.
    kinds
        The classes that serve.
    flag
        The option that names it.

    Raises
    ------
    click.UsageError
        If there is no such file.
    DataProblem
        If it is not such a model.
    """
    if not path.is_file():
        raise click.UsageError(
            f"{flag}: there is no file {path}" if not path.exists() else f"{flag}: {path} is no file"
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


def apply(model: Model, customers: Any, threads: int | None) -> custcore.Table:  # noqa: ANN401
    """Score customers.

    Parameters
    ----------
    model
        A fitted model.
    customers
        One row per customer.
    threads
        How many, or None.
    """
    if isinstance(model, custcore.KMeans):
        model.n_threads = threads
        return model.assign(customers)
    return model.transform(customers, n_threads=threads)


def segments_of(model: Model | None, table: custcore.Table) -> list[str]:
    """All names of segments that a result can have: also of clusters without names that nobody is in.

    Parameters
    ----------
    model
        What scored the customers; None if nothing did.
    table
        What `apply` returned.
    """
    if isinstance(model, custcore.KMeans) and model.names_ is None:
        return [str(number) for number in range(model.n_clusters)]
    return _lists.segments_of(table)

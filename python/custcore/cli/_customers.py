"""Customers in files: made of purchases, or one row each; the columns decide."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from custcore._input.arguments import key_names
from custcore._options.transactions import COLUMNS, RFM
from custcore.cli import _lists, _models, _run
from custcore.cli._failure import DataProblem
from custcore.errors import CustcoreError, InternalError, InvalidArgumentError

if TYPE_CHECKING:
    from custcore._read import Source
    from custcore.cli._models import Model, Needs

__all__ = ["are_purchases", "ids_asked", "ids_of", "read", "stated"]

# Where tables of custcore say what they were grouped by.
IDS = b"custcore.customer_id"
# Options that one row per customer may have, too.
OF_BOTH = ("customer_id", "n_threads")


def are_purchases(files: Source, needs: Needs, arguments: dict[str, Any]) -> bool:
    """Whether files have purchases rather than customers: those have all columns that the model needs.

    Parameters
    ----------
    files
        What `_run.open_files` opened.
    needs
        What the model needs.
    arguments
        What `_options.settings` made.

    Raises
    ------
    click.UsageError
        If options of purchases are given for customers.
    DataProblem
        If the files have some of the columns, and no times.
    """
    context = click.get_current_context()
    there = files.column_names
    lacking = [name for name in needs.columns if name not in there]
    has_times = arguments["timestamp"] in there
    asked = [
        option.name
        for option in (*COLUMNS, *RFM)
        if context.get_parameter_source(option.name) is click.core.ParameterSource.COMMANDLINE
        and option.name not in OF_BOTH
    ]
    if not lacking and not (asked and has_times):
        if asked:
            raise click.UsageError(
                f"--{asked[0].replace('_', '-')} belongs to purchases, but {files._name} has one row per customer: "
                f"the columns {', '.join(needs.columns)} are there"
            )
        return False
    if lacking and not has_times and len(lacking) < len(needs.columns):
        raise DataProblem(
            f"{files._name}: the model scores {', '.join(needs.columns)}, of which "
            f"{' and '.join(map(repr, lacking))} is not there{_lists.proposal(lacking[0], there)}"
        )
    if needs.by is not None and needs.by not in there:
        raise DataProblem(
            f"{files._name}: the model scores within groups of {needs.by!r}, which is no column of it"
            f"{_lists.proposal(needs.by, there)}"
        )
    return True


def read(files: Source, model: Model, needs: Needs, arguments: dict[str, Any]) -> tuple[Any, list[str]]:
    """Read files with one row per customer, without the scores of an earlier model.

    Parameters
    ----------
    files
        What `_run.open_files` opened.
    model, needs
        A fitted model, and what it needs.
    arguments
        What `_options.settings` made.

    Returns
    -------
    pyarrow.Table, list of str
        The rows, and what is said about them.
    """
    names = [name for name in files.column_names if name and files.column_names.count(name) == 1]
    try:
        sample = files._planned(needs.columns, {}).empty_table()
        added = [name for name in _models.apply(model, sample, None).column_names if name not in needs.columns]
        old = [name for name in names if name in added]
        table = files.table([name for name in names if name not in old])
    except (InvalidArgumentError, InternalError):
        raise
    except CustcoreError as error:
        raise _run.explained(error, files, {}) from error
    ids = ids_asked(files, arguments)
    metadata = stated(files)
    if ids:
        metadata[IDS] = (ids[0] if len(ids) == 1 else json.dumps(ids)).encode()
    notes = [f"columns of an earlier score are replaced: {', '.join(old)}"] if old else []
    return table.replace_schema_metadata(metadata or None), notes


def stated(files: Source) -> dict[bytes, bytes]:
    """What Parquet and Arrow files of custcore state of their rows: the columns of ids, the day.

    Parameters
    ----------
    files
        What `_run.open_files` opened. What they do not agree on is left out.
    """
    schemas = [getattr(file, "schema", None) for file in files._files]
    each = [{} if schema is None else dict(schema.metadata or {}) for schema in schemas]
    names = [name for name in each[0] if name.startswith(b"custcore.")]
    return {name: each[0][name] for name in names if all(other.get(name) == each[0][name] for other in each)}


def ids_of(rows: Any) -> list[str]:  # noqa: ANN401 (pyarrow.Table or Schema)
    """The columns of ids: those the rows were grouped by, else the first.

    Parameters
    ----------
    rows : pyarrow.Table
        One row per customer, with what files state as its metadata.
    """
    there, text = rows.column_names, (rows.schema.metadata or {}).get(IDS, b"").decode()
    names: list[str] = [text] if text in there else json.loads(text) if text.startswith("[") else there[:1]
    return names if set(names) <= set(there) else list(there[:1])


def ids_asked(files: Source, arguments: dict[str, Any]) -> list[str] | None:
    """The columns that ``--customer-id`` names, if it was typed."""
    context = click.get_current_context()
    if context.get_parameter_source("customer_id") is not click.core.ParameterSource.COMMANDLINE:
        return None
    names = key_names(arguments["customer_id"])
    for name in names:
        if name not in files.column_names:
            raise DataProblem(
                f"{files._name}: there is no column {name!r} (--customer-id){_lists.proposal(name, files.column_names)}"
            )
    return names

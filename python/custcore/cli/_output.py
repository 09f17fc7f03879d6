"""Output files: Parquet, CSV or Arrow by the extension, written atomically."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import custcore

__all__ = ["check_target", "write"]

SUFFIXES = (".parquet", ".pq", ".csv", ".arrow", ".feather", ".ipc", ".arrows")


def check_target(target: Path, inputs: Iterable[Path] = ()) -> None:
    """Raise before any work if `target` cannot be written.

    Parameters
    ----------
    target
        The file to be.
    inputs
        Files that are read, and are not to be overwritten.

    Raises
    ------
    click.UsageError
        If its extension is unknown, its folder is missing or not writable, or it is an input.
    """
    if target.suffix.lower() not in SUFFIXES:
        raise click.UsageError(
            f"{target} has an unknown extension; expected .parquet, .csv, or .arrow (.arrows for a stream)"
        )
    folder = target.resolve().parent
    if not folder.is_dir():
        raise click.UsageError(f"the folder {target.parent} for {target.name} does not exist")
    if target.is_dir() or not os.access(folder, os.W_OK):
        raise click.UsageError(f"{target} is a folder" if target.is_dir() else f"the folder {folder} is not writable")
    if target.exists() and not target.is_file():
        raise click.UsageError(f"{target} is a device, a pipe or a socket; results are written to regular files")
    if any(path.resolve() == target.resolve() for path in inputs):
        raise click.UsageError(f"{target} is an input file; choose another name for the result")


def write(table: custcore.Table, target: Path) -> int:
    """Write a table to `target` in the format of its extension; an old file is replaced at the end.

    In CSV, text that a spreadsheet would interpret as a formula is prefixed with ``'``.

    Parameters
    ----------
    table
        What a call of custcore returned.
    target
        Passed `check_target` before.

    Returns
    -------
    int
        Number of CSV cells that were prefixed with ``'``.
    """
    kind = target.suffix.lower()
    if kind == ".csv":
        return table.to_csv(target)
    if kind in {".parquet", ".pq"}:
        table.to_parquet(target)
    else:
        table.to_arrow_ipc(target, stream=kind == ".arrows")
    return 0

"""Output files: Parquet, CSV or Arrow by the extension, written atomically."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from custcore._extras import how_to_install

if TYPE_CHECKING:
    import custcore
    from custcore._read import Source

__all__ = ["check_target", "write"]

SUFFIXES = (".parquet", ".pq", ".csv", ".xlsx", ".arrow", ".feather", ".ipc", ".arrows")


def check_target(target: Path, files: Source | None = None) -> None:
    """Raise before any work if `target` cannot be written.

    Parameters
    ----------
    target
        The file to be; ``-`` is stdout.
    files
        Files that are read, and are not to be overwritten.

    Raises
    ------
    click.UsageError
        If its extension is unknown, its folder is missing or not writable, or it is an input.
    """
    if str(target) == "-":
        context = click.get_current_context(silent=True)
        if context and context.params.get("as_json"):
            raise click.UsageError("--json and -o - both write to stdout; leave one out")
        return
    if target.suffix.lower() not in SUFFIXES:
        raise click.UsageError(
            f"{target} has an unknown extension; expected .parquet, .csv, .xlsx, or .arrow (.arrows for a stream)"
        )
    if target.suffix.lower() == ".xlsx" and importlib.util.find_spec("xlsxwriter") is None:
        raise click.UsageError(f"{target}: workbooks are written by xlsxwriter: {how_to_install('xlsx')}")
    folder = target.resolve().parent
    if not folder.is_dir():
        raise click.UsageError(f"the folder {target.parent} for {target.name} does not exist")
    if target.is_dir() or not os.access(folder, os.W_OK):
        raise click.UsageError(f"{target} is a folder" if target.is_dir() else f"the folder {folder} is not writable")
    if target.exists() and not target.is_file():
        raise click.UsageError(f"{target} is a device, a pipe or a socket; results are written to regular files")
    if files and any(Path(name).resolve() == target.resolve() for name in files.files):
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
    if str(target) == "-":
        return table.to_csv(sys.stdout.buffer)
    if kind == ".csv":
        return table.to_csv(target)
    if kind in {".parquet", ".pq"}:
        table.to_parquet(target)
    elif kind == ".xlsx":
        table.to_xlsx(target)
    else:
        table.to_arrow_ipc(target, stream=kind == ".arrows")
    return 0

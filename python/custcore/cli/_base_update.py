"""``custcore base update``: files into a base, each once, all of them or none."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._options.transactions import N_THREADS
from custcore._read import Source
from custcore._read.place import decompressed
from custcore.cli import _command, _lock, _options, _render, _run
from custcore.cli._base_file import base_argument, check_exists, is_new, load, lock_option, quiet_option
from custcore.cli._failure import DataProblem, printable
from custcore.errors import StateMismatchError

if TYPE_CHECKING:
    from pathlib import Path

    from custcore._read.options import Reading
    from custcore._read.place import Place
    from custcore.result import Report

__all__ = ["command"]

# Options that choose rows of a file: with others it is another batch.
CHOOSING = ("where", "sheet")


@dataclasses.dataclass
class Batch:
    """A file, or several with one id.

    Attributes
    ----------
    source : Source
        The files.
    batch_id : str
        The id of the batch.
    marks : list
        What `_marks` said before the content was looked at.
    rows : int
        Rows added.
    is_known : bool
        Whether the base had it.
    """

    source: Source
    batch_id: str
    marks: list[tuple[int, int, int]]
    rows: int = 0
    is_known: bool = False


@_command.command(
    "update",
    short_help="Add files to a base, each once.",
    examples=(
        ("Files of one or more days", "custcore base update shop.base sales/2026-01.csv"),
        ("A folder, of which files that are there already are passed over", "custcore base update shop.base sales/"),
        (
            "A job that waits up to five minutes for another one",
            "custcore base update shop.base sales/ --lock-timeout 300 --quiet",
        ),
        ("A name instead of the content", "custcore base update shop.base sales.csv --batch-id history"),
    ),
)
@base_argument
@_options.file_options
@_command.option(
    "--batch-id",
    group="Base",
    metavar="ID",
    help="Name of the files, as one batch. [default: of each file the SHA-256 of its content]",
)
@lock_option
@_options.api_option(N_THREADS)
@quiet_option
@_options.json_option
def command(
    base: Path,
    files: tuple[str, ...],
    batch_id: str | None,
    lock_timeout: float,
    n_threads: int | None,
    quiet: bool,
    as_json: bool,
    **given: Any,  # noqa: ANN401
) -> None:
    """Add the purchases in FILE to BASE: of all files, or after an error of none.

    A file that was added is recognized by its content and not added again, so a job may be repeated; that is no
    error. The columns are those of `custcore base init`.
    """
    if batch_id == "":
        raise click.UsageError("--batch-id is empty")
    start = time.perf_counter()
    reading = _options.reading_of(given)
    check_exists(base)  # before a lock is made beside it
    with _lock.locked(base, lock_timeout, quiet=quiet):
        kept = load(base)
        before, customers = (custcore.Report(), 0) if is_new(kept) else (kept.report, len(kept))
        batches = _batches(_run.open_files(files, {}, reading), reading, batch_id)
        known = set(kept.batch_ids)
        for batch in batches:
            batch.is_known = batch.batch_id in known
            known.add(batch.batch_id)
            if not batch.is_known:
                _add(kept, batch, reading, n_threads)
        if not all(batch.is_known for batch in batches):
            kept.save(base)
    seconds = time.perf_counter() - start
    notes = list(dict.fromkeys(note for batch in batches if not batch.is_known for note in batch.source.notes))
    added = _since(before, kept.report)
    if as_json:
        said = {
            "version": custcore.__version__,
            "base": str(base),
            "batches": [
                {
                    "files": batch.source.files,
                    "batch_id": batch.batch_id,
                    "rows": batch.rows,
                    "is_known": batch.is_known,
                }
                for batch in batches
            ],
            "rows": added.n_rows,
            "customers": len(kept),
            "new_customers": len(kept) - customers,
            "last_day": kept.last_date,
            "report": _render.entries(added),
            "remarks": [*added.remarks, *notes],
            "seconds": round(seconds, 6),
        }
        click.echo(json.dumps(_render.plain(said), ensure_ascii=False, allow_nan=False))
    elif not quiet:
        _show(base, kept, batches, customers, added, notes, seconds)


def _batches(source: Source, reading: Reading, batch_id: str | None) -> list[Batch]:
    """The batches of an update: all files under a given id, else each under that of its content."""
    if batch_id is not None:
        return [Batch(source, batch_id, _marks(source))]
    chosen = {name: getattr(reading, name) for name in CHOOSING if getattr(reading, name) is not None}
    alone = [Source([file], reading) for file in source._files]
    marks = [_marks(file) for file in alone]
    ids = [_content_id(file.place, chosen) for file in source._files]
    return [Batch(*parts) for parts in zip(alone, ids, marks, strict=True)]


def _content_id(place: Place, chosen: dict[str, Any]) -> str:
    """The id of a file: the SHA-256 of its bytes, decompressed, and what chooses rows or adds columns."""
    digest = hashlib.sha256()
    try:
        with decompressed(place) as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except (OSError, EOFError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DataProblem(f"{place.name} is damaged: {error}") from error
    further = "".join(f" {name}={value}" for name, value in (*chosen.items(), *place.partitions.items()))
    return f"sha256:{digest.hexdigest()}{further}"


def _add(kept: custcore.CustomerBase, batch: Batch, reading: Reading, n_threads: int | None) -> None:
    """Read a batch into the base, in memory."""
    settings, rows = kept.settings, kept.n_rows

    def update(data: Any, *, progress: Any = None, **_: Any) -> None:  # noqa: ANN401
        # Without progress it is the check of columns by a table without rows, which changes no base that is kept.
        target, name = (kept, batch.batch_id) if progress else (custcore.CustomerBase(**settings), None)
        data = _with_float_amounts(data, settings["amount"], batch.source)
        target.update(data, batch_id=name, n_threads=n_threads, progress=progress)

    try:
        _run.call(batch.source, settings, update)
    except DataProblem as problem:
        if not _lacks_text_ids(problem.__cause__, batch.source, reading):
            if "Did you mean --" not in problem.message:
                raise
            raise DataProblem(
                f"{problem.message}. The columns of a base are chosen by `custcore base init`"
            ) from problem.__cause__
        # The failed update changed nothing.
        batch.source = Source(batch.source._files, dataclasses.replace(reading, text_ids=True))
        batch.source._notes["ids are read as text, as they are in the base"] = None
        _run.call(batch.source, settings, update)
    if _marks(batch.source) != batch.marks:
        raise DataProblem(
            f"{batch.source._name} changed while it was read, so nothing was added; run the update again when it is "
            "complete"
        )
    batch.rows = kept.n_rows - rows


def _with_float_amounts(data: Any, amount: str | None, files: Source) -> Any:  # noqa: ANN401
    """Rows whose amounts are floats if they are computed of text, as amounts in text are.

    Of text they would be integers, decimals or floats by the values of the day, which do not go into one base.
    """
    if amount is None or amount in files.column_names or not files._has_text:
        return data
    import pyarrow as pa

    place = data.schema.get_field_index(amount)
    return data.cast(data.schema.set(place, pa.field(amount, pa.float64())))


def _lacks_text_ids(error: BaseException | None, files: Source, reading: Reading) -> bool:
    """Whether ids of a text file look like numbers today, and were text before."""
    return (
        isinstance(error, StateMismatchError)
        and " were strings " in str(error)
        and files._has_text
        and not reading.text_ids
    )


def _marks(files: Source) -> list[tuple[int, int, int]]:
    """What changes if a local file is written: its number, size and time."""
    places = [file.place.local for file in files._files if file.place.local is not None]
    return [(found.st_ino, found.st_size, found.st_mtime_ns) for found in (place.stat() for place in places)]


def _since(before: Report, after: Report) -> Report:
    """What an update left out and noted: the growth of the report of its base.

    Customers with refunds only are left to `status`: an update can make buyers of them.
    """
    entries = []
    for entry in after:
        if entry.unit == "customers":
            continue
        count, total = entry.count, entry.sum
        if entry.name in before:  # all are, unless the base was empty
            old = before[entry.name]
            count -= old.count
            total = None if total is None else total - (old.sum or 0)  # type: ignore[operator]
        entries.append(dataclasses.replace(entry, count=count, sum=total, first_row=None))
    return dataclasses.replace(after, entries=tuple(entries), n_rows=after.n_rows - before.n_rows)


def _show(
    base: Path,
    kept: custcore.CustomerBase,
    batches: list[Batch],
    customers: int,
    added: Report,
    notes: list[str],
    seconds: float,
) -> None:
    out = _render.console()
    for batch in batches:
        name = printable(batch.source._name)
        short = batch.batch_id if len(batch.batch_id) < 30 else f"{batch.batch_id[:18]}…"
        if batch.is_known:
            _render.say(out, f"{name}: already in the base (batch {short}), nothing added.")
        else:
            rows = f"{batch.rows:,} row{'' if batch.rows == 1 else 's'}"
            _render.say(out, f"{name}: {rows} added (batch {short}).")
    if not all(batch.is_known for batch in batches):
        out.print()
        out.print(_render.report_grid(added, notes))
    out.print()
    new = len(kept) - customers
    last = f", last day {kept.last_date}" if kept.last_date else ""
    _render.say(out, f"{base}: {len(kept):,} customers ({new:,} new) of {kept.n_rows:,} rows{last}; {seconds:.2f} s.")

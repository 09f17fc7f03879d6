"""``custcore portrait``: who the customers of each segment are, in sentences and as a table."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._options.portraits import PORTRAIT
from custcore.cli import _command, _customers, _lists, _options, _output, _render, _run, _words
from custcore.cli._failure import DataProblem, printable, said
from custcore.errors import CustcoreError, InternalError

if TYPE_CHECKING:
    from custcore._read import Source
    from custcore._read.options import Reading

__all__ = ["command"]

TABLES = ("portrait", "marks", "sentences")


class Bins(click.ParamType[Any]):
    """The bins of an attribute: ``income=4``, ``age=30,50``, ``code=each``; `_bins` parses them."""

    name = "NAME=BINS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Leave the text as it is, if it can be parsed."""
        try:
            _bins(str(value))
        except ValueError:
            self.fail(f"{value!r} is none of NAME=4 (quantiles), NAME=30,50 (edges) and NAME=each", param, ctx)
        return str(value)


def _bins(text: str) -> tuple[str, Any]:
    """Parse ``age=30,50`` to ("age", [30, 50]), ``income=4`` to ("income", 4), ``code=each`` to ("code", None)."""
    name, _, bins = text.rpartition("=")
    if not name:
        raise ValueError(text)
    if bins == "each":
        return name, None
    numbers = [_number(part) for part in bins.split(",")]
    return name, numbers[0] if len(numbers) == 1 and isinstance(numbers[0], int) else numbers


def _number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)


@_command.command(
    "portrait",
    short_help="Say who the customers of each segment are.",
    examples=(
        ("In sentences", "custcore portrait scores.parquet --attributes customers.csv"),
        (
            "By what they bought, in Chinese",
            "custcore portrait scores.parquet --long item=items.csv --lang zh",
        ),
        (
            "Every segment and value, as a file",
            "custcore portrait scores.parquet --attributes customers.csv -o portrait.csv",
        ),
    ),
)
@_command.argument("segments", metavar="SEGMENTS")
@_command.option(
    "--attributes",
    group="Columns",
    multiple=True,
    metavar="[NAME=]FILE",
    help="File of the id and attributes of customers; may be given several times.",
)
@_command.option(
    "--long",
    group="Columns",
    multiple=True,
    metavar="[NAME=]FILE",
    help="File of the id and one column, of which a customer may have several values, such as what was bought.",
)
@_options.api_options(PORTRAIT, {"customer_id": _options.Key()})
@_command.option(
    "--bins",
    group="What counts",
    multiple=True,
    type=Bins(),
    metavar="NAME=BINS",
    help="Bins of a number: income=4 (quantiles), age=30,50 (edges), code=each. [default: quartiles of fractions, each "
    "integer]",
)
@_options.id_file_options
@_command.option(
    "--lang",
    group="Output",
    type=_words.Word(("en", "zh")),
    default="en",
    show_default=True,
    help="Language of the sentences.",
)
@_command.option(
    "--table",
    group="Output",
    type=_words.Word(TABLES),
    default="portrait",
    show_default=True,
    help="The table to write; a workbook has all of them.",
)
@_options.output_option("Write a table: .parquet, .csv, .xlsx, .arrow. [default: print the sentences only]")
def command(
    segments: str,
    attributes: tuple[str, ...],
    long: tuple[str, ...],
    segment: str,
    customer_id: str | None,
    bins: tuple[str, ...],
    lang: Any,  # noqa: ANN401 (a word)
    table: str,
    target: Path | None,
    **given: Any,  # noqa: ANN401 (options of reading and of the API)
) -> None:
    """Say who the customers of each segment are: shares of their attributes against those of all customers.

    SEGMENTS has one row per customer with a column of segments, such as
    `custcore rfm -o` writes.
    """
    start = time.perf_counter()
    reading = _options.reading_of(given)
    if not attributes and not long:
        raise click.UsageError("no attributes: --attributes FILE, or --long FILE for lists of values")
    scored = _run.open_files((segments,), {}, reading)
    named = [_opened(text, reading) for text in (*attributes, *long)]
    if any(name for name, _ in named):  # then all have one
        named = [(name or Path(files._name).stem, files) for name, files in named]
    opened = [scored, *(files for _, files in named)]
    if target:
        for files in opened:
            _output.check_target(target, files)
    keys = None if customer_id is None else _options.key_columns(customer_id, scored.column_names)
    rows = _segments(scored, keys, segment)
    ids = _ids(keys) or _customers.ids_of(rows)
    tables = [(name, _attributes(files, ids if keys else None)) for name, files in named]
    lists = tables[len(attributes) :]
    arguments = {"long": _argument(lists), "segment": segment, "customer_id": keys, **given}
    if bins:
        arguments["bins"] = dict(map(_bins, bins))
    try:
        found = custcore.portrait(rows, _argument(tables[: len(attributes)]), **arguments)
    except InternalError:
        raise
    except CustcoreError as error:
        raise DataProblem(f"{' and '.join(files._name for files in opened)}: {said(error)}") from error
    guarded = _write(found, table, lang, target) if target else 0
    out = _render.console(target)
    sentences = [str(sentence) for _, sentence in found.sentences(lang).rows()]
    for sentence in sentences or ["No segments: no customer has one."]:
        _render.say(out, sentence)
        out.print()
    notes = list(dict.fromkeys(note for files in opened for note in files.notes))
    out.print(_render.report_grid(found.report, notes))
    out.print()
    names = ", ".join(files._label for files in opened)
    _render.say(out, f"{found.report.n_rows:,} rows of {names} in {time.perf_counter() - start:.2f} s.")
    if target:
        _render.say(out, f"Written to {printable(str(target))}.")
    if guarded:
        _render.say(out, f"{guarded:,} cells that a spreadsheet would take for formulas have a ' in front.")


def _opened(text: str, reading: Reading) -> tuple[str | None, Source]:
    """The name and the file of ``NAME=FILE``, or a file without a name."""
    name, is_named, path = text.partition("=")
    if not is_named or Path(text).exists() or not name.strip() or "/" in name:
        return None, _run.open_files((text,), {}, reading)
    return name.strip(), _run.open_files((path,), {}, reading)


def _segments(files: Source, keys: str | list[str] | None, segment: str) -> Any:  # noqa: ANN401
    """The ids and segments of a file, with the names of its ids."""
    there = _columns(files)
    for flag, names in (("--customer-id", _ids(keys)), ("--segment-column", [segment])):
        for name in names:
            if name not in there:
                raise DataProblem(f"{files._name}: there is no column {name!r} ({flag}){_lists.proposal(name, there)}")
    sample = files._planned(there, {}).empty_table().replace_schema_metadata(_customers.stated(files) or None)
    ids = _ids(keys) or (
        ["customer_id"] if _is_unstated(sample) and "customer_id" in there else _customers.ids_of(sample)
    )
    return _read(files, [*ids, segment], ids)


def _attributes(files: Source, ids: list[str] | None) -> Any:  # noqa: ANN401
    """All columns of a file."""
    there = _columns(files)
    for name in ids or ():
        if name not in there:
            raise DataProblem(
                f"{files._name}: there is no column {name!r} (--customer-id){_lists.proposal(name, there)}"
            )
    return _read(files, there, ids)


def _read(files: Source, names: list[str], ids: list[str] | None) -> Any:  # noqa: ANN401
    try:
        rows = files.table(list(dict.fromkeys(names)), dict.fromkeys(ids or (), "customer_id"))
    except CustcoreError as error:
        raise _run.explained(error, files, {}) from error
    return rows.replace_schema_metadata(_customers.stated(files) or None)


def _is_unstated(rows: Any) -> bool:  # noqa: ANN401
    return _customers.IDS not in (rows.schema.metadata or {})


def _columns(files: Source) -> list[str]:
    """The columns that have a name of their own."""
    return [name for name in files.column_names if name and files.column_names.count(name) == 1]


def _ids(keys: str | list[str] | None) -> list[str]:
    return [keys] if isinstance(keys, str) else list(keys or ())


def _argument(tables: list[tuple[str | None, Any]]) -> Any:  # noqa: ANN401
    """Tables as the API takes them: as a list, or by name if one has a name."""
    return [table for _, table in tables] or None if not any(name for name, _ in tables) else dict(tables)


def _write(found: custcore.Portrait, table: str, lang: Any, target: Path) -> int:  # noqa: ANN401
    """Write a table, or the workbook; returns the number of guarded cells."""
    if target.suffix.lower() == ".xlsx":
        found.to_xlsx(target)
        return 0
    made = {"portrait": found.to_table(), "marks": found.marks(), "sentences": found.sentences(lang)}
    return _output.write(made[table], target)

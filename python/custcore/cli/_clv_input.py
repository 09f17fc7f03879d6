"""What ``custcore clv`` reads: purchases, a customer base, or a summary with one row per customer."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._input.arguments import key_names
from custcore._input.data import as_of_argument
from custcore._lifecycle.transactions import base_of
from custcore._options.reading import READING
from custcore._options.transactions import COLUMNS, RFM
from custcore.cli import _base_file, _customers, _lists, _run, _settings
from custcore.cli._failure import DataProblem
from custcore.clv._summaries import COLUMNS as OF_SUMMARY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from custcore._read import Source
    from custcore._read.options import Reading

__all__ = ["Days", "Found", "read"]

# The columns without which a file is no summary: by the names of custcore, of lifetimes, of BTYD.
SUMMARIES = (
    ("x", "t_x", "T"),
    ("frequency", "recency", "T"),
    ("frequency_cal", "recency_cal", "T_cal"),
    ("x", "t.x", "T.cal"),
)
# What files of Arrow say of themselves.
ARROW, FORMAT, BASE = b"ARROW1", b"custcore.format", b"customer base"


@dataclass(frozen=True)
class Days:
    """The days that a command line names.

    Attributes
    ----------
    as_of : str or None
        The last day that counts.
    calibration_end, holdout_end : str or None
        The days of the check.
    """

    as_of: str | None
    calibration_end: str | None
    holdout_end: str | None

    def check(self) -> None:
        """Raise for texts that are no days, before any file is opened."""
        for name in ("as_of", "calibration_end", "holdout_end"):
            as_of_argument(getattr(self, name), name)
        if self.holdout_end and not self.calibration_end:
            raise click.UsageError("--holdout-end ends a check that --calibration-end begins; give both, or neither")


@dataclass(frozen=True)
class Found:
    """What was read.

    Attributes
    ----------
    kind : str
        "purchases", "base" or "summary".
    label : str
        What was read, in words.
    files : list of str
        The files.
    summary : table
        A row for each customer.
    check : table or None
        The same up to the end of calibration, with what happened afterwards.
    known : dict
        Arguments with which a model reads a summary: the columns of ids, the unit of times.
    as_of : str or None
        The day from which on to predict, if it is not the end of the summary.
    last_day : str or None
        The end of the summary, if it is known.
    has_amounts : bool
        Whether there is money.
    rows : int
        Rows that were read.
    report : Report
        What was left out.
    notes : list of str
        What is said about the files.
    seconds : float
        How long it took.
    check_end : date or None
        The end of calibration of the check.
    source : Source or None
        The opened files.
    """

    kind: str
    label: str
    files: list[str]
    summary: Any
    check: Any
    known: dict[str, Any]
    as_of: str | None
    last_day: str | None
    has_amounts: bool
    rows: int
    report: custcore.Report
    notes: list[str]
    seconds: float
    check_end: Any = None
    source: Source | None = field(default=None, compare=False)


def read(
    patterns: Sequence[str],
    arguments: dict[str, Any],
    reading: Reading,
    days: Days,
    *,
    times_in: str | None,
    accept: Callable[[Source | None], object],
) -> Found:
    """Read a summary of customers.

    Parameters
    ----------
    patterns
        Names of files.
    arguments
        What `_options.settings` made: those of reading, and `by`.
    reading
        What `_options.reading_of` made.
    days
        The days of the command line.
    times_in
        The unit of times of a summary from elsewhere.
    accept
        Called with the opened files before any row is read; raises for targets that cannot be written.
    """
    if len(patterns) == 1 and _is_base(patterns[0]):
        if times_in:
            raise click.UsageError("--times-in belongs to a summary of customers, and a base has days")
        accept(None)
        return _of_base_file(Path(patterns[0]), arguments, days)
    files = _run.open_files(patterns, arguments, reading)
    accept(files)
    there = files.column_names
    if arguments["timestamp"] not in there and any(set(names) <= set(there) for names in SUMMARIES):
        return _of_summary(files, arguments, days, times_in)
    if times_in:
        raise click.UsageError(
            "--times-in belongs to a summary of customers with columns x, t_x and T; the days of purchases are counted"
        )
    return _of_purchases(files, arguments, days)


def _of_purchases(files: Source, arguments: dict[str, Any], days: Days) -> Found:
    def made(data: Any, *, by: str | None = None, **options: Any) -> custcore.CustomerBase:  # noqa: ANN401
        is_kept = by is not None and by not in key_names(options["customer_id"])
        return base_of(data, attributes={str(by): "first"} if is_kept else None, **options)

    base, seconds = _run.call(files, arguments, made)
    if not len(base):
        raise DataProblem(f"{files._name}: no row has an id, a time and a purchase")
    found = _of_base(base, arguments, days, files._name)
    notes = list(files.notes)
    return Found("purchases", files._label, list(files.files), notes=notes, seconds=seconds, source=files, **found)


def _of_base_file(path: Path, arguments: dict[str, Any], days: Days) -> Found:
    for option in _typed((*COLUMNS, *RFM, *READING), but=("n_threads", "as_of")):
        raise click.UsageError(f"{option} belongs to files of purchases, but {path} is a customer base")
    start = time.perf_counter()
    base = _base_file.load(path)
    if _base_file.is_new(base):
        raise DataProblem(f"{path} is empty; add files: custcore base update {path} FILE...")
    if base.track == "totals":
        raise DataProblem(
            f"{path} is a base of level totals, which has no purchase days; make one with days: "
            "custcore base init NEW --track days"
        )
    found = _of_base(base, arguments, days, str(path))
    return Found("base", str(path), [str(path)], notes=[], seconds=time.perf_counter() - start, **found)


def _of_base(base: custcore.CustomerBase, arguments: dict[str, Any], days: Days, name: str) -> dict[str, Any]:
    """Summaries of a base: all that counts, and what a check needs; most fields of `Found`."""
    by, threads = arguments.get("by"), arguments.get("n_threads")
    summary = base.clv_summary(days.as_of, n_threads=threads)
    check = None
    if days.calibration_end:
        # What --as-of leaves out is not in the check.
        last = min(day for day in (base.last_date, summary.report.as_of) if day is not None)
        if not days.holdout_end and days.calibration_end[:10] >= f"{last}":
            raise click.UsageError(
                f"--calibration-end {days.calibration_end} leaves no days for the check: the last one is {last}"
            )
        check = base.clv_summary(days.calibration_end, days.holdout_end or last, n_threads=threads)
    if not summary.num_rows or (check is not None and not check.num_rows):
        day = days.as_of if not summary.num_rows else days.calibration_end
        raise DataProblem(f"{name}: no customer bought by {day}" if day else f"{name}: no customer has a purchase")
    if by and by not in summary.column_names:
        there = [*key_names(base.settings["customer_id"]), *(base.settings["attributes"] or {})]
        raise DataProblem(
            f"{name}: the base keeps no column {by!r} (--by){_lists.proposal(by, there)}; one is kept with "
            "custcore base init --attributes"
        )
    return {
        "summary": summary,
        "check": check,
        "known": {},
        "as_of": None,
        "last_day": summary.report.as_of,
        "has_amounts": "m_x" in summary.column_names,
        "rows": summary.report.n_rows,
        "report": summary.report,
        "check_end": None if check is None else check.metadata["custcore.calibration_end"],
    }


def _of_summary(files: Source, arguments: dict[str, Any], days: Days, times_in: str | None) -> Found:
    """One row per customer, by the names of custcore or of other tools."""
    for option in _typed((*COLUMNS, *RFM), but=("customer_id", "n_threads", "as_of")):
        raise click.UsageError(f"{option} belongs to purchases, but {files._name} has one row per customer")
    for name in ("calibration_end", "holdout_end"):
        if getattr(days, name):
            flag = f"--{name.replace('_', '-')}"
            raise click.UsageError(
                f"{flag} parts purchases, but {files._name} has one row per customer; a summary with a hold-out has "
                "the columns x_holdout and holdout_days"
            )
    start = time.perf_counter()
    there, metadata, by = files.column_names, _customers.stated(files), arguments.get("by")
    keys = _customers.ids_asked(files, arguments) or _ids(there, metadata)
    if by and by not in there:
        raise DataProblem(f"{files._name}: there is no column {by!r} (--by){_lists.proposal(by, there)}")
    wanted = [name for name in dict.fromkeys([*keys, by, *OF_SUMMARY]) if name in there]
    table = files.table(wanted).replace_schema_metadata(metadata or None)
    day = metadata.get(b"custcore.calibration_end", metadata.get(b"custcore.as_of", b"")).decode() or None
    has_amounts = any(name in there for name in ("m_x", "monetary_value", "monetary_value_cal", "m.x"))
    has_holdout = any(name in there for name in ("x_holdout", "frequency_holdout", "x.star"))
    return Found(
        "summary",
        files._label,
        list(files.files),
        summary=table,
        check=table if has_holdout else None,
        known={"customer_id": keys or None, "unit": times_in},
        as_of=days.as_of,
        last_day=days.as_of or day,
        has_amounts=has_amounts,
        rows=table.num_rows,
        report=custcore.Report(n_rows=table.num_rows),
        notes=list(files.notes),
        seconds=time.perf_counter() - start,
        source=files,
    )


def _ids(there: Sequence[str], metadata: dict[bytes, bytes]) -> list[str]:
    """The columns of ids: those of the metadata, else `customer_id`, else the first if it is none of a summary."""
    text = metadata.get(_customers.IDS, b"").decode()
    names = [text] if text in there else json.loads(text) if text.startswith("[") else []
    if names and set(names) <= set(there):
        return list(names)
    return ["customer_id"] if "customer_id" in there else [name for name in there[:1] if name not in OF_SUMMARY]


def _is_base(name: str) -> bool:
    """Whether a file is a customer base: Arrow that says so."""
    path = Path(name)
    try:
        with path.open("rb") as file:
            if file.read(len(ARROW)) != ARROW:
                return False
    except (OSError, ValueError):  # a glob, a URL
        return False
    import pyarrow as pa

    try:
        with pa.memory_map(str(path)) as file:
            return (pa.ipc.open_file(file).schema.metadata or {}).get(FORMAT) == BASE
    except (pa.ArrowException, OSError):
        return False


def _typed(options: Sequence[Any], but: Sequence[str]) -> list[str]:
    """The flags of these options that were typed."""
    context = click.get_current_context()
    flags = {str(option.name): option for option in context.command.params}
    names = [option.name for option in options if option.name in flags and option.name not in but]
    return [
        f"--{_settings.key(flags[name])}"
        for name in [*names, *(["no_amount"] if "amount" in names else [])]
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    ]

"""``custcore base``: a customer base in a file, made once and updated by a daily job."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._options import bases, transactions
from custcore._options.option import names
from custcore.cli import _base_rfm, _base_update, _command, _lock, _options, _render
from custcore.cli._base_file import base_argument, is_new, load, quiet_option
from custcore.cli._failure import printable, said
from custcore.errors import CustcoreError, InternalError

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

__all__ = ["command"]

EXIT_CODES = """\
Exit codes: 0 done, also if a file was in the base already; 2 wrong usage; 3 unusable data, nothing was changed;
4 another process changes the base, nothing was changed; 130 interrupted; 1 a bug."""


@_command.group(
    "base",
    short_help="Keep a base of customers, updated daily.",
    examples=(
        ("Once", "custcore base init customers.base --track days"),
        ("Every day, by cron", "custcore base update customers.base sales/2026-01.csv --quiet"),
        ("A list to hand out", "custcore base rfm customers.base --segment champions -o list.csv"),
    ),
    epilog=EXIT_CODES,
)
def command() -> None:
    """Keep a base of customers in a file: what each of them bought and when, without the purchases.

    `init` makes it, `update` adds files, `rfm` scores its customers, `status` shows what is in it. A change is whole
    or not at all, also if the process is killed, and two jobs at once wait for each other.
    """


# The options of a base that are neither columns nor a flag.
_FURTHER = tuple(
    option
    for option in bases.BASE
    if option.name not in names((*transactions.COLUMNS, transactions.N_DAYS, bases.CATEGORY_DAYS))
)


@_command.command(
    "init",
    short_help="Make an empty base.",
    examples=(
        ("Scores as of the last day", "custcore base init shop.base"),
        (
            "Scores as of any day, and the first country of each customer",
            "custcore base init days.base --track days --attributes country=first",
        ),
        (
            "Lines of orders, which may come late",
            "custcore base init lines.base --order-id bill --track orders",
        ),
        ("What customers like", "custcore base init likes.base --categories item --promotion discount"),
    ),
)
@base_argument
@_options.column_options
@_options.api_options(_FURTHER, {"attributes": _options.Attributes()})
@_command.option(
    "--n-days",
    group="Base",
    is_flag=True,
    help="Keep the number of days with a purchase, for scorers that count days.",
)
@_command.option(
    "--category-days", group="Base", is_flag=True, help="Keep categories and channels by day, for past days."
)
@quiet_option
@_options.json_option
def init(base: Path, quiet: bool, as_json: bool, **given: Any) -> None:  # noqa: ANN401
    """Make an empty base in the file BASE, with the columns of the purchases to come.

    How files are read is said at each update. An existing file is not touched.
    """
    arguments = _options.settings(given)
    for role in ("customer_id", "order_id"):
        if arguments.get(role) is not None:
            arguments[role] = _options.key_columns(arguments[role], ())
    made = _made(arguments)
    with _lock.locked(base, 0, quiet=quiet):
        if base.exists() or base.is_symlink():
            raise click.UsageError(
                f"{base} exists already; it is not replaced. `custcore base status` shows what it is"
            )
        made.save(base)
    if as_json:
        _echo({"version": custcore.__version__, "base": str(base), "settings": made.settings})
    elif not quiet:
        out = _render.console()
        _render.say(
            out, f"{base} is an empty base of level {made.track}. Add files: custcore base update {base} FILE..."
        )


def _made(arguments: dict[str, Any]) -> custcore.CustomerBase:
    """An empty base, after a trial update without rows, which finds wrong zones and columns named twice."""
    import pyarrow as pa

    keeps_orders = arguments["order_id"] and arguments["order_lines"] == "any" and arguments["track"] != "orders"
    if keeps_orders:
        raise click.UsageError(
            "--order-id needs --track orders, as lines of an order may come in any file. If they are next to each "
            "other: --order-lines adjacent"
        )
    made = custcore.CustomerBase(**arguments)
    roles = _options.roles(arguments)
    zone = "UTC" if arguments.get("timezone") else None
    types = {"timestamp": pa.timestamp("s", zone), "amount": pa.float64(), "promotion": pa.float64()}
    trial = pa.schema([(column, types.get(role, pa.string())) for column, role in roles.items()]).empty_table()
    try:
        custcore.CustomerBase(**made.settings).update(trial)
    except InternalError:
        raise
    except CustcoreError as error:
        raise click.UsageError(printable(said(error))) from error
    return made


@_command.command(
    "status",
    short_help="Show what is in a base.",
    examples=(
        ("Customers, days, batches and settings", "custcore base status shop.base"),
        ("The same for a monitor", "custcore base status shop.base --json"),
    ),
)
@base_argument
@_options.json_option
def status(base: Path, as_json: bool) -> None:
    """Show the customers, days, batches and settings of BASE, and what was left out of it so far."""
    start = time.perf_counter()
    kept = load(base)
    buyers, first = _buyers(kept)
    report = custcore.Report() if is_new(kept) else kept.report
    found = {
        "version": custcore.__version__,
        "base": str(base),
        "bytes": base.stat().st_size,
        "track": kept.track,
        "customers": 0 if is_new(kept) else len(kept),
        "buyers": buyers,
        "rows": kept.n_rows,
        "first_purchase": first,
        "last_day": kept.last_date,
        "sealed_before": kept.sealed_before,
        "batches": len(kept.batch_ids),
        "batch_ids": kept.batch_ids,
        "settings": kept.settings,
        "report": _render.entries(report),
        "remarks": list(report.remarks),
        "seconds": round(time.perf_counter() - start, 6),
    }
    if as_json:
        _echo(found)
    else:
        _show(_render.console(), found, report)


def _buyers(kept: custcore.CustomerBase) -> tuple[int, Any]:
    """How many customers bought, and when the first of them did."""
    if is_new(kept):
        return 0, None
    import pyarrow.compute as pc

    dates = kept.rfm(sort=False).to_pyarrow()["first_date"]
    return len(dates), pc.min(dates).as_py()


def _show(out: Console, found: dict[str, Any], report: custcore.Report) -> None:
    from rich.table import Table
    from rich.text import Text

    _render.say(out, f"{found['base']}: {found['customers']:,} customers of {found['rows']:,} rows.")
    out.print()
    grid = Table.grid(padding=(0, 2))
    lines = {
        "buyers": f"{found['buyers']:,}",
        "first purchase": found["first_purchase"] or "none",
        "last day": found["last_day"] or "none",
        "sealed before": found["sealed_before"],
        "batches": f"{found['batches']:,}",
        "size of the file": _size(found["bytes"]),
        **{_flag(name): _words(name, value) for name, value in found["settings"].items() if _is_told(name, value)},
    }
    for name, value in lines.items():
        if value is not None:
            grid.add_row(Text(name, style="dim"), Text(printable(str(value))))
    out.print(grid)
    out.print()
    out.print(_render.report_grid(report))


# Settings that are shown even if they are the defaults.
_TOLD = ("customer_id", "timestamp", "amount", "track")
_DEFAULTS = {option.name: option.default for option in bases.BASE}


def _is_told(name: str, value: Any) -> bool:  # noqa: ANN401
    return name in _TOLD or value != _DEFAULTS.get(name)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _words(name: str, value: Any) -> str | None:  # noqa: ANN401
    """A setting as it is written on the command line; None for what is not set."""
    if isinstance(value, dict):
        return ",".join(column if which == "last" else f"{column}={which}" for column, which in value.items())
    if isinstance(value, list | tuple):
        return ",".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "amount" and value is None:
        return "none"
    return None if value is None else str(value)


def _size(count: int) -> str:
    number, units = float(count), ["bytes", "kB", "MB", "GB", "TB"]
    while number >= 1000 and len(units) > 1:
        number, units = number / 1000, units[1:]
    return f"{number:,.0f} {units[0]}" if units[0] == "bytes" else f"{number:,.1f} {units[0]}"


def _echo(found: dict[str, Any]) -> None:
    click.echo(json.dumps(_render.plain(found), ensure_ascii=False, allow_nan=False))


for verb in (init, _base_update.command, status, _base_rfm.command):
    command.add_command(verb)

"""``custcore explain``: why a customer has these scores and this segment, and what would change them."""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
import uuid
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

import custcore
from custcore.cli import _command, _customers, _models, _options, _output, _render, _run
from custcore.cli._failure import DataProblem, printable
from custcore.cli._words import Whole
from custcore.errors import CustcoreError, InternalError, InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from custcore._read import Source

__all__ = ["command"]

Function = TypeVar("Function", bound="Callable[..., Any]")

# Ids that an error shows.
SHOWN = 3


class Money(click.ParamType[Any]):
    """An amount of money, as it is written."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Parse ``99.50`` to a decimal, which is exact."""
        if isinstance(value, Decimal):
            return value
        try:
            amount = Decimal(value)
        except InvalidOperation:
            amount = Decimal("nan")
        if not math.isfinite(amount):
            self.fail(f"{value!r} is not an amount such as 99.50", param, ctx)
        return amount


def _typed(
    flag: str, metavar: str, text: str, kind: click.ParamType[Any] | None = None
) -> Callable[[Function], Function]:
    """An option about one customer, which no settings file has."""
    return _command.option(flag, group="Customer", type=kind, metavar=metavar, is_setting=False, help=text)


@_command.command(
    "explain",
    short_help="Explain the scores of one customer.",
    examples=(
        (
            "Values that are typed",
            "custcore explain --model m.json --recency-days 9 --frequency 3 --monetary 99",
        ),
        ("A customer of a file", "custcore explain --model m.json sales.csv --customer 1007"),
    ),
)
@_command.argument("files", nargs=-1, metavar="[FILE]...")
@_models.model_option("The scorer: written by `custcore rfm --save-model`, or by save() in Python.", required=True)
@_typed("--customer", "ID", "The customer to explain; the parts of a composite key with commas between.")
@_typed("--recency-days", "N", "Days since the last purchase, instead of FILE.", Whole(0))
@_typed("--frequency", "N", "Orders, or what the scorer counts.", Whole(1))
@_typed("--monetary", "AMOUNT", "Money in all, or what the scorer takes.", Money())
@_typed("--group", "VALUE", "The group of the customer, if the scorer has groups.")
@_options.id_file_options
@_options.column_options
@_options.transaction_options
@_options.output_option("Write one row per dimension: .parquet, .csv, .xlsx, .arrow. [default: print the text only]")
@_options.json_option
def command(
    files: tuple[str, ...],
    model: Path,
    customer: str | None,
    recency_days: int | None,
    frequency: int | None,
    monetary: Decimal | None,
    group: str | None,
    target: Path | None,
    as_json: bool,
    **given: object,
) -> None:
    """Explain the scores of one customer: which bin, which rule, which segment, and what would change them.

    The values are typed, or those of a customer in FILE: purchases, as for `custcore rfm`, or one row per customer.
    """
    typed = {"--recency-days": recency_days, "--frequency": frequency, "--monetary": monetary, "--group": group}
    named = [flag for flag, value in typed.items() if value is not None]
    if files and named:
        raise click.UsageError(f"{named[0]} and FILE exclude each other: the values are those of the customer in FILE")
    if files and customer is None:
        raise click.UsageError("FILE needs --customer ID")
    if not files and (recency_days is None or frequency is None):
        raise click.UsageError("pass FILE and --customer ID, or --recency-days, --frequency and --monetary")
    scorer: custcore.RFMScorer = _models.load(model, (custcore.RFMScorer,))
    needs = _models.Needs.of(scorer, model)
    if target:
        _output.check_target(target)
    said: dict[str, Any] = {"version": custcore.__version__, "model": str(model), "files": [], "as_of": None}
    if files:
        reading = _options.reading_of(given)
        arguments = _options.settings(given)
        opened = _run.open_files(files, arguments, reading)
        found, as_of = _of_file(opened, scorer, model, arguments, str(customer))
        said |= {"files": opened.files, "as_of": as_of, "remarks": opened.notes}
        place = f"{opened._label}, as of {as_of}" if as_of else opened._label
    else:
        if monetary is None and len([name for name in needs.columns if name != needs.by]) > 2:
            raise click.UsageError(f"{model} scores money: --monetary AMOUNT")
        if group is None and needs.by is not None:
            raise click.UsageError(f"{model} scores within groups of {needs.by!r}: --group VALUE")
        if group is not None and needs.by is None:
            raise click.UsageError(f"--group: {model} has no groups")
        found, place = _of_values(scorer, recency_days, frequency, monetary, customer, group), ""
    if target:
        _output.write(found.to_table(), target)
    if as_json:
        said = {**said, **found.to_dict(), "output": str(target) if target else None}
        click.echo(json.dumps(_render.plain(said), ensure_ascii=False, allow_nan=False))
        return
    out = _render.console(target)
    out.print(str(found), soft_wrap=True)
    if place:
        out.print()
        _render.say(out, f"Values of {printable(place)}; scored by {model}.")
    if target and str(target) != "-":
        _render.say(out, f"Written to {printable(str(target))}.")


def _of_values(
    scorer: custcore.RFMScorer,
    recency_days: int | None,
    frequency: int | None,
    monetary: Decimal | None,
    customer: str | None,
    group: str | None,
) -> custcore.ScoreExplanation:
    """Explain typed values; ids and groups are text, or what they are typed like."""
    failure: CustcoreError | None = None
    for ident in _kinds(customer, parts=True):
        for value in _kinds(group):
            typed = partial(scorer.explain, int(recency_days or 0), int(frequency or 0), customer_id=ident, group=value)
            try:
                found = typed(None if monetary is None else float(monetary))
            except (InvalidTypeError, InvalidArgumentError) as error:
                failure = failure or error
                continue
            # The amount is of the type of the edges, so that the changes are, too.
            if monetary is not None and found.monetary is not None:
                kinds = {type(found.monetary.lower), type(found.monetary.upper)}
                if Decimal in kinds:
                    return typed(monetary)
                if int in kinds and monetary == int(monetary):
                    return typed(int(monetary))
            return found
    assert failure is not None
    raise failure


def _kinds(text: str | None, *, parts: bool = False) -> Iterator[Any]:
    """What a text may stand for: itself, a number, a day, true or false; a tuple of such."""
    if text is None:
        yield None
        return
    yield text
    for parse in (int, _bool, float, dt.date.fromisoformat, dt.datetime.fromisoformat, uuid.UUID, bytes.fromhex):
        try:
            yield parse(text)
        except ValueError:
            continue
    if parts and "," in text:
        split = tuple(part.strip() for part in next(csv.reader([text], skipinitialspace=True)))
        yield split
        numbers = tuple(int(part) if part.lstrip("-").isdecimal() else part for part in split)
        if numbers != split:
            yield numbers


def _bool(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


def _of_file(
    files: Source, scorer: custcore.RFMScorer, model: Path, arguments: dict[str, Any], customer: str
) -> tuple[custcore.ScoreExplanation, Any]:
    """Explain a customer of a file."""
    needs = _models.Needs.of(scorer, model)
    if _customers.are_purchases(files, needs, arguments):
        table, _ = _run.call(
            files, needs.of_purchases(arguments), custcore.rfm, lambda empty: needs.check(empty, model)
        )
        rows, as_of = table.to_pyarrow(), table.report.as_of
    else:
        (rows, _), as_of = _customers.read(files, scorer, needs, arguments), None
    ids = _customers.ids_of(rows)
    row = _row(rows, ids, customer, files)
    values = [row[name] for name in needs.columns if name != needs.by]
    for name, value in zip(needs.columns, values, strict=False):
        if value is None:
            raise DataProblem(f"{files._name}: customer {customer} has no {name}, so there is no score to explain")
    ident = tuple(row[name] for name in ids) if len(ids) > 1 else row[ids[0]]
    group = row[needs.by] if needs.by is not None else None
    try:
        return scorer.explain(*values, customer_id=ident, group=group), as_of
    except InternalError:
        raise
    except CustcoreError as error:
        raise _run.explained(error, files, {}) from error


def _row(rows: Any, ids: list[str], customer: str, files: Source) -> dict[str, Any]:  # noqa: ANN401
    """The row of the customer whose id is written like the text."""
    import pyarrow.compute as pc

    parts = [customer] if len(ids) == 1 else [p.strip() for p in next(csv.reader([customer], skipinitialspace=True))]
    if len(parts) != len(ids):
        raise click.UsageError(f"--customer {customer!r} has {len(parts)} parts; the ids are of {', '.join(ids)}")
    found = rows
    for name, part in zip(ids, parts, strict=True):
        found = found.filter(pc.equal(_as_text(found[name]), part))
    if found.num_rows == 0:
        there = rows.select(ids).slice(0, SHOWN).to_pylist()
        examples = ", ".join(",".join(_written(row[name]) for name in ids) for row in there)
        such = f"; ids are such as {examples}" if examples else ""
        raise DataProblem(
            f"{files._name}: there is no customer {customer} among {rows.num_rows:,} ({', '.join(ids)}){such}"
        )
    if found.num_rows > 1:
        raise DataProblem(f"{files._name}: {found.num_rows:,} rows have the customer {customer}; expected one")
    return dict(found.to_pylist()[0])


def _as_text(column: Any) -> Any:  # noqa: ANN401 (pyarrow publishes no types)
    """Ids as they are typed: bytes in hexadecimal."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    plain = pa.types.is_integer(column.type) or pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    if plain:
        return column.cast(pa.large_string())
    return pa.chunked_array([pa.array(map(_written, column.to_pylist()), pa.large_string())])


def _written(value: Any) -> str:  # noqa: ANN401
    return value.hex() if isinstance(value, bytes) else str(value)

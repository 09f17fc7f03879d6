"""``custcore churn``: customers who will probably not come back, and how good that warning was on past days."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

import custcore
from custcore._options.churn import HORIZON
from custcore._options.option import names
from custcore._options.transactions import COLUMNS, N_DAYS, RFM, SORT
from custcore.cli import _command, _lists, _models, _options, _output, _render, _rfm, _run
from custcore.cli._failure import DataProblem
from custcore.cli._words import Whole
from custcore.errors import CustcoreError, InternalError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console

    from custcore.cli._grid import Grid

__all__ = ["command"]

# Groups of customers by their probability.
BOUNDS = (0.9, 0.75, 0.5, 0.25, 0.0)
# What a base is not asked for here.
UNUSED = (*names(COLUMNS), N_DAYS.name, SORT.name, "attributes", "progress")
READ = tuple(option for option in RFM if option.name not in UNUSED)
# The cut that the screen compares: the customers one would write to first.
FIRST = 0.1


@_command.command(
    "churn",
    short_help="Warn of customers who will probably not come back.",
    examples=(
        ("Who is at stake, and what they spent", "custcore churn sales.csv"),
        (
            "How good the warning was on past days, beside recency",
            "custcore churn sales.csv --horizon 14 --backtest",
        ),
        ("The 200 most at risk, to a file", "custcore churn sales.csv --top 200 -o warned.csv"),
        (
            "Thirty days ahead, with the model for days to come",
            "custcore churn sales.csv --horizon 30 --save-model churn.json",
        ),
        ("New purchases by the model of last month", "custcore churn sales.csv --model churn.json -o churn.parquet"),
    ),
)
@_options.file_options
@_options.output_option("Write one row per customer: .parquet, .csv, .xlsx, .arrow. [default: print the table only]")
@_options.json_option
@_options.column_options
@_options.api_options(READ)
@_options.api_option(HORIZON)
@_models.model_option("Score with this model, instead of one fitted on these purchases.", required=False)
@_command.option(
    "--backtest",
    group="Scores",
    is_flag=True,
    help="Test the warning on four past days, beside the days since the last purchase.",
)
@_models.save_option("the model", "churn")
@_command.option(
    "--top",
    group="List",
    type=Whole(1),
    metavar="N",
    help="Only the N customers at stake with the highest probability.",
)
def command(
    files: tuple[str, ...],
    target: Path | None,
    as_json: bool,
    horizon: int,
    model: Path | None,
    backtest: bool,
    save_model: Path | None,
    top: int | None,
    **given: Any,  # noqa: ANN401
) -> None:
    """Give the probability that a customer buys nothing in the next 90 days, of every customer in FILE.

    FILE is as for `custcore rfm`. Customers at stake are those who may still come back: their pause is shorter than
    the one by which 95 % of those who come back have come back. --backtest shows how far to trust the probability.
    """
    reading = _options.reading_of(given)
    arguments = _options.settings(given)
    if model and all(_options.excludes("model", name) for name in ("horizon", "save_model")):
        save_model = None
    else:
        model = None
    if backtest and arguments.get("as_of"):
        raise click.UsageError("--backtest tests past days of all rows; leave out --as-of")
    opened = _run.open_files(files, arguments, reading)
    if target:
        _output.check_target(target, opened)
    if save_model:
        _models.check_target(save_model, opened.files)
    fitted = _models.load(model, (custcore.ChurnModel,)) if model else None
    day, threads = arguments.get("as_of"), arguments.get("n_threads")
    base, seconds = _run.call(opened, arguments, _base_of)
    start = time.perf_counter()
    try:
        if fitted is None:
            fitted = custcore.ChurnModel(horizon).fit(base, day, n_threads=threads)
        scores = fitted.score(base, day, n_threads=threads)
        customers = base.rfm(day, n_threads=threads)
        test = custcore.backtest(base, fitted.horizon, n_threads=threads) if backtest else None
    except InternalError:
        raise
    except CustcoreError as error:
        raise _run.explained(error, opened, {}) from error
    if not scores.num_rows:
        raise DataProblem(f"{opened._label} has no customers with a purchase")
    if save_model:
        fitted.save(save_model)
    at_stake = scores.filter(scores.to_numpy("gap_days") <= fitted.loss_days_)
    groups = _groups(scores, customers, fitted.loss_days_)
    found = None
    if top:
        found = _lists.Listing(top=top, sort_by="churn_probability").take(at_stake)
    guarded = _output.write(found.customers if found else scores, target) if target else 0
    seconds += time.perf_counter() - start
    if as_json:
        click.echo(
            json.dumps(
                _render.plain(
                    {
                        "version": custcore.__version__,
                        "files": opened.files,
                        "settings": arguments,
                        "horizon": fitted.horizon,
                        "model": {"file": str(model) if model else None, "as_of": fitted.as_of_},
                        "rows": base.report.n_rows,
                        "as_of": scores.report.as_of,
                        "customers": scores.num_rows,
                        "at_stake": at_stake.num_rows,
                        "loss_days": fitted.loss_days_,
                        "groups": groups,
                        "strata": fitted.strata_.to_pylist(),
                        "backtest": test and {name: part.to_pylist() for name, part in test._sheets().items()},
                        "list": found
                        and _lists.Listing(top=top, sort_by="churn_probability").as_json(
                            found, has_file=target is not None
                        ),
                        "report": _render.entries(scores.report),
                        "remarks": [*scores.report.remarks, *opened.notes],
                        "seconds": round(seconds, 6),
                        "output": str(target) if target else None,
                        "saved_model": str(save_model) if save_model else None,
                    }
                ),
                ensure_ascii=False,
                allow_nan=False,
            )
        )
        return
    out = _render.console(target)
    _show(out, fitted, scores, at_stake.num_rows, groups)
    if test:
        out.print()
        _show_backtest(out, test)
    out.print()
    out.print(_render.report_grid(scores.report, opened.notes))
    out.print()
    by = f", by {model} of {fitted.as_of_}" if model else ""
    _render.say(
        out,
        f"{base.report.n_rows:,} rows of {opened._label}, {scores.num_rows:,} customers as of {scores.report.as_of} in "
        f"{seconds:.2f} s{by}.",
    )
    _rfm.show_written(out, scores, found, target, guarded, save_model)


def _base_of(
    data: Any,  # noqa: ANN401 (a reader of pyarrow)
    *,
    as_of: str | None = None,  # noqa: ARG001 (of the scores: a base has all rows)
    progress: Callable[[int, int | None], object] | None = None,
    n_threads: int | None = None,
    **options: Any,  # noqa: ANN401
) -> custcore.CustomerBase:
    """A base of days, or of orders where lines of an order may be anywhere."""
    has_orders = options.get("order_id") is not None and options.get("order_lines") != "adjacent"
    base = custcore.CustomerBase(track="orders" if has_orders else "days", **options)
    base.update(data, n_threads=n_threads, progress=progress)
    return base


def _groups(scores: custcore.Table, customers: custcore.Table, loss_days: int) -> list[dict[str, Any]]:
    """Customers at stake and their money by probability, the highest first; then all of them, and those lost."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = scores.to_pyarrow()
    has_money = "monetary_total" in customers.column_names
    # Both have every buyer, ascending by id.
    money = customers.to_pyarrow()["monetary_total"] if has_money else pa.nulls(table.num_rows)
    gap, probability = table["gap_days"], table["churn_probability"]
    is_at_stake = pc.less_equal(gap, loss_days)

    def group(name: str, mask: Any, low: float | None = None, high: float | None = None) -> dict[str, Any]:  # noqa: ANN401
        own = probability.filter(mask)
        total = pc.sum(money.filter(mask)).as_py() if has_money else None
        return {
            "group": name,
            "low": low,
            "high": high,
            "customers": len(own),
            "revenue": total if total is not None or not has_money else 0,
            "probability": pc.mean(own).as_py(),
        }

    found, high = [], None
    for low in BOUNDS:
        mask = pc.and_(is_at_stake, pc.greater_equal(probability, low))
        if high is not None:
            mask = pc.and_(mask, pc.less(probability, high))
        name = f"{low:.0%} and more" if high is None else f"{low:.0%} to {high:.0%}" if low else f"below {high:.0%}"
        found.append(group(name, mask, low, high))
        high = low
    found.append(group("at stake", is_at_stake))
    found.append(group("lost", pc.invert(is_at_stake)))
    return found


def _show(
    out: Console, model: custcore.ChurnModel, scores: custcore.Table, at_stake: int, groups: list[dict[str, Any]]
) -> None:
    """Print the groups."""
    *parts, everyone, lost = groups
    has_money = everyone["revenue"] is not None
    columns = [
        _render.Column("no purchase in " + f"{model.horizon} days", is_left=True),
        _render.Column("customers", rank=1),
        _render.Column("share", rank=3, said="share of customers at stake"),
    ]
    if has_money:
        columns += [
            _render.Column("revenue so far", rank=2),
            _render.Column("share", rank=4, said="share of their revenue"),
        ]
    columns.append(_render.Column("mean", rank=5, said="mean probability"))
    grid = _render.Grid(columns)

    def add(row: dict[str, Any], style: str | None = None, *, is_part: bool = True) -> None:
        cells = [
            row["group"],
            f"{row['customers']:,}",
            _share(row["customers"], everyone["customers"]) if is_part else "",
        ]
        if has_money:
            cells += [
                _render.amount_text(row["revenue"]),
                _share(row["revenue"], everyone["revenue"]) if is_part else "",
            ]
        cells.append(_percent(row["probability"]))
        grid.add_row(*cells, style=style)

    for row in parts:
        add(row)
    grid.add_section()
    add(everyone, "bold")
    add(lost, "dim", is_part=False)
    out.print(grid)
    _render.say(
        out,
        f"At stake: {at_stake:,} of {scores.num_rows:,} customers, whose last purchase is at most {model.loss_days_} "
        "days ago. Of those who come back, 95 % are back by then.",
    )


def _show_backtest(out: Console, test: custcore.Backtest) -> None:
    """Print how the probability and recency would have ranked, and which of them is better."""
    out.print(_backtest_grid(test))
    _render.say(
        out,
        "AUC: how often a customer who did not come back ranks above one who did (0.5: as good as chance). Hits: of "
        "the first tenth of customers by each score, the share that did not come back. Recency: days since the last "
        "purchase.",
    )
    _render.say(out, _verdict(test))
    for remark in test.report.remarks:
        _render.say(out, f"{remark}.")


def _backtest_grid(test: custcore.Backtest) -> Grid:
    grid = _render.Grid(
        [
            _render.Column("tested as of", is_left=True),
            _render.Column("at stake", rank=4),
            _render.Column("churned", rank=3),
            _render.Column("AUC", rank=0, said="AUC of the probability"),
            _render.Column("recency", rank=1, said="AUC of recency"),
            _render.Column("hits", rank=2, said="hits of the probability"),
            _render.Column("recency", rank=2, said="hits of recency"),
        ]
    )
    for row in _compared(test):
        grid.add_row(
            str(row["as_of"]),
            f"{row['customers']:,}",
            _percent(row["base_rate"]),
            _decimal(row["probability"]),
            _decimal(row["recency"]),
            _percent(row["hits_probability"]),
            _percent(row["hits_recency"]),
        )
    return grid


def _compared(test: custcore.Backtest) -> list[dict[str, Any]]:
    """A row for each date: AUC and precision of the first tenth, of the probability and of recency."""
    rows: dict[Any, dict[str, Any]] = {}
    for found in test.summary().to_pylist():
        row = rows.setdefault(found["as_of"], {name: found[name] for name in ("as_of", "customers", "base_rate")})
        row[found["score"]] = found["auc"]
    for found in test.thresholds().to_pylist():
        if found["as_of"] is not None and found["share"] == FIRST:
            rows[found["as_of"]][f"hits_{found['score']}"] = found["precision"]
    return list(rows.values())


def _verdict(test: custcore.Backtest) -> str:
    """One sentence each: on the whole ranking, and on its first tenth."""
    rows = [row for row in _compared(test) if row["probability"] is not None]
    better = sum(row["probability"] > row["recency"] for row in rows)
    pooled = {
        row["score"]: row for row in test.thresholds().to_pylist() if row["as_of"] is None and row["share"] == FIRST
    }
    own, other = pooled["probability"], pooled["recency"]
    whole = f"Over all customers the probability ranks better than recency at {better} of {len(rows)} dates."
    if own["true"] > other["true"] and own["precision_low"] > other["precision"]:
        first = "So it does among the first tenth."
    elif own["true"] >= other["true"]:
        first = "Among the first tenth both find about as many."
    else:
        first = (
            "Among the first tenth recency finds as many or more: to write to a few, sort by the days since the last "
            "purchase."
        )
    return f"{whole} {first}"


def _share(part: Any, whole: Any) -> str:  # noqa: ANN401 (numbers and decimals)
    return _percent(float(part) / float(whole)) if whole else "-"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _decimal(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"

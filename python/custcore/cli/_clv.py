"""``custcore clv``: what customers will buy and be worth, and whether to trust it, from files."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

from custcore._options import clv as options_of_clv
from custcore._options.option import names
from custcore._options.transactions import COLUMNS, N_DAYS, RFM, SORT
from custcore.cli import _clv_input, _clv_models, _clv_page, _command, _models, _options, _output, _render, _rfm
from custcore.cli._words import Word
from custcore.clv._time import horizon_days
from custcore.clv._valuation import valuation
from custcore.errors import CustcoreError

if TYPE_CHECKING:
    from pathlib import Path

    from custcore._read import Source

__all__ = ["command"]

# What is not asked for here.
UNUSED = (*names(COLUMNS), N_DAYS.name, SORT.name, "attributes", "progress")
READ = tuple(option for option in RFM if option.name not in UNUSED)
# Options of a fit, which a saved model has behind it.
OF_FIT = ("family", "unit", "by", "compare", "save_model")


class Length(click.ParamType[Any]):
    """A length of time."""

    name = "length of time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """Check ``90``, ``12w``, ``none``; what it is in days is found later, as settings are printed as they are."""
        if isinstance(value, str) and value != "none":
            try:
                horizon_days("horizon", _plain(value))
            except (CustcoreError, ValueError):
                self.fail(f"{value!r} is no length of time such as 90 (days), 12w, 6mo or 1y, nor none", param, ctx)
        return value


def _plain(text: str) -> float | str | None:
    """Days as a number, ``none`` as None, other lengths as they are."""
    if text == "none":
        return None
    return float(text) if text.replace(".", "", 1).isdecimal() else text


@_command.command(
    "clv",
    short_help="Predict what customers will buy and be worth.",
    examples=(
        ("The next year, and one row per customer in a file", "custcore clv sales.csv -o clv.parquet"),
        (
            "How good the model was on past days, beside simple rules",
            "custcore clv sales.csv --calibration-end 2026-02-10",
        ),
        ("Which model suits, twelve weeks ahead", "custcore clv sales.csv --horizon 12w --compare"),
        (
            "With a margin of 40 %, and the model for days to come",
            "custcore clv sales.csv --margin 0.4 --save-model clv.json",
        ),
        ("New purchases by the model of last month", "custcore clv sales.csv --with clv.json -o clv.csv"),
    ),
)
@_options.file_options
@_options.output_option("Write one row per customer: .parquet, .csv, .xlsx, .arrow. [default: print one page only]")
@_options.json_option
@_options.column_options
@_options.api_options(READ)
@_command.option(
    "--model",
    "family",
    group="Lifetime value",
    type=Word(_clv_models.FAMILIES),
    default="mbgnbd",
    show_default=True,
    help="The model of purchases.",
)
@_command.option(
    "--with",
    "saved",
    group="Lifetime value",
    type=_options.Target(),
    metavar="FILE",
    help="Predict with this saved model (.json), instead of one fitted on these purchases.",
)
@_options.api_options(
    options_of_clv.CLI,
    {"horizon": Length(), "margin": click.FLOAT, "annual_rate": click.FLOAT, "level": click.FLOAT},
)
@_command.option(
    "--compare", group="Lifetime value", is_flag=True, help="Fit all models, and put them beside each other."
)
@_command.option(
    "--save-model",
    group="Output",
    type=_options.Target(),
    metavar="OUT",
    help="Write the model (.json), for --with; that of spend beside it (.spend.json).",
)
def command(
    files: tuple[str, ...],
    target: Path | None,
    as_json: bool,
    family: str,
    saved: Path | None,
    compare: bool,
    save_model: Path | None,
    horizon: str,
    spend: str,
    margin: float,
    annual_rate: float,
    level: float,
    unit: str,
    times_in: str | None,
    **given: Any,  # noqa: ANN401
) -> None:
    """Predict the purchases and the value of each customer in FILE, and say how far to trust it.

    FILE has purchases, as for `custcore rfm`; or it is a customer base; or it has one row per customer with x, t_x, T
    and m_x (or frequency, recency, T, monetary_value). The model is fitted on all purchases; --calibration-end also
    fits it on the earlier ones, and shows what it would have predicted of the others.
    """
    reading = _options.reading_of(given)
    arguments = _options.settings(given)
    days = _clv_input.Days(*(arguments.pop(name) for name in ("as_of", "calibration_end", "holdout_end")))
    days.check()
    if saved and all(_options.excludes("saved", name) for name in OF_FIT):
        save_model, compare = None, False
    else:
        saved = None
    end = _plain(horizon)
    length = horizon_days("horizon", end)
    if end is None and annual_rate == 0:
        raise click.UsageError(
            "without end (--horizon none) purchases have a value only with interest: --annual-rate above 0"
        )
    value = {"margin": margin, "annual_rate": annual_rate}
    valuation(
        [length],
        spend=None,
        margin=margin,
        annual_rate=annual_rate,
        discount="continuous",
        period_days=None,
        period_rate=None,
        level=level,
    )
    loaded = _clv_models.load(saved) if saved else None
    if loaded:
        arguments["by"] = loaded.purchases.by

    def accept(opened: Source | None) -> None:
        if target:
            if opened is None and any(target == type(target)(name) for name in files):
                raise click.UsageError(f"{target} is the base; choose another name for the result")
            _output.check_target(target, opened)
        if save_model:
            _models.check_target(save_model, opened.files if opened else files)

    found = _clv_input.read(files, arguments, reading, days, times_in=times_in, accept=accept)
    start = time.perf_counter()
    settings = _clv_models.Settings(family, unit, arguments.get("by"), spend, arguments.get("n_threads"))
    with _clv_models.explained(found):
        if loaded and saved:
            models = loaded.suited(settings, found, saved)
        else:
            models = _clv_models.fit(found, found.summary, settings)
        check = _clv_models.check(found, models, settings, is_saved=saved is not None)
        compared = _clv_models.compare(found, settings) if compare else None
        predictions = models.predict(found, end, level=level if target or as_json else None, **value)
        total = models.total(found, end, level) if end is not None else None
    tier, predictions = _clv_page.with_tiers(predictions)
    page = _clv_page.Page(
        found=found,
        models=models,
        check=check,
        compared=compared,
        predictions=predictions,
        tier=tier,
        total=total,
        horizon=horizon,
        days=length,
        value=value,
        level=level,
        saved=saved,
    )
    written = _clv_models.save(models, save_model) if save_model else []
    guarded = _output.write(predictions, target) if target else 0
    seconds = found.seconds + time.perf_counter() - start
    if as_json:
        said = page.as_json(arguments, days, seconds, target, written)
        click.echo(json.dumps(_render.plain(said), ensure_ascii=False, allow_nan=False))
        return
    out = _render.console(target)
    page.show(out, seconds)
    _rfm.show_written(out, predictions, None, target, guarded)
    for path in written:
        _render.say(out, f"Model written to {path}.")

"""The page of ``custcore clv``: parameters, the check, what is to come, and in which customers it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import custcore
from custcore import clv
from custcore.cli import _clv_text, _render
from custcore.cli._clv_models import TITLES

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from custcore.cli._clv_input import Days, Found
    from custcore.cli._clv_models import Check, Models

__all__ = ["Page", "with_tiers"]

# What customers are put into tiers by: the first that is known.
VALUES = {"clv": "value", "expected_purchases": "purchases", "discounted_purchases": "discounted purchases"}
FORECASTS = (
    "zero: nobody buys; own_rate: everybody goes on at the own rate x / T; same_as_before: everybody buys as in the "
    "last days of calibration. Judge by RMSE: the mean absolute error (MAE) rewards the forecast 0."
)


def with_tiers(predictions: custcore.Table) -> tuple[str | None, custcore.Table]:
    """Predictions with five tiers of customers: the column that makes them, and the table with their scores.

    Parameters
    ----------
    predictions
        What a model predicts.
    """
    by = next((name for name in VALUES if predictions[name].to_pyarrow().null_count < predictions.num_rows), None)
    if by is None:
        return None, predictions
    scored = custcore.QuantileScorer([by]).fit_transform(predictions)
    return by, scored.select([name for name in scored.column_names if name != "score_cell"])


@dataclass(frozen=True)
class Page:
    """All that is shown.

    Attributes
    ----------
    found, models, check, compared
        What was read, the models, the check and the comparison, if there are any.
    predictions : Table
        A row for each customer, with tiers.
    tier : str or None
        The column that makes the tiers.
    total : dict or None
        What all customers are expected to do, within a horizon with an end.
    horizon : str
        The horizon, as it was typed.
    days : float or None
        The same in days.
    value : dict
        The margin and the interest.
    level : float
        The probability of the interval.
    saved : path or None
        The file of a saved model.
    """

    found: Found
    models: Models
    check: Check | None
    compared: custcore.Table | None
    predictions: custcore.Table
    tier: str | None
    total: dict[str, Any] | None
    horizon: str
    days: float | None
    value: dict[str, float]
    level: float
    saved: Path | None

    @cached_property
    def tiers(self) -> list[dict[str, Any]]:
        """The tiers, the most valuable first, then customers without one."""
        if self.tier is None:
            return []
        score = f"{self.tier}_score"
        return sorted(clv.by_segment(self.predictions, segment=score).to_pylist(), key=lambda row: -(row[score] or 0))

    @cached_property
    def sums(self) -> dict[str, Any]:
        """What all customers together are expected to bring; None where it is not known."""
        rows = self.tiers

        def total(name: str) -> float | None:
            values = [row[name] for row in rows if row[name] is not None]
            return sum(values) if values else None

        return {name: total(name) for name in ("expected_purchases", "expected_revenue", "clv")} | {
            "alive": sum(row["p_alive"] * row["customers"] for row in rows),
        }

    def remarks(self) -> list[str]:
        """What is to be said about the models."""
        found = [*self.models.remarks]
        if self.models.purchases.status_ != "given":
            found += [remark for remark in self.models.purchases.fit_.remarks if not _is_said(remark, found)]
        if self.check:
            found += [*self.check.remarks, *self.check.evaluation.report.remarks]
        return list(dict.fromkeys(found))

    def report(self) -> custcore.Report:
        """What was left out of purchases, what is unknown of predictions, and what is to be said about the models."""
        first, second = self.found.report, self.predictions.report
        remarks = dict.fromkeys([*first.remarks, *second.remarks, *self.remarks()])
        return replace(first, entries=(*first.entries, *second.entries), remarks=tuple(remarks))

    def show(self, out: Console, seconds: float) -> None:
        """Print the page."""
        self._show_models(out)
        if self.check:
            out.print()
            self._show_check(out, self.check)
        if self.compared:
            out.print()
            out.print(_clv_text.compared(self.compared))
            _render.say(out, self._said_of_comparison())
        out.print()
        self._show_value(out)
        out.print()
        out.print(_render.report_grid(self.report(), self.found.notes))
        out.print()
        by = f", by {self.saved}" if self.saved else ""
        rows = (
            f"{self.found.rows:,} rows of {self.found.label}, "
            if self.found.kind != "base"
            else f"{self.found.label}, "
        )
        _render.say(out, f"{rows}{self.predictions.num_rows:,} customers in {seconds:.2f} s{by}.")

    def _show_models(self, out: Console) -> None:
        purchases, spend = self.models.purchases, self.models.spend
        _render.say(out, _clv_text.fit_sentence(purchases))
        out.print()
        grid = _render.Grid(
            [
                _render.Column("parameter", is_left=True),
                _render.Column("estimate"),
                _render.Column("std. error", rank=1),
                _render.Column("95 % interval", rank=2),
            ]
        )
        _clv_text.add_parameters(grid, purchases, purchases.unit)
        if isinstance(spend, clv.GammaGamma):
            grid.add_section()
            _clv_text.add_parameters(grid, spend, "")
        out.print(grid)
        if purchases.status_ != "given":
            _render.say(
                out,
                f"Log-likelihood {purchases.log_likelihood_:,.2f} per {purchases.unit}, AIC {purchases.aic_:,.2f}, BIC "
                f"{purchases.bic_:,.2f}. Standard errors take the model for true; a day with purchases counts as one.",
            )
            if purchases.by:
                out.print()
                out.print(_clv_text.groups(purchases))
        if isinstance(spend, clv.GammaGamma):
            for text in _clv_text.said_of_spend(spend):
                _render.say(out, text)

    def _show_check(self, out: Console, check: Check) -> None:
        rows = check.evaluation.summary().to_pylist()
        purchases = [row for row in rows if row["measure"] == "purchases"]
        revenue = {row["model"]: row for row in rows if row["measure"] == "revenue"}
        if not purchases:
            return
        first = purchases[0]
        days = f"{first['days']:,.0f} days"
        until = f"on purchases up to {check.calibration_end}" if check.calibration_end else "on calibration"
        by = f"by {self.saved}" if self.saved else f"fitted {until}"
        after = f"after {check.calibration_end}" if check.calibration_end and self.saved else "afterwards"
        _render.say(
            out,
            f"Check: {TITLES[first['model']]} {by}, beside what {first['customers']:,} customers did in the {days} "
            f"{after}: {first['actual']:,.0f} purchases.",
        )
        grid = _render.Grid(
            [
                _render.Column("forecast", is_left=True),
                _render.Column("expected"),
                _render.Column("error", said="error of the total"),
                _render.Column("RMSE"),
                _render.Column("MAE", rank=1),
                _render.Column("rank corr.", rank=3, said="rank correlation"),
                _render.Column("top 10 %", rank=2, said="share of what happened that the first tenth did"),
                _render.Column("AUC", rank=4),
            ]
        )
        for row in purchases:
            grid.add_row(
                TITLES.get(row["model"], row["model"]),
                f"{row['expected']:,.0f}",
                _clv_text.signed(row["total_error"]),
                _clv_text.decimal(row["rmse"]),
                _clv_text.decimal(row["mae"]),
                _clv_text.decimal(row["rank_correlation"]),
                _clv_text.percent(row["top_decile_share"]),
                _clv_text.decimal(row["auc"]),
                style="bold" if row is first else None,
            )
        out.print(grid)
        _render.say(out, FORECASTS[:1].upper() + FORECASTS[1:])
        own = revenue.get(first["model"])
        if own and own["expected"] is not None:
            others = ", ".join(
                f"{name} {_render.amount_text(row['rmse'])}" for name, row in revenue.items() if row is not own
            )
            expected, actual, rmse = (_render.amount_text(own[name]) for name in ("expected", "actual", "rmse"))
            error = _clv_text.signed(own["total_error"])
            _render.say(out, f"Revenue: {expected} expected, {actual} actual ({error}); RMSE {rmse} ({others}).")

    def _show_value(self, out: Console) -> None:
        sums, day = self.sums, self.found.last_day
        after = f"after {day}" if day else "to come"
        if self.total is not None:
            total = self.total
            _render.say(
                out,
                f"In the {self.days:,.6g} days {after}: {total['expected_purchases']:,.0f} purchase days expected "
                f"({self.level * 100:.6g} % interval {total['low']:,.0f} to {total['high']:,.0f}).",
            )
        rate = f"{self.value['annual_rate'] * 100:.6g}"
        if sums["clv"] is not None:
            margin = "" if self.value["margin"] == 1 else f", margin {self.value['margin']:.6g}"
            bring = (
                f"They bring {_render.amount_text(sums['expected_revenue'])}, "
                if sums["expected_revenue"] is not None
                else f"All that is to come{f' {after}' if day else ''}, without end, is "
            )
            _render.say(
                out,
                f"{bring}worth {_render.amount_text(sums['clv'])} today (interest of {rate} % a year{margin}). "
                "Money of the past is not in it.",
            )
        if self.tier is None:
            return
        out.print()
        out.print(self._tier_grid(sums))
        _render.say(
            out,
            f"Tiers: fifths of the customers by {VALUES[self.tier]} to come, the column {self.tier}_score of the file. "
            f"Alive: mean probability that they are still customers"
            + (
                ", 1 by construction."
                if isinstance(self.models.purchases, clv.NBD)
                else _clv_text.alive_of(self.models.purchases)
            ),
        )

    def _tier_grid(self, sums: dict[str, Any]) -> _render.Grid:
        has_money, has_end = sums["clv"] is not None, sums["expected_purchases"] is not None
        columns = [
            _render.Column("tier", is_left=True),
            _render.Column("customers"),
            _render.Column("alive", rank=3, said="mean probability of being alive"),
        ]
        columns += [_render.Column("purchases", rank=1)] if has_end else []
        if has_money:
            columns += [
                _render.Column("value"),
                _render.Column("share", rank=2, said="share of the value"),
                _render.Column("per customer", rank=4, said="value per customer"),
            ]
        grid = _render.Grid(columns)

        def add(row: dict[str, Any], style: str | None = None) -> None:
            cells = [row["name"], f"{row['customers']:,}", _clv_text.percent(row["p_alive"])]
            cells += [f"{row['expected_purchases'] or 0:,.0f}"] if has_end else []
            if has_money:
                cells += [
                    _render.amount_text(row["clv"]),
                    _clv_text.percent(row["clv_share"]),
                    _render.amount_text(row["clv_mean"]),
                ]
            grid.add_row(*cells, style=style)

        rows = self.tiers
        for row in rows:
            score = row[f"{self.tier}_score"]
            ends = {5: "5 (highest)", 1: "1 (lowest)"}
            add(row | {"name": "(unknown)" if score is None else ends.get(score, str(score))})
        grid.add_section()
        customers = sum(row["customers"] for row in rows)
        known = sum(row["customers"] for row in rows if row["clv"] is not None)
        everyone = {
            **sums,
            "name": "all",
            "customers": customers,
            "p_alive": sums["alive"] / customers if customers else None,
            "clv_share": 1.0 if sums["clv"] else None,
            "clv_mean": sums["clv"] / known if sums["clv"] is not None and known else None,
        }
        add(everyone, "bold")
        return grid

    def _said_of_comparison(self) -> str:
        where = "calibration" if self.check else "all purchases"
        measured = " RMSE, error: of the check, as above." if self.check and self.found.check is not None else ""
        return (
            f"Fitted on {where}. AIC: the lowest fits best. Ratio: twice the gain of log-likelihood over the NBD, in "
            f"which nobody is lost; it has no p-value.{measured}"
        )

    def as_json(
        self, arguments: dict[str, Any], days: Days, seconds: float, target: Path | None, written: list[Path]
    ) -> dict[str, Any]:
        """The same as one JSON object."""
        purchases, spend, check = self.models.purchases, self.models.spend, self.check
        return {
            "version": custcore.__version__,
            "files": self.found.files,
            "input": self.found.kind,
            "settings": {
                **arguments,
                **{name: getattr(days, name) for name in ("as_of", "calibration_end", "holdout_end")},
                "horizon": self.horizon,
                **self.value,
                "level": self.level,
            },
            "rows": self.found.rows,
            "customers": self.predictions.num_rows,
            "as_of": self.found.last_day,
            "model": {"file": str(self.saved) if self.saved else None, **_clv_text.as_plain(purchases, purchases.unit)},
            "spend": _clv_text.as_plain(spend, None) if isinstance(spend, clv.GammaGamma) else spend,
            "horizon_days": self.days,
            "total": self.total,
            "sums": self.sums,
            "tiers": self.tiers,
            "check": check
            and {
                "calibration_end": check.calibration_end,
                "model": _clv_text.as_plain(check.models.purchases, check.models.purchases.unit),
                "summary": check.evaluation.summary().to_pylist(),
                "by_x": check.evaluation.by_x().to_pylist(),
            },
            "compared": self.compared and self.compared.to_pylist(),
            "report": _render.entries(self.report()),
            "remarks": [*self.report().remarks, *self.found.notes],
            "seconds": round(seconds, 6),
            "output": str(target) if target else None,
            "saved_models": [str(path) for path in written],
        }


def _is_said(remark: str, found: list[str]) -> bool:
    """Whether a warning says the same already."""
    return any(remark in text for text in found)

"""``custcore.clv.Evaluation``: expectations beside what happened, and beside simple rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from custcore.clv._text import grid, number
from custcore.result._layout import terminal_width, wrapped

if TYPE_CHECKING:
    from custcore.result import Report, Table

__all__ = ["BASELINES", "Evaluation", "is_better"]

BASELINES = ("zero", "own_rate", "same_as_before")
# The columns of the text.
_SHOWN = ("expected", "total_error", "rmse", "mae", "rank_correlation", "top_decile_share", "auc")


class Evaluation:
    """How a model did in the hold-out: what :meth:`PurchaseModel.evaluate` returns."""

    __slots__ = ("_by_x", "_name", "_summary")

    def __init__(self, name: str, summary: Table, by_x: Table) -> None:
        self._name, self._summary, self._by_x = name, summary, by_x

    def summary(self) -> Table:
        """The measures of the model, and of three rules without a model.

        Returns
        -------
        Table
            ``model`` (its name; ``"zero"``: nobody buys; ``"own_rate"``: everybody goes on at the
            own rate x / T; ``"same_as_before"``: everybody buys as often as in the last days of
            calibration), ``measure`` (``"purchases"``, with amounts also ``"revenue"``),
            ``customers`` (int64), ``days`` (of the hold-out), ``actual``, ``expected``,
            ``total_error`` = expected / actual - 1, ``mae``, ``rmse``, ``bias`` (mean of expected
            - actual), ``rank_correlation`` (Spearman), ``top_decile_share`` (share of what
            happened that the tenth of the customers with the highest expectation did, rounded
            up, of equal ones the first), and for the probability of a purchase ``brier`` and
            ``log_loss`` (kept 1e-15 from 0 and 1; rules have no probability, so theirs are
            null) and ``auc`` (of rules by what they expect; all float64).

        Notes
        -----
        Judge by ``rmse``. ``mae`` rewards the median, which is 0 purchases where most customers do
        not come back, so that the forecast 0 for everybody may have the lowest. A hold-out longer
        than calibration makes ``"same_as_before"`` count first purchases: do not judge by it then.
        """
        return self._summary

    def by_x(self) -> Table:
        """What customers with 0, 1, ... repeat purchases did, and what was expected of them.

        Returns
        -------
        Table
            ``x`` (string, "0" to "6" and "7+"), ``customers`` (int64), ``actual_mean``,
            ``expected_mean`` (float64).
        """
        return self._by_x

    @property
    def report(self) -> Report:
        """Remarks: rules that the model does not beat."""
        return self._summary.report

    def _sheets(self) -> dict[str, Table]:
        return {"summary": self._summary, "by_x": self._by_x}

    def __reduce__(self) -> tuple[object, ...]:
        return Evaluation, (self._name, self._summary, self._by_x)

    def __repr__(self) -> str:
        width = terminal_width()
        rows = self._summary.to_pylist()
        if not rows:
            return f"Evaluation of {self._name}: no customers"
        first = rows[0]
        lines = wrapped(
            f"Evaluation of {self._name} in the {first['days']:g} days after calibration: "
            f"{first['customers']:,} customers",
            width,
        )
        for measure in dict.fromkeys(row["measure"] for row in rows):
            of = [row for row in rows if row["measure"] == measure]
            lines.append(f"{measure}: {number(of[0]['actual'])} actual")
            lines += grid([["", *(name.replace("_", " ") for name in _SHOWN)], *map(_cells, of)], width)
        by_x = [[row["x"], f"{row['customers']:,}", *_means(row)] for row in self._by_x]
        lines += grid([["x", "customers", "actual mean", "expected mean"], *by_x], width)
        for remark in self.report.remarks:
            lines += wrapped(f"- {remark}", width)
        return "\n".join(lines)


def is_better(rows: list[dict[str, Any]], rule: str) -> bool | None:
    """Whether the model, the first of the rows, has a lower root mean squared error of purchases than a rule."""
    found = {row["model"]: row["rmse"] for row in reversed(rows) if row["measure"] == "purchases"}
    model = next((row["rmse"] for row in rows if row["measure"] == "purchases"), None)
    other = found.get(rule)
    return None if model is None or other is None else model < other


def _cells(row: dict[str, Any]) -> list[str]:
    shares = {"total_error", "top_decile_share"}
    values = [
        ("" if row[name] is None else f"{row[name]:+.1%}" if name == "total_error" else f"{row[name]:.1%}")
        if name in shares
        else number(row[name])
        for name in _SHOWN
    ]
    return [row["model"], *values]


def _means(row: dict[str, Any]) -> list[str]:
    return [number(row["actual_mean"]), number(row["expected_mean"])]

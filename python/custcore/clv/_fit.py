"""What ``fit_`` is: how the search went, from which starts, and what is to be said about the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from custcore.clv._estimates import Estimates, whole
from custcore.clv._tables import label_column, table_of
from custcore.clv._text import grid, number, sentence_of_limit
from custcore.result._layout import terminal_width, wrapped

if TYPE_CHECKING:
    from custcore.result import Table

__all__ = ["Fit", "fit_columns"]

# Groups shown in the text.
_GROUPS = 12


class Fit:
    """How a fit went: ``starts``, ``groups``, ``remarks``, and all of it as a page of text.

    Attributes
    ----------
    remarks : tuple of str
        What is to be said about the result: a limit, one customer with most purchases.
    """

    __slots__ = ("_estimates", "_groups", "_labels", "_title", "_unit", "remarks")

    def __init__(
        self,
        title: str,
        estimates: Estimates,
        *,
        unit: str | None = None,
        labels: list[Any] | None = None,
        groups: list[Estimates] | None = None,
        remarks: tuple[str, ...] = (),
    ) -> None:
        self._title, self._estimates, self._unit = title, estimates, unit
        self._labels, self._groups = labels or [], groups or []
        found = (*estimates.info["remarks"], *_of_result(estimates), *remarks)
        self.remarks: tuple[str, ...] = tuple(dict.fromkeys(found))

    @property
    def starts(self) -> Table:
        """Every start that was tried, and where it ended.

        Columns: for each parameter ``start_...`` and its name (float64, at the end),
        ``log_likelihood`` (float64), ``status`` and ``limit`` (string).
        """
        found, starts = self._estimates, self._estimates.info["starts"]
        begun = [found.in_unit(start["start"]) for start in starts]
        ended = [found.in_unit(start["end"]) for start in starts]
        offset = found.log_likelihood - found.info["log_likelihood"]
        columns: dict[str, tuple[str, list[Any]]] = {
            **{f"start_{name}": ("float64", [params[name] for params in begun]) for name in found.names},
            **{name: ("float64", [params[name] for params in ended]) for name in found.names},
            "log_likelihood": ("float64", [start["log_likelihood"] + offset for start in starts]),
            "status": ("string", [start["status"] for start in starts]),
            "limit": ("string", [start["limit"] for start in starts]),
        }
        return table_of(columns)

    @property
    def groups(self) -> Table:
        """The groups that have parameters of their own; empty without ``by``.

        Columns: ``group``, ``customers``, ``repeat_customers``, ``repeat_purchases`` (float64,
        sums of weights), each parameter and its standard error ``se_...``, ``log_likelihood``
        (float64), ``status`` and ``limit`` (string).
        """
        return table_of({"group": label_column(self._labels), **fit_columns(self._estimates.names, self._groups)})

    def __repr__(self) -> str:
        width = terminal_width()
        info = self._estimates.info
        end = f" up to {info['calibration_end']}" if info["calibration_end"] else ""
        lines = wrapped(f"{self._title} of {_count(info['customers'])} customers{end}{self._counted()}", width)
        lines += wrapped(f"{info['status']}{self._search()}", width)
        lines += self._table(width)
        found = self._estimates
        unit = f" (per {self._unit})" if self._unit else ""
        lines += wrapped(
            f"log-likelihood {found.log_likelihood:,.4f}{unit}, AIC {found.aic():,.2f}, BIC {found.bic():,.2f}", width
        )
        lines += self._more(width)
        for remark in self.remarks:
            lines += wrapped(f"- {remark}", width)
        return "\n".join(lines)

    def _counted(self) -> str:
        info = self._estimates.info
        again, times = _count(info["repeat_customers"]), _count(info["repeat_purchases"])
        return f", {again} of whom bought again, {times} times"

    def _search(self) -> str:
        info = self._estimates.info
        starts = len(info["starts"])
        decrement = "-" if info["decrement"] is None else f"{info['decrement']:.1e}"
        return (
            f": Newton decrement {decrement}, gradient {info['gradient_norm']:.1e}, "
            f"{info['evaluations']:,} evaluations from {starts} start{'' if starts == 1 else 's'}"
        )

    def _table(self, width: int) -> list[str]:
        rows: list[list[str]] = [["", "estimate", "std. error", "95 % interval"]]
        errors, intervals = self._estimates.standard_errors, self._estimates.intervals
        for name, value in self._estimates.params.items():
            ends = intervals[name]
            shown = "" if ends is None else f"{number(ends[0])} to {number(ends[1])}"
            rows.append([name, number(value), number(errors[name]) or "-", shown or "-"])
        return grid(rows, width)

    def _more(self, width: int) -> list[str]:
        if not self._groups:
            return []
        rows = [["group", "customers", *self._estimates.names, "status"]]
        for label, found in list(zip(self._labels, self._groups, strict=True))[:_GROUPS]:
            numbers = [number(value) for value in found.params.values()]
            rows.append([str(label), _count(found.info["customers"]), *numbers, found.info["status"]])
        more = len(self._groups) - _GROUPS
        return [*grid(rows, width), *([f"… {more:,} more groups"] if more > 0 else [])]


def fit_columns(names: tuple[str, ...], fits: list[Estimates]) -> dict[str, tuple[str, list[Any]]]:
    """Columns of fits: customers, parameters with standard errors, log-likelihood, status."""
    infos = [found.info for found in fits]
    return {
        "customers": ("float64", [info["customers"] for info in infos]),
        "repeat_customers": ("float64", [info["repeat_customers"] for info in infos]),
        "repeat_purchases": ("float64", [info["repeat_purchases"] for info in infos]),
        **{name: ("float64", [found.params[name] for found in fits]) for name in names},
        **{f"se_{name}": ("float64", [found.standard_errors[name] for found in fits]) for name in names},
        "log_likelihood": ("float64", [found.log_likelihood for found in fits]),
        "status": ("string", [info["status"] for info in infos]),
        "limit": ("string", [info["limit"] for info in infos]),
    }


def _of_result(found: Estimates) -> list[str]:
    """What the numbers of a fit mean."""
    info, remarks = found.info, []
    if info["status"] == "boundary":
        remarks.append(sentence_of_limit(info["limit"]))
    return remarks


def _count(customers: float) -> str:
    return f"{whole(customers):,}"

"""Sentences and tables about models of lifetime value, for the page of ``custcore clv`` and for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from custcore import clv
from custcore.cli import _render
from custcore.cli._clv_models import TITLES
from custcore.clv._estimates import TIMES
from custcore.clv._text import number

if TYPE_CHECKING:
    import custcore

__all__ = [
    "add_parameters",
    "alive_of",
    "as_plain",
    "compared",
    "decimal",
    "fit_sentence",
    "groups",
    "percent",
    "said_of_spend",
    "signed",
]

# Groups that are listed.
GROUPS = 10
# From here on frequent buyers spend so differently that one mean for all misleads.
DEPENDENT = 0.3


def fit_sentence(model: clv.PurchaseModel) -> str:
    """What a model was fitted on, and how the fit ended.

    Parameters
    ----------
    model
        A model of purchases.
    """
    title = TITLES[type(model).__name__]
    if model.status_ == "given":
        return f"{title} with given parameters"
    info = model._info()
    end = f" up to {info['calibration_end']}" if info["calibration_end"] else ""
    return (
        f"{title} of {model.n_customers_:,} customers{end}: {info['repeat_customers']:,.0f} bought again, on "
        f"{info['repeat_purchases']:,.0f} days. Fit: {_status(model)}."
    )


def _status(model: clv.PurchaseModel | clv.GammaGamma) -> str:
    words = {"converged": "converged", "boundary": "at a limit of the model", "not_converged": "no maximum found"}
    limit = f" ({model.limit_})" if model.limit_ else ""
    return words.get(model.status_, model.status_) + limit


def add_parameters(grid: _render.Grid, model: clv.PurchaseModel | clv.GammaGamma, unit: str) -> None:
    """Add a row for each parameter.

    Parameters
    ----------
    grid
        Where to.
    model, unit
        A model, and the unit of its times.
    """
    fitted = model.status_ != "given"
    errors = model.standard_errors_ if fitted else {}
    intervals = model.interval_ if fitted else {}
    for name, value in model.params_.items():
        ends = intervals.get(name)
        title = f"{name} ({unit}s)" if name in TIMES and unit else name
        title = f"{title} of spend" if isinstance(model, clv.GammaGamma) else title
        grid.add_row(
            title,
            number(value),
            number(errors.get(name)) or "-",
            f"{number(ends[0])} to {number(ends[1])}" if ends else "-",
        )


def groups(model: clv.PurchaseModel) -> _render.Grid:
    """Parameters of groups; the others have those of all customers.

    Parameters
    ----------
    model
        A model with groups.
    """
    rows = model.fit_.groups.to_pylist()
    grid = _render.Grid(
        [
            _render.Column(str(model.by), is_left=True),
            _render.Column("customers", rank=1),
            *(_render.Column(name) for name in model.params_),
            _render.Column("fit", is_left=True, rank=2),
        ]
    )
    for row in rows[:GROUPS]:
        label = "(none)" if row["group"] is None else str(row["group"])
        numbers = [number(row[name]) for name in model.params_]
        grid.add_row(label, f"{row['customers']:,.0f}", *numbers, row["limit"] or row["status"])
    if len(rows) > GROUPS:
        grid.add_row(f"... and {len(rows) - GROUPS:,} more groups")
    grid.add_row("others", "", *(number(value) for value in model.params_.values()), style="dim")
    return grid


def said_of_spend(spend: clv.GammaGamma) -> list[str]:
    """The mean of all customers, and whether spend depends on how often they buy.

    Parameters
    ----------
    spend
        A model of spend.
    """
    mean = spend.predict_one(0)
    said = f"Spend: Gamma-Gamma, {_status(spend) if spend.status_ != 'given' else 'given'}; "
    said += (
        "the mean of all customers is infinite (q <= 1)"
        if mean is None
        else (f"a purchase day of a new customer brings {_render.amount_text(mean)} on average")
    )
    if spend.status_ == "given":
        return [f"{said}."]
    fit = spend.fit_
    rank = fit.spearman
    found = [f"{said}. Spend and frequency: Spearman {decimal(rank)}, Pearson {decimal(fit.pearson)}."]
    if rank is not None and abs(rank) > DEPENDENT:
        means = ", ".join(
            f"{row['x']}: {_render.amount_text(row['mean_spend'])}" for row in fit.mean_by_x if row["customers"]
        )
        more, low = ("more", "low") if rank > 0 else ("less", "high")
        found.append(
            f"Customers who buy often spend {more} a day, which the model takes to be independent, so it values them "
            f"too {low}: compare --spend own_mean. Mean spend by repeat purchases: {means}."
        )
    return found


def compared(table: custcore.Table) -> _render.Grid:
    """Models beside each other.

    Parameters
    ----------
    table
        What `clv.compare` returned.
    """
    has_check = "rmse" in table.column_names
    columns = [
        _render.Column("model", is_left=True),
        _render.Column("log-likelihood", rank=2),
        _render.Column("AIC"),
        _render.Column("BIC", rank=3),
        _render.Column("ratio", rank=4, said="ratio of likelihoods to the NBD"),
    ]
    columns += [_render.Column("RMSE"), _render.Column("error", rank=1, said="error of the total")] if has_check else []
    grid = _render.Grid([*columns, _render.Column("fit", is_left=True, rank=1)])
    for row in table:
        cells = [TITLES[row["model"]], f"{row['log_likelihood']:,.2f}", f"{row['aic']:,.2f}", f"{row['bic']:,.2f}"]
        cells.append("-" if row["likelihood_ratio"] is None else f"{row['likelihood_ratio']:,.2f}")
        cells += [decimal(row["rmse"]), signed(row["total_error"])] if has_check else []
        grid.add_row(*cells, row["limit"] or row["status"])
    return grid


def as_plain(model: clv.PurchaseModel | clv.GammaGamma, unit: str | None) -> dict[str, Any]:
    """A model for JSON.

    Parameters
    ----------
    model, unit
        A model, and the unit of its times.
    """
    said: dict[str, Any] = {"class": type(model).__name__, "unit": unit, "parameters": model.params_}
    said |= {"status": model.status_, "limit": model.limit_}
    if model.status_ == "given":
        return said
    said |= {
        "standard_errors": model.standard_errors_,
        "intervals": model.interval_,
        "log_likelihood": model.log_likelihood_,
        "aic": model.aic_,
        "bic": model.bic_,
        "customers": model.n_customers_,
        "fingerprint": model.fingerprint_,
    }
    if isinstance(model, clv.GammaGamma):
        fit = model.fit_
        return said | {"pearson": fit.pearson, "spearman": fit.spearman, "mean_by_x": fit.mean_by_x.to_pylist()}
    return said | {"by": model.by, "groups": model.fit_.groups.to_pylist()}


def alive_of(model: clv.PurchaseModel) -> str:
    """The end of the sentence on the probability of being alive.

    Parameters
    ----------
    model
        A model of purchases.
    """
    return "; of one-time buyers 1 by construction of the BG/NBD." if isinstance(model, clv.BGNBD) else "."


def signed(value: float | None) -> str:
    """A share with its sign.

    Parameters
    ----------
    value
        The share.
    """
    return "-" if value is None else f"{value:+.1%}"


def percent(value: float | None) -> str:
    """A share.

    Parameters
    ----------
    value
        The share.
    """
    return "-" if value is None else f"{value:.1%}"


def decimal(value: float | None) -> str:
    """A number with three decimals.

    Parameters
    ----------
    value
        The number.
    """
    return "-" if value is None else f"{value:.3f}"

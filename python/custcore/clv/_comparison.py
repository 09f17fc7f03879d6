"""``custcore.clv.compare``: models of purchases on the same customers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from custcore._input import arguments
from custcore._input.data import as_source, in_memory
from custcore._input.proposals import proposing
from custcore.clv._models import NBD
from custcore.clv._purchases import PurchaseModel
from custcore.clv._summaries import read_summary
from custcore.clv._tables import table_of
from custcore.errors import InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from custcore import _core
    from custcore._input.data import Data
    from custcore.result import Table

__all__ = ["MEASURES", "PARAMETERS", "compare", "measures_of", "model_argument"]

# The parameters of all models.
PARAMETERS = ("r", "alpha", "a", "b", "s", "beta")
# What a hold-out shows.
MEASURES = (
    *("actual", "expected", "total_error", "mae", "rmse", "bias"),
    *("rank_correlation", "top_decile_share", "brier", "log_loss", "auc"),
)


@proposing
def compare(
    models: Sequence[PurchaseModel],
    summary: Data,
    *,
    weights: str | None = None,
    customer_id: str | Sequence[str] | None = None,
    unit: Literal["day", "week", "month", "year"] | None = None,
) -> Table:
    """Fit models of purchases to the same customers, and put them beside each other.

    Each is fitted anew, with its settings. The :class:`NBD`, in which nobody is lost, is
    fitted, too: ``likelihood_ratio`` is twice the gain of log-likelihood over it. It has no
    p value: the NBD is on the boundary of the others, where the usual distribution of the
    ratio does not hold.

    Parameters
    ----------
    models : list of models
        Models of purchases, fitted or not: each is fitted anew with its settings, and not
        changed. Their units must be the same.
    summary : table
        One row per customer, in days: what :meth:`custcore.CustomerBase.clv_summary`
        returns, or any such table. With a hold-out, expectations are compared with what
        happened.
    weights : str, optional
        Name of a column: how many customers a row stands for, or how much it counts.
        Default: 1.
    customer_id : str or list of str, optional
        The columns of ids. Default: those that the metadata of the summary names, else
        ``customer_id`` if it is there.
    unit : {"day", "week", "month", "year"}, optional
        The unit of the times of a summary from elsewhere, which may then be fractions.
        Default: whole days.

    Returns
    -------
    Table
        A row for each model, in their order: ``model`` (string), ``log_likelihood`` (float64),
        ``n_parameters`` (int64), ``aic``, ``bic``, ``likelihood_ratio`` (float64; null of the
        NBD), ``status``, ``limit`` (string), ``r``, ``alpha``, ``a``, ``b``, ``s``, ``beta``
        (float64, null where the model has no such parameter; of all customers where it has
        groups); with a hold-out also the measures of :meth:`Evaluation.summary` for purchases:
        ``actual``, ``expected``, ``total_error``, ``mae``, ``rmse``, ``bias``,
        ``rank_correlation``, ``top_decile_share``, ``brier``, ``log_loss``, ``auc`` (float64).

    Raises
    ------
    ConvergenceError
        If the search of a model found no maximum, unless it has ``on_failure="warn"``.
    InvalidArgumentError
        If the models have different units, in which their likelihoods cannot be compared.
    NotEnoughDataError
        If nobody bought again.

    Examples
    --------
    >>> import numpy as np, custcore
    >>> from custcore import clv
    >>> rng = np.random.default_rng(0)
    >>> age = rng.integers(200, 400, 3_000)
    >>> end = np.minimum(age, rng.exponential(150, 3_000)).astype(int)
    >>> x = np.minimum(rng.poisson(rng.gamma(0.8, 1 / 30, 3_000) * end), end)
    >>> t_x = np.where(
    ...     x > 0, np.maximum(x, (end * rng.random(3_000) ** 0.2).astype(int)), 0
    ... )
    >>> found = clv.compare([clv.ParetoNBD(), clv.MBGNBD()], {"x": x, "t_x": t_x, "T": age})
    >>> found.column_names[:4], min(found["likelihood_ratio"]) > 100
    (['model', 'log_likelihood', 'n_parameters', 'aic'], True)
    """
    listed = _listed(models)
    n_threads = listed[0]._n_threads
    # It is read once for each column of groups.
    kept: Data = in_memory(as_source(summary))
    reads: dict[str | None, _core.ClvSummary] = {}
    for by in dict.fromkeys([None, *(model.by for model in listed)]):
        reads[by] = read_summary(
            kept,
            customer_id=customer_id,
            by=by,
            weights=arguments.optional_name("weights", weights),
            unit=unit,
            n_threads=n_threads,
        )
    baseline = NBD(unit=listed[0].unit, n_threads=n_threads)._fitted_on(reads[None]).log_likelihood_  # type: ignore[arg-type]
    fits = [model._fitted_on(reads[model.by]) for model in listed]
    sizes = [len(model._names) * len(model._parts()) for model in fits]
    columns: dict[str, tuple[str, list[Any]]] = {
        "model": ("string", [model._family for model in fits]),
        "log_likelihood": ("float64", [model.log_likelihood_ for model in fits]),
        "n_parameters": ("int64", sizes),
        "aic": ("float64", [model.aic_ for model in fits]),
        "bic": ("float64", [model.bic_ for model in fits]),
        "likelihood_ratio": (
            "float64",
            [None if isinstance(model, NBD) else 2 * (model.log_likelihood_ - baseline) for model in fits],
        ),
        "status": ("string", [model.status_ for model in fits]),
        "limit": ("string", [model.limit_ for model in fits]),
        **{name: ("float64", [model.params_.get(name) for model in fits]) for name in PARAMETERS},
    }
    if reads[None].has_holdout:
        measured = [measures_of(model, reads[model.by])[0] for model in fits]
        columns |= {name: ("float64", [row[name] for row in measured]) for name in MEASURES}
    remarks = [f"{model._family}: {remark}" for model in fits for remark in model.fit_.remarks]
    return table_of(columns, remarks)


def measures_of(model: PurchaseModel, summary: _core.ClvSummary) -> list[dict[str, Any]]:
    """Rows of measures of purchases: of the model, then of the baselines."""
    from custcore.result import Table

    found, _ = model._model().evaluate(summary, spend=None, n_threads=model._n_threads)
    return [
        {name: None if value is None else float(value) if name in MEASURES else value for name, value in row.items()}
        for row in Table(found)
        if row["measure"] == "purchases"
    ]


def model_argument(argument: str, model: object) -> PurchaseModel:
    """A model of purchases."""
    if isinstance(model, type) and issubclass(model, PurchaseModel):
        raise InvalidTypeError(f"{argument} is the class {model.__name__}; pass a model, {model.__name__}()")
    if not isinstance(model, PurchaseModel):
        raise InvalidTypeError(
            f"{argument} is {type(model).__name__}; expected a model of purchases such as clv.MBGNBD()"
        )
    return model


def _listed(models: object) -> list[PurchaseModel]:
    if isinstance(models, PurchaseModel | str) or not isinstance(models, Iterable):
        raise InvalidTypeError(f"models is {type(models).__name__}; expected a list of models of purchases")
    found = [model_argument(f"models[{i}]", model) for i, model in enumerate(models)]
    if not found:
        raise InvalidArgumentError("models is empty; give at least one, such as [clv.MBGNBD(), clv.ParetoNBD()]")
    units = list(dict.fromkeys(model.unit for model in found))
    if len(units) > 1:
        raise InvalidArgumentError(
            f"the models have the units {', '.join(units)}; likelihoods are compared in one unit"
        )
    return found

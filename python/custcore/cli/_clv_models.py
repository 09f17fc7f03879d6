"""The models of ``custcore clv``: fitted or saved, checked against a hold-out, beside each other."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import click

from custcore import clv
from custcore.cli import _models, _run
from custcore.cli._failure import DataProblem, said
from custcore.errors import (
    ConvergenceError,
    CustcoreError,
    InternalError,
    InvalidArgumentError,
    NotEnoughDataError,
    SpendFrequencyWarning,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import custcore
    from custcore.cli._clv_input import Found

__all__ = ["FAMILIES", "TITLES", "Check", "Models", "Settings", "check", "compare", "explained", "fit", "load", "save"]

FAMILIES = {"mbgnbd": clv.MBGNBD, "bgnbd": clv.BGNBD, "pareto-nbd": clv.ParetoNBD, "nbd": clv.NBD}
# As the literature writes them.
TITLES = {"MBGNBD": "MBG/NBD", "BGNBD": "BG/NBD", "ParetoNBD": "Pareto/NBD", "NBD": "NBD"}


@dataclass(frozen=True)
class Settings:
    """What is fitted.

    Attributes
    ----------
    family : str
        One of `FAMILIES`.
    unit : str
        The unit of its parameters.
    by : str or None
        The column of its groups.
    spend : str
        "model", "own_mean" or "none".
    n_threads : int or None
        The number of threads.
    """

    family: str
    unit: str
    by: str | None
    spend: str
    n_threads: int | None


@dataclass(frozen=True)
class Models:
    """A model of purchases, and one of spend.

    Attributes
    ----------
    purchases : PurchaseModel
        Fitted, or with given parameters.
    spend : GammaGamma, "own_mean" or None
        The money of a purchase day.
    remarks : tuple of str
        What is said about them.
    """

    purchases: clv.PurchaseModel
    spend: clv.GammaGamma | Literal["own_mean"] | None
    remarks: tuple[str, ...] = ()

    def predict(self, found: Found, horizon: float | str | None, **options: Any) -> custcore.Table:  # noqa: ANN401
        """A row for each customer."""
        return self.purchases.predict(
            found.summary, horizon, spend=self.spend, as_of=found.as_of, **found.known, **options
        )

    def total(self, found: Found, horizon: float | str, level: float) -> dict[str, Any]:
        """All customers together."""
        table = self.purchases.total(found.summary, horizon, level=level, as_of=found.as_of, **found.known)
        return table.to_pylist()[0]

    def suited(self, settings: Settings, found: Found, path: Path) -> Models:
        """Saved models for customers with or without money."""
        self.purchases._n_threads = settings.n_threads
        if not found.has_amounts or settings.spend == "none":
            return replace(self, spend=None)
        if settings.spend == "own_mean":
            return replace(self, spend="own_mean")
        if self.spend is None:
            remark = (
                f"there is no model of spend beside {path} ({_of_spend(path).name}), so money is not predicted; "
                "--spend own_mean takes each customer's own mean"
            )
            return replace(self, remarks=(*self.remarks, remark))
        return self


@dataclass(frozen=True)
class Check:
    """What was expected of a hold-out, and what happened.

    Attributes
    ----------
    evaluation : Evaluation
        The numbers.
    models : Models
        What was checked.
    calibration_end : str or None
        The last day that it saw.
    is_same : bool
        Whether it is the model that predicts.
    remarks : tuple of str
        What is said about it.
    """

    evaluation: clv.Evaluation
    models: Models
    calibration_end: Any
    is_same: bool
    remarks: tuple[str, ...] = field(default=())


def fit(found: Found, summary: Any, settings: Settings) -> Models:  # noqa: ANN401 (a table)
    """Fit models to a summary.

    Parameters
    ----------
    found
        What was read.
    summary
        The part of it to fit.
    settings
        What to fit.
    """
    spend: clv.GammaGamma | Literal["own_mean"] | None = None
    remarks: list[str] = []
    with _remarked(remarks):
        model = FAMILIES[settings.family](unit=settings.unit, by=settings.by, n_threads=settings.n_threads)  # type: ignore[arg-type]
        model.fit(summary, **found.known)
        if found.has_amounts and settings.spend == "own_mean":
            spend = "own_mean"
        elif found.has_amounts and settings.spend == "model":
            try:
                spend = clv.GammaGamma(n_threads=settings.n_threads).fit(summary, **found.known)
            except (NotEnoughDataError, ConvergenceError) as error:
                remarks.append(f"money is not predicted: {said(error).rstrip('. ')}")
    return Models(model, spend, tuple(remarks))


def check(found: Found, models: Models, settings: Settings, *, is_saved: bool) -> Check | None:
    """Compare with what happened, if that is known.

    Parameters
    ----------
    found
        What was read.
    models
        The models that predict. Of purchases others are fitted on calibration only, unless these are saved ones.
    settings
        What to fit.
    is_saved
        Whether the models are saved ones.
    """
    if found.check is None:
        return None
    remarks: list[str] = []
    is_same = is_saved or found.kind == "summary"
    checked = models if is_same else fit(found, found.check, settings)
    with _remarked(remarks):
        evaluation = checked.purchases.evaluate(found.check, spend=checked.spend, **found.known)
    end = None if found.kind == "summary" else found.check_end
    seen = checked.purchases._parameters_info()["calibration_end"]
    if is_saved and end and seen and seen > end:
        remarks.append(
            f"the saved model has seen days of the check: it was fitted up to {seen}, and the check begins after {end}"
        )
    own = tuple(f"of the check: {remark}" for remark in checked.remarks if remark not in models.remarks)
    return Check(evaluation, checked, end, is_same, (*own, *remarks))


def compare(found: Found, settings: Settings) -> custcore.Table:
    """Fit all models to the same customers: to those of the check, if there is one."""
    models = [
        kind(unit=settings.unit, by=settings.by, on_failure="warn", n_threads=settings.n_threads)  # type: ignore[arg-type]
        for kind in FAMILIES.values()
    ]
    with _remarked([]):
        return clv.compare(models, found.summary if found.check is None else found.check, **found.known)


def load(path: Path) -> Models:
    """Read a saved model of purchases, and that of spend beside it, if there is one."""
    purchases = _models.load(path, (clv.PurchaseModel,), "--with")
    beside = _of_spend(path)
    if not beside.exists():
        return Models(purchases, None)
    spend: clv.GammaGamma = _models.load(beside, (clv.GammaGamma,), "--with")
    ends = [model._parameters_info()["calibration_end"] for model in (purchases, spend)]
    if None in ends or ends[0] == ends[1]:
        return Models(purchases, spend)
    remark = f"{path} was fitted up to {ends[0]}, and {beside} beside it, the model of spend, up to {ends[1]}"
    return Models(purchases, spend, (remark,))


def save(models: Models, path: Path) -> list[Path]:
    """Write the model of purchases, and that of spend beside it; their names."""
    beside = _of_spend(path)
    if not isinstance(models.spend, clv.GammaGamma):
        if beside.exists():
            raise click.UsageError(
                f"{beside} is a model of spend of an earlier fit, and this one has none: --with would take it beside "
                f"{path}; remove it, or choose another name"
            )
        models.purchases.save(path)
        return [path]
    models.purchases.save(path)
    models.spend.save(beside)
    return [path, beside]


@contextmanager
def explained(found: Found) -> Iterator[None]:
    """Errors of models with the name of the file, and a way out."""
    try:
        yield
    except (InternalError, InvalidArgumentError):
        raise
    except ConvergenceError as error:
        raise DataProblem(
            f"{found.label}: {said(error).rstrip('. ')}. Try another --model, or more purchases"
        ) from error
    except CustcoreError as error:
        if found.source is None:
            raise
        raise _run.explained(error, found.source, {}) from error


def _of_spend(path: Path) -> Path:
    """Where the model of spend is: ``clv.spend.json`` beside ``clv.json``."""
    return path.with_suffix(f".spend{path.suffix}")


@contextmanager
def _remarked(remarks: list[str]) -> Iterator[None]:
    """Warnings become remarks; that spend depends on frequency is said with the numbers."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    texts = [said(one.message) for one in caught if not issubclass(one.category, SpendFrequencyWarning)]
    remarks += [text for text in dict.fromkeys(texts) if text not in remarks]

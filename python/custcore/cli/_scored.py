"""What is reported of customers that a model scored: segments, clusters or scores, and the drift since the fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import custcore
from custcore.cli import _kmeans, _render, _rfm
from custcore.errors import NotEnoughDataError

if TYPE_CHECKING:
    from rich.console import Console

    from custcore.cli._grid import Grid
    from custcore.cli._models import Model, Needs

__all__ = ["drift_of", "parts_of", "show_scored"]

# Rules of thumb for the population stability index: below the first nothing has changed, above the second fit again.
STABLE, SHIFTED = 0.1, 0.25


def drift_of(model: Model, customers: Any, threads: int | None) -> list[dict[str, Any]]:  # noqa: ANN401
    """The rows of `drift`; none for clusters, whose model keeps no sizes, and without customers.

    Parameters
    ----------
    model
        A fitted model.
    customers
        One row per customer.
    threads
        How many, or None.
    """
    if isinstance(model, custcore.KMeans):
        return []
    try:
        return model.drift(customers, n_threads=threads).to_pylist()
    except NotEnoughDataError:
        return []


def parts_of(model: Model | None, table: custcore.Table, needs: Needs) -> dict[str, Any]:
    """Segments, clusters or scores with their sizes, as they are reported.

    Parameters
    ----------
    model
        A fitted model, or None for customers without scores.
    table
        What `apply` returned.
    needs
        What the model needs.
    """
    if isinstance(model, custcore.KMeans):
        return {"clusters": model.profile(table).to_pylist() if table.num_rows else []}
    if isinstance(model, custcore.QuantileScorer):
        return {"scores": model.drift(table, by_score=True).to_pylist() if table.num_rows else []}
    segments, everyone = _rfm.profiles(table, **needs.measures)
    return {"segments": segments, "all": {name: value for name, value in everyone.items() if name != "segment"}}


def show_scored(out: Console, parts: dict[str, Any], needs: Needs, drift: list[dict[str, Any]]) -> None:
    """Print segments, clusters or scores, and the drift.

    Parameters
    ----------
    out
        What `_render.console` opened.
    parts, needs, drift
        What `parts_of` returned, what the model needs, what `drift_of` returned.
    """
    if "clusters" in parts:
        out.print(_kmeans.grid(parts["clusters"], list(needs.columns)))
        _render.say(out, "Features: means per customer. A model of clusters keeps no sizes of its fit: no drift.")
        return
    if "scores" in parts:
        out.print(_shares(parts["scores"]))
    else:
        counted = needs.measures.get("frequency", "orders")
        out.print(_render.segment_grid(parts["segments"], parts["all"], counted))
        money = ", money" if parts["all"].get("revenue") is not None else ""
        _render.say(out, f"Recency in days, {counted}{money}: means per customer.")
    if drift:
        out.print()
        out.print(_drift_grid(drift))
        _render.say(
            out,
            f"PSI, the population stability index against the fit: below {STABLE:g} nothing has changed; above "
            f"{SHIFTED:g} fit the model again.",
        )


def _drift_grid(drift: list[dict[str, Any]]) -> Grid:
    """The population stability index of each dimension."""
    grid = _render.table("dimension", "of the fit", "now", "PSI", "")
    for row in drift:
        psi = row["psi"]
        word = "stable" if psi < STABLE else "shifted" if psi <= SHIFTED else "fit again"
        cells = (row["dimension"], f"{row['customers_fitted']:,}", f"{row['customers_now']:,}")
        grid.add_row(*cells, f"{psi:.3f}", word)
    return grid


def _shares(scores: list[dict[str, Any]]) -> Grid:
    grid = _render.table("column", "score", "share of the fit", "share now")
    last = None
    for row in scores:
        name = row["dimension"] if row["dimension"] != last else ""
        last = row["dimension"]
        cells = (name, str(row["score"]), f"{row['share_fitted']:.1%}", f"{row['share_now']:.1%}")
        grid.add_row(*cells)
    return grid

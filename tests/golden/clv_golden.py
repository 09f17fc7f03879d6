"""Golden files of lifetime value: where they are, how they are read, and a table of the largest errors."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import custcore
from custcore import clv
from tests.reference_data import outside

SETS = ("cdnow_sample", "apparel")
# Class by the key of the golden files.
MODELS: dict[str, Any] = {"bgnbd": clv.BGNBD, "mbgnbd": clv.MBGNBD, "pareto": clv.ParetoNBD}
WEEKS = {"cdnow_sample": 39, "apparel": 52}
CALIBRATION_END = {"cdnow_sample": date(1997, 9, 30), "apparel": date(2006, 12, 31)}
DATA_END = {"cdnow_sample": date(1998, 6, 30), "apparel": date(2010, 12, 20)}


class Worst:
    """The largest error of each quantity, beside what is fair; printed with `pytest -s`."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.rows: dict[str, tuple[int, float, float]] = {}

    def check(
        self, name: str, found: Any, wanted: Any, fair: float, *, scale: Any = None, at_least: float = 0.0
    ) -> None:
        """Assert |found - wanted| <= fair * scale; the scale is |wanted| if not given, and at least `at_least`."""
        found, wanted = (np.asarray(values, dtype=float) for values in (found, wanted))
        assert found.shape == wanted.shape, (name, found.shape, wanted.shape)
        assert np.isfinite(found).all(), (name, found[~np.isfinite(found)])
        sizes = np.maximum(np.abs(wanted) if scale is None else scale, at_least)
        error = np.abs(found - wanted)
        relative = np.divide(error, sizes, out=np.where(error > 0, np.inf, 0.0), where=sizes > 0)
        worst = float(relative.max(initial=0.0))
        count, before, _ = self.rows.get(name, (0, 0.0, fair))
        self.rows[name] = (count + relative.size, max(before, worst), fair)
        where = int(relative.argmax()) if relative.size else 0
        assert worst <= fair, (
            f"{name}: {worst:.3g} > {fair:g} at {where}: {found.flat[where]!r}, {wanted.flat[where]!r}"
        )

    def __str__(self) -> str:
        lines = [f"\n{self.title}", f"{'':44}{'values':>8}{'worst':>11}{'fair':>9}"]
        lines += [f"{name:44}{count:8}{worst:11.2g}{fair:9.0e}" for name, (count, worst, fair) in self.rows.items()]
        return "\n".join(lines)


@contextmanager
def worst_of(title: str) -> Iterator[Worst]:
    table = Worst(title)
    yield table
    if table.rows:
        print(table)


def folder() -> Path:
    """Of the golden files; without it the test is skipped."""
    return outside("cdnow").golden / "clv"


@cache
def fit_of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder() / f"oracle_{name}_fit.json").read_text())
    return found


def input_of(name: str, *, whole_days: bool = False) -> pa.Table:
    """The summary that the references were fitted to: in weeks, or in days where these are whole."""
    rows = pq.read_table(folder() / f"input_{name}_cbs.parquet")
    times = [rows["recency_weeks"].to_numpy(), rows["t_weeks"].to_numpy()]
    if whole_days:
        days = [np.rint(7 * time) for time in times]
        assert all(np.abs(7 * time - day).max() < 1e-6 for time, day in zip(times, days, strict=True))
        times = [day.astype(np.int32) for day in days]
    x = rows["frequency"].to_numpy().astype(np.int32)
    m_x = pa.array(rows["mean_spend"].to_numpy(), mask=x == 0)
    return pa.table({"customer_id": rows[0], "x": x, "t_x": times[0], "T": times[1], "m_x": m_x})


def spend_of(name: str) -> pa.Table:
    """x and mean spend of a set, for the model of spend, which looks at no times: these are rounded to days."""
    rows = input_of(name)
    for column in ("t_x", "T"):
        days = np.maximum(np.rint(7 * rows[column].to_numpy()), 0).astype(np.int32)
        rows = rows.set_column(rows.column_names.index(column), column, pa.array(days))
    return rows


@cache
def base_of(name: str) -> custcore.CustomerBase:
    """The transactions of a set; customers of the CDNOW sample have the numbers of the sample."""
    file, columns = {
        "cdnow_sample": ("cdnow/cdnow_sample.parquet", ("sample_id", "date", "spend")),
        "apparel": ("apparel/apparel_trans.parquet", ("customer_id", "date", "price")),
    }[name]
    rows = pq.read_table(outside(name.partition("_")[0]).data / file).select(list(columns))
    base = custcore.CustomerBase(track="days")
    base.update(rows.rename_columns(["customer_id", "timestamp", "amount"]))
    return base


def in_days(rows: pa.Table, per_unit: float) -> pa.Table:
    """Times of a summary in days, as floats."""
    for name in ("t_x", "T"):
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(rows[name].to_numpy() * per_unit))
    return rows


def column(table: Any, name: str) -> np.ndarray:
    """A column as floats, null as NaN."""
    return np.array([np.nan if value is None else value for value in pa.table(table)[name].to_pylist()], dtype=float)


@contextmanager
def quietly() -> Iterator[None]:
    """Without the warnings that a history of a test deserves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def model_of(key: str, parameters: Iterable[float] | dict[str, float], unit: str = "week") -> Any:
    """A model of known parameters."""
    names = ("r", "alpha", "s", "beta") if key == "pareto" else ("r", "alpha", "a", "b")
    given = parameters if isinstance(parameters, dict) else dict(zip(names, parameters, strict=True))
    return MODELS[key].of_parameters({name: given[name] for name in names}, unit=unit)

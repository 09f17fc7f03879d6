"""Cases of the bench of lifetime value, their input, and the comparison of results."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benches.harness import Input, UnequalError

Model = Literal["NBD", "BGNBD", "MBGNBD", "ParetoNBD", "GammaGamma"]
Task = Literal["fit", "predict", "both"]
Data = Literal["simulated", "cdnow"]
MODELS: tuple[Model, ...] = get_args(Model)
TASKS: tuple[Task, ...] = get_args(Task)
DATA: tuple[Data, ...] = get_args(Data)

# The maxima of CDNOW (Fader, Hardie & Lee 2005; Fader & Hardie 2013), in weeks.
PARAMETERS: dict[str, dict[str, float]] = {
    "NBD": {"r": 0.385, "alpha": 12.07},
    "BGNBD": {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426},
    "MBGNBD": {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614},
    "ParetoNBD": {"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669},
    "GammaGamma": {"p": 6.25, "q": 3.74, "gamma": 15.44},
}
# First purchases of customers lie within two years, and the last year is not among them.
DAYS = (365, 1095)
HORIZON_DAYS = 91
CHUNK = 1 << 20
# A fit may fall short of the best log-likelihood by this in total: parameters within half a standard error.
SHORT = 0.1
TOLERANCE = 1e-8


@dataclass(frozen=True)
class ClvCase:
    """One model fitted to, or predicting, a number of customers.

    Parameters
    ----------
    customers
        Of simulated data, those of CDNOW are 23,570.
    model
        The class.
    task
        ``"fit"``: parameters, with what else a library computes in its fit. ``"predict"``: p_alive and expected
        purchases in 13 weeks at given parameters, with what else comes with it. ``"both"``: one after the other.
    data
        Simulated histories on a grid of days, or CDNOW from the folder ``CUSTCORE_SHARED``.
    """

    customers: int
    model: Model = "BGNBD"
    task: Task = "fit"
    data: Data = "simulated"
    threads: int = 2
    seed: int = 0

    @property
    def key(self) -> str:
        """The unique name of the case."""
        words = [
            f"{self.customers} customers",
            self.model,
            self.task,
            "" if self.data == "simulated" else self.data,
            f"{self.threads} threads",
            f"seed {self.seed}" if self.seed else "",
        ]
        return ", ".join(word for word in words if word)


class ClvInput:
    """Writes the input of a case, and compares results."""

    name = "clv"
    case = ClvCase

    def write(self, case: ClvCase, folder: Path) -> Input:
        """Write a summary (customer_id, x, t_x, T in days, m_x) as an Arrow file."""
        path = folder / "summary.arrow"
        table = cdnow() if case.data == "cdnow" else simulated(case)
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        size = table.nbytes
        return Input(path, in_memory=size, grouped=0, to_read=size)

    def compare(self, case: ClvCase, expected: pa.Table, found: pa.Table) -> dict[str, int]:
        """Fits by their log-likelihood, which has to be the same maximum; predictions by value."""
        if "log_likelihood" in expected.column_names:
            ours, theirs = (table["log_likelihood"][0].as_py() for table in (expected, found))
            if not abs(ours - theirs) < SHORT:
                raise UnequalError(f"log-likelihood {theirs}, ours {ours}; {found.to_pylist()}, {expected.to_pylist()}")
            return {"millionths of log-likelihood short": max(0, round(1e6 * (ours - theirs)))}
        for name in expected.column_names:
            ours, theirs = (table[name].to_numpy() for table in (expected, found))
            # Each has parameters of its own in "both".
            tolerance = 1e-2 if case.task == "both" else TOLERANCE
            if not np.allclose(theirs, ours, rtol=tolerance, atol=tolerance):
                raise UnequalError(f"{name} by up to {np.nanmax(np.abs(theirs - ours))}")
        return {}


def load(path: Path) -> pa.Table:
    """The summary, in memory."""
    with pa.OSFile(str(path), "rb") as file:
        return pa.ipc.open_file(file).read_all().combine_chunks()


def simulated(case: ClvCase) -> pa.Table:
    """Customers who behave as the model says, rounded to days: of two purchases on a day one is seen."""
    rng = np.random.default_rng(case.seed)
    parts = [_part(case.model, min(CHUNK, case.customers - at), rng) for at in range(0, case.customers, CHUNK)]
    ids = pa.array(np.arange(case.customers, dtype=np.int64))
    return pa.concat_tables(parts).add_column(0, "customer_id", ids).combine_chunks()


def _part(model: Model, n: int, rng: np.random.Generator) -> pa.Table:
    family = "BGNBD" if model == "GammaGamma" else model
    params = PARAMETERS[family]
    age = rng.integers(DAYS[0], DAYS[1] + 1, n)
    rate = rng.gamma(params["r"], 1 / (7 * params["alpha"]), n)
    seen = age.astype(float)
    if family == "ParetoNBD":
        seen = np.minimum(seen, rng.exponential(1 / rng.gamma(params["s"], 1 / (7 * params["beta"]), n)))
    count = rng.poisson(rate * seen)
    x = count
    if family in ("BGNBD", "MBGNBD"):
        p = np.maximum(rng.beta(params["a"], params["b"], n), 1e-9)
        x = np.minimum(count, rng.geometric(p) - (family == "MBGNBD"))
    some = x > 0
    last = np.zeros(n)
    last[some] = seen[some] * rng.beta(x[some], count[some] - x[some] + 1)
    # The distinct days among x uniform ones, about: two purchases on a day are one.
    t_x = np.minimum(np.ceil(last), age).astype(np.int32)
    days = np.maximum(t_x, 1)
    x = np.where(some, np.minimum(np.ceil(days * -np.expm1(-x / days)), days), 0).astype(np.int32)
    money = PARAMETERS["GammaGamma"]
    counted = np.maximum(x, 1)
    spend = rng.gamma(money["p"] * counted) / rng.gamma(money["q"], 1 / money["gamma"], n) / counted
    m_x = pa.array(spend, mask=~some)
    return pa.table({"x": x, "t_x": np.where(some, t_x, 0).astype(np.int32), "T": age.astype(np.int32), "m_x": m_x})


def cdnow() -> pa.Table:
    """All customers of CDNOW up to 1997-09-30; the set may not be shipped."""
    folder = Path(os.environ.get("CUSTCORE_SHARED", Path(__file__).resolve().parents[4] / "shared"))
    rows = pq.read_table(folder / "data" / "cdnow" / "cdnow_master.parquet").to_pandas()
    end = np.datetime64("1997-09-30")
    rows["date"] = rows["date"].astype("datetime64[s]")
    days = rows[rows["date"] <= end].groupby(["customer_id", "date"], as_index=False)["spend"].sum()
    groups = days.groupby("customer_id")
    first, last, n = groups["date"].min(), groups["date"].max(), groups.size()
    repeats = days[days["date"] > days["customer_id"].map(first)].groupby("customer_id")["spend"].mean()
    spend = repeats.reindex(first.index)
    columns: dict[str, Any] = {
        "customer_id": first.index.to_numpy(np.int64),
        "x": (n - 1).to_numpy(np.int32),
        "t_x": (last - first).dt.days.to_numpy(np.int32),
        "T": (end - first).dt.days.to_numpy(np.int32),
        "m_x": pa.array(spend.to_numpy(), from_pandas=True),
    }
    return pa.table(columns)

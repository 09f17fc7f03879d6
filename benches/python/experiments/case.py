"""Cases of the bench of experiments, their input, and the comparison of results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa

from benches.data import DAYS, FIRST_DAY
from benches.harness import Input, UnequalError
from benches.python.rfm.case import RfmCase, RfmInput

if TYPE_CHECKING:
    from pathlib import Path

    from benches.data import IdKind

Task = Literal["table", "transactions"]
TASKS: tuple[Task, ...] = ("table", "transactions")

GROUPS = ("control", "mail", "sms")
RESULT = ["metric", "group", "effect", "se"]
METRICS = ("revenue", "orders", "active", "average_order_value")
# Exposure two thirds of the way; 90 days before and after.
EXPOSED = 2 * DAYS // 3
WINDOW = 90
TOLERANCE = 1e-6


@dataclass(frozen=True)
class ExperimentCase:
    """Four metrics of three groups, adjusted by the window before.

    Parameters
    ----------
    task
        "table": a row for each customer is given. "transactions": windows are made of transactions, ten a customer.
    """

    customers: int
    task: Task = "table"
    ids: IdKind = "dense"
    threads: int = 2
    seed: int = 0

    @property
    def key(self) -> str:
        """The unique name of the case."""
        words = [
            f"{self.customers} customers",
            self.task,
            f"{self.ids} ids" if self.task == "transactions" else "",
            f"{self.threads} threads",
            f"seed {self.seed}" if self.seed else "",
        ]
        return ", ".join(word for word in words if word)


def group_of(ids: np.ndarray) -> np.ndarray:
    """The group of each customer, by a hash of the id: half in control."""
    mixed = ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return np.minimum((mixed >> np.uint64(62)).astype(np.int8) - 1, 2).clip(0)


def experiment(ids: np.ndarray) -> pa.Table:
    """The groups as a table."""
    groups = pa.DictionaryArray.from_arrays(pa.array(group_of(ids)), pa.array(GROUPS))
    return pa.table({"customer_id": pa.array(ids), "group": groups})


class ExperimentInput:
    """Writes the input of a case, and compares results."""

    name = "experiments"
    case = ExperimentCase

    def write(self, case: ExperimentCase, folder: Path) -> Input:
        """Write the rows as an Arrow file."""
        path = folder / "rows.arrow"
        if case.task == "table":
            batches = [_customers(case, first) for first in range(0, case.customers, 1 << 20)]
            with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, batches[0].schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)
            size = sum(batch.nbytes for batch in batches)
            return Input(path, in_memory=size, grouped=1 << 20, to_read=size)
        purchases = RfmCase(10 * case.customers, case.customers, ids=case.ids, seed=case.seed)
        return RfmInput().write(purchases, folder)

    def compare(self, _case: ExperimentCase, expected: pa.Table, found: pa.Table) -> dict[str, int]:
        """Effects and standard errors are equal within 1e-6."""
        ours, theirs = (
            {(row["metric"], row["group"]): row for row in table.to_pylist()} for table in (expected, found)
        )
        if set(ours) != set(theirs):
            raise UnequalError(f"the rows {sorted(ours)} and {sorted(theirs)}")
        for key, row in ours.items():
            for name in ("effect", "se"):
                if not np.isclose(theirs[key][name], row[name], rtol=TOLERANCE, atol=TOLERANCE * abs(row["se"])):
                    raise UnequalError(f"{name} of {key}: {row[name]} and {theirs[key][name]}")
        return {}


def _customers(case: ExperimentCase, first: int) -> pa.RecordBatch:
    """Customers with heavy tails: most buy nothing, a few buy often and for much."""
    n = min(1 << 20, case.customers - first)
    random = np.random.default_rng([case.seed, first])
    rate = random.gamma(0.5, 2.0, n)
    ids = np.arange(first, first + n)
    groups = group_of(ids)
    orders = {name: random.poisson(rate).astype(np.int32) for name in ("before", "after")}
    money = {name: np.round(count * random.lognormal(3.0, 1.0, n), 2) for name, count in orders.items()}
    total = orders["before"] + random.poisson(rate).astype(np.int32)
    return pa.record_batch(
        {
            "customer_id": ids,
            "group": pa.DictionaryArray.from_arrays(pa.array(groups), pa.array(GROUPS)),
            "orders_before": orders["before"],
            "orders_after": orders["after"],
            "revenue_before": money["before"],
            "revenue_after": money["after"],
            "n_orders": total,
            "monetary_total": np.round(money["before"] * 1.5, 2),
        }
    )


def exposure() -> np.datetime64:
    """The day of exposure."""
    return (FIRST_DAY + np.timedelta64(EXPOSED, "D")).astype("datetime64[D]")

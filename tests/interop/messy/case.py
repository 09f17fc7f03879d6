"""A messy file: its bytes, what a user expects of it, and the oracle that reads it with options named by hand."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

__all__ = ["Case", "Oracle", "csv", "frame", "rows"]

ROLES = {"customer_id": "customer_id", "timestamp": "timestamp", "amount": "amount"}
Oracle = Callable[[Path], "pd.DataFrame"]


@dataclass(frozen=True)
class Case:
    """One file.

    Attributes
    ----------
    name
        Of the file.
    what
        What is messy about it.
    expects
        What a user expects.
    data
        Its bytes, or what writes it.
    oracle
        Reads it with pandas or DuckDB and the right options; None if an error is right.
    error
        Words of the error; underscores also stand for the hyphens of the command line.
    options
        Of `custcore.read`.
    note
        Words of a note, where the file is read only with a remark.
    """

    name: str
    what: str
    expects: str
    data: bytes | Callable[[Path], object]
    oracle: Oracle | None = None
    error: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    def write(self, folder: Path) -> Path:
        """Make the file in a folder."""
        path = folder / self.name
        if callable(self.data):
            self.data(path)
        else:
            path.write_bytes(self.data)
        return path

    @property
    def words(self) -> list[str]:
        """The options of the command line."""
        words = []
        for name, value in self.options.items():
            if name == "text":
                words.append("--text-ids")
                continue
            for one in [",".join(value)] if name == "names" else [value] if isinstance(value, str) else value:
                words += [f"--{name.replace('_', '-')}", str(one)]
        return words


def csv(*, time: str | None = None, **options: Any) -> Oracle:
    """The oracle of CSV: `pandas.read_csv` with these options, and times in this format (default: ISO)."""

    def read(path: Path) -> pd.DataFrame:
        table = pd.read_csv(path, **options)
        table["timestamp"] = pd.to_datetime(table["timestamp"], format=time)
        return table

    return read


def frame(text: str, **options: Any) -> Oracle:
    """The oracle of what no library reads: the same rows, written plainly by hand."""
    import io

    return lambda path: csv(**options)(io.StringIO("customer_id,timestamp,amount\n" + text))


def rows(table: Any) -> list[tuple[Any, Any, Any]]:
    """Customers, times and amounts as Python values, of a DataFrame or of columns by name."""
    columns = [[_plain(value) for value in table[name]] for name in ROLES]
    # pandas makes whole numbers floats where one is missing.
    ids = columns[0]
    if all(one is None or (isinstance(one, float) and one.is_integer()) for one in ids):
        columns[0] = [None if one is None else int(one) for one in ids]
    return list(zip(*columns, strict=True))


def _plain(value: Any) -> Any:
    """Times without a zone are those of UTC; whole floats are integers; NaN and NaT are None."""
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, pd.Timestamp):
        value = value.to_pydatetime()
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, dt.date):
        return dt.datetime.combine(value, dt.time())
    if hasattr(value, "item"):
        value = value.item()
    return value if isinstance(value, str | int) else float(value)

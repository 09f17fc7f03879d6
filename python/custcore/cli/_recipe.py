"""The usual RFM recipe in pandas, which custcore is compared with.

    snapshot = df[timestamp].max() + pd.Timedelta(days=1)
    rfm = df.groupby(customer_id).agg(last=(timestamp, "max"), frequency=(order_id, "nunique"),
                                      monetary=(amount, "sum"))
    rfm["recency"] = (snapshot - rfm["last"]).dt.days
    r = pd.qcut(rfm["recency"], 5, labels=[5, 4, 3, 2, 1])
    f = pd.qcut(rfm["frequency"], 5, labels=[1, 2, 3, 4, 5])
    m = pd.qcut(rfm["monetary"], 5, labels=[1, 2, 3, 4, 5])

If ``pd.qcut`` fails because many values are equal ("Bin edges must be unique"), the usual fallback is
``rank(method="first")``, which is also used here; the frequency of real customers nearly always needs it. Without an
order id, the frequency is the ``count`` of times.

This is an efficient version: notebooks often use ``lambda`` in ``agg``, which is a hundred times slower.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SCORES", "VALUES", "Recipe", "frame_of", "run"]

VALUES = ("recency", "frequency", "monetary")
SCORES = ("r_score", "f_score", "m_score")


@dataclasses.dataclass
class Recipe:
    """The result of the recipe: values and scores by customer, and the method of each score."""

    table: pd.DataFrame
    snapshot: Any
    cut: dict[str, str]  # by score: "qcut", "rank" (qcut failed on equal values) or "failed" (both did)


def frame_of(table: Any, timestamp: str, amount: str | None) -> pd.DataFrame:  # noqa: ANN401
    """Build the DataFrame that a notebook would have: times as datetime64, decimal money as floats.

    Parameters
    ----------
    table : pyarrow.Table
        The columns that are needed.
    timestamp, amount
        Names of columns.
    """
    import pandas as pd
    import pyarrow as pa

    if amount is not None and pa.types.is_decimal(table.schema.field(amount).type):
        position = table.schema.get_field_index(amount)
        table = table.set_column(position, amount, table[amount].cast(pa.float64()))
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    frame[timestamp] = pd.to_datetime(frame[timestamp])
    return frame


def run(frame: pd.DataFrame, *, customer_id: str, timestamp: str, amount: str | None, order_id: str | None) -> Recipe:
    """Run the recipe.

    Parameters
    ----------
    frame
        What `frame_of` made.
    customer_id, timestamp, amount, order_id
        Names of columns.
    """
    import pandas as pd

    snapshot = frame[timestamp].max() + pd.Timedelta(days=1)
    wanted = {"last": (timestamp, "max"), "frequency": (order_id, "nunique") if order_id else (timestamp, "count")}
    if amount is not None:
        wanted["monetary"] = (amount, "sum")
    table: pd.DataFrame = frame.groupby(customer_id, observed=True).agg(**wanted)
    table["recency"] = (snapshot - table["last"]).dt.days
    cut = {}
    for value, score in zip(VALUES, SCORES, strict=True):
        if value in table:
            table[score], cut[score] = _cut(table[value], reverse=value == "recency")
    return Recipe(table, snapshot, cut)


def _cut(values: pd.Series[Any], *, reverse: bool) -> tuple[Any, str]:
    import pandas as pd

    labels = [5, 4, 3, 2, 1] if reverse else [1, 2, 3, 4, 5]
    for how in ("qcut", "rank"):
        try:
            return pd.qcut(values if how == "qcut" else values.rank(method="first"), 5, labels=labels), how
        except ValueError:
            continue
    return pd.Series(pd.NA, index=values.index, dtype="Int8"), "failed"

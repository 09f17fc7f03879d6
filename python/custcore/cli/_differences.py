"""Compares the pandas recipe and custcore, customer by customer, and finds the reasons of differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import custcore
from custcore.cli._recipe import SCORES, VALUES, Recipe

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["CAUSES", "compare"]

# The columns of custcore that correspond to those of the recipe.
OURS = {"recency": "recency_days", "frequency": "n_orders", "monetary": "monetary_total"}

# Relative tolerance for equal float sums.
ROUNDING = 1e-9

CAUSES = {
    "refunds": "An order below 0 is not a purchase in custcore: it makes no order and moves no date. "
    "pandas counts it like any other.",
    "time of day": "pandas counts periods of 24 hours up to a moment of the last day, custcore calendar days.",
    "last day": "The last row has no customer id, so it is not in custcore's period; pandas counts days from it.",
    "order over midnight": "custcore dates an order by its first line, pandas by the customer's last line.",
    "no order id": "A row without an order id is an order by itself in custcore; nunique ignores it.",
    "no time": "A row without a time is left out (and reported) by custcore; pandas adds its money all the same.",
    "float sum": "pandas adds binary fractions, custcore counts decimals: 0.1 + 0.2 is 0.30000000000000004 or 0.3.",
    "ties": "Equal values get equal scores in custcore. rank(method='first') parts them by the order of customers.",
    "edge": "The value lies on an edge, which pandas interpolates in binary fractions, custcore exactly.",
    "own value": "The customer's value differs (see the column above), and so does the score.",
    "others' values": "The customer's value is the same, but others' differ, which moves the edges.",
    "values and ties": "Values differ, and equal values are parted by rank(method='first').",
    "no score": "pd.qcut failed on too few or too equal values; custcore's scores are defined for these, too.",
    "other": "None of the known reasons; please report it.",
}


def compare(
    theirs: Recipe, ours: custcore.Table, frame: pd.DataFrame, columns: Mapping[str, str | None]
) -> dict[str, Any]:
    """Compare row by row.

    Parameters
    ----------
    theirs, ours
        The two results.
    frame
        The transactions, as pandas had them.
    columns
        Names of their columns by role.

    Returns
    -------
    dict
        ``customers`` (in both, in one only and why), ``columns`` (for each value and score how many are the same, how
        many differ, for which causes, each with an example) and ``notes``.
    """
    left = theirs.table.copy()
    right = ours.to_pandas().set_index(str(columns["customer_id"]))
    left.index, right.index = _alike(left.index, right.index)
    both = left.index.intersection(right.index)
    facts = _facts(frame, columns, left.index)
    values = _values(theirs, left, right, both, facts, ours.report.as_of)
    result = [_column(value, left, right, both, values[value], shift=value == "recency") for value in values]
    scores = _scores(theirs, left, right, both, values)
    result += [_column(score, left, right, both, why) for score, why in scores.items()]
    only_left, only_right = left.index.difference(both), right.index.difference(both)
    notes = []
    if len(both):
        notes.append(
            "pandas' recency starts at 1, custcore's at 0 (the last day itself); they are compared less that 1."
        )
    return {
        "customers": {
            "both": len(both),
            "only_pandas": _only(facts.loc[only_left]) if len(only_left) else [],
            "only_custcore": [{"cause": "ids that pandas rounded", "customers": len(only_right)}]
            if len(only_right)
            else [],
        },
        "columns": result,
        "notes": notes,
    }


def _alike(left: pd.Index[Any], right: pd.Index[Any]) -> tuple[pd.Index[Any], pd.Index[Any]]:
    """Convert ids to a common type: pandas converts integers with nulls to floats, and keeps categories."""
    import pandas as pd

    if isinstance(left, pd.CategoricalIndex):
        left = left.astype(left.categories.dtype)
    if left.dtype != right.dtype:
        left = left.astype(right.dtype)
    return left, right


def _facts(frame: pd.DataFrame, columns: Mapping[str, str | None], index: pd.Index[Any]) -> pd.DataFrame:
    """Find the properties of each customer: refunds, rows without a time or an order, orders over midnight."""
    import pandas as pd

    customer, timestamp = str(columns["customer_id"]), str(columns["timestamp"])
    amount, order = columns["amount"], columns["order_id"]
    known = frame[frame[customer].notna()]
    dated = known[known[timestamp].notna()]

    def some(ids: pd.Series[Any]) -> pd.Series[bool]:
        found = pd.Index(ids.drop_duplicates())
        if isinstance(found, pd.CategoricalIndex):
            found = found.astype(found.categories.dtype)
        return pd.Series(index.isin(found.astype(index.dtype)), index=index)

    whole = dated[dated[order].notna()].groupby([customer, order], observed=True) if order else None
    facts = pd.DataFrame({"no time": some(known.loc[known[timestamp].isna(), customer])}, index=index)
    facts["no dated row"] = ~some(dated[customer])
    facts["no order id"] = some(dated.loc[dated[order].isna(), customer]) if order else False
    facts["refunds"] = facts["order over midnight"] = False
    if amount:
        alone = dated[dated[order].isna()] if order else dated
        facts["refunds"] |= some(alone.loc[alone[amount] < 0, customer])
    if whole is not None:
        if amount:
            sums = whole[amount].sum().round(6).reset_index()
            facts["refunds"] |= some(sums.loc[sums[amount] < 0, customer])
        days = whole[timestamp].agg(["min", "max"]).reset_index()
        facts["order over midnight"] = some(
            days.loc[days["min"].dt.normalize() != days["max"].dt.normalize(), customer]
        )
    return facts


def _only(facts: pd.DataFrame) -> list[dict[str, Any]]:
    """Count why customers are only in the recipe."""
    undated = facts["no dated row"]
    refunds = facts["refunds"] & ~undated
    counts = {
        "none of their rows has a time": int(undated.sum()),
        "they have only refunds, so they bought nothing": int(refunds.sum()),
        "other": int((~undated & ~refunds).sum()),
    }
    return [{"cause": cause, "customers": count} for cause, count in counts.items() if count]


def _values(
    theirs: Recipe,
    left: pd.DataFrame,
    right: pd.DataFrame,
    both: pd.Index[Any],
    facts: pd.DataFrame,
    as_of: dt.date | None,
) -> dict[str, pd.Series[Any]]:
    """Find for every value the cause by customer, "" if it is the same."""
    import numpy as np
    import pandas as pd

    facts = facts.loc[both]
    causes: dict[str, pd.Series[Any]] = {}
    for value in (value for value in VALUES if value in left):
        a = left.loc[both, value].astype("float64")
        b = right.loc[both, OURS[value]].astype("float64")
        why: pd.Series[Any] = pd.Series("other", index=both, dtype=object)
        if value == "recency":
            last = left.loc[both, "last"].dt.normalize()
            days = (theirs.snapshot.normalize() - last).dt.days - 1
            shift = ((theirs.snapshot - pd.Timedelta(days=1)).date() - as_of).days if as_of else 0
            by_calendar = days - shift == b
            why[facts["order over midnight"]] = "order over midnight"
            why[facts["refunds"]] = "refunds"
            why[by_calendar] = "time of day" if shift == 0 else "last day"
            same = a - 1 == b
        elif value == "frequency":
            why[facts["no order id"]] = "no order id"
            why[facts["refunds"]] = "refunds"
            same = a == b
        else:
            why[facts["no time"]] = "no time"
            why[(a - b).abs() <= ROUNDING * np.maximum(1.0, b.abs())] = "float sum"
            same = a == b
        causes[value] = why.where(~same, "")
    return causes


def _scores(
    theirs: Recipe, left: pd.DataFrame, right: pd.DataFrame, both: pd.Index[Any], values: dict[str, pd.Series[Any]]
) -> dict[str, pd.Series[Any]]:
    """Find for every score the cause by customer, "" if it is the same."""
    import pandas as pd

    # With custcore's rule on the values of the recipe, the remaining differences come from the recipe's binning.
    able = left[left["recency"].notna()]
    if able.empty:
        return {}
    given = {OURS[value]: able[value].to_numpy(dtype="float64") for value in values}
    rule = custcore.RFMScorer(segments=None).fit_transform(given).to_pandas().set_index(able.index)
    causes: dict[str, pd.Series[Any]] = {}
    for value, score in zip(values, SCORES, strict=False):
        a = pd.to_numeric(left.loc[both, score].astype(object), errors="coerce").astype("Float64")
        b, ruled = right.loc[both, score].astype("Float64"), rule.loc[both, score].astype("Float64")
        how = theirs.cut[score]
        why: pd.Series[Any] = pd.Series("values and ties" if how == "rank" else "edge", index=both, dtype=object)
        by_values = (a == ruled).fillna(False).astype(bool)
        own = ~values[value].isin(["", "float sum"])
        why[by_values & own] = "own value"
        why[by_values & ~own] = "others' values"
        why[(ruled == b).fillna(False).astype(bool)] = "ties" if how == "rank" else "edge"
        if how == "failed":
            why[:] = "no score"
        causes[score] = why.where(~(a == b).fillna(False).astype(bool), "")
    return causes


def _column(
    name: str,
    left: pd.DataFrame,
    right: pd.DataFrame,
    both: pd.Index[Any],
    why: pd.Series[Any],
    *,
    shift: bool = False,
) -> dict[str, Any]:
    """Count equal and different values, by cause, with the first customer of each."""
    differ = why[why != ""]
    causes = []
    for cause, count in differ.value_counts().items():
        customer = differ.index[differ == cause][0]
        a, b = left.loc[customer, name], right.loc[customer, OURS.get(name, name)]
        pair = [_plain(value) for value in (a, b)]
        if shift and isinstance(pair[0], int | float):
            pair[0] -= 1
        causes.append(
            {
                "cause": cause,
                "customers": int(count),
                "explanation": CAUSES[str(cause)],
                "example": {"customer": _plain(customer), "pandas": pair[0], "custcore": pair[1]},
            }
        )
    return {"column": OURS.get(name, name), "same": len(both) - len(differ), "differ": len(differ), "causes": causes}


def _plain(value: Any) -> Any:  # noqa: ANN401
    """Convert a numpy value to a Python value; missing values to None."""
    import pandas as pd

    if value is None or (not isinstance(value, bytes | str) and pd.isna(value)):
        return None
    value = value.item() if hasattr(value, "item") else value
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e6 else value

"""``custcore.clv.by_segment``: what segments or cohorts of customers are expected to be worth."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from datetime import date
from itertools import islice, repeat
from math import isnan
from typing import TYPE_CHECKING, Any

from custcore._input import arguments
from custcore._input.data import as_source, in_memory
from custcore._input.proposals import proposing
from custcore.clv._tables import label_column, table_of
from custcore.errors import ColumnNotFoundError, InvalidArgumentError, InvalidTypeError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from custcore._input.data import Data

__all__ = ["by_segment"]

# What is added up, if the predictions have it.
_SUMS = ("expected_purchases", "expected_revenue", "clv")
# Rows that are Python objects at a time.
_ROWS = 65_536
_EPOCH = date(1970, 1, 1)


@proposing
def by_segment(
    predictions: Data,
    segments: Data | None = None,
    *,
    segment: str = "segment",
    customer_id: str | Sequence[str] | None = None,
) -> Table:
    """Add up predictions by segment, cohort or any other group of customers.

    Customers are found by id, in whatever order the two tables have them, and never by
    position. Who has a prediction and no segment is in the row of null.

    Parameters
    ----------
    predictions : table
        What :meth:`PurchaseModel.predict` returned, also for several horizons.
    segments : table, optional
        A row for each customer: the ids, by the same names, and the column of segments,
        such as :func:`custcore.rfm_scores` or :meth:`custcore.CohortRetention.customers`
        return. Default: the predictions have that column.
    segment : str, default "segment"
        Column of segments: strings, integers, dates, or a dictionary.
    customer_id : str or list of str, optional
        The columns of ids. Default: those that the metadata of the predictions names, else
        ``customer_id``.

    Returns
    -------
    Table
        A row for each segment, the highest value first, null last; for several horizons a
        block of rows for each, with the column ``horizon_days``. The segment; ``customers``
        (int64) and ``share`` of them; ``p_alive``, their mean; ``expected_purchases``,
        ``expected_revenue`` and ``clv``, sums of what is known, ``clv_mean`` of those whose
        value is known, and ``clv_share`` of the value of all (float64; null without a model
        of spend). The report counts customers in only one of the tables.

    Raises
    ------
    ColumnNotFoundError
        If a table lacks the ids or the segments, or ``predictions`` have no predictions.
    InvalidArgumentError
        If a customer is in ``segments`` twice.
    InvalidTypeError
        If the ids of the tables are of different types.

    See Also
    --------
    custcore.QuantileScorer : Tiers of equal numbers of customers, such as those of ``clv``.

    Examples
    --------
    >>> import custcore, numpy as np
    >>> predictions = {
    ...     "customer_id": np.array([1, 2, 3]),
    ...     "p_alive": np.array([0.9, 0.5, 0.1]),
    ...     "expected_purchases": np.array([4.0, 2.0, 0.0]),
    ...     "clv": np.array([60.0, 20.0, 0.0]),
    ... }
    >>> segments = {"customer_id": np.array([3, 2, 1]), "segment": np.array([7, 7, 8])}
    >>> for row in custcore.clv.by_segment(predictions, segments):
    ...     print(row["segment"], row["customers"], row["clv"], row["clv_share"])
    8 1 60.0 0.75
    7 2 20.0 0.25
    """
    name = arguments.name("segment", segment)
    keys = arguments.key_names(arguments.optional_key("customer_id", customer_id))
    found = Table(in_memory(as_source(predictions)))
    _check_columns(found, name, has_segments=segments is not None)
    remarks: list[str] = []
    if segments is None:
        labels: Iterator[Any] = _values(found, name)
    else:
        keys = keys or _ids(found)
        other = Table(in_memory(as_source(segments, [*keys, name]), [*keys, name]))
        labels = _labels(found, other, keys, name, remarks)
    groups, values = _added(found, labels)
    return table_of(_columns(name, groups, values), remarks)


class _Sums:
    """The numbers of a segment, which are added up at the end: the order of rows does not matter."""

    __slots__ = ("customers", "numbers")

    def __init__(self) -> None:
        self.customers = 0
        self.numbers = {name: array("d") for name in ("p_alive", *_SUMS)}

    def total(self, name: str) -> float | None:
        """The sum of what is known; None if nothing is."""
        return math.fsum(self.numbers[name]) if self.numbers[name] else None

    def mean(self, name: str) -> float | None:
        """The mean of what is known."""
        total = self.total(name)
        return None if total is None else total / len(self.numbers[name])


def _check_columns(found: Table, name: str, *, has_segments: bool) -> None:
    there = found.column_names
    for column in ("p_alive", "expected_purchases"):
        if column not in there:
            raise ColumnNotFoundError(
                f"column {column!r} is not in the predictions; expected what predict(summary, horizon) of a model of "
                f"purchases returns. The columns are {', '.join(map(repr, there))}",
                column=column,
            )
    if not has_segments and name not in there:
        raise ColumnNotFoundError(
            f"column {name!r} is not in the predictions; pass the table of segments, too: by_segment(predictions, "
            "segments), or name the column: segment=...",
            column=name,
        )


def _ids(found: Table) -> list[str]:
    """The columns of ids: those that the metadata names, else ``customer_id``."""
    import json

    text = found.metadata.get("custcore.customer_id", "")
    names: list[str] = json.loads(text) if text.startswith("[") and text not in found.column_names else [text]
    if text and set(names) <= set(found.column_names):
        return names
    if "customer_id" in found.column_names:
        return ["customer_id"]
    raise ColumnNotFoundError(
        "the predictions do not say which column has the ids; name it: customer_id=...", column="customer_id"
    )


def _values(table: Table, *names: str) -> Iterator[Any]:
    """Values of a column row by row, tuples of several; never all of them as Python objects."""
    for start in range(0, table.num_rows, _ROWS):
        stop = min(start + _ROWS, table.num_rows)
        parts = [table._core.values(name, start, stop) for name in names]
        yield from parts[0] if len(parts) == 1 else zip(*parts, strict=True)


def _labels(found: Table, other: Table, keys: list[str], name: str, remarks: list[str]) -> Iterator[Any]:
    """The segment of each row of the predictions, found by id; None without one."""
    for key in keys:
        if key not in found.column_names:
            raise ColumnNotFoundError(f"column {key!r} (customer_id) is not in the predictions", column=key)
        mine, theirs = found.schema[key], other.schema[key]
        if found.num_rows and other.num_rows and _kind(mine) != _kind(theirs):
            raise InvalidTypeError(
                f"the ids in {key!r} are {mine} in the predictions and {theirs} in the segments, so no customer of one "
                "is in the other; convert one of them",
                column=key,
            )
    segment_of: dict[Any, Any] = dict(zip(_values(other, *keys), _values(other, name), strict=True))
    if len(segment_of) < other.num_rows:
        twice = _repeated(_values(other, *keys))
        raise InvalidArgumentError(f"customer {twice!r} is in the segments twice; expected a row for each customer")
    ids = set(_values(found, *keys))
    lacking = len(ids - segment_of.keys())
    without = len(segment_of) - len(ids) + lacking
    if without:
        remarks.append(f"{without:,} customers of the segments have no prediction")
    if lacking:
        remarks.append(f"{lacking:,} customers with a prediction are in no segment")
    return map(segment_of.get, _values(found, *keys))


def _repeated(ids: Iterator[Any]) -> object:
    """The first id that is there twice."""
    seen: set[Any] = set()
    return next((one for one in ids if one in seen or seen.add(one)), None)  # type: ignore[func-returns-value]


def _kind(column: str) -> str:
    """Types whose values are equal as Python objects if they are the same."""
    kind = column.removeprefix("dictionary<").rstrip(">").rpartition(", ")[2]
    for word in ("int", "string", "utf8", "binary"):
        if word in kind and "interval" not in kind:
            return "string" if word == "utf8" else word
    return kind


def _added(found: Table, labels: Iterator[Any]) -> tuple[list[Any], dict[tuple[Any, Any], _Sums]]:
    """The horizons, and the sums of each horizon and segment."""
    there = [name for name in ("p_alive", *_SUMS) if name in found.column_names]
    several = "horizon_days" in found.column_names
    horizons = _values(found, "horizon_days") if several else repeat(None)
    sums: dict[tuple[Any, Any], _Sums] = {}
    for start in range(0, found.num_rows, _ROWS):
        stop = min(start + _ROWS, found.num_rows)
        rows = list(zip(islice(horizons, stop - start), islice(labels, stop - start), strict=True))
        for key, customers in Counter(rows).items():
            sums.setdefault(key, _Sums()).customers += customers
        for name in there:
            numbers: dict[tuple[Any, Any], list[float | None]] = {key: [] for key in sums}
            add = {key: one.append for key, one in numbers.items()}
            for key, number in zip(rows, found._core.values(name, start, stop), strict=True):
                add[key](number)  # type: ignore[arg-type]
            for key, one in numbers.items():
                # NaN is null in arrays of numpy.
                sums[key].numbers[name].extend(number for number in one if number is not None and not isnan(number))
    return (list(dict.fromkeys(horizon for horizon, _ in sums)) if several else []), sums


def _columns(name: str, horizons: list[Any], sums: dict[tuple[Any, Any], _Sums]) -> dict[str, tuple[str, list[Any]]]:
    """The result, in order."""
    by = next((one for one in reversed(_SUMS) if any(group.numbers[one] for group in sums.values())), _SUMS[0])

    def place(key: tuple[Any, Any]) -> tuple[Any, ...]:
        horizon, label = key
        at = horizons.index(horizon) if horizons else 0
        return at, label is None, -(sums[key].total(by) or 0.0), str(label)

    keys = sorted(sums, key=place)
    rows = [sums[key] for key in keys]
    totals = [{one: group.total(one) for one in _SUMS} for group in rows]
    everyone: dict[Any, int] = {}
    value: dict[Any, list[float]] = {}
    for (horizon, _), group, total in zip(keys, rows, totals, strict=True):
        everyone[horizon] = everyone.get(horizon, 0) + group.customers
        value.setdefault(horizon, []).append(total["clv"] or 0.0)
    worth = {horizon: math.fsum(parts) for horizon, parts in value.items()}
    return {
        name: _label_column([label for _, label in keys]),
        **({"horizon_days": ("float64", [horizon for horizon, _ in keys])} if horizons else {}),
        "customers": ("int64", [group.customers for group in rows]),
        "share": (
            "float64",
            [group.customers / everyone[horizon] for (horizon, _), group in zip(keys, rows, strict=True)],
        ),
        "p_alive": ("float64", [group.mean("p_alive") for group in rows]),
        **{one: ("float64", [total[one] for total in totals]) for one in _SUMS},
        "clv_mean": ("float64", [group.mean("clv") for group in rows]),
        "clv_share": (
            "float64",
            [
                None if total["clv"] is None or not worth[horizon] else total["clv"] / worth[horizon]
                for (horizon, _), total in zip(keys, totals, strict=True)
            ],
        ),
    }


def _label_column(labels: list[Any]) -> tuple[str, list[Any]]:
    """Segments as a column: cohorts are dates."""
    if any(type(label) is date for label in labels):
        return "date32", [None if label is None else (label - _EPOCH).days for label in labels]
    return label_column(labels)

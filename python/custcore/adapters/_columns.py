"""Determines the columns of a frame that a call reads."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from custcore.cohort._arguments import COHORT_WORDS

if TYPE_CHECKING:
    from custcore.result import Table

__all__ = ["columns_of", "feature_names", "given", "id_names", "measured_columns"]

# Arguments that name the columns a call reads: by a string, by several, or as the keys of a mapping.
_COLUMN_ARGUMENTS = (
    *("customer_id", "timestamp", "amount", "order_id", "score", "event"),
    *("attributes", "by", "group", "cohort_by", "start", "returning", "item"),
)


def columns_of(function: Callable[..., object], options: Mapping[str, object]) -> dict[str, str]:
    """Name the columns that ``function(data, **options)`` reads, each with the argument that names it first.

    >>> import custcore
    >>> columns_of(custcore.rfm, {"customer_id": "household", "amount": None})
    {'household': 'customer_id', 'timestamp': 'timestamp'}
    """
    signature = inspect.signature(function)
    bound = signature.bind(None, **options)
    bound.apply_defaults()
    columns: dict[str, str] = {}
    for argument in _COLUMN_ARGUMENTS:
        value = bound.arguments.get(argument)
        if argument == "cohort_by" and value in COHORT_WORDS:
            continue
        # Where it has a default, it is a choice.
        if argument == "by" and argument in bound.arguments and signature.parameters[argument].default is not None:
            continue
        names = [value] if isinstance(value, str) else value if isinstance(value, Iterable) else []
        for name in names:
            columns.setdefault(name, argument)
    return columns


def measured_columns(function: Callable[..., object], options: Mapping[str, object]) -> dict[str, str]:
    """:func:`columns_of` for a function whose ``by`` may be a table of its own, of which no column is in the frame.

    >>> import custcore
    >>> list(measured_columns(custcore.measures, {"by": {"id": [7], "segment": ["new"]}}))
    ['customer_id', 'timestamp', 'amount']
    """
    by = options.get("by")
    return columns_of(function, {**options, "by": by if isinstance(by, str) else None})


def id_names(table: Table) -> list[str]:
    """Name the columns of ids of a result: those that its metadata name, else the first.

    >>> import datetime, custcore, pyarrow as pa
    >>> day = datetime.date(2026, 1, 5)
    >>> orders = pa.table(
    ...     {"country": ["DE"], "id": [7], "timestamp": [day], "amount": [1.0]}
    ... )
    >>> id_names(custcore.rfm(orders, customer_id=["country", "id"]))
    ['country', 'id']
    """
    names, text = table.column_names, table._core.metadata.get("custcore.customer_id", "")
    if text in names:
        return [text]
    found: list[str] = json.loads(text) if text.startswith("[") else names[:1]
    return found


def feature_names(features: object) -> list[str]:
    """Name the columns that identify a frame with one row per customer.

    >>> feature_names(None)
    ['recency_days', 'n_orders']
    """
    return [str(name) for name in features] if isinstance(features, Iterable) else ["recency_days", "n_orders"]


def given(values: Mapping[str, object]) -> dict[str, object]:
    """The options among the local names of an accessor's method, which are those of the function that it calls.

    >>> given({"self": None, "by": "country", "set_index": True})
    {'by': 'country'}
    """
    return {name: value for name, value in values.items() if name not in {"self", "k", "set_index", "return_report"}}

"""Converts features for the core: tables, arrays, rows of numbers; computes no results."""

from __future__ import annotations

import array
import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from custcore._input import arguments
from custcore._input.data import as_source, exports, in_memory
from custcore._input.projection import column_names, is_projected
from custcore.errors import InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    import numpy as np

    from custcore._input.data import Data

__all__ = ["Features", "Rows", "Weights", "columns", "feature_rows", "features", "named", "reusable", "weights"]

Rows: TypeAlias = "Sequence[Sequence[float]]"
Features: TypeAlias = "Data | np.ndarray[Any, Any] | Rows"
Weights: TypeAlias = "Sequence[float] | np.ndarray[Any, Any] | Any"

_TAKEN = (
    "expected a two-dimensional array of numbers, rows of numbers, or a table that exports Arrow (pyarrow, pandas 3, "
    "polars, custcore, ...) whose columns are the features"
)


def features(x: Features, names: Sequence[str] | None = None) -> object:
    """``x`` for the core: an array of float32 or float64, or an exporter of Arrow.

    ``names`` are the columns that are read; None stands for all.
    """
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(x, numpy.ndarray):
        return _matrix(numpy, x)
    if type(x).__module__.startswith("pandas") and hasattr(x, "columns"):
        # pandas exports every index except a range as a column, for example the index that remains after a filter.
        x = x.reset_index(drop=True)  # type: ignore[union-attr]
    if exports(x) or isinstance(x, Mapping) or is_projected(x):
        return as_source(x, names)  # type: ignore[arg-type]
    if type(x).__module__.startswith("scipy.sparse"):
        raise InvalidTypeError(f"x is a sparse matrix; {_TAKEN}. Convert it with x.toarray()")
    if isinstance(x, str | bytes) or not isinstance(x, Iterable):
        raise InvalidTypeError(f"x is {type(x).__name__}; {_TAKEN}")
    if not isinstance(x, Sequence):
        if numpy is not None and hasattr(x, "__array__"):
            return _matrix(numpy, numpy.asarray(x))
        return as_source(x, names)  # an iterable of batches
    if len(x) == 0:
        raise InvalidArgumentError(f"x is an empty {type(x).__name__}; {_TAKEN}")
    if exports(x[0]) or is_projected(x[0]):
        return as_source(x, names)  # type: ignore[arg-type]
    return _packed(x)


def reusable(x: Features, names: Iterable[str] | None = None) -> object:
    """``x`` as :func:`features` returns it, in a form that can be read any number of times.

    Arrays stay; all else is read into memory once, the columns ``names`` or all.
    """
    names = None if names is None else list(names)
    found = features(x, names)
    numpy = sys.modules.get("numpy")
    if isinstance(found, memoryview) or (numpy is not None and isinstance(found, numpy.ndarray)):
        return found
    return in_memory(found, names)


def _matrix(numpy: Any, x: Any) -> Any:  # noqa: ANN401
    """A two-dimensional array of native float32 or float64; not copied if it already is."""
    if isinstance(x, numpy.ma.MaskedArray):
        raise InvalidTypeError("x is a masked array, whose mask would be lost; drop the masked rows first")
    if x.ndim != 2:
        raise InvalidArgumentError(
            f"x is an array of {x.ndim} dimensions; expected 2 (rows, features). "
            "Reshape it: x.reshape(-1, 1) for one feature, x.reshape(1, -1) for one row"
        )
    x = numpy.asarray(x)
    if x.dtype.name in {"float32", "float64"}:
        return x if x.dtype.isnative and x.flags.aligned else numpy.array(x, dtype=x.dtype.newbyteorder("="))
    if x.dtype.kind == "c":
        raise InvalidTypeError("x is an array of complex numbers; expected real ones, e.g. x.real")
    if x.dtype.kind in "mM":
        raise InvalidTypeError(f"x is an array of {x.dtype}; expected numbers, e.g. days since some day")
    try:
        return x.astype("float64")
    except (TypeError, ValueError) as error:
        raise InvalidTypeError(
            f"x is an array of {x.dtype} that contains values that are not numbers ({error}); {_TAKEN}"
        ) from None


def _packed(rows: Any) -> memoryview[float]:  # noqa: ANN401
    """Rows of numbers as one array of float64, without numpy."""
    packed = feature_rows("x", rows)
    flat = array.array("d", [value for row in packed for value in row])
    return memoryview(flat).cast("B").cast("d", (len(packed), len(packed[0])))


def feature_rows(argument: str, rows: Any) -> list[list[float]]:  # noqa: ANN401
    """Rows of numbers (or a two-dimensional array) as lists of floats of equal length."""
    if hasattr(rows, "tolist"):
        rows = rows.tolist()
    if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
        raise InvalidTypeError(f"{argument} is {type(rows).__name__}; expected rows of numbers")
    packed: list[list[float]] = []
    for number, row in enumerate(rows):
        values = row.tolist() if hasattr(row, "tolist") else row
        if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
            raise InvalidArgumentError(
                f"{argument}[{number}] is {values!r}; expected a row of numbers, [[...], ...]: two dimensions"
            )
        try:
            packed.append([float(value) for value in values])
        except (TypeError, ValueError):
            raise InvalidTypeError(f"{argument}[{number}] is {values!r}; expected a row of numbers") from None
        if len(packed[-1]) != len(packed[0]):
            raise InvalidArgumentError(
                f"{argument}[{number}] has {len(packed[-1])} numbers, {argument}[0] has {len(packed[0])}"
            )
    if not packed or not packed[0]:
        raise InvalidArgumentError(f"{argument} is empty; expected rows of numbers")
    return packed


def weights(sample_weight: Weights | None) -> Any:  # noqa: ANN401
    """Weights as a one-dimensional buffer of float64, or None."""
    if sample_weight is None:
        return None
    numpy = sys.modules.get("numpy")
    if numpy is not None and hasattr(sample_weight, "__array__"):
        if isinstance(sample_weight, numpy.ma.MaskedArray):
            raise InvalidTypeError("sample_weight is a masked array, whose mask would be lost; pass .filled(0)")
        try:
            packed = numpy.ascontiguousarray(numpy.asarray(sample_weight), dtype="float64")
        except (TypeError, ValueError):
            raise InvalidTypeError(
                "sample_weight contains values that are not numbers; expected one number for each row"
            ) from None
        if packed.ndim != 1 or numpy.ndim(sample_weight) != 1:
            raise InvalidArgumentError(
                f"sample_weight has {numpy.ndim(sample_weight)} dimensions; expected 1, a number for each row"
            )
        return packed
    if hasattr(sample_weight, "to_pylist"):
        sample_weight = sample_weight.to_pylist()
    if isinstance(sample_weight, str | bytes) or not isinstance(sample_weight, Iterable):
        raise InvalidTypeError(
            f"sample_weight={sample_weight!r} is {type(sample_weight).__name__}; expected one number for each row"
        )
    try:
        return array.array("d", [float(value) for value in sample_weight])
    except (TypeError, ValueError):
        raise InvalidTypeError(
            "sample_weight contains values that are not numbers; expected one number for each row"
        ) from None


def columns(argument: str, names: object) -> list[str] | None:
    """Names of feature columns, or None for all."""
    if names is None:
        return None
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise InvalidTypeError(f"{argument}={names!r} is {type(names).__name__}; expected a list of column names")
    listed = [arguments.name(argument, name) for name in names]
    if not listed:
        raise InvalidArgumentError(f"{argument} is empty; pass at least one column, or omit it for all columns")
    repeated = sorted({name for name in listed if listed.count(name) > 1})
    if repeated:
        raise InvalidArgumentError(f"{argument}={listed!r} names {repeated[0]!r} more than once")
    return listed


def named(data: Any) -> tuple[list[str] | None, Any]:  # noqa: ANN401
    """Names of the columns of ``data``, and the data to read in its place.

    Of an iterator the first batch is looked at and put back. Other data whose names are not known before they are
    read are read into memory.
    """
    if isinstance(data, Iterator) and not exports(data):
        first = next(data, None)
        rest = data if first is None else itertools.chain([first], data)
        return _names_of(first), rest
    if isinstance(data, list | tuple):
        return _names_of(data[0]) if data else None, data
    names = _names_of(data)
    if names is None and exports(data):
        data = in_memory(as_source(data))
        names = data.column_names
    return names, data


def _names_of(data: object) -> list[str] | None:
    """Column names of a table, if they are known without reading it."""
    if isinstance(data, Mapping):
        return [str(name) for name in data]
    if is_projected(data):
        return column_names(data)
    for attribute in ("column_names", "columns"):
        names = getattr(data, attribute, None)
        if names is not None and not callable(names):
            listed = list(names)
            return listed if all(isinstance(name, str) for name in listed) else None
    schema = getattr(data, "schema", None)
    names = getattr(schema() if callable(schema) else schema, "names", None)
    return list(names) if isinstance(names, list | tuple) else None

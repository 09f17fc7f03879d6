"""Errors of custcore: one class per kind, each also the built-in exception it specialises.

Every error states what is wrong, where (``column``, ``row``), what was expected and what to do about it.
"""

from __future__ import annotations

__all__ = [
    "ArrowImportError",
    "ColumnNotFoundError",
    "ConvergenceWarning",
    "CustcoreError",
    "DuplicateBatchError",
    "DuplicateColumnError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidTypeError",
    "MemoryLimitError",
    "ModelFormatError",
    "ModelVersionError",
    "NonFiniteError",
    "NotEnoughDataError",
    "NotFittedError",
    "NullValueError",
    "OutOfRangeError",
    "StateMismatchError",
    "SumOverflowError",
]


class CustcoreError(Exception):
    """The parent of all errors of custcore.

    Parameters
    ----------
    message : str
        What is wrong, where, what was expected, and the way out.
    column : str, optional
        The column concerned.
    row : int, optional
        The first row concerned, counted from 0 over the whole input.

    Attributes
    ----------
    column : str or None
        The column concerned.
    row : int or None
        The first row concerned, counted from 0 over the whole input.
    """

    column: str | None
    row: int | None

    def __init__(self, message: str, *, column: str | None = None, row: int | None = None) -> None:
        super().__init__(message)
        self.column = column
        self.row = row

    def __str__(self) -> str:
        # KeyError would show the message in quotes.
        return str(self.args[0])

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self),), {"column": self.column, "row": self.row}


class ColumnNotFoundError(CustcoreError, KeyError):
    """A column that was asked for is not in the data; the message names the nearest."""


class DuplicateColumnError(CustcoreError, ValueError):
    """Two columns have one name, and that name was asked for."""


class InvalidTypeError(CustcoreError, TypeError):
    """A column or an argument of an unsupported type; the message tells how to cast it."""


class InvalidArgumentError(CustcoreError, ValueError):
    """An argument outside what it may be; the message gives the range or the list of choices."""


class OutOfRangeError(CustcoreError, ValueError):
    """A value that cannot be computed exactly: a year beyond 9999, an amount of 2**62 units."""


class NullValueError(CustcoreError, ValueError):
    """A null where ``on_null="error"`` forbids it."""


class NonFiniteError(CustcoreError, ValueError):
    """An infinite amount."""


class NotEnoughDataError(CustcoreError, ValueError):
    """Nothing to fit on."""


class NotFittedError(CustcoreError, ValueError, AttributeError):
    """A model was used before it was fitted."""


class ModelFormatError(CustcoreError, ValueError):
    """Bytes that are not a model of custcore: truncated, changed, or something else."""


class ModelVersionError(ModelFormatError):
    """A model that a newer custcore wrote."""


class SumOverflowError(CustcoreError, OverflowError):
    """A sum of integers or decimals beyond the type of its output column; never a wrapped value."""


class ArrowImportError(CustcoreError, ValueError):
    """Arrow data that break the Arrow format, or a producer that failed, with its own words."""


class StateMismatchError(CustcoreError, ValueError):
    """Data or states that do not match a customer base: other settings, types or levels."""


class DuplicateBatchError(StateMismatchError):
    """A batch id that a customer base already has: data loaded twice, or a batch in two bases."""


class MemoryLimitError(CustcoreError, MemoryError):
    """More memory than there is or was allowed."""


class InternalError(CustcoreError, RuntimeError):
    """A defect of custcore itself. Please report it."""


class ConvergenceWarning(UserWarning):
    """K-means found fewer clusters than it was asked for: there are fewer distinct rows than that."""

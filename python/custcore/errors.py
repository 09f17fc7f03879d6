"""Errors of custcore: one class per kind, each also the built-in exception it specialises.

Every error states what is wrong, where (``column``, ``row``), what was expected and what to do about it.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "ArrowImportError",
    "BoundaryWarning",
    "ColumnNotFoundError",
    "ConvergenceError",
    "ConvergenceWarning",
    "CustcoreError",
    "DuplicateBatchError",
    "DuplicateColumnError",
    "FileFormatError",
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
    "SmallSampleWarning",
    "SpendFrequencyWarning",
    "StateMismatchError",
    "SumOverflowError",
    "SummaryError",
]


class CustcoreError(Exception):
    """Base class of all errors of custcore.

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

    # No weak references, as in the built-in exceptions: `_core` makes InternalError the base of the exception of
    # panics, which Python allows only for classes of one layout.
    __slots__ = ()

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
    """A requested column is not in the data; the message suggests similar names."""


class DuplicateColumnError(CustcoreError, ValueError):
    """Two columns have the requested name."""


class InvalidTypeError(CustcoreError, TypeError):
    """A column or an argument of an unsupported type; the message states how to cast it."""


class InvalidArgumentError(CustcoreError, ValueError):
    """An argument with an invalid value; the message gives the range or the list of choices."""


class OutOfRangeError(CustcoreError, ValueError):
    """A value that cannot be computed exactly: a year beyond 9999, an amount of 2**62 units."""


class NullValueError(CustcoreError, ValueError):
    """A null where ``on_null="error"`` forbids it."""


class NonFiniteError(CustcoreError, ValueError):
    """An infinite amount."""


class NotEnoughDataError(CustcoreError, ValueError):
    """Too little data to fit."""


class NotFittedError(CustcoreError, ValueError, AttributeError):
    """A model was used before it was fitted."""


class ModelFormatError(CustcoreError, ValueError):
    """Bytes that are not a valid model of custcore: truncated, changed, or of another format."""


class ModelVersionError(ModelFormatError):
    """A model written by a newer custcore."""


class SumOverflowError(CustcoreError, OverflowError):
    """A sum of integers or decimals that does not fit the type of its output column."""


class ArrowImportError(CustcoreError, ValueError):
    """Invalid Arrow data, or a producer that failed, with its message."""


class FileFormatError(CustcoreError, ValueError):
    """A file that cannot be read as what it is taken for: empty, truncated, ragged, in an unknown encoding."""


class StateMismatchError(CustcoreError, ValueError):
    """Data or states that do not match a customer base: different settings, types or levels."""


class DuplicateBatchError(StateMismatchError):
    """A batch id that is already in a customer base: data loaded twice, or a batch in two bases."""


class SummaryError(CustcoreError, ValueError):
    """A row of a summary that no customer can have: a last purchase after the end, repeats without time."""


class ConvergenceError(CustcoreError, RuntimeError):
    """A fit that found no maximum. Where its search ended is kept, to be looked at.

    Parameters
    ----------
    message : str
        What is wrong, and the way out.
    column, row
        As of every error; they are None.
    model : object, optional
        The model, with the parameters at which the search ended.
    params : dict, optional
        These parameters, by name.
    gradient_norm : float, optional
        Largest first derivative of the mean log-likelihood there.
    starts : Table, optional
        Every start that was tried, and where it ended.

    Attributes
    ----------
    model : object or None
        The model, with the parameters at which the search ended.
    params : dict or None
        These parameters, by name.
    gradient_norm : float or None
        Largest first derivative of the mean log-likelihood there.
    starts : Table or None
        Every start that was tried, and where it ended.
    """

    def __init__(
        self,
        message: str,
        *,
        column: str | None = None,
        row: int | None = None,
        model: Any = None,  # noqa: ANN401 (of a module that imports this one)
        params: dict[str, float] | None = None,
        gradient_norm: float | None = None,
        starts: Any = None,  # noqa: ANN401
    ) -> None:
        super().__init__(message, column=column, row=row)
        self.model = model
        self.params = params
        self.gradient_norm = gradient_norm
        self.starts = starts

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self),), dict(vars(self))


class MemoryLimitError(CustcoreError, MemoryError):
    """More memory is needed than is available or allowed."""


class InternalError(CustcoreError, RuntimeError):
    """A bug in custcore. Please report it."""

    __slots__ = ()

    def __reduce__(self) -> tuple[object, ...]:
        # The exception of a panic, a subclass, is in no module from which it could be loaded.
        return InternalError, (str(self),), {"column": self.column, "row": self.row}


class ConvergenceWarning(UserWarning):
    """K-means found fewer clusters than requested, as there are fewer distinct rows."""


class BoundaryWarning(UserWarning):
    """The likelihood rises towards an edge of the parameter space: the model fitted is a simpler one, its limit."""


class SmallSampleWarning(UserWarning):
    """Fewer than 50 customers bought again: parameters are uncertain, and the standard errors of them, too."""


class SpendFrequencyWarning(UserWarning):
    """Customers who buy often spend more or less per purchase than others; the spend model takes it to be the same."""

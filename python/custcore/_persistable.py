"""Fitted models as bytes and files: one line of JSON with format, version and checksum, safe to load from anywhere.

The core writes and checks them, so Rust programs can load them, too.
"""

from __future__ import annotations

import os
from typing import Self

from custcore import _core
from custcore.errors import InvalidTypeError, ModelFormatError, NotFittedError

__all__ = ["Persistable"]


class Persistable:
    """A model that can be saved and loaded: a scorer, a segment map, a scaler, a k-means."""

    __slots__ = ()

    def to_bytes(self) -> bytes:
        """Serialize the model: its settings and the fitted state, without the rows of the fit.

        Equal models give equal bytes.

        Raises
        ------
        NotFittedError
            Before the fit.
        """
        if not self._can_be_saved():
            name = type(self).__name__
            raise NotFittedError(f"this {name} is not fitted yet, so there is nothing to save; call fit first")
        return self._bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a model from :meth:`to_bytes`. Nothing in it is executed.

        Parameters
        ----------
        data : bytes
            What :meth:`to_bytes` returned.

        Raises
        ------
        ModelFormatError
            If the bytes are not such a model, are incomplete, or were changed.
        ModelVersionError
            If a newer custcore wrote them.
        """
        given: object = data
        if not isinstance(given, bytes | bytearray | memoryview):
            found = type(given).__name__
            raise InvalidTypeError(f"a model is read from bytes, not from {found}; load(path) reads a file")
        return cls._of_bytes(bytes(data))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to a file atomically; an old file is replaced at the end.

        Parameters
        ----------
        path : str or path
            Path of the file.

        Raises
        ------
        OSError
            If the file cannot be written.
        NotFittedError
            Before the fit.
        """
        _core.write_model(_name(path), self.to_bytes())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a model from a file that :meth:`save` wrote.

        Parameters
        ----------
        path : str or path
            Path of the file.

        Raises
        ------
        OSError
            If the file cannot be read.
        ModelFormatError
            If the file is not such a model, is incomplete, or was changed.
        ModelVersionError
            If a newer custcore wrote it.
        """
        name = _name(path)
        data = _core.read_model(name)
        try:
            return cls._of_bytes(data)
        except ModelFormatError as error:
            raise type(error)(f"{name!r}: {error}", column=error.column, row=error.row) from None

    def _can_be_saved(self) -> bool:
        raise NotImplementedError

    def _bytes(self) -> bytes:
        raise NotImplementedError

    @classmethod
    def _of_bytes(cls, data: bytes) -> Self:
        raise NotImplementedError


def _name(path: object) -> str:
    if not isinstance(path, str | os.PathLike):
        raise InvalidTypeError(f"path={path!r} is {type(path).__name__}; expected the name of a file")
    return os.fsdecode(path)

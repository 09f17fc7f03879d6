"""Errors of unknown keyword arguments, with the nearest ones that exist."""

from __future__ import annotations

import difflib
import functools
import inspect
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["proposing", "proposing_methods"]

Function = TypeVar("Function", bound="Callable[..., Any]")
Class = TypeVar("Class", bound="type[Any]")


def proposing(function: Function) -> Function:
    """Name the nearest arguments if the function is called with one that it does not have.

    >>> @proposing
    ... def rfm(data, *, order_id=None): ...
    >>> rfm([], orderid="basket")
    Traceback (most recent call last):
    TypeError: rfm() has no argument 'orderid'; did you mean 'order_id'?
    """

    @functools.wraps(function)
    def call(*args: Any, **given: Any) -> Any:  # noqa: ANN401 (those of the function)
        try:
            return function(*args, **given)
        except TypeError as error:
            text = None if _was_entered(function, error) else _unknown(function, args, given)
            if text is None:
                raise
            raise TypeError(text) from None

    return cast("Function", call)


def proposing_methods(cls: Class) -> Class:
    """:func:`proposing` for the constructor and the public methods of a class that have arguments.

    Methods for single customers are left as they are: they take less than a microsecond. So are the changes of a base:
    a signal handler could run between their effect and the return of a wrapper.
    """
    for name, member in list(vars(cls).items()):
        function = member.__func__ if isinstance(member, classmethod) else member
        is_public = name == "__init__" or not name.startswith("_")
        if not is_public or name.endswith("_one") or not inspect.isfunction(function):
            continue
        if set(inspect.signature(function).parameters) - {"self", "cls"}:
            wrapped = proposing(function)
            setattr(cls, name, classmethod(wrapped) if function is not member else wrapped)
    return cls


def _was_entered(function: Callable[..., object], error: TypeError) -> bool:
    """Whether the error is from within the function: a call that Python refused has no frame of it."""
    code = inspect.unwrap(function).__code__
    place = error.__traceback__
    while place is not None:
        if place.tb_frame.f_code is code:
            return True
        place = place.tb_next
    return False


def _unknown(function: Callable[..., object], args: tuple[object, ...], given: dict[str, object]) -> str | None:
    """What is wrong with the names of arguments; None if they all exist."""
    parameters = list(inspect.signature(function).parameters)
    names = [name for name in parameters if name not in {"self", "cls"}]
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=2, cutoff=0.6)
            what = function.__name__
            if what == "__init__" and args:  # a class may inherit it
                what = type(args[0]).__name__
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"the arguments are {', '.join(names)}"
            return f"{what}() has no argument {name!r}; {hint}"
    return None

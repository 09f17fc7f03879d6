"""One signature, one docstring: methods that hand their arguments on to a function of the public API."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping

import custcore
from custcore._options.cohorts import COHORT_WORDS

__all__ = ["cluster_inputs", "columns_of", "describe"]

# Arguments that name the columns a call reads: by a string, by several, or as the keys of a mapping.
_COLUMN_ARGUMENTS = (
    *("customer_id", "timestamp", "amount", "order_id"),
    *("attributes", "by", "cohort_by", "start", "returning"),
)


def columns_of(function: Callable[..., object], options: Mapping[str, object]) -> dict[str, str]:
    """Name the columns that ``function(data, **options)`` reads, each with the argument that names it first.

    >>> import custcore
    >>> columns_of(custcore.rfm, {"customer_id": "household", "amount": None})
    {'household': 'customer_id', 'timestamp': 'timestamp'}
    """
    bound = inspect.signature(function).bind(None, **options)
    bound.apply_defaults()
    columns: dict[str, str] = {}
    for argument in _COLUMN_ARGUMENTS:
        value = bound.arguments.get(argument)
        if argument == "cohort_by" and value in COHORT_WORDS:
            continue
        names = [value] if isinstance(value, str) else value if isinstance(value, Iterable) else []
        for name in names:
            columns.setdefault(name, argument)
    return columns


def cluster_inputs(options: Mapping[str, object]) -> tuple[list[str], dict[str, object]]:
    """Say by which columns a frame shows that it has one row per customer, and what goes on to ``custcore.rfm``.

    >>> cluster_inputs({"n_init": 3, "customer_id": "household"})
    (['recency_days', 'n_orders'], {'customer_id': 'household'})
    """
    own = inspect.signature(custcore.segment_customers).parameters
    features = options.get("features")
    named = [str(name) for name in features] if isinstance(features, Iterable) else ["recency_days", "n_orders"]
    return named, {name: value for name, value in options.items() if name not in own}


def describe(method: Callable[..., object], function: Callable[..., object]) -> None:
    """Give ``method(self, *, ..., **options)`` the signature and the docstring of the ``function`` it forwards to.

    The first parameter of ``function``, its data, gives way to ``self``. Sections that the docstring of ``method`` has
    take the place of the function's; its parameters are added.
    """
    data, *parameters = inspect.signature(function).parameters.values()
    own = inspect.signature(method)
    first, *added = (p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD)
    method.__signature__ = own.replace(parameters=[first, *parameters, *added])  # type: ignore[attr-defined]

    theirs, ours = _sections(function), _sections(method)
    parameters_of_both = _without(theirs.get("Parameters", ""), data.name) + ours.get("Parameters", "")
    sections = theirs | ours | {"Parameters": parameters_of_both}
    texts = (f"{title}\n{'-' * len(title)}\n{body}" if title else body for title, body in sections.items())
    method.__doc__ = "\n\n".join(text.strip("\n") for text in texts)


def _sections(function: Callable[..., object]) -> dict[str, str]:
    """Cut a numpy docstring at the titles of its sections; the text before the first has an empty title."""
    sections = {"": ""}
    title = ""
    lines = (inspect.getdoc(function) or "").splitlines()
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if line and after == "-" * len(line):
            title = line
            sections[title] = ""
        elif line != "-" * len(title) or not title:
            sections[title] += line + "\n"
    return sections


def _without(parameters: str, name: str) -> str:
    """Take one parameter, which may share its entry with others, out of the body of their section."""
    kept: list[str] = []
    passing_over = False
    for line in parameters.rstrip("\n").splitlines():
        if line and not line[0].isspace():
            names, colon, kind = line.partition(" : ")
            rest = [n for n in names.split(", ") if n != name]
            passing_over = not rest
            line = ", ".join(rest) + colon + kind
        if not passing_over:
            kept.append(line)
    return "".join(line + "\n" for line in kept)

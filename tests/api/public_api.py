"""Every public callable of custcore, as the tests of signatures and docstrings go through them."""

import inspect
import types
from collections.abc import Callable, Iterator

import custcore
import custcore.duckdb
import custcore.pandas
import custcore.polars
import custcore.sklearn
from custcore import clv

CLASSES = {
    **{name: getattr(custcore, name) for name in custcore.__all__ if inspect.isclass(getattr(custcore, name))},
    **{f"clv.{name}": getattr(clv, name) for name in clv.__all__ if inspect.isclass(getattr(clv, name))},
    "pandas.CustcoreAccessor": custcore.pandas.CustcoreAccessor,
    "polars.CustcoreNamespace": custcore.polars.CustcoreNamespace,
    "sklearn.KMeans": custcore.sklearn.KMeans,
}
FUNCTIONS = {name: getattr(custcore, name) for name in custcore.__all__ if inspect.isfunction(getattr(custcore, name))}
FUNCTIONS |= {f"clv.{name}": getattr(clv, name) for name in clv.__all__ if inspect.isfunction(getattr(clv, name))}
FUNCTIONS["duckdb.register"] = custcore.duckdb.register


def methods(cls: type) -> Iterator[tuple[str, Callable[..., object]]]:
    """The public methods of a class that custcore defines, by name."""
    for name in sorted(dir(cls)):
        method = getattr(cls, name)
        if name.startswith("_") or not isinstance(method, types.FunctionType | types.MethodType):
            continue
        if method.__module__.startswith("custcore"):
            yield name, method


def callables() -> dict[str, Callable[..., object]]:
    """Functions, classes and methods, by name."""
    found: dict[str, Callable[..., object]] = dict(FUNCTIONS)
    for name, cls in CLASSES.items():
        found[name] = cls
        found |= {f"{name}.{method}": function for method, function in methods(cls)}
    return found


def signature(function: Callable[..., object]) -> str:
    """A signature with a line for each parameter, the same in all versions of Python."""
    lines, last = [], None
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and last is not parameter.KEYWORD_ONLY:
            lines.append("    *")
        last = parameter.kind
        annotation = "" if parameter.annotation is parameter.empty else f": {parameter.annotation}"
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        lines.append(f"    {parameter.name}{annotation}{default}")
    returns = inspect.signature(function).return_annotation
    arrow = "" if returns in {inspect.Signature.empty, None} else f"    -> {returns}"
    return "\n".join([*lines, arrow] if arrow else lines)

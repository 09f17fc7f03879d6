"""``custcore.Curve``: what spend brings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from custcore import _core
from custcore._input import arguments
from custcore._input.proposals import proposing_methods
from custcore.errors import InvalidArgumentError, InvalidTypeError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Curve"]


@proposing_methods
class Curve:
    """A response curve: the margin gained for spend x, 0 for no spend, and never falling.

    Made by :meth:`exp`, :meth:`hill`, :meth:`table` or :meth:`fit`. Curves are equal if their
    kind, parameters and standard error are; they never change, and can be pickled.

    Examples
    --------
    >>> import custcore
    >>> curve = custcore.Curve.exp(a=50_000, b=1 / 8_000)
    >>> curve
    Curve.exp(a=50000.0, b=0.000125)
    >>> round(curve.value(8_000), 2), curve.marginal(0)
    (31606.03, 6.25)
    """

    __slots__ = ("_core",)

    def __init__(self, core: _core.Curve) -> None:
        if not isinstance(core, _core.Curve):
            raise InvalidTypeError("a curve is made by Curve.exp, Curve.hill, Curve.table or Curve.fit")
        self._core = core

    @classmethod
    def exp(cls, a: float, b: float) -> Curve:
        """Exponential saturation: a (1 - exp(-b x)).

        Each unit of money brings a constant share less than the one before.

        Parameters
        ----------
        a : float
            The most that spend can gain, above 0.
        b : float
            Rate of saturation, above 0: 1 / b of money gains 63 % of ``a``, and the first unit
            of money brings a b.

        Raises
        ------
        InvalidArgumentError
            If a parameter is not positive and finite.
        """
        return cls(_core.Curve.exp(arguments.number("a", a), arguments.number("b", b)))

    @classmethod
    def hill(cls, a: float, c: float, k: float = 1.0) -> Curve:
        """Hill's curve: a x^k / (c^k + x^k).

        Concave up to k = 1; S-shaped above, where the first money brings next to nothing.

        Parameters
        ----------
        a : float
            The most that spend can gain, above 0.
        c : float
            The spend that gains half of it, above 0.
        k : float, default 1.0
            Steepness, above 0.

        Raises
        ------
        InvalidArgumentError
            If a parameter is not positive and finite.
        """
        return cls(_core.Curve.hill(arguments.number("a", a), arguments.number("c", c), arguments.number("k", k)))

    @classmethod
    def table(cls, spend: Sequence[float], value: Sequence[float]) -> Curve:
        """Measured points, straight between them and flat after the last: nothing is extrapolated.

        Parameters
        ----------
        spend : sequence of float
            Spend at the measured points, ascending, each once.
        value : sequence of float
            The margin that it gained, never falling. Where the first point is at spend 0, its
            value is 0.

        Raises
        ------
        InvalidArgumentError
            If spend does not rise, or the value falls; it names the point.

        Examples
        --------
        >>> import custcore
        >>> custcore.Curve.table([1_000, 3_000, 8_000], [4_000, 9_000, 14_000]).value(2_000)
        6500.0
        """
        return cls(_core.Curve.table(_numbers("spend", spend), _numbers("value", value)))

    @classmethod
    def fit(
        cls,
        spend: Sequence[float],
        value: Sequence[float],
        se: Sequence[float] | None = None,
        kind: Literal["exp", "hill"] = "exp",
        *,
        k: float | None = None,
    ) -> Curve:
        """Fit a curve to measured points by weighted least squares, all parameters above 0.

        Parameters
        ----------
        spend : sequence of float
            Spend at the measured points, in any order.
        value : sequence of float
            The margin that it gained; noise may make it fall, or negative.
        se : sequence of float, optional
            Standard errors of the values, above 0: points have the weights 1 / se². Default:
            equal weights, and errors estimated from the residuals.
        kind : {"exp", "hill"}, default "exp"
            The curve: ``"exp"`` a (1 - exp(-b x)), or ``"hill"`` a x^k / (c^k + x^k).
        k : float, optional
            The steepness of ``"hill"``, which is then not fitted: for few points. Default: it
            is fitted.

        Returns
        -------
        Curve
            Its ``se`` is the standard error of ``a``; None where there are no more points than
            parameters, and no standard errors.

        Raises
        ------
        NotEnoughDataError
            If the points do not determine the curve: fewer spends than parameters, no gain, or
            values that do not level off, or have done so at the smallest spend.
        InvalidArgumentError
            If a spend is negative, a number is not finite, or a standard error is not above 0.

        Notes
        -----
        Minimises Σ ((value - f(spend)) / se)². The search begins at the best point of a grid
        and ends by the method of Levenberg and Marquardt; standard errors are those of the
        linearised model.

        Examples
        --------
        >>> import custcore
        >>> spend = [500, 1_000, 2_000, 4_000, 8_000]
        >>> curve = custcore.Curve.fit(spend, [1_140, 1_950, 3_180, 4_300, 4_950], se=[60] * 5)
        >>> round(curve.parameters["a"]), round(1 / curve.parameters["b"]), round(curve.se)
        (5026, 2015, 64)
        """
        errors = None if se is None else _numbers("se", se)
        steepness = None if k is None else arguments.number("k", k)
        word = arguments.name("kind", kind)
        if steepness is not None and word == "exp":
            raise InvalidArgumentError(f"k={k} is the steepness of kind='hill'; leave it out for kind='exp'")
        return cls(_core.Curve.fit(_numbers("spend", spend), _numbers("value", value), errors, kind=word, k=steepness))

    @property
    def kind(self) -> str:
        """``"exp"``, ``"hill"`` or ``"table"``."""
        return self._core.kind

    @property
    def parameters(self) -> dict[str, Any]:
        """``a`` and ``b``; ``a``, ``c`` and ``k``; or ``spend`` and ``value``, lists from 0 on."""
        found: dict[str, Any] = dict(self._core.parameters)
        return found if self.kind == "table" else {name: values[0] for name, values in found.items()}

    @property
    def se(self) -> float | None:
        """The standard error of the height ``a``, if the curve was fitted."""
        return self._core.se

    def value(self, spend: float) -> float:
        """The margin gained.

        Parameters
        ----------
        spend : float
            Money spent, 0 or more.
        """
        return self._core.value(_spend(spend))

    def marginal(self, spend: float) -> float:
        """What one more unit of money brings: the slope to the right.

        Parameters
        ----------
        spend : float
            Money spent, 0 or more.
        """
        return self._core.marginal(_spend(spend))

    def _state(self) -> tuple[Any, ...]:
        return self.kind, tuple((name, tuple(values)) for name, values in self._core.parameters), self.se

    @staticmethod
    def _restored(kind: str, parameters: tuple[tuple[str, tuple[float, ...]], ...], se: float | None) -> Curve:
        values = [list(numbers) for _, numbers in parameters]
        given = values if kind == "table" else [number for numbers in values for number in numbers]
        return Curve(getattr(_core.Curve, kind)(*given).with_se(se))

    def __eq__(self, other: object) -> bool:
        return self._state() == other._state() if isinstance(other, Curve) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._state())

    def __copy__(self) -> Curve:
        return self

    def __deepcopy__(self, memo: object) -> Curve:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return Curve._restored, self._state()

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"Curve.{self.kind}({shown})"


def _spend(value: object) -> float:
    found = arguments.number("spend", value)
    if found < 0:
        raise InvalidArgumentError(f"spend={found} is negative; expected an amount of money, 0 or more")
    return found


def _numbers(argument: str, values: Any) -> list[float]:  # noqa: ANN401
    """Finite numbers, of any sequence of them."""
    if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__iter__"):
        raise InvalidTypeError(f"{argument} is {type(values).__name__}; expected a sequence of numbers")
    return [arguments.number(f"{argument}[{i}]", value) for i, value in enumerate(values)]

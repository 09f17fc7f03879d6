"""``custcore.sample_size`` and ``custcore.detectable``: customers that a test needs, and what so many can show."""

from __future__ import annotations

from custcore import _core
from custcore._input import arguments
from custcore._input.proposals import proposing

__all__ = ["detectable", "sample_size"]


@proposing
def sample_size(
    *,
    sd: float | None = None,
    rate: float | None = None,
    difference: float,
    ratio: float = 1,
    alpha: float = 0.05,
    power: float = 0.8,
) -> int:
    """How many customers the control group of a test needs.

    Parameters
    ----------
    sd : float, optional
        Standard deviation of a mean's values among customers, such as that of their revenue
        in a past window of the same length. Either this or ``rate``.
    rate : float, optional
        Proportion without treatment, above 0 and below 1. Either this or ``sd``.
    difference : float
        Difference of treatment and control that the test should show, in the unit of the
        metric, not relative; not 0. With ``rate``, ``rate + difference`` is a proportion,
        too, and its sign matters.
    ratio : float, default 1
        Treated customers per customer of the control group, above 0.
    alpha : float, default 0.05
        Probability of an effect that is not there, two-sided, between 0 and 1.
    power : float, default 0.8
        Probability to see an effect of this size, above ``alpha`` and below 1.

    Returns
    -------
    int
        Customers of the control group, rounded up, at least 2; the treated group needs
        ``ratio`` times as many.

    Raises
    ------
    InvalidArgumentError
        If both or neither of ``sd`` and ``rate`` are given, or a number is outside its range.
    OutOfRangeError
        If more than 9e15 customers were needed.

    Notes
    -----
    Two-sided tests by the normal approximation. Means: (z_a + z_b)² sd² (1 + 1/r) / d², where
    z_a and z_b are the normal quantiles of 1 - alpha/2 and of the power, r is the ratio and d
    the difference. Proportions: (z_a √((1 + 1/r) p q) + z_b √(p_c q_c + p_t q_t / r))² / d²,
    p the mean of both weighted by 1 and r (Fleiss, Levin and Paik, Statistical Methods for
    Rates and Proportions, 2003). An adjustment for what was known before needs fewer customers:
    multiply by the ``variance_ratio`` of an earlier result.

    Examples
    --------
    >>> import custcore
    >>> custcore.sample_size(sd=125.0, difference=5.0)
    9812
    >>> custcore.sample_size(rate=0.30, difference=0.02, power=0.9)
    11236
    """
    return _core.sample_size(
        sd=_optional_number("sd", sd),
        rate=_optional_number("rate", rate),
        difference=arguments.number("difference", difference),
        ratio=arguments.number("ratio", ratio),
        alpha=arguments.number("alpha", alpha),
        power=arguments.number("power", power),
    )


@proposing
def detectable(
    *,
    n_control: int,
    n_treatment: int,
    sd: float | None = None,
    rate: float | None = None,
    alpha: float = 0.05,
    power: float = 0.8,
) -> float:
    """The smallest effect that a test of these sizes can show.

    Parameters
    ----------
    n_control : int
        Customers of the control group, at least 2.
    n_treatment : int
        Treated customers, at least 2.
    sd : float, optional
        Standard deviation of a mean's values among customers, such as that of their revenue
        in a past window of the same length. Either this or ``rate``.
    rate : float, optional
        Proportion without treatment, above 0 and below 1. Either this or ``sd``.
    alpha : float, default 0.05
        Probability of an effect that is not there, two-sided, between 0 and 1.
    power : float, default 0.8
        Probability to see an effect of this size, above ``alpha`` and below 1.

    Returns
    -------
    float
        The difference of means that is seen with probability ``power``; with ``rate`` the
        smallest such rise of the proportion. The inverse of :func:`custcore.sample_size`.

    Raises
    ------
    InvalidArgumentError
        If both or neither of ``sd`` and ``rate`` are given, a number is outside its range, or
        no rise of ``rate`` up to 1 can be shown by so few customers.

    Notes
    -----
    Means: (z_a + z_b) sd √(1/n_c + 1/n_t). Proportions: the formula of
    :func:`custcore.sample_size`, solved for the difference.

    Examples
    --------
    >>> import custcore
    >>> round(custcore.detectable(sd=125.0, n_control=9_812, n_treatment=9_812), 4)
    4.9998
    >>> round(
    ...     custcore.detectable(rate=0.30, n_control=11_236, n_treatment=11_236, power=0.9),
    ...     4,
    ... )
    0.02
    """
    return _core.detectable(
        sd=_optional_number("sd", sd),
        rate=_optional_number("rate", rate),
        n_control=arguments.whole("n_control", n_control, bits=63),
        n_treatment=arguments.whole("n_treatment", n_treatment, bits=63),
        alpha=arguments.number("alpha", alpha),
        power=arguments.number("power", power),
    )


def _optional_number(argument: str, value: object) -> float | None:
    return None if value is None else arguments.number(argument, value)

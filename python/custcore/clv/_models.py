"""The models of purchases, by name."""

from __future__ import annotations

from typing import ClassVar

from custcore.clv._purchases import PurchaseModel

__all__ = ["BGNBD", "MBGNBD", "NBD", "ParetoNBD"]


class MBGNBD(PurchaseModel):
    """Customers buy at rates of their own, and may be lost after **each** purchase.

    The modified beta-geometric / NBD model (Batislam, Denizel & Filiztekin 2007, "Empirical
    validation and comparison of models for customer base analysis"): the rate of purchases
    varies among customers as Gamma(r, alpha), the probability of being lost after a
    purchase, the first included, as Beta(a, b). It is the default choice: fast, and one-time
    buyers may be lost.

    Not to be trusted where customers buy at regular intervals or in seasons, where what they
    do changes (a price, a campaign, a crisis), for customers of contracts (:class:`SBG`),
    and far beyond the time that was observed. :meth:`evaluate` and :meth:`tracking` on a
    hold-out show it.

    Parameters
    ----------
    unit : {"day", "week", "month", "year"}, default "week"
        The unit of time of alpha and beta, and of log-likelihoods. Everything is computed
        in days: a week is 7 of them, a month 30.4375, a year 365.25. It changes no
        prediction.
    by : str, optional
        Column of the summary whose values get parameters of their own, such as the quarter
        of the first purchase or a channel. Null is a value.
    min_customers : int, default 500
        With ``by``: customers of a group with parameters of its own, at least; 50 of them
        must have bought again. The others get the parameters of all customers.
    unseen : {"global", "error"}, default "global"
        With ``by``: whether a group that was not in the fit gets the parameters of all
        customers, or is an error.
    start : dict of str to float, optional
        The only start of the search, as ``params_`` has it: all parameters by name, times
        in ``unit``. Default: see ``starts``.
    starts : {"auto", "all"}, default "auto"
        ``"auto"``: one start, and two more if it does not end in an interior maximum.
        ``"all"``: all of them. The highest likelihood wins, and ``fit_.starts`` has every
        start.
    prior : dict of str to (float, float), optional
        Normal priors of the logarithms of some parameters, by name: mean and standard
        deviation of the logarithm, times in ``unit``. The estimate is another one then, and
        the report says so. Default: none, maximum likelihood.
    max_iter : int, default 100
        Iterations from each start, at most.
    on_failure : {"error", "warn"}, default "error"
        Whether a search without a maximum is an error, which has all that it found, or a
        warning, and the model has the best parameters seen.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Attributes
    ----------
    params_ : dict of str to float
        ``r``, ``alpha`` (in ``unit``), ``a``, ``b``.
    log_likelihood_, aic_, bic_ : float
        The log-likelihood in ``unit``, and criteria of it.
    n_customers_, n_cells_ : int
        Customers, and distinct triples (x, t_x, T) of them.
    standard_errors_, interval_ : dict
        Standard errors and intervals of 95 %. They speak of the model on days: several
        purchases on a day are one, so heavy buyers look slower than they are.
    covariance_ : list of list of float
        Covariance of the logarithms of the parameters.
    status_, limit_ : str
        How the fit ended.
    fit_ : Fit
        How the search went: starts, groups, remarks.

    Examples
    --------
    >>> import numpy as np, custcore
    >>> rng = np.random.default_rng(0)
    >>> age = rng.integers(200, 400, 3_000)
    >>> end = np.minimum(age, rng.exponential(150, 3_000)).astype(int)
    >>> x = np.minimum(rng.poisson(rng.gamma(0.8, 1 / 30, 3_000) * end), end)
    >>> t_x = np.where(
    ...     x > 0, np.maximum(x, (end * rng.random(3_000) ** 0.2).astype(int)), 0
    ... )
    >>> summary = {"customer_id": np.arange(3_000), "x": x, "t_x": t_x, "T": age}
    >>> model = custcore.clv.MBGNBD().fit(summary)
    >>> model.predict(summary, "12w").column_names[:4]
    ['customer_id', 'p_alive', 'expected_purchases', 'p_purchase']
    """

    _family: ClassVar[str] = "MBGNBD"
    _names: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")


class BGNBD(PurchaseModel):
    """Customers buy at rates of their own, and may be lost after each **repeat** purchase.

    The beta-geometric / NBD model (Fader, Hardie & Lee 2005, "Counting your customers the
    easy way"): the rate of purchases varies among customers as Gamma(r, alpha), the
    probability of being lost after a repeat purchase as Beta(a, b).

    **A customer who bought once is alive with probability 1, for ever**, however long ago that
    was: by construction nobody is lost before a repeat purchase. Do not read ``p_alive`` of
    one-time buyers, and do not count customers alive by it; :class:`MBGNBD` and
    :class:`ParetoNBD` let them be lost. Otherwise not to be trusted where those are not.

    Parameters
    ----------
    unit : {"day", "week", "month", "year"}, default "week"
        The unit of time of alpha and beta, and of log-likelihoods. Everything is computed
        in days: a week is 7 of them, a month 30.4375, a year 365.25. It changes no
        prediction.
    by : str, optional
        Column of the summary whose values get parameters of their own, such as the quarter
        of the first purchase or a channel. Null is a value.
    min_customers : int, default 500
        With ``by``: customers of a group with parameters of its own, at least; 50 of them
        must have bought again. The others get the parameters of all customers.
    unseen : {"global", "error"}, default "global"
        With ``by``: whether a group that was not in the fit gets the parameters of all
        customers, or is an error.
    start : dict of str to float, optional
        The only start of the search, as ``params_`` has it: all parameters by name, times
        in ``unit``. Default: see ``starts``.
    starts : {"auto", "all"}, default "auto"
        ``"auto"``: one start, and two more if it does not end in an interior maximum.
        ``"all"``: all of them. The highest likelihood wins, and ``fit_.starts`` has every
        start.
    prior : dict of str to (float, float), optional
        Normal priors of the logarithms of some parameters, by name: mean and standard
        deviation of the logarithm, times in ``unit``. The estimate is another one then, and
        the report says so. Default: none, maximum likelihood.
    max_iter : int, default 100
        Iterations from each start, at most.
    on_failure : {"error", "warn"}, default "error"
        Whether a search without a maximum is an error, which has all that it found, or a
        warning, and the model has the best parameters seen.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Attributes
    ----------
    params_ : dict of str to float
        ``r``, ``alpha`` (in ``unit``), ``a``, ``b``.
    log_likelihood_, aic_, bic_ : float
        The log-likelihood in ``unit``, and criteria of it.
    n_customers_, n_cells_ : int
        Customers, and distinct triples (x, t_x, T) of them.
    standard_errors_, interval_ : dict
        Standard errors and intervals of 95 %. They speak of the model on days: several
        purchases on a day are one, so heavy buyers look slower than they are.
    covariance_ : list of list of float
        Covariance of the logarithms of the parameters.
    status_, limit_ : str
        How the fit ended.
    fit_ : Fit
        How the search went: starts, groups, remarks.

    Examples
    --------
    >>> import custcore
    >>> published = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}  # CDNOW, in weeks
    >>> model = custcore.clv.BGNBD.of_parameters(published)
    >>> found = model.predict_one(x=2, t_x=30.43 * 7, T=38.86 * 7, horizon="39w")
    >>> round(found.expected_purchases, 2), round(found.p_alive, 2)
    (1.23, 0.73)
    """

    _family: ClassVar[str] = "BGNBD"
    _names: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")


class ParetoNBD(PurchaseModel):
    """Customers buy at rates of their own, and may be lost at any time.

    The Pareto / NBD model (Schmittlein, Morrison & Colombo 1987, "Counting your customers: who
    are they and what will they do next?"): the rate of purchases varies among customers as
    Gamma(r, alpha), the rate at which they are lost as Gamma(s, beta). One-time buyers are
    lost with time, like all others.

    Not to be trusted where :class:`MBGNBD` is not. Where hardly anybody is lost, it has no
    maximum: ``status_`` is "boundary" with the limit "no_dropout", and its predictions are
    those of the :class:`NBD`.

    Parameters
    ----------
    unit : {"day", "week", "month", "year"}, default "week"
        The unit of time of alpha and beta, and of log-likelihoods. Everything is computed
        in days: a week is 7 of them, a month 30.4375, a year 365.25. It changes no
        prediction.
    by : str, optional
        Column of the summary whose values get parameters of their own, such as the quarter
        of the first purchase or a channel. Null is a value.
    min_customers : int, default 500
        With ``by``: customers of a group with parameters of its own, at least; 50 of them
        must have bought again. The others get the parameters of all customers.
    unseen : {"global", "error"}, default "global"
        With ``by``: whether a group that was not in the fit gets the parameters of all
        customers, or is an error.
    start : dict of str to float, optional
        The only start of the search, as ``params_`` has it: all parameters by name, times
        in ``unit``. Default: see ``starts``.
    starts : {"auto", "all"}, default "auto"
        ``"auto"``: one start, and two more if it does not end in an interior maximum.
        ``"all"``: all of them. The highest likelihood wins, and ``fit_.starts`` has every
        start.
    prior : dict of str to (float, float), optional
        Normal priors of the logarithms of some parameters, by name: mean and standard
        deviation of the logarithm, times in ``unit``. The estimate is another one then, and
        the report says so. Default: none, maximum likelihood.
    max_iter : int, default 100
        Iterations from each start, at most.
    on_failure : {"error", "warn"}, default "error"
        Whether a search without a maximum is an error, which has all that it found, or a
        warning, and the model has the best parameters seen.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Attributes
    ----------
    params_ : dict of str to float
        ``r``, ``alpha``, ``s``, ``beta``; alpha and beta in ``unit``.
    log_likelihood_, aic_, bic_ : float
        The log-likelihood in ``unit``, and criteria of it.
    n_customers_, n_cells_ : int
        Customers, and distinct triples (x, t_x, T) of them.
    standard_errors_, interval_ : dict
        Standard errors and intervals of 95 %. They speak of the model on days: several
        purchases on a day are one, so heavy buyers look slower than they are.
    covariance_ : list of list of float
        Covariance of the logarithms of the parameters.
    status_, limit_ : str
        How the fit ended.
    fit_ : Fit
        How the search went: starts, groups, remarks.

    Examples
    --------
    >>> import custcore
    >>> published = {
    ...     "r": 0.553,
    ...     "alpha": 10.578,
    ...     "s": 0.606,
    ...     "beta": 11.669,
    ... }  # CDNOW, in weeks
    >>> model = custcore.clv.ParetoNBD.of_parameters(published)
    >>> round(model.predict_one(x=0, t_x=0, T=39 * 7, horizon=0).p_alive, 2)
    0.29
    """

    _family: ClassVar[str] = "ParetoNBD"
    _names: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")


class NBD(PurchaseModel):
    """Customers buy at rates of their own, and nobody is lost: the baseline of :func:`compare`.

    The negative binomial model (Ehrenberg 1959, "The pattern of consumer purchases"): the rate
    of purchases varies among customers as Gamma(r, alpha). ``p_alive`` is 1 for all. It is the
    limit of the other models without drop-out; one that is not better than it knows nothing
    about who is lost. Not to be trusted for a customer base that anybody leaves.

    Parameters
    ----------
    unit : {"day", "week", "month", "year"}, default "week"
        The unit of time of alpha and beta, and of log-likelihoods. Everything is computed
        in days: a week is 7 of them, a month 30.4375, a year 365.25. It changes no
        prediction.
    by : str, optional
        Column of the summary whose values get parameters of their own, such as the quarter
        of the first purchase or a channel. Null is a value.
    min_customers : int, default 500
        With ``by``: customers of a group with parameters of its own, at least; 50 of them
        must have bought again. The others get the parameters of all customers.
    unseen : {"global", "error"}, default "global"
        With ``by``: whether a group that was not in the fit gets the parameters of all
        customers, or is an error.
    start : dict of str to float, optional
        The only start of the search, as ``params_`` has it: all parameters by name, times
        in ``unit``. Default: see ``starts``.
    starts : {"auto", "all"}, default "auto"
        ``"auto"``: one start, and two more if it does not end in an interior maximum.
        ``"all"``: all of them. The highest likelihood wins, and ``fit_.starts`` has every
        start.
    prior : dict of str to (float, float), optional
        Normal priors of the logarithms of some parameters, by name: mean and standard
        deviation of the logarithm, times in ``unit``. The estimate is another one then, and
        the report says so. Default: none, maximum likelihood.
    max_iter : int, default 100
        Iterations from each start, at most.
    on_failure : {"error", "warn"}, default "error"
        Whether a search without a maximum is an error, which has all that it found, or a
        warning, and the model has the best parameters seen.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Attributes
    ----------
    params_ : dict of str to float
        ``r``, ``alpha`` (in ``unit``).
    log_likelihood_, aic_, bic_ : float
        The log-likelihood in ``unit``, and criteria of it.
    n_customers_, n_cells_ : int
        Customers, and distinct triples (x, t_x, T) of them.
    standard_errors_, interval_ : dict
        Standard errors and intervals of 95 %. They speak of the model on days: several
        purchases on a day are one, so heavy buyers look slower than they are.
    covariance_ : list of list of float
        Covariance of the logarithms of the parameters.
    status_, limit_ : str
        How the fit ended.
    fit_ : Fit
        How the search went: starts, groups, remarks.

    Examples
    --------
    >>> import custcore
    >>> model = custcore.clv.NBD.of_parameters({"r": 1.0, "alpha": 9.0}, unit="day")
    >>> model.predict_one(x=3, t_x=8, T=11, horizon=10).expected_purchases
    2.0
    """

    _family: ClassVar[str] = "NBD"
    _names: ClassVar[tuple[str, ...]] = ("r", "alpha")

"""``custcore.NextCategory``: which category a customer who has some buys next, and how good that guess is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_of_argument
from custcore._input.dates import listed_dates
from custcore._input.proposals import proposing, proposing_methods
from custcore._lifecycle.model import core_of_base
from custcore._persistable import Persistable
from custcore.cohort._arguments import count
from custcore.errors import InvalidTypeError, NotFittedError
from custcore.result import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from custcore._input.data import AsOf
    from custcore.base import CustomerBase

__all__ = ["NextCategory", "backtest_next"]


@proposing_methods
class NextCategory(Persistable):
    """The next best category of each customer, from those that other customers have together.

    A customer *has* the categories of which a purchase is known. Item-based collaborative
    filtering (Sarwar et al. 2001) on whether, not on how often. Lift is no method here:
    ranking by it names rarities.

    Test it with :func:`backtest_next` before you use it: where most customers buy most
    categories, such as in groceries, popularity is as good.

    Parameters
    ----------
    method : {"cosine", "confidence", "popularity"}, default "cosine"
        How a category c is scored for a customer who has the categories a; N counts
        customers. ``"cosine"``: the sum of N_ac / sqrt(N_a N_c). ``"confidence"``: the mean
        of N_ac / N_a. ``"popularity"``: N_c, the same order for everybody.
    min_customers : int, default 20
        Categories with fewer customers are neither recommended nor count as what a customer
        has.

    Attributes
    ----------
    as_of_ : datetime.date or None
        The day of the fit; None for a base without rows.
    n_customers_ : int
        Buyers in the fit.
    categories_ : Table
        The categories that may be recommended: ``category``, ``customers`` (int64), by
        customers descending, then by category.
    n_pairs_ : int
        Pairs of them that some customer has.

    Notes
    -----
    A fit takes 4 bytes for each customer and category, and 16 for each pair of categories that
    occurs. A file holds up to 5 million pairs.

    Examples
    --------
    >>> import datetime, pyarrow as pa, custcore
    >>> base = custcore.CustomerBase(categories="kind")
    >>> bought = {
    ...     "ann": ["tea", "mug"],
    ...     "bob": ["tea", "mug"],
    ...     "cleo": ["tea", "pot"],
    ...     "dan": ["tea"],
    ... }
    >>> rows = [(name, kind) for name, kinds in bought.items() for kind in kinds]
    >>> columns = {
    ...     "customer_id": [name for name, _ in rows],
    ...     "kind": [kind for _, kind in rows],
    ... }
    >>> days = [datetime.date(2026, 1, 5)] * len(rows)
    >>> base.update(pa.table(columns | {"timestamp": days, "amount": [1.0] * len(rows)}))
    >>> model = custcore.NextCategory(min_customers=1).fit(base)
    >>> list(model.categories_.rows())
    [('tea', 4), ('mug', 2), ('pot', 1)]
    >>> found = model.recommend(base, 1)
    >>> for name, category, score, because in found.select(
    ...     ["customer_id", "category", "score", "because"]
    ... ).rows():
    ...     print(name, category, round(score, 3), because)
    ann pot 0.5 tea
    bob pot 0.5 tea
    cleo mug 0.707 tea
    dan mug 0.707 tea
    """

    __slots__ = ("_core",)

    def __init__(
        self, method: Literal["cosine", "confidence", "popularity"] = "cosine", *, min_customers: int = 20
    ) -> None:
        self._core = _core.NextCategory(
            method=arguments.name("method", method), min_customers=count("min_customers", min_customers)
        )

    def fit(self, base: CustomerBase, as_of: AsOf | None = None, *, n_threads: int | None = None) -> NextCategory:
        """Count the customers with each category, and with each pair, up to a day.

        Parameters
        ----------
        base : CustomerBase
            A base with ``categories=``, in memory or on disk. It is not changed.
        as_of : date, datetime or str, optional
            The last local day that counts, inclusive; later rows do not exist. A day before the
            last one in the base needs ``category_days=True``. Default: the last day in the
            base.
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        NextCategory
            This model.

        Raises
        ------
        StateMismatchError
            If the base keeps no categories, or ``as_of`` is before the last day without
            ``category_days=True``.
        """
        self._core = self._core.fit(
            core_of_base(base), as_of_argument(as_of), n_threads=arguments.optional_whole("n_threads", n_threads)
        )
        return self

    def recommend(
        self,
        base: CustomerBase,
        k: int = 5,
        as_of: AsOf | None = None,
        *,
        exclude_owned: bool = True,
        n_threads: int | None = None,
    ) -> Table:
        """The best categories of every buyer.

        Parameters
        ----------
        base : CustomerBase
            A base with ``categories=``, in memory or on disk. It is not changed.
        k : int, default 5
            Recommendations of each customer, at most.
        as_of : date, datetime or str, optional
            The last local day that counts, inclusive; later rows do not exist. A day before the
            last one in the base needs ``category_days=True``. Default: the last day in the
            base.
        exclude_owned : bool, default True
            Whether categories that a customer has are left out. What a customer buys again is
            another question, which the own orders answer (:meth:`CustomerBase.preferences`).
        n_threads : int, optional
            Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
            all available cores. Results do not depend on it.

        Returns
        -------
        Table
            Up to ``k`` rows for each buyer, by id, then by rank: the columns of ids, ``rank``
            (int64, from 1), ``category``, ``score`` (float64, that of the method; ties by the
            smallest category) and ``because``, the category of the customer that adds most to
            the score, then the smallest; null if none does, and for popularity. A category adds
            nothing to itself. Who has no category at all gets the most popular ones, with the
            number of their customers as score; who has some, but none of the model, has scores
            of 0. A remark of the report says if the model was
            fitted after ``as_of``.

        Raises
        ------
        NotFittedError
            Before :meth:`fit`.
        InvalidArgumentError
            If ``k`` is not 1 to 10,000.
        StateMismatchError
            If the base keeps no categories, or those of another type than the base of the fit,
            or ``as_of`` is before the last day without ``category_days=True``.
        """
        return Table(
            self._fitted().recommend(
                core_of_base(base),
                count("k", k),
                as_of_argument(as_of),
                exclude_owned=arguments.flag("exclude_owned", exclude_owned),
                n_threads=arguments.optional_whole("n_threads", n_threads),
            )
        )

    @property
    def method(self) -> str:
        """How categories are scored."""
        return self._core.settings[0]

    @property
    def min_customers(self) -> int:
        """The least number of customers of a category."""
        return self._core.settings[1]

    @property
    def as_of_(self) -> date | None:
        """The day of the fit."""
        day = self._fitted().as_of
        return None if day is None else date.fromisoformat(day)

    @property
    def n_customers_(self) -> int:
        """Buyers in the fit."""
        return self._fitted().sizes[0]

    @property
    def n_pairs_(self) -> int:
        """Pairs of categories that some customer has."""
        return self._fitted().sizes[2]

    @property
    def categories_(self) -> Table:
        """The categories that may be recommended."""
        return Table(self._fitted().categories())

    def _fitted(self) -> _core.NextCategory:
        if not self._core.is_fitted:
            raise NotFittedError("this NextCategory is not fitted yet; call fit(base) first")
        return self._core

    def _can_be_saved(self) -> bool:
        return self._core.is_fitted

    def _bytes(self) -> bytes:
        return self._core.to_bytes()

    @classmethod
    def _of_bytes(cls, data: bytes) -> Self:
        model = cls.__new__(cls)
        model._core = _core.NextCategory.from_bytes(data)
        return model

    def __reduce__(self) -> tuple[object, ...]:
        if self._core.is_fitted:
            return type(self).from_bytes, (self._bytes(),)
        return _unfitted, self._core.settings

    def __eq__(self, other: object) -> bool:
        return self.__reduce__() == other.__reduce__() if isinstance(other, NextCategory) else NotImplemented

    # Mutable: fit changes it.
    __hash__: ClassVar[None] = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        settings = f"method={self.method!r}, min_customers={self.min_customers}"
        if not self._core.is_fitted:
            return f"NextCategory({settings}), not fitted"
        customers, categories, _ = self._core.sizes
        fit = f"fitted as of {self.as_of_} on {customers:,} customers, {categories:,} categories"
        return f"NextCategory({settings}), {fit}"


def _unfitted(method: Any, min_customers: int) -> NextCategory:  # noqa: ANN401 (a word)
    """A model that was pickled before it was fitted."""
    return NextCategory(method, min_customers=min_customers)


@proposing
def backtest_next(
    base: CustomerBase,
    dates: Iterable[AsOf],
    horizon: int,
    *,
    k: Sequence[int] = (1, 3, 5, 10),
    methods: Sequence[str] = ("cosine", "confidence"),
    min_customers: int = 20,
    n_threads: int | None = None,
) -> Table:
    """Test on past days how often a recommended category was bought next.

    At each date models are fitted on the rows up to it, categories that a customer does not
    have are recommended, and only then it is looked up which new ones were bought in the
    ``horizon`` days after it. Repeated purchases are never mixed into the rates.

    Parameters
    ----------
    base : CustomerBase
        A base with ``categories=`` and ``category_days=True``, in memory or on disk. It is
        not changed.
    dates : list of date, datetime or str
        The dates, ascending, each at least ``horizon`` days before the last day of the
        base.
    horizon : int
        Days after a date in which new categories count.
    k : sequence of int, default (1, 3, 5, 10)
        Numbers of recommendations, ascending.
    methods : sequence of str, default ("cosine", "confidence")
        Methods of :class:`NextCategory`. Popularity, the baseline, is always tested.
    min_customers : int, default 20
        Categories with fewer customers are neither recommended nor count as what a customer
        has.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Returns
    -------
    Table
        One row for each date and method, popularity always among them: ``date`` (date32),
        ``method``, ``categories`` with ``min_customers`` or more, ``buyers`` up to the date,
        ``customers``: those of them with at least one new category in the horizon (int64); and
        over these customers, for each k, ``hit@k`` (the share of whom one of k recommendations
        was bought), ``recall@k`` (the mean share of the new categories that were among the k)
        and ``precision@k`` (the mean share of the k that were bought), all float64, null
        without customers. Only categories with ``min_customers`` or more up to the date
        count as new: others cannot be recommended.

    Raises
    ------
    StateMismatchError
        If the base keeps no categories, or not by day.
    InvalidArgumentError
        If dates do not ascend, or the days after a date are not all in the base.

    Notes
    -----
    Compare each method with popularity. With a third of the categories bought by most customers
    a list of the most popular ones is hard to beat; with thousands of products it is not.

    Examples
    --------
    >>> import custcore, numpy as np
    >>> rng = np.random.default_rng(0)
    >>> n = 6_000
    >>> customers = rng.integers(0, 600, n)
    >>> # Each customer has a taste: ten of forty kinds.
    >>> kinds = 10 * (customers % 4) + (10 * rng.random(n) ** 2).astype(int)
    >>> days = np.datetime64("2025-01-01") + rng.integers(0, 200, n)
    >>> base = custcore.CustomerBase(track="days", categories="kind", category_days=True)
    >>> columns = {"customer_id": customers, "timestamp": days, "kind": kinds}
    >>> base.update(columns | {"amount": np.ones(n)})
    >>> test = custcore.backtest_next(base, ["2025-04-01"], 60, k=[5])
    >>> for row in test.select(["method", "customers", "hit@5"]).rows():
    ...     print(row[0], row[1], round(row[2], 2))
    cosine 449 0.92
    confidence 449 0.92
    popularity 449 0.28
    """
    return Table(
        _core.backtest_next(
            core_of_base(base),
            listed_dates(dates),
            arguments.whole("horizon", horizon),
            k=[count(f"k[{i}]", number) for i, number in enumerate(_listed("k", k))],
            methods=[arguments.name(f"methods[{i}]", word) for i, word in enumerate(_listed("methods", methods))],
            min_customers=count("min_customers", min_customers),
            n_threads=arguments.optional_whole("n_threads", n_threads),
        )
    )


def _listed(argument: str, values: object) -> Sequence[Any]:
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise InvalidTypeError(f"{argument}={values!r} is {type(values).__name__}; expected a list")
    return values

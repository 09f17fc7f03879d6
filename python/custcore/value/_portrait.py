"""``custcore.portrait``: who the customers of each segment are."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from custcore import _core
from custcore._input import arguments
from custcore._input.data import as_source, exports
from custcore._input.proposals import proposing, proposing_methods
from custcore.errors import InvalidArgumentError, InvalidTypeError
from custcore.result import Table
from custcore.result._exports import Exports

if TYPE_CHECKING:
    from custcore._input.data import Data
    from custcore.result import Report

__all__ = ["Attributes", "Portrait", "portrait"]

Attributes: TypeAlias = "Data | Sequence[Data] | Mapping[str, Data]"
PERIODS = ("day", "week", "month", "quarter", "year")


@proposing_methods
class Portrait(Exports):
    """Who the customers of each segment are: what :func:`custcore.portrait` returns.

    Its text are :meth:`sentences` in English. It exports Arrow itself:
    ``pyarrow.table(result)`` is :meth:`to_table`, as are the frames and files of
    ``to_pandas()``, ``to_csv(path)`` and the like; ``to_xlsx(path)`` has sheets for the
    table, the marks and the sentences. It can be pickled.
    """

    __slots__ = ("_table",)

    def __init__(self, table: Table) -> None:
        self._table = table

    def to_table(self) -> Table:
        """Every segment, attribute and value.

        Returns
        -------
        Table
            ``segment`` (dictionary, in the order of its categories, else of its values),
            ``attribute``, ``value`` (strings; null where ``nulls="value"``), ``customers`` of
            the segment with the value, ``segment_known`` of the segment with a known value,
            ``all_customers`` with the value, ``all_known`` with a known value (int64).
            ``share`` = customers / segment_known and its 95 % interval ``share_low``,
            ``share_high`` (Wilson); ``share_all`` = all_customers / all_known; ``index`` = 100
            share / share_all (100: as all customers), ``index_low``, ``index_high`` (float64;
            null where nobody in the segment has a known value). ``p_value`` of Fisher's exact
            test, two-sided, of the segment against all others; ``tested`` (bool);
            ``p_adjusted`` for the number of tests (null where not tested). ``strength`` (float64)
            = s ln(s / share_all), where s is the end of the interval nearer to share_all: what
            the value surely adds to how the segment differs; 0 where the interval holds
            share_all, or not tested. ``is_mark`` (bool): tested, p_adjusted < alpha and a
            strength other than 0. Rows: segment, descending strength, attribute, value.
        """
        return self._table

    def marks(self, n: int = 3) -> Table:
        """What sets each segment apart.

        Parameters
        ----------
        n : int, default 3
            How many marks with an index above 100 are listed, the strongest first; the strongest
            below 100 follows.

        Returns
        -------
        Table
            Rows of :meth:`to_table`; a segment that nothing sets apart has none.
        """
        count = arguments.whole("n", n)
        if count < 0:
            raise InvalidArgumentError(f"n={count} is negative; expected a number of marks")
        return Table(_core.portrait_marks(self._table._core, count))

    def sentences(self, lang: Literal["en", "zh"] = "en") -> Table:
        """The portrait in words, a sentence for each segment.

        Parameters
        ----------
        lang : {"en", "zh"}, default "en"
            English or Chinese. Segments, attributes and values are data: they are not translated,
            and control characters in them are escaped.

        Returns
        -------
        Table
            ``segment`` (dictionary), ``sentence`` (string): at most three marks above 100 and one
            below, with the share of the segment, that of all customers, and the index. Shares are
            rounded to whole percent, half to even; a value that is known for fewer than half of
            the segment says so.
        """
        return Table(_core.portrait_sentences(self._table._core, arguments.name("lang", lang)))

    @property
    def report(self) -> Report:
        """What was left out, and for how many customers each attribute is known."""
        return self._table.report

    def _result(self) -> Table:
        return self._table

    def _sheets(self) -> dict[str, Table]:
        return {"portrait": self._table, "marks": self.marks(), "sentences": self.sentences()}

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self._table.__arrow_c_schema__()

    def __copy__(self) -> Portrait:
        return self

    def __deepcopy__(self, memo: object) -> Portrait:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return Portrait, (self._table,)

    def _texts(self) -> list[str]:
        return [str(sentence) for _, sentence in self.sentences().rows()]

    def __repr__(self) -> str:
        return "\n".join(["custcore.Portrait", *self._texts()])

    def _repr_html_(self) -> str:
        return "<ul>" + "".join(f"<li>{html.escape(text)}</li>" for text in self._texts()) + "</ul>"


@proposing
def portrait(
    segments: Data,
    attributes: Attributes | None = None,
    *,
    long: Attributes | None = None,
    segment: str = "segment",
    customer_id: str | Sequence[str] | None = None,
    nulls: Literal["drop", "value"] = "drop",
    min_customers: int = 30,
    adjust: Literal["bh", "holm", "none"] = "bh",
    alpha: float = 0.05,
    bins: int | Mapping[str, int | Sequence[float] | None] | None = 4,
    period: Literal["day", "week", "month", "quarter", "year"] = "month",
    n_threads: int | None = None,
) -> Portrait:
    """Say who the customers of each segment are, by their attributes.

    Compares, for every value of every attribute, the share of the segment that has it with the
    share of all customers. :func:`custcore.profile` has the means of recency, frequency and
    money of each segment.

    Parameters
    ----------
    segments : table
        One row per customer, with the id and a column of segments, such as the result of
        :func:`custcore.rfm_scores`: any table that :func:`custcore.rfm` takes. Other
        columns are not used.
    attributes : table, list of tables, or dict of str to table, optional
        What is known of the customers: a table with the id, of which every other column is
        an attribute; a list of such tables; or a dict of names to tables, where the name is
        that of the attribute if the table has one only. A table of the id and one column in
        which an id occurs twice is a list of values, of which a customer may have several,
        as in ``long``.
    long : table, list of tables, or dict of str to table, optional
        Lists of values, such as the categories that were bought: tables of the id and one
        column, given as ``attributes``. A customer may have several values, each of which
        counts once, and one who is not in the list has none of them, which is known.
    segment : str, default "segment"
        Column of segments: strings, integers, or a dictionary of these, whose order is
        kept.
    customer_id : str or list of str, optional
        Column of customer ids in all tables, or a list of columns (a composite key).
        Default: what a table was grouped by, else the name in the table of segments, else
        the first column; in the table of segments ``customer_id`` if it has such a column.
    nulls : {"drop", "value"}, default "drop"
        ``"drop"``: a customer without a value of an attribute is not counted for it.
        ``"value"``: null is a value, also of customers who are not in the table.
    min_customers : int, default 30
        A value is tested in a segment where the segment has so many customers with a known
        value, and so many of all customers have the value.
    adjust : {"bh", "holm", "none"}, default "bh"
        How p-values are adjusted for the number of tests of the call. ``"bh"``: false
        discovery rate (Benjamini and Hochberg 1995). ``"holm"``: family-wise error rate
        (Holm 1979). ``"none"``: not at all.
    alpha : float, default 0.05
        Level below which an adjusted p-value makes a value a mark of its segment.
    bins : int or None, or dict of str to int, sequence of numbers or None, default 4
        How floats and decimals become values: the number of type-7 quantile bins over all
        customers of segments (4: quartiles), 2 to 100, or None to count each number. A dict
        gives an attribute a number of bins, ascending edges, which belong to the bin below,
        or None; integers are in bins only if it names them.
    period : {"day", "week", "month", "quarter", "year"}, default "month"
        Calendar period by which dates and timestamps are counted. Times with a zone are
        read in their own.
    n_threads : int, optional
        Number of threads. Default: the environment variable ``CUSTCORE_NUM_THREADS``, else
        all available cores. Results do not depend on it.

    Returns
    -------
    Portrait
        ``.to_table()``, ``.marks(n)``, ``.sentences(lang)`` and ``.report``.

    Raises
    ------
    ColumnNotFoundError
        If a table has no column of ids or of segments, or none beside its id.
    InvalidTypeError
        If the ids of the tables are of different kinds, such as integers and strings, or a
        column cannot be an attribute.
    InvalidArgumentError
        If a customer has two rows in ``segments``, or in a table of several attributes; it
        names the id and the rows.
    DuplicateColumnError
        If two attributes have the same name.

    Notes
    -----
    Strings, booleans and integers are values as they are; integers are taken for codes. Dates
    are counted by ``period``, floats and decimals in ``bins``. All customers are those of
    ``segments`` that have a segment; ids are equal whatever the width of integers, the
    layout of strings, and whether they are in a dictionary. Customers who are only in one of
    the tables are reported.

    p-values sum the probabilities of all tables of the same margins that are no likelier than
    the one seen, with a relative tolerance of 1e-7. Where an attribute is what was bought,
    heavy buyers have an index above 100 everywhere, as they buy more of everything. Where an
    attribute is known for few, those few may differ from the others.

    Examples
    --------
    >>> import pyarrow as pa, custcore
    >>> segments = pa.table(
    ...     {"customer_id": range(200), "segment": ["new"] * 80 + ["loyal"] * 120}
    ... )
    >>> countries = pa.table(
    ...     {
    ...         "customer_id": range(200),
    ...         "land": (["DE"] * 60 + ["FR"] * 20) + (["DE"] * 30 + ["FR"] * 90),
    ...     }
    ... )
    >>> found = custcore.portrait(segments, countries)
    >>> found
    custcore.Portrait
    loyal (120 customers, 60 % of all): FR in land (75 % against 55 %, index 136);
    rarely DE in land (25 % against 45 %, index 56).
    new (80 customers, 40 % of all): DE in land (75 % against 45 %, index 167);
    rarely FR in land (25 % against 55 %, index 45).
    >>> found.sentences("zh")["sentence"].to_pylist()[1]
    'new（80 人，占 40%）：land为“DE”的占 75%（全体 45%，指数 167）；较少land为“FR”（占 25%，全体 55%，指数 45）。'
    """
    ids = arguments.optional_key("customer_id", customer_id)
    segment = arguments.name("segment", segment)
    tables = [
        *_tables("attributes", attributes, is_list=False),
        *_tables("long", long, is_list=True),
    ]
    if not tables:
        raise InvalidArgumentError("no table of attributes was given; pass one, a list or a dict of them: attributes=")
    default_bins, named_bins = _bins(bins)
    least = arguments.whole("min_customers", min_customers)
    if least < 0:
        raise InvalidArgumentError(f"min_customers={least} is negative; expected a number of customers")
    options: _core.PortraitOptions = {
        "segment": segment,
        "customer_id": ids,
        "nulls": arguments.name("nulls", nulls),
        "min_customers": least,
        "adjust": arguments.name("adjust", adjust),
        "alpha": _level(alpha),
        "bins": named_bins,
        "default_bins": default_bins,
        "period": (arguments.choice("period", period, PERIODS), 0),
        "timezone": None,
    }
    # Without names of ids they are those that a table names, or its first column.
    names = None if ids is None else [*arguments.key_names(ids), segment]
    table = _core.portrait(
        as_source(segments, names), tables, options, n_threads=arguments.optional_whole("n_threads", n_threads)
    )
    return Portrait(Table(table))


def _tables(argument: str, given: Any, *, is_list: bool) -> list[tuple[str | None, object, bool]]:  # noqa: ANN401
    """The tables of an argument, with their names and whether they are lists of values."""
    if given is None:
        return []
    if isinstance(given, Mapping) and not exports(given) and not _is_one_table(given):
        for name in given:
            arguments.name(f"a name in {argument}", name)
        return [(name, as_source(table), is_list) for name, table in given.items()]
    tables = given if isinstance(given, list | tuple) else [given]
    return [(None, as_source(table), is_list) for table in tables]


def _is_one_table(given: Mapping[Any, Any]) -> bool:
    """Whether a dict is a table, of arrays of numpy."""
    return bool(given) and all(type(value).__module__ == "numpy" for value in given.values())


def _bins(bins: Any) -> tuple[int | None, list[tuple[str, Any]]]:  # noqa: ANN401
    """The bins of floats, and those of single attributes."""
    if not isinstance(bins, Mapping):
        return _one_bins("bins", bins, is_default=True), []
    named = [
        (arguments.name("a name in bins", name), _one_bins(f"bins of {name!r}", one)) for name, one in bins.items()
    ]
    return 4, named


def _one_bins(argument: str, bins: Any, *, is_default: bool = False) -> Any:  # noqa: ANN401
    """A number of bins, edges as a list, or None."""
    if bins is None:
        return None
    if isinstance(bins, str | bytes) or (is_default and isinstance(bins, Sequence)):
        raise InvalidTypeError(
            f"{argument}={bins!r} is {type(bins).__name__}; expected a number of bins, None, or a dict such as "
            "{'age': [30, 50]}"
        )
    if hasattr(bins, "__iter__"):
        return list(bins)
    return arguments.whole(argument, bins)


def _level(alpha: Any) -> float:  # noqa: ANN401
    try:
        return float(alpha)
    except (TypeError, ValueError):
        raise InvalidTypeError(
            f"alpha={alpha!r} is {type(alpha).__name__}; expected a number between 0 and 1"
        ) from None

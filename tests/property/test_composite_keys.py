"""Composite keys: a base of them is the base of one column of numbers in the same order, whatever happens to both."""

from __future__ import annotations

import copy
import pickle
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import custcore
from custcore.errors import NotEnoughDataError
from tests.property.bases import AMOUNTS, AS_OF, HOURS, LEVELS, N_DAYS, RULES, START, entries, rarely_null
from tests.property.strategies import UUIDS

Base = custcore.CustomerBase
KEY = ["country", "number"]
COUNTRIES = ["", "A", "A\0", "A\1", "DE", "DEX", "a name that is longer than a word", "é", *UUIDS[:3]]
NUMBERS = [-(2**15), -257, -256, -1, 0, 1, 255, 256, 2**15 - 1]
# In the order in which custcore compares them: strings by their bytes, numbers by value.
PAIRS = sorted(((c, n) for c in COUNTRIES for n in NUMBERS), key=lambda pair: (pair[0].encode(), pair[1]))
RANKS = st.sampled_from(range(0, len(PAIRS), 5)) | st.integers(0, len(PAIRS) - 1)
ORDERS = st.sampled_from([0, 1, 2, 30])
ROW = st.tuples(rarely_null(RANKS), rarely_null(HOURS), AMOUNTS, rarely_null(ORDERS))
ROWS = st.lists(ROW, max_size=12)
TEXTS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
INTEGERS = [pa.int16(), pa.int32(), pa.int64(), pa.dictionary(pa.int16(), pa.int32())]
LAYOUTS = st.tuples(st.sampled_from(TEXTS), st.sampled_from(INTEGERS), st.integers(0, 2))
LONG = settings.default is not None and settings.default.max_examples > 1000
LIVES = settings(settings.default, max_examples=400 if LONG else 20, stateful_step_count=30 if LONG else 12)
LAWS = settings(settings.default, max_examples=1000 if LONG else 40)


def _parts(ranks: list[int | None], layout: Any, names: list[str]) -> dict[str, pa.Array]:
    """The two columns of some pairs, of the types of a layout. A null rank is a pair with one part null, or both."""
    text, number, odd = layout
    pairs = [(None, None) if rank is None else PAIRS[rank] for rank in ranks]
    # What is null where: the first part, the second, both.
    texts = ["A" if rank is None and odd == 1 else pair[0] for rank, pair in zip(ranks, pairs, strict=True)]
    numbers = [0 if rank is None and odd == 0 else pair[1] for rank, pair in zip(ranks, pairs, strict=True)]
    columns = []
    for values, kind in ((texts, text), (numbers, number)):
        plain = pa.array(values, kind.value_type if pa.types.is_dictionary(kind) else kind)
        columns.append(plain.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else plain)
    return dict(zip(names, columns, strict=True))


def tables(rows: list[Any], layout: Any) -> tuple[pa.Table, pa.Table]:
    """Rows with composite keys, and with their ranks."""
    ranks, hours, amounts, orders = ([row[i] for row in rows] for i in range(4))
    rest = {
        "timestamp": pa.array(hours, pa.timestamp("us")),
        "amount": pa.array(amounts, pa.float64(), from_pandas=False),
    }
    pair = _parts(ranks, layout, KEY) | _parts(orders, layout, ["shop", "order"]) | rest
    one = {"customer_id": pa.array(ranks, pa.int64()), "order": pa.array(orders, pa.int64())} | rest
    return pa.table(pair), pa.table(one)


def bases(level: str, **options: Any) -> tuple[Base, Base]:
    """A base of composite keys, and one of ranks."""
    settings_of = LEVELS[level] | options
    pair = {"order_id": ["shop", "order"]} if level == "orders" else {}
    twins = Base(customer_id=KEY, **(settings_of | pair)), Base(**settings_of)
    for base, table in zip(twins, tables([], (TEXTS[0], INTEGERS[0], 0)), strict=True):
        base.update(table)
    return twins


def ranked(table: Any) -> list[dict[str, Any]]:
    """The rows of a result, with ranks where it has pairs."""
    rows = table.to_pyarrow().to_pylist()
    if "country" not in table.column_names:
        return rows
    assert table.column_names[:2] == KEY
    return [{"customer_id": PAIRS.index((row.pop("country"), row.pop("number")))} | row for row in rows]


def check(found: Any, expected: Any) -> None:
    assert ranked(found) == ranked(expected)
    assert entries(found.report) == entries(expected.report)


def check_views(pair: Base, one: Base, level: str, as_of: date | None) -> None:
    """Every analysis of a base."""
    past = None if level == "totals" else as_of
    check(pair.rfm(past), one.rfm(past))
    if level == "totals":
        return
    cohorts = [base.cohort_retention(period="2d", as_of=as_of) for base in (pair, one)]
    for name in ("to_table", "average", "movement", "customers"):
        found, expected = (getattr(cohort, name)() for cohort in cohorts)
        assert ranked(found) == ranked(expected), name
    dates = [START + timedelta(days=2), START + timedelta(days=N_DAYS)]
    assert moved(pair, dates) == moved(one, dates)


def moved(base: Base, dates: list[date]) -> pa.Table | None:
    try:
        return base.transitions(dates, custcore.RFMScorer(2, segments=_SEGMENTS)).to_pyarrow()
    except NotEnoughDataError:  # no customers yet
        return None


_SEGMENTS = custcore.SegmentMap([("all", (1, 2), (1, 2), (1, 2))], bins=(2, 2, 2))


def through_file(base: Base) -> Base:
    with tempfile.TemporaryDirectory() as folder:
        base.save(Path(folder) / "base")
        return Base.load(Path(folder) / "base")


WAYS: dict[str, Callable[[Base], Base]] = {
    "file": through_file,
    "pickle": lambda base: pickle.loads(pickle.dumps(base)),
    "deepcopy": copy.deepcopy,
}


class Twins(RuleBasedStateMachine):
    """A base of composite keys and one of ranks, of one level."""

    level: ClassVar[str]

    @initialize(rules=RULES)
    def begin(self, rules: dict[str, Any]) -> None:
        # Lines of sealed orders are reported, so that both go on.
        self.rules = rules | ({"late": "report"} if self.level == "orders" else {})
        self.pair, self.one = bases(self.level, **self.rules)

    @rule(rows=ROWS, layout=LAYOUTS, threads=st.sampled_from([1, 4]))
    def update(self, rows: list[Any], layout: Any, threads: int) -> None:
        pair, one = tables(rows, layout)
        self.pair.update(pair, n_threads=threads)
        self.one.update(one)

    @rule(rows=ROWS, layout=LAYOUTS)
    def merge(self, rows: list[Any], layout: Any) -> None:
        others = bases(self.level, **self.rules)
        for base, other, table in zip((self.pair, self.one), others, tables(rows, layout), strict=True):
            other.update(table)
            base.merge(other)

    @rule(mapping=st.dictionaries(RANKS, RANKS, max_size=3))
    def relabel(self, mapping: dict[int, int]) -> None:
        self.pair.relabel({PAIRS[old]: PAIRS[new] for old, new in mapping.items()})
        self.one.relabel(mapping)

    @rule(ranks=st.lists(RANKS, max_size=3), as_table=st.booleans())
    def remove(self, ranks: list[int], as_table: bool) -> None:
        pairs = [PAIRS[rank] for rank in ranks]
        given = pd.DataFrame({"number": [p[1] for p in pairs], "country": pd.array([p[0] for p in pairs], "str")})
        assert self.pair.remove(given if as_table else pairs) == self.one.remove(ranks)

    @precondition(lambda self: self.level == "orders")
    @rule(day=st.integers(0, N_DAYS))
    def seal(self, day: int) -> None:
        for base in (self.pair, self.one):
            base.seal(START + timedelta(days=day))

    @rule(way=st.sampled_from(sorted(WAYS)))
    def carry(self, way: str) -> None:
        carried = WAYS[way](self.pair)
        assert carried.to_bytes() == self.pair.to_bytes()
        self.pair = carried

    @rule(as_of=AS_OF)
    def query(self, as_of: date | None) -> None:
        check_views(self.pair, self.one, self.level, as_of)

    @invariant()
    def counts(self) -> None:
        if hasattr(self, "pair"):
            assert (len(self.pair), self.pair.n_rows) == (len(self.one), self.one.n_rows)

    def teardown(self) -> None:
        if hasattr(self, "pair"):
            check_views(self.pair, self.one, self.level, None)


def twins(name: str) -> Any:
    case = type(f"Twins{name.title()}", (Twins,), {"level": name}).TestCase
    case.settings = LIVES
    return case


TestTotals, TestDays, TestOrders = (twins(name) for name in LEVELS)


@LAWS
@given(st.lists(ROWS, min_size=1, max_size=4), st.lists(LAYOUTS, min_size=4, max_size=4), st.integers(1, 4), RULES)
def test_batches_layouts_threads_and_slices_do_not_show(
    pieces: list[list[Any]], layouts: list[Any], threads: int, rules: dict[str, Any]
) -> None:
    """One call over batches of one layout, or updates of several: the same table, to the bit."""
    rows = [row for piece in pieces for row in piece]
    whole, ranks = tables(rows, layouts[0])
    options: dict[str, Any] = {"customer_id": KEY, "order_id": ["shop", "order"], **rules}
    found = custcore.rfm(whole, n_threads=threads, **options)
    check(found, custcore.rfm(ranks, order_id="order", **rules))
    padded = pa.concat_tables([tables([(3, None, 1.0, 0)] * 3, layouts[0])[0], whole]).combine_chunks().slice(3)
    batches = [batch for piece in pieces for batch in tables(piece, layouts[0])[0].to_batches(max_chunksize=3)]
    for data in (padded, batches or [whole]):
        assert custcore.rfm(data, **options).to_pyarrow().equals(found.to_pyarrow())
    base = bases("orders", **rules)[0]
    for piece, layout in zip(pieces, layouts, strict=False):
        base.update(tables(piece, layout)[0])
    assert ranked(base.rfm()) == ranked(found)


@LAWS
@given(ROWS, LAYOUTS)
def test_groups_are_those_of_pandas(rows: list[Any], layout: Any) -> None:
    table = tables([row for row in rows if row[1] is not None], layout)[0]
    found = custcore.rfm(table, customer_id=KEY, returns="count", zero_is_purchase=True).to_pandas()
    frame = table.cast(pa.schema([(name, _plain(table.schema.field(name).type)) for name in table.column_names]))
    groups = frame.to_pandas().groupby(KEY, sort=False)["timestamp"].agg(["size", "min", "max"]).reset_index()
    expected = {
        (c, n): (size, low.normalize(), high.normalize()) for c, n, size, low, high in groups.itertuples(index=False)
    }
    counts = zip(found["n_orders"], found["first_date"], found["last_date"], strict=True)
    assert dict(zip(zip(found["country"], found["number"], strict=True), counts, strict=True)) == expected


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else pa.string() if kind == pa.string_view() else kind

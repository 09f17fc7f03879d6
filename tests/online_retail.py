"""Online Retail as it is published: times as 12/1/2010 8:26, ids as 12346.0, quantities and prices of units."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.reference_data import SHIPPED

__all__ = ["CUSTOMERS", "ORDERS", "REVENUE", "check_totals", "published"]

CUSTOMERS, ORDERS, REVENUE = 4339, 18_536, Decimal("8310477.054")


def published():
    """The lines as a DataFrame of pandas."""
    pd = pytest.importorskip("pandas")
    frame = pd.read_parquet(SHIPPED.data / "online_retail" / "online_retail.parquet")
    when = frame["invoice_date"].dt
    day = when.month.astype(str) + "/" + when.day.astype(str) + "/" + when.year.astype(str)
    return pd.DataFrame(
        {
            "InvoiceNo": frame["invoice"],
            "Description": frame["description"],
            "Quantity": frame["quantity"],
            "InvoiceDate": day + " " + when.hour.astype(str) + when.strftime(":%M"),
            "UnitPrice": frame["unit_price"],
            "CustomerID": frame["customer_id"].astype("float64"),
        }
    )


def check_totals(scored):
    """Assert customers, orders and revenue of a result, a table of pyarrow."""
    assert scored.num_rows == CUSTOMERS
    assert sum(scored["n_orders"].to_pylist()) == ORDERS
    assert sum(map(Decimal, map(str, scored["monetary_total"].to_pylist()))) == pytest.approx(REVENUE)

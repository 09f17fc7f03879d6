"""`custcore.Table` on the screen and in a notebook."""

from __future__ import annotations

import re
from datetime import date

import pyarrow as pa

import custcore
from tests.samples import one_customer, transactions

HOSTILE = '<script>alert("x")</script>&\'<b>'


def test_names_and_sizes() -> None:
    table = custcore.rfm(transactions())
    assert table.num_rows == table.to_pyarrow().num_rows == len(table)
    assert table.column_names == table.to_pyarrow().column_names
    assert isinstance(table.metadata, dict)


def test_repr_shows_rows_columns_and_size() -> None:
    table = custcore.rfm_scores(transactions())
    text = repr(table)
    assert str(table.num_rows) in text
    for name in ("customer_id", "n_orders"):
        assert name in text
    first = table.to_pyarrow()["customer_id"][0].as_py()
    assert first in text


def test_repr_of_many_rows_and_of_none_is_short() -> None:
    many = custcore.rfm(
        one_customer([1.0] * 5000, customer_id=[f"c{i}" for i in range(5000)], timestamp=[date(2024, 1, 1)] * 5000)
    )
    assert len(repr(many).splitlines()) < 40
    assert "5000" in repr(many).replace(",", "").replace("_", "")
    assert len(many._repr_html_()) < 60_000
    assert "0" in repr(custcore.rfm(transactions().slice(0, 0)))


def test_long_and_hostile_ids_stay_on_their_line() -> None:
    ids = ["x" * 10_000, "line\nbreak", "\x1b[31mred", HOSTILE]
    text = repr(custcore.rfm(one_customer([1.0] * 4, customer_id=ids)))
    assert "\x1b" not in text
    assert "line\nbreak" not in text
    assert max(map(len, text.splitlines())) < 1000


def test_html_is_escaped() -> None:
    table = one_customer([1.0, 2.0], customer_id=[HOSTILE, "plain"]).rename_columns(["<i>who", "timestamp", "amount"])
    html = custcore.rfm(table, customer_id="<i>who")._repr_html_()
    assert "<table" in html
    assert "plain" in html
    assert "&lt;script&gt;" in html
    assert "&lt;i&gt;who" in html
    for tag in ("<script", "<b>", "<i>"):
        assert tag not in html
    assert not re.search(r"&(?!\w+;|#)", html)


def test_html_of_binary_ids() -> None:
    ids = pa.array([b"<b>\xff", b"ok"], pa.binary())
    html = custcore.rfm(one_customer([1.0, 2.0], customer_id=ids))._repr_html_()
    assert "<b>" not in html

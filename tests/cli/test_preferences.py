"""`custcore preferences` and `custcore next`."""

from __future__ import annotations

import datetime as dt

import pyarrow.parquet as pq
import pytest

import custcore
from tests.cli.example_files import write_example_files


@pytest.fixture
def folder(tmp_path):
    """Where `run` runs, with the files of the examples."""
    write_example_files(tmp_path)
    return tmp_path


def base_of(folder, **options):
    base = custcore.CustomerBase(track="days", categories="item", **options)
    base.update(custcore.read(folder / "bought.csv"))
    return base


def rows(path):
    return pq.read_table(path).to_pylist()


def test_the_screen_counts_customers_and_favourites(folder, run_json):
    said = run_json("preferences", "bought.csv", "--categories", "item")
    found = base_of(folder).preferences().to_pylist()
    assert said["rows"] == 200
    assert [row["category"] for row in said["categories"]] == sorted(
        {row["category"] for row in found},
        key=lambda name: -next(r["share_all"] for r in found if r["category"] == name),
    )
    for row in said["categories"]:
        own = [other for other in found if other["category"] == row["category"]]
        assert row["customers"] == len(own)
        assert row["favourite_of"] == sum(other["rank"] == 1 for other in own)
        assert row["orders"] == sum(other["orders"] for other in own)


@pytest.mark.parametrize(
    ("words", "method", "options"),
    [
        ((), "preferences", {}),
        (("--measure", "orders", "--prior-orders", "2"), "preferences", {"measure": "orders", "prior_orders": 2}),
        (("--table", "breadth"), "breadth", {}),
        (("--table", "features"), "preference_features", {}),
        (("--table", "promotion", "--promotion", "discount"), "promotion_sensitivity", {}),
        (("--as-of", "2026-01-31"), "preferences", {"as_of": "2026-01-31"}),
    ],
)
def test_tables_are_those_of_a_base(folder, run, words, method, options):
    run("preferences", "bought.csv", "--categories", "item", *words, "-o", "out.parquet")
    base = base_of(folder, category_days=True, promotion="discount")
    assert rows(folder / "out.parquet") == getattr(base, method)(**options).to_pylist()


def test_groups(folder, run, run_json):
    run("preferences", "bought.csv", "--categories", "item", "--by", "country", "-o", "out.parquet")
    base = base_of(folder, attributes={"country": "first"})
    assert rows(folder / "out.parquet") == base.preferences(by="country").to_pylist()
    said = run_json("preferences", "bought.csv", "--categories", "item", "--by", "country")
    assert {row["country"] for row in said["categories"]} == {"FR", "DE"}
    assert (
        "100 is the share of all customers"
        in run("preferences", "bought.csv", "--categories", "item", "--by", "country").stdout
    )


def test_recommendations_and_the_model(folder, run, run_json):
    words = ("next", "bought.csv", "--categories", "item")
    run(*words, "--min-customers", "2", "-k", "2", "--save-model", "next.json", "-o", "out.parquet")
    model = custcore.NextCategory(min_customers=2).fit(base_of(folder))
    assert custcore.NextCategory.load(folder / "next.json") == model
    expected = model.recommend(base_of(folder), 2).to_pylist()
    assert rows(folder / "out.parquet") == expected
    run(*words, "--model", "next.json", "-k", "2", "-o", "again.parquet")
    assert rows(folder / "again.parquet") == expected
    said = run_json(*words, "--min-customers", "2", "--backtest", "--horizon", "14")
    base = base_of(folder, category_days=True)
    date = base.last_date - dt.timedelta(14)
    assert [row["hit@3"] for row in said["backtest"]] == custcore.backtest_next(base, [date], 14, min_customers=2)[
        "hit@3"
    ].to_pylist()
    assert "popularity" in run(*words, "--min-customers", "2", "--backtest", "--horizon", "14").stdout


def test_what_is_refused(folder, run):
    assert "--categories is missing" in run("preferences", "bought.csv", code=2).stderr
    assert "--categories is missing" in run("next", "bought.csv", code=2).stderr
    words = ("preferences", "bought.csv", "--categories", "item")
    assert "--promotion COLUMN" in run(*words, "--table", "promotion", code=2).stderr
    assert "exclude each other" in run(*words, "--table", "breadth", "--by", "country", code=2).stderr
    assert "column" in run("preferences", "bought.csv", "--categories", "itm", code=3).stderr
    assert "leave out --as-of" in run("next", *words[1:], "--backtest", "--as-of", "2026-01-31", code=2).stderr
    assert "or use --measure orders" in run(*words, "--no-amount", code=3).stderr.replace("\n", " ")

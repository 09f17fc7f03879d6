"""RFM tables, scorers, and the results that they come in."""

from __future__ import annotations

import copy
import functools
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import custcore
from tests.api.fork.case import DATES, FEATURES, MANY, THREADS, Case, kinds, public_names, rows, stored, table, touch


def tables() -> Iterator[Case]:
    for kind, data in kinds():
        yield Case(f"rfm, {kind}", ("rfm",), lambda d: custcore.rfm(d, n_threads=THREADS), data)
        yield Case(
            f"rfm by order, {kind}",
            ("rfm",),
            lambda d: custcore.rfm(
                d, order_id="order_id", n_days=True, attributes={"country": "last"}, n_threads=THREADS
            ),
            data,
        )
        yield Case(f"rfm_scores, {kind}", ("rfm_scores",), lambda d: custcore.rfm_scores(d, n_threads=THREADS), data)
    yield Case(
        "rfm_scores, nested",
        ("rfm_scores",),
        lambda d: custcore.rfm_scores(
            d, by="country", attributes={"country": "first"}, binning="nested", ties="split", n_threads=THREADS
        ),
        functools.partial(rows, MANY),
    )
    large = functools.partial(rows, MANY)

    def result() -> Any:
        return table(large())

    yield Case("Table", tuple(f"Table.{name}" for name in public_names(custcore.Table)), look_at_table, result)
    yield Case(
        "Column",
        tuple(f"Column.{name}" for name in public_names(custcore.Column)),
        look_at_column,
        result,
    )
    yield Case(
        "Schema",
        tuple(f"Schema.{name}" for name in public_names(custcore.Schema)),
        lambda t: (
            touch(t.schema),
            list(t.schema.items()),
            list(t.schema.keys()),
            list(t.schema.values()),
            t.schema.get("n_orders"),
        ),
        result,
    )
    yield Case(
        "Report", tuple(f"Report.{name}" for name in public_names(custcore.Report)), lambda t: touch(t.report), result
    )
    yield Case(
        "ReportEntry",
        tuple(f"ReportEntry.{name}" for name in public_names(custcore.ReportEntry)),
        lambda t: [touch(entry) for entry in t.report],
        result,
    )
    yield Case(
        "profile",
        ("profile",),
        lambda t: custcore.profile(t, n_threads=THREADS),
        lambda: custcore.rfm_scores(large(), n_threads=THREADS),
    )
    for cls, new in (
        (custcore.RFMScorer, custcore.RFMScorer),
        (custcore.QuantileScorer, lambda: custcore.QuantileScorer(FEATURES[1:], directions="high")),
    ):
        name = cls.__name__

        def fitted(new: Callable[[], Any] = new) -> tuple[Any, Any]:
            customers = result()
            return new().fit(customers, n_threads=THREADS), customers

        yield Case(
            f"{name}.fit",
            (f"{name}.__init__", f"{name}.fit"),
            lambda t, new=new: new().fit(t, n_threads=THREADS),
            result,
        )
        yield Case(
            f"{name}.fit_transform",
            (f"{name}.fit_transform",),
            lambda t, new=new: new().fit_transform(t, n_threads=THREADS),
            result,
        )
        yield Case(
            f"{name}.transform", (f"{name}.transform",), lambda s: s[0].transform(s[1], n_threads=THREADS), fitted
        )
        yield Case(f"{name}.drift", (f"{name}.drift",), lambda s: s[0].drift(s[1], n_threads=THREADS), fitted)
        yield Case(f"{name}.thresholds", (f"{name}.thresholds",), lambda s: s[0].thresholds, fitted, given=False)
        values = (30, 2, 9.5) if cls is custcore.RFMScorer else ([2, 9.5],)
        yield Case(
            f"{name}.score_one",
            (f"{name}.score_one",),
            lambda s, values=values: s[0].score_one(*values),
            fitted,
            given=False,
        )
        yield Case(
            f"{name}.get_params",
            (f"{name}.get_params", f"{name}.set_params"),
            lambda s: s[0].set_params(**s[0].get_params()),
            fitted,
            given=False,
        )
        covers, call = stored(cls, "__reduce__", "__eq__")
        yield Case(f"{name}, stored", covers, lambda s, call=call: call(s[0]), fitted, given=False)
    explained = (custcore.ScoreExplanation, custcore.ExplainedScore, custcore.ScoreChange)
    yield Case(
        "RFMScorer.explain",
        ("RFMScorer.explain", *(f"{cls.__name__}.{name}" for cls in explained for name in public_names(cls))),
        look_at_explanation,
        lambda: custcore.RFMScorer().fit(result(), n_threads=THREADS),
        given=False,
    )
    yield Case(
        "compare",
        ("compare",),
        lambda t: custcore.compare(*t, n_threads=THREADS),
        lambda: two_days(large()),
    )
    yield Case(
        "ScoreComparison",
        tuple(f"ScoreComparison.{name}" for name in public_names(custcore.ScoreComparison)),
        look_at_comparison,
        lambda: custcore.compare(*two_days(large()), n_threads=THREADS),
        given=False,
    )
    covers, call = stored(custcore.SegmentMap, "__init__", "__reduce__", "__eq__", "__hash__")
    words = ("bins", "named", "names", "overlaps", "rest", "rules", "segment", "uncovered")

    def look(segments: Any) -> Any:
        return call(segments), segments.segment(5, 5, 5), touch(segments)

    yield Case(
        "SegmentMap",
        (*covers, *(f"SegmentMap.{word}" for word in words)),
        look,
        lambda: custcore.SegmentMap.named("rf10"),
        given=False,
    )


def two_days(data: Any) -> tuple[Any, Any]:
    """Scores of two days."""
    scorer = custcore.RFMScorer().fit(table(data), n_threads=THREADS)
    days = [custcore.rfm(data, as_of=day, n_threads=THREADS) for day in DATES[1:]]
    return scorer.transform(days[0], n_threads=THREADS), scorer.transform(days[1], n_threads=THREADS)


def look_at_explanation(scorer: Any) -> Any:
    """All that an explanation is and does."""
    found = scorer.explain(30, 2, 9.5)
    again = pickle.loads(pickle.dumps(found))
    parts = [touch(part) for part in (*found.scores, *found.segment_changes)]
    return touch(found), touch(again), again == found, parts, touch(found.to_table()), found.to_dict()


def look_at_comparison(compared: Any) -> Any:
    """All ways out of a comparison but those into other libraries, which are theirs."""
    again = pickle.loads(pickle.dumps(compared))
    return touch(compared), touch(copy.copy(again)), touch(copy.deepcopy(again)), touch(compared.customers)


def look_at_column(result: Any) -> Any:
    """All that a column does itself."""
    column = result["n_orders"]
    again = pickle.loads(pickle.dumps(column))
    return touch(column), touch(copy.copy(again)), touch(copy.deepcopy(again)), column.to_pylist(), column.to_numpy()


def look_at_table(result: Any) -> Any:
    """All ways out of a table but those into other libraries, which are theirs."""
    return touch(result), result.to_numpy("n_orders").sum()

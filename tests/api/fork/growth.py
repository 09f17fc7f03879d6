"""Funnels, the ladder of orders, acquisition, changes of revenue, health and reviews."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np

import custcore
from tests.api.fork.case import THREADS, Case, base, kinds, public_names, touch

MONTHS = np.array(["2024-05-01", "2024-06-01", "2025-02-01"], "datetime64[D]")
COSTS = {"period": MONTHS.astype("datetime64[s]"), "cost": np.array([900.0, 20.0, 5.0])}


def growth() -> Iterator[Case]:
    calls = {
        "order_ladder": lambda b: b.order_ladder(n_threads=THREADS),
        "acquisition": lambda b: b.acquisition(COSTS, n_threads=THREADS),
        "change": lambda b: b.change("2024-06", "2024-07", n_threads=THREADS),
        "health": lambda b: b.health("2025-06-30", n_threads=THREADS),
        "review": lambda b: b.review("2025-06", n_threads=THREADS).tables(),
    }
    for kind, data in kinds("few", "many"):
        for name, call in calls.items():
            yield Case(
                f"CustomerBase.{name}, {kind}",
                (f"CustomerBase.{name}",),
                call,
                lambda data=data: base(data(), "days"),
            )
    for kind, data in kinds():
        yield Case(
            f"funnel, {kind}",
            ("funnel",),
            lambda d: custcore.funnel(d, ["1", "2", "3"], "90d", event="country", n_threads=THREADS),
            data,
        )
    yield Case(
        "Review",
        tuple(f"Review.{name}" for name in public_names(custcore.Review)),
        look_at_review,
        lambda: base(next(data() for _, data in kinds("few")), "days").review("2025-06", n_threads=THREADS),
        given=False,
    )


def look_at_review(review: Any) -> Any:
    """All ways out of a review but those into other libraries, which are theirs."""
    again = pickle.loads(pickle.dumps(review))
    made = custcore.Review(review.month, review.tables(), review.campaigns)
    return touch(review), touch(copy.copy(again)), touch(copy.deepcopy(made)), review._repr_html_()

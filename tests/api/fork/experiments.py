"""Experiments, campaigns without random groups, uplift curves, plans of budgets."""

from __future__ import annotations

import copy
import functools
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np

import custcore
from tests.api.fork.case import MANY, THREADS, Case, base, kinds, public_names, rows, touch

WINDOW: dict[str, Any] = {"start": "2025-06-01", "days_after": 60}
CELLS = [
    {"segment": "a", "curve": custcore.Curve.exp(a=5e4, b=1 / 8e3), "se": 100.0},
    {"segment": "b", "curve": custcore.Curve.hill(a=3e4, c=2e3, k=0.7), "se": 100.0},
]
OPTIONS = [
    {"segment": "a", "channel": "mail", "cost": 0.8, "value": 4.0, "customers": 800, "value_se": 0.1},
    {"segment": "b", "channel": "mail", "cost": 0.8, "value": 1.9, "customers": 900, "value_se": 0.1},
]


def experiments() -> Iterator[Case]:
    calls = {
        "effect": lambda b, g: b.effect(g, **WINDOW, by="segment", every=20, n_threads=THREADS).table(),
        "experiment_table": lambda b, g: b.experiment_table(g, **WINDOW, n_threads=THREADS),
        "plan": lambda b, _: b.plan("2025-06-01", days_after=60, n_threads=THREADS),
        "aa": lambda b, _: b.aa("2025-06-01", 60, n=5, n_threads=THREADS),
    }
    for kind, data in kinds("few", "many"):
        for name, call in calls.items():
            yield Case(
                f"CustomerBase.{name}, {kind}",
                (f"CustomerBase.{name}",),
                lambda made, call=call: call(*made),
                lambda data=data: (base(data(), "days"), groups(data())),
            )
        yield Case(
            f"CustomerBase.track_segments, {kind}",
            ("CustomerBase.track_segments",),
            lambda made: made[0].track_segments(made[1], made[2], **WINDOW, n_threads=THREADS),
            lambda data=data: tracked(data()),
        )
    for kind, data in kinds():
        yield Case(
            f"effect, {kind}",
            ("effect",),
            lambda made: custcore.effect(*made, **WINDOW, n_threads=THREADS).table(),
            lambda data=data: (data(), groups(data())),
        )
        yield Case(
            f"before_after, {kind}",
            ("before_after",),
            lambda made: custcore.before_after(*made, **WINDOW, n_threads=THREADS).table(),
            lambda data=data: (data(), treated(data())),
        )
    yield Case(
        "effect_of",
        ("effect_of",),
        lambda t: custcore.effect_of(t, [custcore.experiments.Mean("amount")], n_threads=THREADS).table(),
        scored,
    )
    yield Case(
        "uplift_curve",
        ("uplift_curve",),
        lambda t: custcore.uplift_curve(t, score="score", group="group", outcome="amount", n_threads=THREADS).table(),
        scored,
    )
    yield from results()
    yield from allocations()


def results() -> Iterator[Case]:
    large = functools.partial(rows, MANY)
    for cls, look, prepare in (
        (
            custcore.BeforeAfter,
            look_at_comparison,
            lambda: custcore.before_after(large(), treated(large()), **WINDOW, n_threads=THREADS),
        ),
        (
            custcore.UpliftCurve,
            look_at_curve,
            lambda: custcore.uplift_curve(
                scored(), score="score", group="group", outcome="amount", margin=0.3, cost=0.1, n_threads=THREADS
            ),
        ),
    ):
        covers = tuple(f"{cls.__name__}.{name}" for name in public_names(cls))
        if cls is custcore.UpliftCurve:
            covers += tuple(f"UpliftPoint.{name}" for name in public_names(custcore.UpliftPoint))
        yield Case(cls.__name__, covers, look, prepare, given=False)


def allocations() -> Iterator[Case]:
    yield Case("allocate", ("allocate",), lambda _: custcore.allocate(CELLS, 9_000).table(), given=False)
    yield Case(
        "allocate_contacts",
        ("allocate_contacts",),
        lambda _: custcore.allocate_contacts(OPTIONS, 900, whole=True).table(),
        given=False,
    )
    yield Case(
        "Allocation",
        tuple(f"Allocation.{name}" for name in public_names(custcore.Allocation)),
        look_at_plan,
        lambda: custcore.allocate(CELLS, 9_000),
        given=False,
    )
    yield Case(
        "Curve",
        tuple(f"Curve.{name}" for name in public_names(custcore.Curve)),
        look_at_response,
        lambda: custcore.Curve.exp(5e4, 1e-4),
        given=False,
    )
    yield Case(
        "sizes of tests",
        ("sample_size", "detectable"),
        lambda _: (
            custcore.sample_size(sd=3.0, difference=1.0),
            custcore.detectable(sd=3.0, n_control=100, n_treatment=100),
        ),
        given=False,
    )


def groups(data: dict[str, Any]) -> dict[str, Any]:
    """An experiment on all customers."""
    ids = np.unique(data["customer_id"])
    return {"customer_id": ids, "group": np.where(np.arange(len(ids)) % 2 == 0, "control", "mail")}


def treated(data: dict[str, Any]) -> dict[str, Any]:
    """Every third customer."""
    return {"customer_id": np.unique(data["customer_id"])[::3]}


def scored() -> dict[str, Any]:
    """A row for each customer, with a score."""
    data = rows(MANY)
    n = len(data["amount"])
    return {
        "group": np.where(np.arange(n) % 2 == 0, "control", "mail"),
        "score": data["amount"][::-1].copy(),
        "amount": data["amount"],
    }


def tracked(data: dict[str, Any]) -> tuple[custcore.CustomerBase, dict[str, Any], custcore.RFMScorer]:
    """A base, an experiment on its customers, and a scorer fitted before it began."""
    made = base(data, "days")
    return made, groups(data), custcore.RFMScorer().fit(made.rfm("2025-05-31", n_threads=THREADS))


def look_at_comparison(found: Any) -> Any:
    tables = found.table(), found.balance(), found.placebo(), found.placebo_draws(n=5), found.roi(0.3, 100.0)
    return touch(found), [table.to_pylist() for table in tables]


def look_at_curve(found: Any) -> Any:
    point = pickle.loads(pickle.dumps(found.at(0.3)))
    return touch(found), found.table().to_pylist(), touch(point), point == found.at(0.3), hash(point)


def look_at_plan(plan: Any) -> Any:
    """All ways out of a plan but those into other libraries and files, which are theirs."""
    again = pickle.loads(pickle.dumps(plan))
    tables = plan.table(), plan.frontier([1e3, 1e4]), plan.sensitivity(n=20), again.table()
    return touch(plan), touch(copy.copy(again)), touch(copy.deepcopy(again)), plan.regret(20, 0), tables


def look_at_response(curve: Any) -> Any:
    made = (
        custcore.Curve.hill(3e4, 2e3, 0.7),
        custcore.Curve.table([0, 10, 20], [0, 50, 70]),
        custcore.Curve.fit([0, 200, 500, 900], [0, 1_700, 3_100, 4_200]),
    )
    again = pickle.loads(pickle.dumps(curve))
    values = [(each.value(5.0), each.marginal(5.0)) for each in (*made, again)]
    return [touch(each) for each in made], values, again == curve, hash(again), touch(copy.deepcopy(copy.copy(curve)))

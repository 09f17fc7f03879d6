"""Random lives of customer bases, beside a model that keeps every row: updates, merges, seals, new ids, files.

`CUSTCORE_HYPOTHESIS=long` lives more of them, and longer.
"""

from __future__ import annotations

import copy
import pickle
import random
import tempfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import custcore
from custcore.errors import CustcoreError, DuplicateBatchError, NonFiniteError, StateMismatchError
from tests.property.bases import (
    AS_OF,
    BATCHES,
    COHORTS,
    IDS,
    LEVELS,
    N_DAYS,
    RULES,
    START,
    Row,
    check_cohorts,
    check_rfm,
    new_base,
    rows_of_level,
    table,
)
from tests.reference.base import AgainError, BaseReference, LateError

Base = custcore.CustomerBase
AT_NOON = datetime(2024, 1, 1, 12)  # noqa: DTZ001
WHICH = st.integers(0, 1)
THREADS = st.sampled_from([1, 4])
LONG = settings.default is not None and settings.default.max_examples > 1000
LIVES = settings(settings.default, max_examples=600 if LONG else 30, stateful_step_count=30 if LONG else 14)


def through_file(base: Base) -> Base:
    with tempfile.TemporaryDirectory() as folder:
        base.save(Path(folder) / "base")
        return Base.load(Path(folder) / "base")


WAYS: dict[str, Callable[[Base], Base]] = {
    "file": through_file,
    "bytes": lambda base: Base.from_bytes(base.to_bytes()),
    "pickle": lambda base: pickle.loads(pickle.dumps(base)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


class Lives(RuleBasedStateMachine):
    """Two bases of one level and their models."""

    level: ClassVar[str]
    # The memory limit of bases whose customers go to disk now and then.
    limit: ClassVar[dict[str, Any]] = {}

    def empty(self) -> Base:
        return new_base(self.level, **self.options, **self.limit)

    @initialize(rules=RULES, late=st.sampled_from(["error", "report"]), threads=THREADS)
    def begin(self, rules: dict[str, Any], late: str, threads: int) -> None:
        self.options = rules | ({"late": late} if self.level == "orders" else {})
        self.n_threads = threads
        self.bases = [self.empty() for _ in range(2)]
        self.models = [BaseReference(has_orders=self.level == "orders", **self.options) for _ in range(2)]

    @rule(which=WHICH, batches=BATCHES, batch_id=st.none() | st.sampled_from(["monday", "tuesday"]))
    def update(self, which: int, batches: list[list[Row]], batch_id: str | None) -> None:
        base, model = self.bases[which], self.models[which]
        data = [table(rows) for rows in batches]
        rows = rows_of_level(self.level, [row for rows in batches for row in rows])
        before = base.to_bytes()
        try:
            model.update(rows, batch_id)
        except (AgainError, LateError) as error:
            expected = DuplicateBatchError if isinstance(error, AgainError) else StateMismatchError
            with pytest.raises(expected):
                base.update(data, batch_id=batch_id, n_threads=self.n_threads)
            assert base.to_bytes() == before
        else:
            base.update(data, batch_id=batch_id, n_threads=self.n_threads)

    @rule(which=WHICH, batches=BATCHES, at=st.integers(0, 3), bad=st.sampled_from(["infinite", "unlike", "producer"]))
    def update_fails(self, which: int, batches: list[list[Row]], at: int, bad: str) -> None:
        """A batch that cannot be used, after good ones: nothing of them stays."""
        base = self.bases[which]
        before = base.to_bytes()
        unlike = table([]).set_column(0, "customer_id", pa.array([], pa.int64()))
        infinite = table([("a", None, None), ("a", AT_NOON, float("inf"))])

        def stream() -> Any:
            for number, rows in enumerate([*batches, []]):
                if number == min(at, len(batches)):
                    if bad == "producer":
                        raise RuntimeError("the disk went away")
                    yield unlike if bad == "unlike" else infinite
                yield table(rows)

        with pytest.raises((CustcoreError, RuntimeError)) as caught:
            base.update(stream(), batch_id="never", n_threads=self.n_threads)
        assert isinstance(caught.value, NonFiniteError) == (bad == "infinite")
        assert base.to_bytes() == before
        assert "never" not in base.batch_ids

    @rule(into=WHICH)
    def merge(self, into: int) -> None:
        """The one that was merged stays as it is; then a new one takes its place."""
        base, other = self.bases[into], self.bases[1 - into]
        before, unchanged = base.to_bytes(), other.to_bytes()
        merged = self.models[into].copy()
        try:
            merged.merge(self.models[1 - into])
        except (AgainError, LateError):
            with pytest.raises(StateMismatchError):
                base.merge(other)
            assert base.to_bytes() == before
            return
        base.merge(other)
        assert other.to_bytes() == unchanged
        self.models[into] = merged
        self.bases[1 - into] = self.empty()
        self.models[1 - into] = BaseReference(has_orders=self.level == "orders", **self.options)

    @precondition(lambda self: self.level == "orders")
    @rule(which=WHICH, day=st.integers(0, N_DAYS))
    def seal(self, which: int, day: int) -> None:
        self.bases[which].seal(START + timedelta(days=day))
        self.models[which].seal(START + timedelta(days=day))

    @rule(which=WHICH, mapping=st.dictionaries(IDS, IDS, max_size=3))
    def relabel(self, which: int, mapping: dict[str, str]) -> None:
        self.bases[which].relabel(mapping)
        self.models[which].relabel(mapping)

    @rule(which=WHICH, ids=st.lists(IDS, max_size=2))
    def remove(self, which: int, ids: list[str]) -> None:
        base, model = self.bases[which], self.models[which]
        before = len(base)
        removed, expected = base.remove(ids), model.remove(ids)
        # of whom nothing but refunds that do not count is known may be told as removed
        assert removed == expected or (model.returns == "exclude" and removed > expected)
        assert before - len(base) == expected

    @precondition(lambda self: bool(self.limit))
    @rule(which=WHICH)
    def spill(self, which: int) -> None:
        base = self.bases[which]
        before = base.to_bytes()
        base._core.spill()
        assert base.to_bytes() == before

    @rule(which=WHICH, way=st.sampled_from(sorted(WAYS)))
    def carry(self, which: int, way: str) -> None:
        base = self.bases[which]
        self.bases[which] = WAYS[way](base)
        assert self.bases[which].to_bytes() == base.to_bytes()

    @rule(which=WHICH, as_of=AS_OF, threads=THREADS)
    def query_rfm(self, which: int, as_of: date | None, threads: int) -> None:
        base, model = self.bases[which], self.models[which]
        if self.level == "totals" and as_of and model.last_date and as_of < model.last_date:
            with pytest.raises(CustcoreError, match="days"):
                base.rfm(as_of)
            return
        check_rfm(base, model, as_of, threads)

    @precondition(lambda self: self.level != "totals")
    @rule(which=WHICH, options=COHORTS)
    def query_cohorts(self, which: int, options: dict[str, Any]) -> None:
        check_cohorts(self.bases[which], self.models[which], options)

    @invariant()
    def counts(self) -> None:
        for base, model in zip(getattr(self, "bases", []), getattr(self, "models", []), strict=True):
            assert len(base) == model.n_customers
            assert base.batch_ids == sorted(model.batch_ids)
            assert (base.last_date, base.sealed_before) == (model.last_date, model.sealed_before)

    def teardown(self) -> None:
        """At the end: the tables once more, and the bytes of a base that gets the rows of the model in one go."""
        for base, model in zip(getattr(self, "bases", []), getattr(self, "models", []), strict=True):
            check_rfm(base, model)
            if model.removed.count or model.late_lines.count:
                continue
            again = new_base(self.level, **self.options)
            again.update(table(random.Random(1).sample(model.rows, len(model.rows))))
            if model.sealed_before:
                again.seal(model.sealed_before)
            for batch_id in model.batch_ids:
                again.update(table([]), batch_id=batch_id)
            assert again.to_bytes() == base.to_bytes()


def lives(name: str, **limit: Any) -> Any:
    machine = type(f"Lives{name.title()}", (Lives,), {"level": name, "limit": limit})
    case = machine.TestCase
    # Each step of a base on disk reads and writes files.
    case.settings = settings(LIVES, max_examples=LIVES.max_examples // 2) if limit else LIVES
    return case


TestTotals, TestDays, TestOrders = (lives(name) for name in LEVELS)
TestTotalsOnDisk, TestDaysOnDisk, TestOrdersOnDisk = (lives(name, max_memory="1MiB") for name in LEVELS)

"""Models that are saved and loaded: the same to the bit, whatever they are."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import custcore
from custcore import clv
from custcore.errors import InvalidTypeError, ModelFormatError, NotFittedError
from custcore.experiments import EffectResult
from tests.model_cases import FITTED, SMALL, UNFITTED, Model, baskets, customers, decimals, purchases, repeat_customers

PROBES = [(0, 1, -3.0), (3, 2, 12.8), (6, 4, 130.1), (-1, 99, 1e300), (2, 1, 0.1)]


def answers(model: Model) -> Any:
    """The results of a model, by all its methods."""
    if isinstance(model, custcore.SegmentMap):
        return model.names, model.rules, model.rest, model.bins, model.overlaps(), model.uncovered()
    if isinstance(model, custcore.Scaler):
        return model.feature_names_in_, model.center_, model.scale_
    if isinstance(model, custcore.ChurnModel):
        scores = model.score(purchases(), "2030-01-01")
        return scores.to_pylist(), scores.report, model.curves_.to_pylist(), model.strata_.to_pylist(), model.as_of_
    if isinstance(model, custcore.NextCategory):
        found = model.recommend(baskets(), 3)
        return found.to_pylist(), model.categories_.to_pylist(), model.n_customers_, model.n_pairs_, model.as_of_
    if isinstance(model, custcore.KMeans):
        centers = model.cluster_centers_.tolist(), model.init_centers_.tolist(), model.inertia_, model.names_
        return *centers, model.n_iter_, model.feature_names_in_, model.predict_one(model.cluster_centers_[0].tolist())
    if isinstance(model, custcore.LifecycleModel):
        windows = (
            model.active_days_,
            model.loss_days_,
            model.active_multiple_,
            model.loss_multiple_,
            model.horizon_days_,
        )
        return *windows, model.share_returned_, model.as_of_, model.curve_.to_pyarrow().to_pylist()
    if isinstance(model, EffectResult):
        tables = model.table(), model.checks(), model.moments, model.plan_next()
        return *map(custcore.Table.to_pylist, tables), _tried(model.segments), model.definition, model.report
    if isinstance(model, clv.SBG):
        return (
            model.params_,
            model.survival(9),
            model.retention_rate(9),
            model.discounted_lifetime(2, 0.1),
            model.settings,
        )
    if isinstance(model, clv.GammaGamma):
        return (
            model.params_,
            model.predict(repeat_customers()).to_pylist(),
            model.settings,
            _tried(lambda: repr(model.fit_)),
        )
    if isinstance(model, clv.PurchaseModel):
        tables = model.predict(repeat_customers(), [9, None], level=0.9, spend="own_mean"), model.new_customers(9)
        return model.params_, *map(custcore.Table.to_pylist, tables), model.settings, _tried(lambda: repr(model.fit_))
    scored = [_tried(model.transform, table) for table in (customers(), decimals())]
    ids: list[int | str | bytes | None] = [None, 3, "c", b"\xff\x00"]
    if isinstance(model, custcore.RFMScorer):
        one = [
            _tried(model.score_one, *values, customer_id=i, group=g)
            for values in PROBES
            for i in ids
            for g in (None, "de", 1, b"\x01", "unseen")
        ]
    else:
        width = len(model._core.settings["columns"])
        one = [_tried(model.score_one, values[1 : 1 + width], customer_id=i) for values in PROBES for i in ids]
    return scored, one, model.thresholds.to_pyarrow().to_pylist()


def _tried(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        result = call(*args, **kwargs)
    except custcore.errors.CustcoreError as error:
        return type(error), str(error)
    return result.to_pyarrow().to_pylist() if isinstance(result, custcore.Table) else result


@pytest.mark.parametrize("name", FITTED)
def test_round_trips(name: str, tmp_path: Path) -> None:
    model = FITTED[name]()
    data = model.to_bytes()
    path = tmp_path / "model.json"
    model.save(path)
    assert path.read_bytes() == data
    copies = [
        type(model).from_bytes(data),
        type(model).from_bytes(bytearray(data)),
        type(model).from_bytes(memoryview(data)),
        type(model).load(path),
        type(model).load(str(path)),
        pickle.loads(pickle.dumps(model)),
        copy.copy(model),
        copy.deepcopy(model),
    ]
    expected = answers(model)
    for other in copies:
        assert answers(other) == expected
        assert other.to_bytes() == data
        if not isinstance(model, custcore.KMeans | EffectResult):
            assert repr(other) == repr(model)
            assert other == model


@pytest.mark.parametrize("name", FITTED)
def test_the_same_model_gives_the_same_bytes(name: str) -> None:
    # A drawn seed is another model each time.
    if name != "k-means with a drawn seed":
        assert FITTED[name]().to_bytes() == FITTED[name]().to_bytes()


def test_bytes_do_not_depend_on_the_process() -> None:
    code = (
        "from tests.model_cases import FITTED; import hashlib, sys;"
        "found = [FITTED[name]().to_bytes() for name in FITTED if 'drawn' not in name];"
        "print(hashlib.sha256(b''.join(found)).hexdigest())"
    )
    paths = os.pathsep.join(["python", ".", *filter(None, [os.environ.get("PYTHONPATH")])])
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed, "CUSTCORE_NUM_THREADS": threads, "PYTHONPATH": paths},
            check=True,
            capture_output=True,
            timeout=120,
        ).stdout
        for seed, threads in (("1", "1"), ("2", "4"))
    }
    assert len(found) == 1


@pytest.mark.parametrize("name", FITTED)
def test_what_the_file_says(name: str) -> None:
    data = FITTED[name]().to_bytes()
    assert data.endswith(b"}\n")
    assert data.count(b"\n") == 1
    found = json.loads(data)
    assert list(found) == ["format", "version", "library_version", "kind", "sha256", "body"]
    assert found["format"] == "custcore model"
    assert found["library_version"] == custcore.__version__


@pytest.mark.parametrize("name", UNFITTED)
def test_an_unfitted_one_is_not_saved_but_travels(name: str, tmp_path: Path) -> None:
    model = UNFITTED[name]()
    with pytest.raises(NotFittedError, match="not fitted"):
        model.to_bytes()
    with pytest.raises(NotFittedError):
        model.save(tmp_path / "model.json")
    assert list(tmp_path.iterdir()) == []
    for other in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model)):
        assert repr(other) == repr(model)
        assert other == model


def test_a_copy_goes_its_own_way() -> None:
    scorer = FITTED["rfm"]()
    other = copy.copy(scorer)
    other.fit(customers().slice(0, 2))
    assert other != scorer
    assert scorer == FITTED["rfm"]()


def test_equality() -> None:
    rf10 = custcore.SegmentMap.named("rf10")
    assert rf10 == custcore.SegmentMap.named("rf10")
    assert len({rf10, custcore.SegmentMap.named("rf10"), custcore.SegmentMap.named("octants")}) == 2
    assert FITTED["rfm"]() != FITTED["split"]()
    assert FITTED["rfm"]() != "a scorer"
    assert FITTED["rfm"]() != FITTED["quantile"]()
    with pytest.raises(TypeError):
        hash(FITTED["rfm"]())


@pytest.mark.parametrize("written", SMALL)
@pytest.mark.parametrize("read", SMALL)
def test_another_kind(written: str, read: str) -> None:
    model, data = SMALL[read](), SMALL[written]().to_bytes()
    if written == read:
        assert type(model).from_bytes(data).to_bytes() == data
        return
    with pytest.raises(ModelFormatError, match=f"'{written}'.*'{read}'"):
        type(model).from_bytes(data)


@pytest.mark.parametrize("name", SMALL)
def test_what_is_no_bytes_and_no_path(name: str) -> None:
    kind = type(SMALL[name]())
    with pytest.raises(InvalidTypeError, match="load"):
        kind.from_bytes("a path")
    for path in (None, 7, [1]):
        with pytest.raises(InvalidTypeError, match="path"):
            kind.load(path)
        with pytest.raises(InvalidTypeError, match="path"):
            SMALL[name]().save(path)


def test_a_k_means_that_was_changed_after_its_fit() -> None:
    """Settings are those of the next fit, too; the fitted clusters stay."""
    km = FITTED["k-means"]()
    km.n_clusters = 7
    other = custcore.KMeans.from_bytes(km.to_bytes())
    assert (other.n_clusters, len(other.cluster_centers_)) == (7, 3)
    assert len(other.fit(customers().append_column("x", pa.array(range(12)))).cluster_centers_) == 7
    km.max_iter = 0
    with pytest.raises(custcore.errors.InvalidArgumentError):
        km.to_bytes()


@pytest.mark.parametrize("name", ["rfm", "nested, split, by group, unseen", "octants"])
def test_eight_threads_on_one_scorer(name: str) -> None:
    scorer = FITTED[name]()
    expected = answers(scorer)
    wrong: list[object] = []

    def ask() -> None:
        for _ in range(5):
            found = answers(scorer)
            if found != expected or scorer.to_bytes() != FITTED[name]().to_bytes():
                wrong.append(found)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# Their groups, or the type of their ids, are not those of `customers`.
OTHERS = {"by number", "by bytes", "split by text", "split by bytes"}


@pytest.mark.parametrize("name", [n for n in FITTED if hasattr(FITTED[n](), "score_one") and n not in OTHERS])
def test_a_row_by_itself_is_scored_as_among_others(name: str) -> None:
    scorer = FITTED[name]()
    table = decimals() if "decimals" in name else customers()
    whole = scorer.transform(table).to_pyarrow()
    for row in range(table.num_rows):
        one = scorer.transform(table.slice(row, 1)).to_pyarrow()
        assert one.schema == whole.schema
        assert one.to_pylist() == whole.slice(row, 1).to_pylist()


def test_a_file_that_is_no_such_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "wrong.json"
    path.write_text("hello")
    scorer = tmp_path / "scorer.json"
    custcore.RFMScorer().fit(customers()).save(scorer)
    for model in (custcore.RFMScorer, custcore.QuantileScorer, custcore.SegmentMap, custcore.Scaler, custcore.KMeans):
        with pytest.raises(ModelFormatError, match=r"wrong\.json"):
            model.load(path)
    with pytest.raises(ModelFormatError, match=r"scorer\.json': the model is of the kind 'rfm_scorer'"):
        custcore.KMeans.load(scorer)

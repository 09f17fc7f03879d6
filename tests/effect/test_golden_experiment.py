"""Effects on the seeded experiment against scipy, statsmodels, tea-tasting and GrowthBook."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import custcore
from custcore.experiments import Mean, Proportion, Ratio
from tests.effect.cdnow_experiment import WINDOW, assignments, base, folder, results, rows

GROUPS = ("mail", "coupon")
KEYS = (
    "control",
    "treatment",
    "effect",
    "se",
    "df",
    "low",
    "high",
    "p_value",
    "relative",
    "relative_low",
    "relative_high",
)
METRICS = ("revenue", "orders", "active", "repeat", "churned", "average_order_value")


def close(
    found: dict[str, Any], expected: dict[str, Any], keys: tuple[str, ...] = KEYS, *, relative: float = 1e-9
) -> None:
    """Every value of a result."""
    for key in keys:
        if key in expected:
            wanted = expected[key]
            assert found[key] == (wanted if wanted is None else pytest.approx(wanted, rel=relative, abs=1e-13)), key


def test_windows_are_those_of_pandas() -> None:
    expected = pq.read_table(folder() / "metrics.parquet")
    found = base().experiment_table(assignments(), **WINDOW).to_pyarrow()
    assert found["customer_id"].to_pylist() == sorted(expected["customer_id"].to_pylist())
    expected = expected.sort_by("customer_id")
    for name in (
        "orders_before",
        "orders_after",
        "revenue_before",
        "revenue_after",
        "active_before",
        "active_after",
        "repeat_after",
    ):
        assert np.array_equal(found[name].to_numpy().astype(float), expected[name].to_numpy().astype(float)), name
    active = np.asarray(expected["active_before"]) > 0
    churned = found["churned"].to_pylist()
    assert [value is not None for value in churned] == list(active)
    assert [value for value in churned if value is not None] == list(np.asarray(expected["churned"])[active] > 0)
    for name in ("segment", "rfm_cell"):
        assert found[name].cast(pa.string()).to_pylist() == expected[name].cast(pa.string()).to_pylist(), name


@pytest.mark.parametrize("group", GROUPS)
def test_plain_effects(group: str) -> None:
    expected = results("expected")[group]
    found = rows(base().effect(assignments(), **WINDOW, metrics=METRICS, adjust=None).table())
    close(found[group, "orders"], expected["orders/mean"])
    close(found[group, "revenue"], expected["revenue/mean"])
    for metric in ("active", "repeat", "churned"):
        close(
            found[group, metric],
            expected[f"{metric}/proportion"],
            tuple(key for key in KEYS if key not in {"se", "df"}),
        )
        assert (found[group, metric]["n_control"], found[group, metric]["n_treatment"]) == (
            expected[f"{metric}/proportion"]["n_control"],
            expected[f"{metric}/proportion"]["n_treatment"],
        )
    close(found[group, "average_order_value"], expected["average_order_value/ratio"])


@pytest.mark.parametrize("group", GROUPS)
def test_effects_adjusted_by_the_window_before(group: str) -> None:
    expected = results("expected")[group]
    metrics = ("orders", "revenue", "active", "average_order_value")
    found = rows(base().effect(assignments(), **WINDOW, metrics=metrics, adjust="own").table())
    for metric in metrics:
        close(found[group, metric], expected[f"{metric}/cuped"])
        if "variance_ratio" in expected[f"{metric}/cuped"]:
            assert found[group, metric]["variance_ratio"] == pytest.approx(
                expected[f"{metric}/cuped"]["variance_ratio"], rel=1e-9
            )


@pytest.mark.parametrize("group", GROUPS)
def test_effects_adjusted_by_several_columns_and_by_two_groups_only(group: str) -> None:
    expected = results("expected")[group]
    table = base().experiment_table(assignments(), **WINDOW).to_pyarrow()
    adjust = ["revenue_before", "orders_before", "active_before"]
    found = rows(custcore.effect_of(table, [Mean("revenue_after", "revenue")], adjust=adjust).table())
    close(found[group, "revenue"], expected["revenue/cuped_revenue_orders_active"])
    two = table.filter(pa.compute.is_in(table["group"], pa.array(["control", group])))
    for metric in ("revenue", "orders"):
        found = rows(custcore.effect_of(two, [Mean(f"{metric}_after", metric)], adjust=f"{metric}_before").table())
        close(found[group, metric], expected[f"{metric}/cuped"]["two_arms_only"])


@pytest.mark.parametrize("group", GROUPS)
def test_effects_adjusted_by_history(group: str) -> None:
    expected = results("history_covariates")["effects"]
    found = rows(base().effect(assignments(), **WINDOW).table())
    for metric in ("revenue", "orders", "active"):
        if f"{group}:{metric}" in expected:
            close(found[group, metric], expected[f"{group}:{metric}"])
            ratio = expected[f"{group}:{metric}"]["variance_ratio"]
            assert found[group, metric]["variance_ratio"] == pytest.approx(ratio, rel=1e-9)


@pytest.mark.parametrize("strata", ["segment", "rfm_cell"])
@pytest.mark.parametrize("adjust", [None, "own"])
def test_effects_within_strata(strata: str, adjust: str | None) -> None:
    metrics = ("revenue", "orders", "active")
    found = rows(base().effect(assignments(), **WINDOW, metrics=metrics, adjust=adjust, strata=strata).table())
    for group in GROUPS:
        for metric in metrics:
            name = f"{metric}/strata_{strata}{'' if adjust is None else '+cuped'}"
            close(found[group, metric], results("expected")[group][name])


@pytest.mark.parametrize("adjust", [None, "own"])
def test_winsorised_effects(adjust: str | None) -> None:
    found = rows(base().effect(assignments(), **WINDOW, metrics=["revenue"], adjust=adjust, winsorize=0.99).table())
    for group in GROUPS:
        expected = results("expected")[group][f"revenue/winsor_0.99{'' if adjust is None else '+cuped'}"]
        close(found[group, "revenue"], expected)
        assert found[group, "revenue"]["cap"] == pytest.approx(expected["cap"], rel=1e-14)
    caps = base().effect(
        assignments(),
        **WINDOW,
        metrics=["revenue"],
        adjust=None,
        winsorize={"revenue": found["mail", "revenue"]["cap"]},
    )
    if adjust is None:
        assert rows(caps.table()) == found


@pytest.mark.parametrize("group", GROUPS)
def test_before(group: str) -> None:
    checks = base().effect(assignments(), **WINDOW, metrics=["orders", "revenue"], adjust=None).checks()
    found = {row["metric"]: row for row in checks if row["check"] == "before" and row["group"] == group}
    for metric in ("orders", "revenue"):
        expected = results("expected")[group][f"{metric}/before"]
        assert found[metric]["value"] == pytest.approx(expected["effect"], rel=1e-9)
        assert found[metric]["p_value"] == pytest.approx(expected["p_value"], rel=1e-9)
        assert found[metric]["flagged"] == (expected["p_value"] < 0.01)


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("adjust", [None, "own"])
def test_effects_by_segment(group: str, adjust: str | None) -> None:
    expected = results("expected")[group]["revenue/by_segment" + ("" if adjust is None else "+own")]
    for correction, name in (("holm", "p_holm"), ("bh", "p_bh")):
        result = base().effect(
            assignments(), **WINDOW, metrics=["revenue"], adjust=adjust, by="segment", correction=correction
        )
        found = {row["segment"]: row for row in result.segments() if row["group"] == group}
        for row in expected["rows"]:
            if row["p_value"] is None:
                # Nobody bought: the tools divide by 0, we say that the effect is 0 without a test.
                own = found[row["segment"]]
                assert (own["effect"], own["se"], own["low"], own["high"], own["p_value"]) == (0.0, 0.0, 0.0, 0.0, None)
                assert own["p_adjusted"] is None
                continue
            close(
                found[row["segment"]], row, ("effect", "se", "low", "high", "p_value", "scale", "shrunk", "shrunk_se")
            )
            assert found[row["segment"]]["p_adjusted"] == pytest.approx(row[name], rel=1e-9)
            if "n_treatment" in row:
                assert (found[row["segment"]]["n_treatment"], found[row["segment"]]["n_control"]) == (
                    row["n_treatment"],
                    row["n_control"],
                )
        if "Q" in expected:
            assert found[row["segment"]]["q"] == pytest.approx(expected["Q"], rel=1e-9)
            assert found[row["segment"]]["q_p_value"] == pytest.approx(expected["p_heterogeneity"], rel=1e-9)
        in_table = [row for row in result.table() if row["segment"] is not None and row["group"] == group]
        assert [row["p_adjusted"] for row in in_table] == [row["p_adjusted"] for row in found.values()]


@pytest.mark.parametrize("group", GROUPS)
def test_return_on_cost(group: str) -> None:
    expected = results("expected")[group]["roi"]
    cost = {"fixed": expected["fixed_cost"], "per_contact": expected["cost_per_contact"]}
    result = base().effect(
        assignments(), **WINDOW, metrics=["revenue"], adjust="own", margin=expected["margin"], cost=cost
    )
    found = next(row for row in result.roi() if row["group"] == group)
    names = {
        "contacts": "contacts",
        "cost": "cost",
        "increment": "incremental_revenue",
        "increment_low": "incremental_revenue_low",
        "increment_high": "incremental_revenue_high",
        "roi": "roi",
        "roi_low": "roi_low",
        "roi_high": "roi_high",
        "revenue_per_cost": "revenue_per_cost",
        "break_even_effect": "break_even_effect",
    }
    for own, other in names.items():
        assert found[own] == pytest.approx(expected[other], rel=1e-9), own


def test_sizes_of_groups() -> None:
    expected = results("expected")
    result = base().effect(assignments(), **WINDOW, metrics=["orders"], by="segment")
    checks = {row["check"]: row for row in result.checks()}
    assert checks["ratio"]["statistic"] == pytest.approx(
        expected["srm_if_equal_shares_were_expected"]["chi2"], rel=1e-12
    )
    assert checks["ratio"]["flagged"]
    independence = expected["group_by_segment_independence"]
    found = checks["ratio_by_stratum"]
    assert (found["statistic"], found["df"], found["p_value"]) == pytest.approx(
        (independence["chi2"], independence["df"], independence["p_value"]), rel=1e-9
    )
    shares = expected["srm"]["expected_shares"]
    checks = {
        row["check"]: row for row in base().effect(assignments(), **WINDOW, metrics=["orders"], shares=shares).checks()
    }
    assert (checks["ratio"]["statistic"], checks["ratio"]["p_value"]) == pytest.approx((0.0, 1.0))
    assert not checks["ratio"]["flagged"]


@pytest.mark.parametrize("correction", ["holm", "bh"])
def test_a_family_of_comparisons(correction: str) -> None:
    expected = results("expected")["family_of_eight"]
    metrics = ("orders", "revenue", "active", "average_order_value")
    found = rows(base().effect(assignments(), **WINDOW, metrics=metrics, adjust=None, correction=correction).table())
    for name, p_adjusted in expected[correction].items():
        group, _, metric = name.partition(":")
        assert found[group, metric.partition("/")[0]]["p_adjusted"] == pytest.approx(p_adjusted, rel=1e-9), name


def test_effects_by_period() -> None:
    found = base().effect(assignments(), **WINDOW, metrics=["revenue"], adjust=None, every="21d").periods()
    by_key = {(row["group"], row["period"]): row for row in found}
    expected = results("by_period_21d")
    assert len(by_key) == len(expected) == 26
    for row in expected:
        keys = ("first_day", "effect", "low", "high", "cumulative", "cumulative_low", "cumulative_high")
        close(by_key[row["group"], row["period"]], row, keys)


def test_effect_on_those_who_received() -> None:
    expected = results("received")
    table = assignments()
    ids, groups = np.asarray(table["customer_id"]), np.asarray(table["group"])
    received = ((groups == "mail") & (ids % 10 < 6)) | ((groups == "control") & (ids % 50 == 0))
    table = table.append_column("got", pa.array(received.astype(np.int8)))
    result = base().effect(table, **WINDOW, metrics=["revenue"], adjust=None, received="got")
    found = next(row for row in result.received() if row["group"] == "mail")
    names = {
        "share_treatment": "share_treatment",
        "share_control": "share_control",
        "effect": "effect_received",
        "se": "se",
        "low": "low",
        "high": "high",
    }
    for own, other in names.items():
        assert found[own] == pytest.approx(expected[other], rel=1e-9), own


def test_results_that_are_valid_at_every_look() -> None:
    for expected in results("always_valid_gbstats"):
        result = base().effect(assignments(), **WINDOW, metrics=["revenue"], adjust=None, sequential=expected["tuning"])
        found = rows(result.table())[expected["group"], "revenue"]
        close(found, expected, ("effect", "low", "high", "p_value"))
        assert found["n_control"] + found["n_treatment"] == expected["n"]
    for group in GROUPS:
        expected = results("expected")[group]["revenue/always_valid"]
        found = rows(
            base()
            .effect(assignments(), **WINDOW, metrics=["revenue"], adjust="own", sequential=expected["tuning"])
            .table()
        )
        close(found[group, "revenue"], expected, ("low", "high", "p_value"))


def test_one_shot_base_and_table_agree_to_the_bit() -> None:
    from tests.effect.cdnow_experiment import transactions

    one_shot = custcore.effect(transactions(), assignments(), timestamp="date", amount="spend", **WINDOW)
    of_base = base().effect(assignments(), **WINDOW)
    table = base().experiment_table(assignments(), **WINDOW)
    of_table = custcore.effect_of(table, ["revenue", "orders", "active", "average_order_value"], adjust="history")
    assert list(one_shot.table()) == list(of_base.table()) == list(of_table.table())
    own = base().effect(assignments(), **WINDOW, metrics=METRICS[:1], adjust="own").table()[0]
    columns = custcore.effect_of(table, [Mean("revenue_after", "revenue")], adjust="revenue_before").table()[0]
    assert {name: own[name] for name in KEYS} == {name: columns[name] for name in KEYS}
    plain = custcore.effect_of(
        table,
        [
            Mean("revenue_after", "revenue"),
            Mean("orders_after", "orders"),
            Proportion("active_after", "active"),
            Ratio("revenue_after", "orders_after", "average_order_value"),
        ],
    )
    assert list(plain.table()) == list(base().effect(assignments(), **WINDOW, adjust=None).table())


def test_the_coupon_that_lost_12_percent() -> None:
    """The story of the documentation: the groups differed before, and adjustment removes it."""
    truth = results("truth")["coupon"]["revenue_per_customer"]
    plain = rows(base().effect(assignments(), **WINDOW, adjust=None).table())["coupon", "revenue"]
    adjusted = rows(base().effect(assignments(), **WINDOW).table())["coupon", "revenue"]
    assert plain["high"] < truth < adjusted["high"]
    assert math.isclose(plain["relative"], -0.121, abs_tol=0.001)
    assert adjusted["low"] < truth


def test_a_campaign_becomes_a_plan() -> None:
    """Shrunk effects by segment are the options of the next budget."""
    result = base().effect(assignments(), **WINDOW, metrics=["revenue"], by="segment", adjust="own")
    options = result.contact_options(0.3, {"mail": 0.5, "coupon": 0.2})
    shrunk = {(row["segment"], row["group"]): row for row in result.segments()}
    for option in options:
        row = shrunk[option["segment"], option["channel"]]
        assert option["value"] == pytest.approx(0.3 * row["shrunk"], rel=1e-12)
        assert option["customers"] == row["n_control"] + row["n_treatment"]
    plan = custcore.allocate_contacts(options, 3000)
    assert plan.value > 0
    with pytest.raises(custcore.errors.InvalidArgumentError, match="cost has no group 'coupon'"):
        result.contact_options(0.3, {"mail": 0.5})


def test_the_next_experiment() -> None:
    found = {(row["group"], row["metric"]): row for row in base().effect(assignments(), **WINDOW).plan_next()}
    effect = rows(base().effect(assignments(), **WINDOW).table())
    z = 1.959963984540054 + 0.8416212335729143
    for key, row in found.items():
        assert row["detectable"] == pytest.approx(z * effect[key]["se"], rel=1e-12)
        # As many customers as it says find a difference of 5 %: standard errors shrink with the root.
        n = row["n_control"] + row["n_treatment"]
        se = effect[key]["se"] * math.sqrt(n / row["n_for_5_percent"])
        assert z * se == pytest.approx(0.05 * row["mean"], rel=1e-3)

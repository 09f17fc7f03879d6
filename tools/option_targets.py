"""Which function takes which options: what ``tools/options.py`` writes, and where."""

from __future__ import annotations

from dataclasses import dataclass, field

from custcore._options import (
    affinity,
    allocation,
    bases,
    before_after,
    churn,
    clusters,
    clv,
    cohorts,
    effects,
    funnels,
    lifecycles,
    measures,
    next_category,
    planning,
    portraits,
    preferences,
    reading,
    scores,
    value,
)
from custcore._options import transactions as t
from custcore._options.option import Option

__all__ = ["DICTS", "TARGETS", "Target"]


@dataclass(frozen=True)
class Target:
    """A function whose signature and section "Parameters" are generated.

    Attributes
    ----------
    file : str
        Its file, below ``python/custcore``.
    name : str
        Its name, ``Class.method`` for a method; for a class the signature is that of its ``__init__``.
    positional, keywords : tuple of Option
        Its options, positional ones first.
    overloads : tuple of Option
        For each overload of the function the option that takes the place of the one of its name.
    """

    file: str
    name: str
    positional: tuple[Option, ...] = ()
    keywords: tuple[Option, ...] = ()
    overloads: tuple[Option, ...] = field(default=())


def without(options: tuple[Option, ...], *names: str) -> tuple[Option, ...]:
    """The options but those of these names."""
    return tuple(option for option in options if option.name not in names)


THREADS = (t.N_THREADS,)
EXPERIMENT_ROWS = Option(
    "table",
    "Data",
    "One row per customer, with the column of groups and those of the metrics: any table that :func:`custcore.rfm` "
    "takes, such as a result of :meth:`CustomerBase.experiment_table`.",
    type="table",
)
BY_SCORE = (scores.BY_SCORE, t.N_THREADS)
QUANTILE_TABLE = scores.TABLE.but(
    text="A table with the columns that are scored. Nulls are ignored in a fit and get null scores."
)
SCORE_BY = scores.BY.but(text=scores.BY.text + " It is kept per customer, with its value at the first purchase.")
RFM_SCORES = (
    t.RESULT,
    *(SCORE_BY if option is scores.BY else option for option in scores.SCORING),
    *t.RFM,
)
SEGMENT_CUSTOMERS = (*clusters.SEGMENTED[1:], *without(t.RFM, "n_threads"))
PURCHASES = t.DATA.but(
    text=t.DATA.text + " Or, if it has the columns of ``features``, one row per customer; then options of "
    "transactions are refused."
)

PAIRS_ONCE = (*affinity.ONCE[:-1], *affinity.PAIRS, affinity.ONCE[-1])
RULES_ONCE = (*affinity.ONCE[:-1], *affinity.RULES, affinity.ONCE[-1])

DUCKDB = (
    Option(
        "connection",
        "duckdb.DuckDBPyConnection",
        "The connection, e.g. ``duckdb.connect()``; its cursors know the function too.",
        type="duckdb.DuckDBPyConnection",
    ),
    Option(
        "model",
        "RFMScorer | QuantileScorer | KMeans",
        "The fitted model.",
        type="RFMScorer, QuantileScorer or KMeans",
    ),
    Option("name", "str | None", "Name of the function. Default: as above.", default=None, type="str"),
    Option("replace", "bool", "Whether a function of this name that was registered before is replaced.", default=False),
)

# pandas and polars
SET_INDEX = Option("set_index", "bool", "Whether the ids become the index of the result.", default=False)
RETURN_REPORT = Option(
    "return_report", "bool", "Whether to return the report of what was left out, too.", default=False
)
REPORTED = (
    RETURN_REPORT.but(annotation="Literal[False]"),
    RETURN_REPORT.but(annotation="Literal[True]", default=t.DATA.default),
    RETURN_REPORT,
)
ACCESSOR_SEGMENTS = (
    clusters.SEGMENTED[1].but(
        text=clusters.SEGMENTED[1].text
        + " A frame that has these columns has one row per customer; then options of transactions are refused."
    ),
    *SEGMENT_CUSTOMERS[1:],
)
MODEL = Option("model", "custcore.KMeans", "A fitted model; its features are found by name.", type="KMeans")
SCORER = Option(
    "scorer",
    "Scorer",
    "A fitted scorer, whose ``fit`` takes the frames that :meth:`rfm` returns.",
    type="RFMScorer or another with ``transform``",
)

PURCHASES_IN = "Transactions, one row per order, or with ``order_id`` one row per order line."
CUSTOMERS_IN = "One row per customer."


def frame_functions(library: str, annotation: str, *, reported: bool) -> tuple[Target, ...]:
    """The methods of an accessor as functions of a frame."""

    def frame(text: str) -> Option:
        return Option("frame", annotation, text, type="DataFrame or LazyFrame" if reported else "DataFrame")

    added = RETURN_REPORT if reported else SET_INDEX
    overloads = REPORTED if reported else ()

    def measured(options: tuple[Option, ...]) -> tuple[Option, ...]:
        return (*options, RETURN_REPORT) if reported else options

    rfm, other = f"adapters/_{library}_rfm_functions.py", f"adapters/_{library}_functions.py"
    purchases, customers = frame(PURCHASES_IN), frame(CUSTOMERS_IN)
    return (
        Target(rfm, "rfm", (purchases,), (t.RESULT, *t.RFM, added), overloads),
        Target(rfm, "rfm_scores", (purchases,), (*RFM_SCORES, added), overloads),
        Target(other, "cohort_retention", (purchases,), cohorts.COHORT),
        Target(
            f"adapters/_{library}_lifecycle_functions.py",
            "lifecycle",
            (purchases, *lifecycles.LIFECYCLE[1:3]),
            lifecycles.OF_TRANSACTIONS,
        ),
        *(
            Target(f"adapters/_{library}_affinity_functions.py", name, (purchases, affinity.ITEM), options)
            for name, options in (("pairs", PAIRS_ONCE), ("rules", RULES_ONCE))
        ),
        Target(
            f"adapters/_{library}_preferences_functions.py",
            "preferences",
            (purchases, *preferences.OF_TRANSACTIONS[:2]),
            preferences.OF_TRANSACTIONS[2:],
        ),
        Target(f"adapters/_{library}_clv_functions.py", "clv_summary", (purchases,), clv.CLV_SUMMARY),
        Target(
            f"adapters/_{library}_clv_functions.py",
            "clv_predict",
            (frame("One row per customer: what :func:`clv_summary` returns."), *clv.FRAME_PREDICT[:2]),
            clv.FRAME_PREDICT[2:],
        ),
        Target(
            other,
            "segment_customers",
            (purchases, clusters.SEGMENTED[0]),
            ACCESSOR_SEGMENTS if reported else (*ACCESSOR_SEGMENTS, SET_INDEX),
        ),
        Target(f"adapters/_{library}_value_functions.py", "abc", (purchases,), (*value.ABC, added), overloads),
        Target(
            f"adapters/_{library}_measures_functions.py",
            "measures",
            (purchases,),
            measured(measures.MEASURES),
            overloads,
        ),
        Target(
            f"adapters/_{library}_measures_functions.py",
            "decomposition",
            (purchases,),
            measured(measures.DECOMPOSITION),
            overloads,
        ),
        Target(
            f"adapters/_{library}_portraits.py",
            "portrait",
            (customers, *portraits.PORTRAIT[1:2]),
            portraits.PORTRAIT[2:],
        ),
        Target(f"adapters/_{library}_portraits.py", "nps", (frame("One row per answer."),), portraits.NPS),
        Target(
            f"adapters/_{library}_portraits.py",
            "funnel",
            (frame("One row per event."), *funnels.FUNNEL_STEPS),
            funnels.FUNNEL,
        ),
        Target(f"adapters/_{library}_experiments.py", "effect", (purchases, effects.EXPERIMENT), effects.EFFECT),
        Target(
            f"adapters/_{library}_experiments.py",
            "effect_of",
            (
                frame("One row per customer, with the column of groups and those of the metrics."),
                *effects.EFFECT_OF[:1],
            ),
            effects.EFFECT_OF[1:],
        ),
        Target(
            f"adapters/_{library}_campaigns.py",
            "before_after",
            (purchases, before_after.TREATED),
            before_after.BEFORE_AFTER,
        ),
        Target(
            f"adapters/_{library}_campaigns.py",
            "uplift_curve",
            (frame("One row per customer of a random experiment."),),
            planning.UPLIFT,
        ),
        Target(other, "score", (customers, SCORER.but(text="A fitted scorer.")), THREADS),
        Target(
            other,
            "kmeans",
            (customers, clusters.KMEANS[0]),
            (clusters.SAMPLE_WEIGHT, *clusters.KMEANS[1:]),
        ),
        Target(other, "clusters", (customers, MODEL)),
    )


# scikit-learn's arguments are what it passes on, so they are not typed.
X = Option(
    "X",
    "Any",
    "Not copied if it is float32 or float64, in any memory order.",
    type="array-like (n_samples, n_features)",
)
Y = Option("y", "Any", "Ignored.", default=None, type="None")
WEIGHT = Option(
    "sample_weight", "Any", "Weight of each sample, in seeding, too.", default=None, type="array-like (n_samples,)"
)
ESTIMATOR = (
    clusters.KMEANS[0],
    clusters.KMEANS[1].but(annotation="Any"),
    clusters.KMEANS[2].but(annotation="Any"),
    *clusters.KMEANS[3:5],
    Option("verbose", "int", "Accepted and ignored: nothing is printed.", default=0),
    Option(
        "random_state",
        "Any",
        "An int gives the result of :class:`custcore.KMeans` with that seed; otherwise a seed is drawn.",
        default=None,
        type="int, RandomState or None",
    ),
    Option("copy_x", "bool", "Accepted and ignored: the data are never changed.", default=True),
    Option(
        "algorithm",
        "str",
        "Accepted and ignored: both give the same result.",
        default="lloyd",
        type='{"lloyd", "elkan"}',
    ),
    t.N_THREADS,
)

SCORED_RESULT = t.RESULT.but(
    text="Columns of the result, in this order, of the table and of the scores; only these are computed. The columns "
    "of customer ids always come first: those of the scorer's ``customer_id``, else those that the table was grouped "
    "by, else its first column, unless it is scored. Default: all columns.",
)
SCORER_FILES = (
    ("_rfm/scorer.py", "RFMScorer", scores.TABLE, (SCORED_RESULT, t.N_THREADS)),
    ("_rfm/quantile_scorer.py", "QuantileScorer", QUANTILE_TABLE, THREADS),
)

TARGETS = (
    Target("_lifecycle/_churn.py", "ChurnModel", churn.MODEL[:1], churn.MODEL[1:]),
    Target("_lifecycle/_churn.py", "ChurnModel.fit", churn.FIT, THREADS),
    Target("_lifecycle/_churn.py", "ChurnModel.score", churn.SCORE, THREADS),
    Target("_lifecycle/_backtest.py", "backtest", churn.BACKTEST[:2], churn.BACKTEST[2:]),
    Target("_read/reading.py", "read", (reading.PATHS,), reading.READING),
    Target("_rfm/table.py", "rfm", (t.DATA,), (t.RESULT, *t.RFM)),
    Target("_rfm/table.py", "rfm_scores", (t.DATA,), RFM_SCORES),
    Target("_rfm/segment_profile.py", "profile", scores.PROFILE[:1], (*scores.PROFILE[1:], t.N_THREADS)),
    Target(
        "_rfm/comparison.py", "compare", scores.COMPARED[:2], (*scores.COMPARED[2:], t.AMOUNT_DECIMALS, t.N_THREADS)
    ),
    Target(
        "experiments/_before_after.py",
        "before_after",
        (before_after.DATA, before_after.TREATED),
        before_after.BEFORE_AFTER,
    ),
    Target(
        "experiments/_before_after_result.py",
        "BeforeAfter.placebo_draws",
        before_after.DRAWS[:2],
        before_after.DRAWS[2:],
    ),
    Target("experiments/_before_after_result.py", "BeforeAfter.roi", before_after.ROI, ()),
    Target("experiments/_planning.py", "sample_size", (), planning.SAMPLE_SIZE),
    Target("experiments/_planning.py", "detectable", (), planning.DETECTABLE),
    Target("experiments/_uplift.py", "uplift_curve", (planning.UPLIFT_TABLE,), planning.UPLIFT),
    Target("value/_portrait.py", "portrait", portraits.PORTRAIT[:2], portraits.PORTRAIT[2:]),
    Target("value/_nps.py", "nps", (portraits.NPS_DATA,), portraits.NPS),
    Target("_rfm/scorer.py", "RFMScorer", scores.SCORING[:1], (*scores.SCORING[1:], scores.IDS)),
    Target("_rfm/scorer.py", "RFMScorer.score_one", scores.SCORED[:3], scores.SCORED[3:]),
    Target("_rfm/scorer.py", "RFMScorer.explain", scores.SCORED[:3], scores.SCORED[3:]),
    Target("_rfm/quantile_scorer.py", "QuantileScorer", scores.QUANTILES[:1], scores.QUANTILES[1:]),
    Target(
        "_rfm/quantile_scorer.py",
        "QuantileScorer.score_one",
        (
            Option(
                "values",
                "Row",
                "One value for each column, in their order. Of a labelled row (a dict, a pandas Series, a named tuple, "
                "a record of numpy, a dataclass) they are found by name, and others are ignored.",
                type="sequence of numbers, or labelled row",
            ),
        ),
        (scores.CUSTOMER,),
    ),
    *(
        Target(file, f"{cls}.{method}", (table,), options)
        for file, cls, table, scored in SCORER_FILES
        for method, options in (("fit", THREADS), ("transform", scored), ("fit_transform", scored), ("drift", BY_SCORE))
    ),
    Target("cohort/_retention.py", "cohort_retention", (t.DATA,), cohorts.COHORT),
    Target("base/_customer_base.py", "CustomerBase", (), bases.BASE),
    Target(
        "base/_changes.py",
        "Changes.update",
        (t.DATA,),
        (bases.BATCH_ID, bases.COMMIT_EVERY, t.N_THREADS, t.PROGRESS),
    ),
    Target("base/_analyses.py", "Analyses.rfm", (bases.AS_OF,), (t.RESULT, t.SORT, t.N_THREADS)),
    Target("base/_analyses.py", "Analyses.cohort_retention", (), bases.COHORTS_OF_BASE),
    Target("base/_analyses.py", "Analyses.transitions", bases.TRANSITIONS[:2], bases.TRANSITIONS[2:]),
    Target("base/_analyses.py", "Analyses.stays", bases.TRANSITIONS[:2], bases.TRANSITIONS[2:]),
    Target("base/_value.py", "ValueClasses.abc", value.CLASSES, value.OF_DAY),
    Target("base/_value.py", "ValueClasses.pareto", (value.POINTS,), value.OF_DAY),
    Target("base/_value.py", "ValueClasses.concentration", (value.TOP,), value.OF_DAY),
    Target("base/_value.py", "ValueClasses.xyz", value.XYZ, value.OF_PERIODS),
    Target("base/_value.py", "ValueClasses.abc_xyz", (), value.ABC_XYZ),
    Target("value/_abc.py", "abc", (t.DATA,), value.ABC),
    Target("base/_measures.py", "BaseMeasures.measures", measures.BASE_MEASURES[:2], measures.BASE_MEASURES[2:]),
    Target(
        "base/_measures.py",
        "BaseMeasures.decomposition",
        measures.BASE_DECOMPOSITION[:3],
        measures.BASE_DECOMPOSITION[3:],
    ),
    Target("affinity/_next_category.py", "NextCategory", next_category.MODEL[:1], next_category.MODEL[1:]),
    Target("affinity/_next_category.py", "NextCategory.fit", next_category.FIT, THREADS),
    Target(
        "affinity/_next_category.py",
        "NextCategory.recommend",
        next_category.RECOMMEND[:3],
        (*next_category.RECOMMEND[3:], t.N_THREADS),
    ),
    Target(
        "affinity/_next_category.py",
        "backtest_next",
        next_category.BACKTEST[:3],
        (*next_category.BACKTEST[3:], t.N_THREADS),
    ),
    Target("base/_preferences.py", "Preferences.preferences", preferences.PREFERENCES[:1], preferences.PREFERENCES[1:]),
    Target("base/_channels.py", "Channels.channel_preferences", (), preferences.CHANNEL_PREFERENCES),
    Target("base/_preferences.py", "Preferences.breadth", (), preferences.BREADTH),
    Target("base/_preferences.py", "Preferences.promotion_sensitivity", (), preferences.PROMOTION),
    Target("base/_channels.py", "Channels.channels", (), preferences.CHANNELS),
    Target(
        "base/_preferences.py", "Preferences.preference_features", preferences.FEATURES[:2], preferences.FEATURES[2:]
    ),
    Target("base/_growth.py", "Growth.order_ladder", funnels.LADDER[:2], funnels.LADDER[2:]),
    Target("base/_growth.py", "Growth.acquisition", funnels.ACQUISITION[:1], funnels.ACQUISITION[1:]),
    Target("base/_growth.py", "Growth.change", funnels.CHANGE[:2], funnels.CHANGE[2:]),
    Target("base/_growth.py", "Growth.health", funnels.HEALTH[:1], funnels.HEALTH[1:]),
    Target("base/_growth.py", "Growth.review", funnels.REVIEW[:1], funnels.REVIEW[1:]),
    Target("value/_funnel.py", "funnel", (funnels.EVENTS, *funnels.FUNNEL_STEPS), funnels.FUNNEL),
    Target("value/_measures.py", "measures", (t.DATA,), measures.MEASURES),
    Target("value/_measures.py", "decomposition", (t.DATA,), measures.DECOMPOSITION),
    Target("_lifecycle/model.py", "LifecycleModel", lifecycles.MODEL[:2], lifecycles.MODEL[2:]),
    Target("_lifecycle/model.py", "LifecycleModel.fit", lifecycles.FIT[:2], lifecycles.FIT[2:]),
    Target("base/_lifecycle.py", "Lifecycle.lifecycle", lifecycles.LIFECYCLE[:3], lifecycles.LIFECYCLE[3:]),
    Target("base/_lifecycle.py", "Lifecycle.lifecycle_counts", lifecycles.COUNTS[:2], lifecycles.COUNTS[2:]),
    Target("base/_lifecycle.py", "Lifecycle.lifecycle_flows", lifecycles.FLOWS[:2], lifecycles.FLOWS[2:]),
    Target("base/_scan.py", "scan", (t.DATA, bases.BASES), (bases.BATCH_ID, t.N_THREADS, t.PROGRESS)),
    Target("cluster/_kmeans.py", "KMeans", clusters.KMEANS[:1], clusters.KMEANS[1:]),
    Target("cluster/_kmeans.py", "KMeans.fit", (clusters.FEATURES, clusters.SAMPLE_WEIGHT)),
    Target("cluster/_kmeans.py", "KMeans.fit_predict", (clusters.FEATURES, clusters.SAMPLE_WEIGHT)),
    *(
        Target("cluster/_fitted.py", f"Fitted.{method}", (clusters.NAMED_FEATURES,))
        for method in ("predict", "transform")
    ),
    Target("cluster/_fitted.py", "Fitted.score", (clusters.NAMED_FEATURES, clusters.SAMPLE_WEIGHT)),
    Target("cluster/_scaler.py", "Scaler", clusters.SCALER[:1], clusters.SCALER[1:]),
    *(
        Target("cluster/_scaler.py", f"Scaler.{method}", (features,), THREADS)
        for method, features in (
            ("fit", clusters.FEATURES),
            ("transform", clusters.NAMED_FEATURES),
            ("fit_transform", clusters.FEATURES),
        )
    ),
    Target("cluster/_select_k.py", "select_k", clusters.SELECT_K[:2], clusters.SELECT_K[2:]),
    Target("cluster/_natural_breaks.py", "natural_breaks", clusters.BREAKS[:2], clusters.BREAKS[2:]),
    Target(
        "cluster/_segment_customers.py",
        "segment_customers",
        (PURCHASES, clusters.SEGMENTED[0]),
        SEGMENT_CUSTOMERS,
    ),
    # Lifetime value
    Target("base/_clv.py", "LifetimeValue.clv_summary", clv.SUMMARY[:2], clv.SUMMARY[2:]),
    Target("base/_experiments.py", "Experiments.effect", (effects.EXPERIMENT,), effects.OF_BASE),
    Target(
        "base/_tracking.py",
        "Tracking.track_segments",
        (effects.EXPERIMENT, effects.TRACKING[0]),
        effects.TRACKING[1:],
    ),
    Target("base/_experiments.py", "Experiments.experiment_table", (effects.EXPERIMENT,), effects.EXPERIMENT_TABLE),
    Target("base/_planning.py", "Planning.plan", effects.PLAN[:1], effects.PLAN[1:]),
    Target("base/_planning.py", "Planning.aa", effects.AA[:2], effects.AA[2:]),
    Target("experiments/_effect.py", "effect", (t.DATA, effects.EXPERIMENT), effects.EFFECT),
    Target("experiments/_effect_of.py", "effect_of", (EXPERIMENT_ROWS, effects.EFFECT_OF[0]), effects.EFFECT_OF[1:]),
    Target("clv/_summary.py", "clv_summary", (t.DATA,), clv.CLV_SUMMARY),
    Target("clv/_purchases.py", "PurchaseModel", (), clv.MODEL),
    *(Target("clv/_models.py", model, (), clv.MODEL) for model in ("BGNBD", "MBGNBD", "ParetoNBD", "NBD")),
    Target("clv/_purchases.py", "PurchaseModel.fit", clv.FIT[:2], clv.FIT[2:]),
    Target("clv/_purchases.py", "PurchaseModel.of_parameters", clv.GIVEN[:1], clv.GIVEN[1:]),
    Target("clv/_purchases.py", "PurchaseModel.log_likelihood", clv.OTHER[:1], clv.OTHER[1:]),
    Target("clv/_predictions.py", "Predictions.predict", clv.PREDICT[:2], clv.PREDICT[2:]),
    Target("clv/_predictions.py", "Predictions.predict_one", clv.PREDICT_ONE[:4], clv.PREDICT_ONE[4:]),
    Target("clv/_predictions.py", "Predictions.new_customers", clv.NEW_CUSTOMERS[:1], clv.NEW_CUSTOMERS[1:]),
    Target("clv/_totals.py", "Totals.total", clv.TOTAL[:2], clv.TOTAL[2:]),
    Target("clv/_totals.py", "Totals.simulate", clv.SIMULATE[:2], clv.SIMULATE[2:]),
    Target("clv/_checks.py", "Checks.evaluate", clv.EVALUATE[:1], clv.EVALUATE[1:]),
    Target("clv/_checks.py", "Checks.tracking", clv.TRACKING[:4], clv.TRACKING[4:]),
    Target("clv/_spend.py", "GammaGamma", (), clv.SPEND),
    Target("clv/_spend.py", "GammaGamma.fit", clv.SPEND_FIT[:2], clv.SPEND_FIT[2:]),
    Target("clv/_spend.py", "GammaGamma.of_parameters", clv.GIVEN[:1], clv.GIVEN[2:]),
    Target("clv/_spend.py", "GammaGamma.log_likelihood", clv.OTHER[:1], clv.OTHER[1:]),
    Target("clv/_spend.py", "GammaGamma.predict", clv.OTHER[:1], clv.OTHER[1:]),
    Target("clv/_spend.py", "GammaGamma.predict_one", clv.SPEND_ONE),
    Target("clv/_contracts.py", "SBG.fit", clv.SBG_FIT),
    Target("clv/_contracts.py", "SBG.of_parameters", clv.GIVEN[:1]),
    Target("clv/_comparison.py", "compare", clv.COMPARE[:2], clv.COMPARE[2:]),
    Target("clv/_backtest.py", "backtest", clv.BACKTEST[:4], clv.BACKTEST[4:]),
    Target("clv/_segments.py", "by_segment", clv.BY_SEGMENT[:2], clv.BY_SEGMENT[2:]),
    # Baskets
    Target("affinity/_baskets.py", "Baskets", affinity.BASKETS[:2], affinity.BASKETS[2:]),
    Target("affinity/_baskets.py", "Baskets.update", (t.DATA,), affinity.UPDATE),
    Target("affinity/_patterns.py", "Patterns.pairs", affinity.PAIRS[:2], affinity.PAIRS[2:]),
    Target("affinity/_patterns.py", "Patterns.itemsets", affinity.ITEMSETS[:1], affinity.ITEMSETS[1:]),
    Target("affinity/_patterns.py", "Patterns.rules", affinity.RULES[:2], affinity.RULES[2:]),
    Target("affinity/_once.py", "pairs", (t.DATA, affinity.ITEM), PAIRS_ONCE),
    Target("affinity/_once.py", "rules", (t.DATA, affinity.ITEM), RULES_ONCE),
    # Budgets
    Target("allocation/_allocate.py", "allocate", allocation.ALLOCATE[:2], allocation.ALLOCATE[2:]),
    Target("allocation/_allocate.py", "allocate_contacts", allocation.CONTACTS[:2], allocation.CONTACTS[2:]),
    Target("allocation/_curve.py", "Curve.table", allocation.TABLE),
    Target("allocation/_curve.py", "Curve.fit", allocation.FIT[:4], allocation.FIT[4:]),
    Target("allocation/_result.py", "Allocation.sensitivity", allocation.SENSITIVITY),
    Target("allocation/_result.py", "Allocation.regret", allocation.SENSITIVITY),
    # Frames
    Target("adapters/_mixin.py", "FrameMethods.score", (SCORER,), THREADS),
    Target(
        "adapters/_mixin.py",
        "FrameMethods.kmeans",
        clusters.KMEANS[:1],
        (clusters.SAMPLE_WEIGHT, *clusters.KMEANS[1:]),
    ),
    Target("adapters/_mixin.py", "FrameMethods.clusters", (MODEL,)),
    Target("adapters/_mixin.py", "FrameMethods.cohort_retention", (), cohorts.COHORT),
    Target("adapters/_pandas_measures.py", "PandasMeasures.measures", (), measures.MEASURES),
    Target("adapters/_pandas_measures.py", "PandasMeasures.decomposition", (), measures.DECOMPOSITION),
    Target(
        "adapters/_polars_measures.py", "PolarsMeasures.measures", (), (*measures.MEASURES, RETURN_REPORT), REPORTED
    ),
    Target(
        "adapters/_polars_measures.py",
        "PolarsMeasures.decomposition",
        (),
        (*measures.DECOMPOSITION, RETURN_REPORT),
        REPORTED,
    ),
    Target(
        "adapters/_lifecycle.py",
        "FrameLifecycle.lifecycle",
        lifecycles.LIFECYCLE[1:3],
        lifecycles.OF_TRANSACTIONS,
    ),
    Target("adapters/_affinity.py", "FrameAffinity.pairs", (affinity.ITEM,), PAIRS_ONCE),
    Target("adapters/_affinity.py", "FrameAffinity.rules", (affinity.ITEM,), RULES_ONCE),
    Target(
        "adapters/_preferences.py",
        "FramePreferences.preferences",
        preferences.OF_TRANSACTIONS[:2],
        preferences.OF_TRANSACTIONS[2:],
    ),
    Target("adapters/_clv.py", "FrameLifetimeValue.clv_summary", (), clv.CLV_SUMMARY),
    Target("adapters/_clv.py", "FrameLifetimeValue.clv_predict", clv.FRAME_PREDICT[:2], clv.FRAME_PREDICT[2:]),
    Target("adapters/_portraits.py", "PortraitMethods.portrait", portraits.PORTRAIT[1:2], portraits.PORTRAIT[2:]),
    Target("adapters/_portraits.py", "PortraitMethods.nps", (), portraits.NPS),
    Target("adapters/_portraits.py", "PortraitMethods.funnel", funnels.FUNNEL_STEPS, funnels.FUNNEL),
    Target("adapters/_experiments.py", "ExperimentMethods.effect", (effects.EXPERIMENT,), effects.EFFECT),
    Target("adapters/_experiments.py", "ExperimentMethods.effect_of", effects.EFFECT_OF[:1], effects.EFFECT_OF[1:]),
    Target(
        "adapters/_campaigns.py", "CampaignMethods.before_after", (before_after.TREATED,), before_after.BEFORE_AFTER
    ),
    Target("adapters/_campaigns.py", "CampaignMethods.uplift_curve", (), planning.UPLIFT),
    Target("adapters/_pandas_rfm.py", "PandasRfm.rfm", (), (t.RESULT, *t.RFM, SET_INDEX)),
    Target("adapters/_pandas_rfm.py", "PandasRfm.rfm_scores", (), (*RFM_SCORES, SET_INDEX)),
    Target(
        "adapters/pandas.py",
        "CustcoreAccessor.segment_customers",
        clusters.SEGMENTED[:1],
        (*ACCESSOR_SEGMENTS, SET_INDEX),
    ),
    Target("adapters/_pandas_value.py", "PandasValue.abc", (), (*value.ABC, SET_INDEX)),
    Target("adapters/_polars_value.py", "PolarsValue.abc", (), (*value.ABC, RETURN_REPORT), REPORTED),
    Target("adapters/_polars_rfm.py", "PolarsRfm.rfm", (), (t.RESULT, *t.RFM, RETURN_REPORT), REPORTED),
    Target("adapters/_polars_rfm.py", "PolarsRfm.rfm_scores", (), (*RFM_SCORES, RETURN_REPORT), REPORTED),
    Target("adapters/polars.py", "CustcoreNamespace.segment_customers", clusters.SEGMENTED[:1], ACCESSOR_SEGMENTS),
    *frame_functions("pandas", "pd.DataFrame", reported=False),
    *frame_functions("polars", "pl.DataFrame | pl.LazyFrame", reported=True),
    Target("adapters/_duckdb.py", "register", DUCKDB[:3], DUCKDB[3:]),
    Target("adapters/sklearn.py", "KMeans", ESTIMATOR[:1], ESTIMATOR[1:]),
    *(
        Target("adapters/sklearn.py", f"KMeans.{method}", (X, Y, WEIGHT))
        for method in ("fit", "fit_predict", "fit_transform", "score")
    ),
    *(Target("adapters/sklearn.py", f"KMeans.{method}", (X,)) for method in ("predict", "transform")),
)

# The dicts of options that the core takes, by their names in its stub.
DICTS = {
    "ReadOptions": (*t.READ, *bases.CATEGORIES),
    "ScoreOptions": scores.SCORES,
    "CohortOptions": cohorts.CORE,
    "AbcOptions": value.ABC_CORE,
    "XyzOptions": value.XYZ_CORE,
    "MeasuresOptions": measures.CORE,
    "PairOptions": affinity.PAIRS_CORE,
    "BeforeAfterOptions": before_after.CORE,
    "LifecycleOptions": lifecycles.MODEL,
}

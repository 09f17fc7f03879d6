"""Options of k-means: ``custcore.KMeans``, ``Scaler``, ``select_k``, ``natural_breaks``, ``segment_customers``."""

from __future__ import annotations

from custcore._options import transactions as t
from custcore._options.option import Option

__all__ = ["BREAKS", "FEATURES", "KMEANS", "NAMED_FEATURES", "SAMPLE_WEIGHT", "SCALER", "SEGMENTED", "SELECT_K"]

FEATURES = Option(
    "x",
    "Features",
    "The features. A table that exports Arrow or a dict of numpy arrays, whose columns are floats, integers or "
    "decimals; or a two-dimensional array, which is not copied if it is float32 or float64; or rows of numbers. Nulls, "
    "NaN and infinities are errors.",
    type="(n_rows, n_features)",
)
NAMED_FEATURES = FEATURES.but(
    text=FEATURES.text + " Columns of a table are found by the names of the fit, in any order."
)
SAMPLE_WEIGHT = Option(
    "sample_weight",
    "Weights | None",
    "Weight of each row, 0 or more. Default: 1.",
    default=None,
    type="(n_rows,)",
)
N_CLUSTERS = Option("n_clusters", "int", "Number of clusters.", default=8)
INIT = Option(
    "init",
    "Init",
    "How to start: greedy k-means++ (Arthur & Vassilvitskii 2007), distinct random rows, given centres, or a function "
    "``init(x, n_clusters, random_state=...)`` that returns them. Given centres are on the scale of the scaler, if "
    "there is one. k-means++ draws from a sample of 65,536 rows (64 for each cluster, if that is more).",
    default="k-means++",
    type='{"k-means++", "random"}, array of centres, or callable',
)
N_INIT = Option(
    "n_init",
    'int | Literal["auto"]',
    "Number of starts, of which the best result is kept: Lloyd's algorithm runs from each. "
    '``"auto"``: for k-means++ one start from centres that are searched first, see Notes; 1 for given centres; 10 for '
    "random rows and callables.",
    default="auto",
    type='int or "auto"',
)
N_INIT_OF_K = N_INIT.but(
    text='Number of starts for each k, of which the best is kept. ``"auto"``: one start from centres that are searched '
    "first, as in :class:`custcore.KMeans`."
)
MAX_ITER = Option("max_iter", "int", "Maximum number of iterations of one start.", default=300)
TOL = Option(
    "tol",
    "float",
    "A start ends when the squared shifts of all centres sum to at most ``tol`` times the mean variance of the "
    "features, or when no row changes its cluster. A start from searched centres takes a tenth of ``tol``: it begins "
    "near its end, where centres shift little.",
    default=1e-4,
)
RANDOM_STATE = Option(
    "random_state",
    "int | None",
    "Seed; the same seed gives the same result in every version and on every machine. ``None`` draws one.",
    default=0,
    type="int or None",
)
# Where one seed is needed.
SEED = Option(
    "random_state",
    "int",
    "Seed; the same seed gives the same result in every version and on every machine.",
    default=0,
    help="Seed of the starts.",
    group="Clusters",
    flags=("--seed",),
    metavar="N",
    minimum=0,
)
COLUMNS = Option(
    "columns",
    "Sequence[str] | None",
    "Names of the features. Default: those of the scaler, else every column of the table.",
    default=None,
    type="list of str",
)
SCALER_OPTION = Option(
    "scaler",
    "Scaler | None",
    "Scales the features first. A scaler that is not fitted is fitted on the given rows. It is kept with the model, "
    "which then takes features in their own units.",
    default=None,
)
KMEANS = (N_CLUSTERS, INIT, N_INIT, MAX_ITER, TOL, RANDOM_STATE, t.N_THREADS, COLUMNS, SCALER_OPTION)

HOW = Option(
    "how",
    text='``"standard"``: the centre is the mean, the scale the population standard deviation. ``"robust"``: the '
    "median and the interquartile range, which a few very large customers do not move.",
    default="standard",
    choices=("standard", "robust"),
    help="Scale by mean and deviation, or by median and quartiles.",
    group="Clusters",
)
SCALER = (
    COLUMNS.but(
        text="Names of the features. Default: every column of the table of the fit. Arrays have no names: leave it out."
    ),
    HOW,
    Option(
        "log1p",
        "Sequence[str]",
        "Features whose logarithm is scaled, as money and counts are skewed: ``log(1 + x)``, and ``-log(1 - x)`` of "
        "negative values, such as the money of customers with more refunds than purchases. It keeps their order.",
        default=(),
        type="list of str",
    ),
)

SELECT_K = (
    FEATURES,
    Option(
        "ks",
        "Iterable[int]",
        "The numbers of clusters to try. All of them, and all starts, share the passes over the rows.",
        default=range(2, 11),
        type="iterable of int",
    ),
    COLUMNS.but(annotation="Iterable[str] | None"),
    SCALER_OPTION.but(
        text="Scales the features first. A scaler that is not fitted is fitted on the given rows; it is not changed."
    ),
    N_INIT_OF_K,
    MAX_ITER,
    TOL,
    RANDOM_STATE.but(
        annotation="int",
        text="Seed; the same seed gives the same result in every version and on every machine.",
        type="",
    ),
    Option("sample_size", "int", "Number of rows drawn for ``silhouette_sampled``.", default=1000),
    t.N_THREADS,
)

BREAKS = (
    FEATURES.but(text="A table or array of one feature; or a table, with its name in ``columns``.", type="(n_rows, 1)"),
    Option("k", "int", "Number of groups."),
    COLUMNS.but(
        annotation="Iterable[str] | None", text="The name of the feature. Default: the only column.", type="list of str"
    ),
    SAMPLE_WEIGHT,
    t.N_THREADS,
)

SEGMENTED = (
    Option(
        "k",
        'int | Literal["auto"]',
        'Number of clusters; "auto" takes what :func:`custcore.select_k` suggests among ``ks``.',
        default="auto",
        type='int or "auto"',
        help="Number of clusters.",
        group="Clusters",
        flags=("-k", "--clusters"),
        metavar="N|auto",
    ),
    Option(
        "features",
        "Sequence[str] | None",
        "Features to cluster by. Default: ``recency_days``, ``n_orders`` and, with money, ``monetary_total``.",
        default=None,
        type="list of str",
        help="Columns of one row per customer, to cluster instead of purchases: A,B,C.",
        group="Clusters",
    ),
    Option(
        "log1p",
        'Sequence[str] | Literal["auto"]',
        'Features whose logarithm is clustered, as in :class:`custcore.Scaler`; "auto": counts and money.',
        default="auto",
        type='list of str, or "auto"',
        help="Features whose logarithm is clustered.",
        group="Clusters",
        shown_default="counts and money",
    ),
    HOW,
    Option(
        "ks",
        "Iterable[int]",
        'What "auto" may choose from; numbers above the number of customers are skipped.',
        default=range(2, 9),
        type="iterable of int",
    ),
    N_INIT_OF_K.but(
        help="Number of starts for each k, of which the best is kept; auto: one, from centres that are searched first.",
        group="Clusters",
        flags=("--starts",),
        metavar="N|auto",
    ),
    SEED,
    t.N_THREADS,
)

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict, final, type_check_only

__all__ = [
    "Allocation",
    "Baskets",
    "BeforeAfter",
    "Change",
    "ChurnModel",
    "ClvSummary",
    "CohortRetention",
    "Comparison",
    "Curve",
    "CustomerBase",
    "Draft",
    "EffectResult",
    "KMeans",
    "LifecycleModel",
    "Memory",
    "NextCategory",
    "ParquetColumns",
    "PurchaseModel",
    "QuantileScorer",
    "RfmScorer",
    "SbgModel",
    "Scaler",
    "SegmentMap",
    "SpendModel",
    "Table",
    "UpliftCurve",
    "__version__",
    "_panic",
    "_spin",
    "aa_comparisons",
    "abc",
    "abc_table",
    "abc_xyz",
    "acquisition",
    "allocate",
    "allocate_contacts",
    "backtest",
    "backtest_next",
    "base_measures",
    "before_after",
    "breadth",
    "change",
    "channels",
    "clv_summary",
    "cohort_retention",
    "compare",
    "concentration",
    "detectable",
    "experiment_plan",
    "experiment_table",
    "funnel",
    "health",
    "lifecycle",
    "lifecycle_counts",
    "lifecycle_flows",
    "measures",
    "month_measures",
    "natural_breaks",
    "nps",
    "order_ladder",
    "pareto",
    "portrait",
    "portrait_marks",
    "portrait_sentences",
    "preference_features",
    "preferences",
    "profile_table",
    "promotion_sensitivity",
    "read_model",
    "rfm_scores",
    "rfm_table",
    "sample_size",
    "scan",
    "select_k",
    "simd_paths",
    "stays",
    "track_segments",
    "transitions",
    "uplift_curve",
    "write_model",
    "xyz",
]

__version__: str

_Day: TypeAlias = tuple[str, int]
_Id: TypeAlias = int | str | bytes | tuple[int | str | bytes, ...]
_Bound: TypeAlias = tuple[str, int]
_Period: TypeAlias = tuple[str, int]
_Range: TypeAlias = tuple[int, int]
_SegmentRule: TypeAlias = tuple[str, _Range | None, _Range | None, _Range | None]
_Progress: TypeAlias = Callable[[int, int | None], object]

@type_check_only
class ReadOptions(TypedDict):
    customer_id: str | list[str]
    timestamp: str
    amount: str | None
    order_id: str | list[str] | None
    as_of: _Day | None
    returns: str
    zero_is_purchase: bool
    order_lines: str
    n_days: bool
    attributes: list[tuple[str, str]]
    amount_decimals: int
    timezone: str | None
    on_null: str
    on_nonfinite: str
    categories: str | None
    promotion: str | None
    channel: str | None
    category_days: bool

@type_check_only
class ScoreOptions(TypedDict):
    ties: str
    binning: str
    closed: str
    cuts_rule: str
    by: str | None
    unseen: str
    customer_id: str | list[str] | None

@type_check_only
class PortraitOptions(TypedDict):
    segment: str
    customer_id: str | list[str] | None
    nulls: str
    min_customers: int
    adjust: str
    alpha: float
    bins: list[tuple[str, int | list[float] | None]]
    default_bins: int | list[float] | None
    period: _Period
    timezone: str | None

# init: "k-means++", "random" or "given"; n_init None: "auto".
@type_check_only
class KMeansSettings(TypedDict):
    n_clusters: int
    init: str
    n_init: int | None
    max_iter: int
    tol: float
    random_state: int | None
    columns: list[str] | None

@type_check_only
class AbcOptions(TypedDict):
    by: str
    thresholds: list[float] | None
    rule: str
    ties: str
    group: str | None

@type_check_only
class XyzOptions(TypedDict):
    period: _Period
    thresholds: tuple[float, float]
    min_periods: int
    week_start: str
    fiscal_year_start: int

@type_check_only
class LifecycleOptions(TypedDict):
    active_days: int | None
    loss_days: int | None
    quantiles: tuple[float, float]
    among: str
    min_at_risk: int
    loyal_orders: int
    rhythm: str
    prior_gaps: int

@type_check_only
class CohortOptions(TypedDict):
    period: _Period
    cohort_period: _Period
    period_mode: str
    return_criteria: str
    brackets: list[int] | None
    horizon: int | None
    cohort_by: str
    cohort_column: str | None
    by: str | None
    start: str | None
    returning: str | None
    min_occurrences: int
    week_start: str
    fiscal_year_start: int
    observation_start: _Bound | None
    observation_end: _Bound | None
    n_periods: int | None
    rfm: bool

@type_check_only
class MeasuresOptions(TypedDict):
    period: _Period
    by: str | None
    week_start: str
    fiscal_year_start: int
    decomposition: tuple[int, bool] | None

# value, R, F and M scores, segment.
_ScoreChange: TypeAlias = tuple[int | float | Decimal, int, int, int | None, str | None]

@type_check_only
class ExplainedDimension(TypedDict):
    dimension: str
    column: str
    value: int | float | Decimal
    score: int
    bins: int
    lower: int | float | Decimal | None
    lower_closed: bool | None
    upper: int | float | Decimal | None
    upper_closed: bool | None
    rule: Literal["type7", "r", "cuts", "split"]
    within: list[tuple[str, int]]
    is_global: bool
    customers: int | None
    same_score: int | None
    by_id: tuple[int, int] | None
    next_lower: _ScoreChange | None
    next_higher: _ScoreChange | None
    segment_below: _ScoreChange | None
    segment_above: _ScoreChange | None

# rule: its number from 1, the number of rules, and the rule; centers: of the octants, and whether the value is high.
@type_check_only
class Explanation(TypedDict):
    dimensions: list[ExplainedDimension]
    rfm_cell: str
    rfm_score: int | None
    rfm_total: float
    segment: str | None
    rule: tuple[int, int, _SegmentRule] | None
    centers: list[tuple[float, bool]] | None
    table: Table

def rfm_table(
    data: object,
    options: ReadOptions,
    *,
    columns: list[str] | None,
    sort: bool,
    n_threads: int | None,
    progress: _Progress | None,
    rows_total: int | None,
) -> Table: ...
def rfm_scores(
    data: object,
    options: ReadOptions,
    scorer: RfmScorer,
    *,
    columns: list[str] | None,
    sort: bool,
    n_threads: int | None,
    progress: _Progress | None,
    rows_total: int | None,
) -> Table: ...
def scan(
    data: object,
    bases: list[tuple[str, CustomerBase]],
    *,
    batch_id: str | None,
    n_threads: int | None,
    progress: _Progress | None,
    rows_total: int | None,
) -> Change: ...
def cohort_retention(
    data: object,
    read: ReadOptions,
    options: CohortOptions,
    *,
    n_threads: int | None,
    progress: _Progress | None,
    rows_total: int | None,
) -> CohortRetention: ...
def abc_table(
    data: object,
    read: ReadOptions,
    options: AbcOptions,
    *,
    n_threads: int | None,
    progress: _Progress | None,
    rows_total: int | None,
) -> Table: ...
def abc(base: CustomerBase, day: _Day | None, options: AbcOptions, *, n_threads: int | None) -> Table: ...
def pareto(base: CustomerBase, day: _Day | None, points: int, *, n_threads: int | None) -> Table: ...
def concentration(base: CustomerBase, day: _Day | None, top: list[float], *, n_threads: int | None) -> Table: ...
def xyz(base: CustomerBase, day: _Day | None, options: XyzOptions, *, n_threads: int | None) -> Table: ...
def abc_xyz(
    base: CustomerBase, day: _Day | None, abc: AbcOptions, xyz: XyzOptions, *, n_threads: int | None
) -> Table: ...
def transitions(
    base: CustomerBase, dates: list[_Day], scorer: RfmScorer, *, edges: str, n_threads: int | None
) -> Table: ...
def stays(base: CustomerBase, dates: list[_Day], scorer: RfmScorer, *, edges: str, n_threads: int | None) -> Table: ...
def lifecycle(
    base: CustomerBase,
    day: _Day | None,
    *,
    model: LifecycleModel | None,
    prospects: list[_Id] | None,
    lang: str,
    n_threads: int | None,
) -> Table: ...
def lifecycle_counts(
    base: CustomerBase,
    dates: list[_Day],
    model: LifecycleModel,
    *,
    prospects: list[_Id] | None,
    lang: str,
    n_threads: int | None,
) -> Table: ...
def lifecycle_flows(
    base: CustomerBase, dates: list[_Day], model: LifecycleModel, *, lang: str, n_threads: int | None
) -> Table: ...
def compare(
    before: object,
    after: object,
    *,
    customer_id: str | list[str] | None,
    segment: str,
    monetary: str,
    amount_decimals: int,
    n_threads: int | None,
) -> Comparison: ...
def measures(
    data: object,
    read: ReadOptions,
    options: MeasuresOptions,
    by: tuple[object, str] | None,
    *,
    n_threads: int | None,
    progress: _Progress | None,
    rows_total: int | None,
) -> Table: ...
def base_measures(
    base: CustomerBase,
    options: MeasuresOptions,
    by: tuple[object, str] | None,
    day: _Day | None,
    *,
    n_threads: int | None,
) -> Table: ...
def portrait(
    segments: object,
    attributes: list[tuple[str | None, object, bool]],
    options: PortraitOptions,
    *,
    n_threads: int | None,
) -> Table: ...
def portrait_marks(portrait: Table, n: int) -> Table: ...
def portrait_sentences(portrait: Table, lang: str) -> Table: ...
def nps(
    data: object,
    *,
    score: str,
    by: str | None,
    customer_id: str | list[str] | None,
    timestamp: str | None,
    which: str,
    interval: str,
    n_threads: int | None,
) -> Table: ...

@type_check_only
class BeforeAfterOptions(TypedDict):
    customer_id: str | list[str]
    days_after: int
    days_before: int
    lag: int
    exposed_on: str
    start: _Day | None
    baseline: str
    match: list[tuple[str, list[float] | None]] | None
    metrics: list[str]
    as_of: _Day | None

@final
class BeforeAfter:
    def table(self) -> Table: ...
    def balance(self) -> Table: ...
    def placebo(self) -> Table: ...
    def placebo_draws(self, n: int, seed: int, *, n_threads: int | None) -> Table: ...
    def roi(self, margin: float, cost: tuple[float, float, float]) -> Table: ...
    def state(self) -> Table: ...
    @staticmethod
    def of_state(state: Table) -> BeforeAfter: ...
    @property
    def definition(self) -> str: ...
    @property
    def headlines(self) -> list[tuple[str, str, float | None, tuple[float, float] | None]]: ...
    @property
    def days(self) -> tuple[str, str]: ...

def before_after(
    base: CustomerBase,
    treated: object,
    exclude: list[_Id],
    options: BeforeAfterOptions,
    *,
    n_threads: int | None,
) -> BeforeAfter: ...
def sample_size(
    *, sd: float | None, rate: float | None, difference: float, ratio: float, alpha: float, power: float
) -> int: ...
def detectable(
    *,
    sd: float | None,
    rate: float | None,
    n_control: int,
    n_treatment: int,
    alpha: float,
    power: float,
) -> float: ...

@final
class UpliftCurve:
    def table(self) -> Table: ...
    def state(self) -> Table: ...
    @staticmethod
    def of_state(state: Table) -> UpliftCurve: ...
    @property
    def auuc(self) -> tuple[float, float | None]: ...
    @property
    def qini(self) -> tuple[float, float | None]: ...
    @property
    def best_share(self) -> float: ...
    @property
    def groups(self) -> tuple[str, str]: ...
    def at(self, share: float) -> tuple[float, float | None, float, float | None, float | None]: ...

def uplift_curve(
    data: object,
    *,
    score: str,
    group: str,
    outcome: str,
    control: str | None,
    value: tuple[float, float] | None,
    n_threads: int | None,
) -> UpliftCurve: ...
def profile_table(table: object, by: str, columns: list[str], *, n_threads: int | None) -> Table: ...

# Funnels, the ladder of orders, acquisition, changes of revenue, health
def funnel(
    data: object,
    *,
    customer_id: str | list[str],
    timestamp: str,
    event: str,
    by: str | None,
    steps: list[str],
    window: int,
    strict: bool,
    order: str,
    observation_end: _Bound | None,
    n_threads: int | None,
) -> Table: ...

@final
class NextCategory:
    def __new__(cls, *, method: str, min_customers: int) -> NextCategory: ...
    def fit(self, base: CustomerBase, day: _Day | None, *, n_threads: int | None) -> NextCategory: ...
    def recommend(
        self, base: CustomerBase, k: int, day: _Day | None, *, exclude_owned: bool, n_threads: int | None
    ) -> Table: ...
    @property
    def is_fitted(self) -> bool: ...
    @property
    def settings(self) -> tuple[str, int]: ...
    @property
    def as_of(self) -> str | None: ...
    @property
    def sizes(self) -> tuple[int, int, int]: ...
    def categories(self) -> Table: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(data: bytes) -> NextCategory: ...

def backtest_next(
    base: CustomerBase,
    dates: list[_Day],
    horizon: int,
    *,
    k: list[int],
    methods: list[str],
    min_customers: int,
    n_threads: int | None,
) -> Table: ...
def preferences(
    base: CustomerBase,
    preferred: str,
    measure: str,
    prior_orders: float,
    *,
    by: str | None,
    segment_table: tuple[object, str] | None,
    day: _Day | None,
    n_threads: int | None,
) -> Table: ...
def preference_features(
    base: CustomerBase,
    preferred: str,
    measure: str,
    prior_orders: float,
    top: int,
    *,
    day: _Day | None,
    n_threads: int | None,
) -> Table: ...
def breadth(base: CustomerBase, prior_orders: float, *, day: _Day | None, n_threads: int | None) -> Table: ...
def promotion_sensitivity(
    base: CustomerBase, prior_rows: float, *, day: _Day | None, n_threads: int | None
) -> Table: ...
def channels(base: CustomerBase, *, day: _Day | None, n_threads: int | None) -> Table: ...
def order_ladder(
    base: CustomerBase,
    n: int,
    by: str | None,
    segment_table: tuple[object, str] | None,
    day: _Day | None,
    *,
    n_threads: int | None,
) -> Table: ...
def acquisition(
    base: CustomerBase,
    costs: object,
    *,
    period: _Period,
    by: str | None,
    margin: float,
    n_periods: int | None,
    values: object | None,
    day: _Day | None,
    n_threads: int | None,
) -> Table: ...

# The number of a campaign, the name of a group, customers, revenue and its interval.
_Increment: TypeAlias = tuple[int, str, int, float | None, tuple[float, float] | None]

def change(
    base: CustomerBase,
    before: tuple[int, int],
    after: tuple[int, int],
    *,
    are_calendar: bool,
    by: str | None,
    segment_table: tuple[object, str] | None,
    campaigns: list[_Increment],
    overlap: str | None,
    n_threads: int | None,
) -> Table: ...
def health(base: CustomerBase, day: _Day | None, scorer: RfmScorer, *, n_threads: int | None) -> Table: ...
def month_measures(base: CustomerBase, day: int, *, n_threads: int | None) -> Table: ...

# x below: anything that exports Arrow (its columns are the features, in order, or those named in `columns`), or a
# two-dimensional array of float32 or float64 read through the buffer protocol, in C or Fortran order or strided.
# Weights: a one-dimensional float64 buffer, one weight a row. Centres are in the space of
# the scaler, where there is one.

def select_k(
    x: object,
    ks: list[int],
    *,
    columns: list[str] | None,
    scaler: Scaler | None,
    n_init: int | None,
    max_iter: int,
    tol: float,
    random_state: int,
    sample_size: int,
    n_threads: int | None,
) -> Table: ...

# (inertia, centres ascending, the largest value of every cluster but the last) for each k; one feature only.
def natural_breaks(
    x: object, ks: list[int], *, columns: list[str] | None, sample_weight: object | None, n_threads: int | None
) -> list[tuple[float, list[float], list[float]]]: ...

# The ways of computing that this machine has, the fastest last: "plain", "avx2", "avx512", "neon".
def simd_paths() -> list[str]: ...

# The bytes of a model as a file, whole or not at all, and back.
def write_model(path: str, data: bytes) -> None: ...
def read_model(path: str) -> bytes: ...
def _panic(*, in_work: bool = True) -> None: ...
def _spin(seconds: float) -> None: ...

@final
class Memory: ...

# Columns of a Parquet file as an Arrow stream, in the order of the file.
@final
class ParquetColumns:
    def __new__(cls, path: str, columns: list[str], n_threads: int) -> ParquetColumns: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

# A file that Python writes: `path` is renamed to its target, or deleted.
@final
class Draft:
    def __new__(cls, path: str) -> Draft: ...
    @property
    def path(self) -> str | None: ...
    def commit(self) -> None: ...
    def discard(self) -> None: ...

@final
class Table:
    @staticmethod
    def from_columns(columns: list[tuple[str, str, object]]) -> Table: ...
    # Kinds: "string", "int64", "float64", "bool", "date32" (days since 1970); None is null.
    @staticmethod
    def from_values(columns: list[tuple[str, str, list[Any]]]) -> Table: ...
    @staticmethod
    def read(data: object, *, columns: list[str] | None) -> Table: ...
    # Rows start..stop of some columns, with the whole report.
    def part(self, start: int, stop: int, columns: list[str]) -> Table: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(data: bytes) -> Table: ...
    @property
    def num_rows(self) -> int: ...
    @property
    def num_batches(self) -> int: ...
    @property
    def column_names(self) -> list[str]: ...
    @property
    def column_types(self) -> list[str]: ...
    @property
    def metadata(self) -> dict[str, str]: ...
    @property
    def input_rows(self) -> int: ...
    @property
    def as_of(self) -> str | None: ...
    @property
    def remarks(self) -> list[str]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def __arrow_c_schema__(self) -> object: ...
    def array(self, name: str) -> tuple[object, object]: ...
    def values(self, name: str, start: int, stop: int) -> list[object]: ...
    def memory(self, name: str, batch: int) -> Memory | None: ...
    def report_entries(
        self,
    ) -> list[
        tuple[
            str,
            Literal["left_out", "note"],
            Literal["rows", "orders", "customers"],
            int,
            float | int | Decimal | None,
            int | None,
            int,
        ]
    ]: ...

@final
class CohortRetention:
    def cells(self) -> Table: ...
    def empty_cells(self) -> Table: ...
    def matrix(self, value: str, part: tuple[int, int, int] | None = None) -> Table: ...
    def average(self, kind: str, columns: int | None = None) -> Table: ...
    def movement(self) -> Table: ...
    def revenue_retention(self, reactivation: bool) -> Table: ...
    def customers(self) -> Table: ...
    def rfm(self) -> Table: ...
    @property
    def n_cohorts(self) -> int: ...
    @property
    def n_columns(self) -> int: ...
    @property
    def starts_truncated(self) -> bool: ...
    @property
    def n_customers(self) -> int: ...
    @property
    def observed(self) -> tuple[str, str] | None: ...
    @property
    def timezone(self) -> str | None: ...

# Two score tables, customer by customer. counts: before, after, of both, of both in another segment.
@final
class Comparison:
    def moves(self) -> Table: ...
    def segments(self) -> Table: ...
    def customers(self, *, n_threads: int | None) -> Table: ...
    @property
    def counts(self) -> tuple[int, int, int, int]: ...
    @property
    def days(self) -> tuple[str | None, str | None]: ...

@final
class SegmentMap:
    def __new__(cls, rules: list[_SegmentRule], bins: tuple[int, ...], rest: str | None) -> SegmentMap: ...
    @staticmethod
    def named(name: str, lang: str, center: str) -> SegmentMap: ...
    @property
    def by_value(self) -> bool: ...
    @property
    def bins(self) -> tuple[int, int, int] | None: ...
    @property
    def names(self) -> list[str]: ...
    @property
    def rest(self) -> str | None: ...
    @property
    def rules(self) -> list[_SegmentRule]: ...
    def uncovered(self) -> list[tuple[int, int, int]]: ...
    def overlaps(self) -> list[tuple[tuple[int, int, int], list[str]]]: ...
    def segment(self, r: int, f: int, m: int) -> str | None: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(data: bytes) -> SegmentMap: ...

@final
class RfmScorer:
    def __new__(
        cls,
        bins: tuple[int, int, int],
        cuts: tuple[list[float] | None, list[float] | None, list[float] | None],
        options: ScoreOptions,
        weights: tuple[float, float, float],
        frequency: str,
        monetary: str,
        segments: object | None,
    ) -> RfmScorer: ...
    def fit(self, table: object, *, n_threads: int | None) -> RfmScorer: ...
    def transform(self, table: object, *, columns: list[str] | None, n_threads: int | None) -> Table: ...
    def fit_transform(self, table: object, *, n_threads: int | None) -> Table: ...
    def score_one(
        self,
        recency_days: object,
        frequency: object,
        monetary: object | None,
        customer_id: object | None,
        group: object | None,
    ) -> tuple[int, int, int | None, str | None]: ...
    def explain(
        self,
        recency_days: object,
        frequency: object,
        monetary: object | None,
        customer_id: object | None,
        group: object | None,
    ) -> Explanation: ...
    def thresholds(self) -> Table: ...
    def drift(self, table: object, *, by_score: bool, n_threads: int | None) -> Table: ...
    @property
    def is_fitted(self) -> bool: ...
    # The arguments of custcore.RFMScorer; segments are None, "auto" or a SegmentMap of the core.
    @property
    def settings(self) -> dict[str, Any]: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(data: bytes) -> RfmScorer: ...

@final
class QuantileScorer:
    def __new__(
        cls, dimensions: list[tuple[str, int, bool]], options: ScoreOptions, weights: list[float] | None
    ) -> QuantileScorer: ...
    def fit(self, table: object, *, n_threads: int | None) -> QuantileScorer: ...
    def transform(self, table: object, *, n_threads: int | None) -> Table: ...
    def score_one(self, values: Sequence[object], customer_id: object | None, group: object | None) -> list[int]: ...
    def thresholds(self) -> Table: ...
    def drift(self, table: object, *, by_score: bool, n_threads: int | None) -> Table: ...
    @property
    def is_fitted(self) -> bool: ...
    # The arguments of custcore.QuantileScorer.
    @property
    def settings(self) -> dict[str, Any]: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(data: bytes) -> QuantileScorer: ...

@final
class LifecycleModel:
    def __new__(cls, options: LifecycleOptions) -> LifecycleModel: ...
    def fit(self, base: CustomerBase, day: _Day | None, *, n_threads: int | None) -> LifecycleModel: ...
    @property
    def is_fitted(self) -> bool: ...
    # The windows in days, or in typical gaps of a customer.
    @property
    def days(self) -> tuple[int, int] | None: ...
    @property
    def multiples(self) -> tuple[float, float] | None: ...
    @property
    def as_of(self) -> str | None: ...
    # In days, and the share of gaps that end within it.
    @property
    def horizon(self) -> tuple[int, float] | None: ...
    @property
    def typical_days(self) -> int | None: ...
    def curve(self) -> Table: ...
    @property
    def settings(self) -> dict[str, Any]: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(data: bytes) -> LifecycleModel: ...

@final
class Scaler:
    def __new__(cls, columns: list[str] | None, *, how: str, log1p: list[str]) -> Scaler: ...
    @staticmethod
    def from_parameters(
        feature_names: list[str] | None, how: str, centers: list[float], scales: list[float], log1p: list[bool]
    ) -> Scaler: ...
    def fit(self, x: object, *, n_threads: int | None) -> Scaler: ...
    def transform(self, x: object, *, n_threads: int | None) -> Table: ...
    def transform_rows(self, rows: list[list[float]]) -> list[list[float]]: ...
    def inverse_rows(self, rows: list[list[float]]) -> list[list[float]]: ...
    @property
    def is_fitted(self) -> bool: ...
    @property
    def how(self) -> str: ...
    # The features asked for.
    @property
    def columns(self) -> list[str] | None: ...
    @property
    def feature_names(self) -> list[str] | None: ...
    @property
    def centers(self) -> list[float]: ...
    @property
    def scales(self) -> list[float]: ...
    # The names of the features that are log(1 + x) first.
    @property
    def log1p(self) -> list[str]: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(data: bytes) -> Scaler: ...

# Days are ("date" | "naive", days since 1970) or ("instant", UTC seconds).
@final
class ChurnModel:
    def __new__(cls, *, horizon: int, strata: list[int], min_at_risk: int) -> ChurnModel: ...
    # The fitted model.
    def fit(self, base: CustomerBase, day: _Day | None, *, n_threads: int | None) -> ChurnModel: ...
    # Ids, gap_days, n_days, stratum, churn_probability.
    def score(self, base: CustomerBase, day: _Day | None, *, n_threads: int | None) -> Table: ...
    @property
    def is_fitted(self) -> bool: ...
    # horizon, strata, min_at_risk.
    @property
    def settings(self) -> tuple[int, list[int], int]: ...
    # An ISO date.
    @property
    def as_of(self) -> str: ...
    @property
    def loss_days(self) -> int: ...
    def curves(self) -> Table: ...
    def strata(self) -> Table: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(data: bytes) -> ChurnModel: ...

# Summary, thresholds, calibration.
def backtest(
    base: CustomerBase,
    *,
    horizon: int,
    dates: list[_Day] | None,
    n_dates: int,
    scores: list[str],
    among: str,
    shares: list[float],
    thresholds: list[tuple[str, list[float]]],
    strata: list[int],
    min_at_risk: int,
    n_threads: int | None,
) -> tuple[Table, Table, Table]: ...

@final
class KMeans:
    # init: "k-means++" or "random"; n_init None: a search for k-means++, 10 for random. The scaler is fitted, or None.
    def __new__(
        cls,
        n_clusters: int,
        *,
        init: str,
        n_init: int | None,
        max_iter: int,
        tol: float,
        random_state: int,
        scaler: Scaler | None,
    ) -> KMeans: ...
    @staticmethod
    def from_parameters(
        centers: list[list[float]],
        init_centers: list[list[float]],
        inertia: float,
        n_iter: int,
        feature_names: list[str] | None,
        scaler: Scaler | None,
    ) -> KMeans: ...
    # The fitted model and the labels (int32). `centers`: given starts, one for each start, instead of `init`.
    def fit(
        self,
        x: object,
        *,
        columns: list[str] | None,
        sample_weight: object | None,
        centers: list[list[list[float]]] | None,
        n_threads: int | None,
        path: str | None = None,
    ) -> tuple[KMeans, Memory]: ...
    # int32 labels.
    def predict(self, x: object, *, n_threads: int | None, path: str | None = None) -> Memory: ...
    # float64 distances (not squared), rows x clusters, row by row.
    def transform(self, x: object, *, n_threads: int | None) -> Memory: ...
    # Minus the inertia.
    def score(self, x: object, *, sample_weight: object | None, n_threads: int | None) -> float: ...
    # The columns of a table, then `cluster` (int32) and with names `segment` (dictionary of strings).
    def assign(self, x: object, *, names: list[str] | None, n_threads: int | None) -> Table: ...
    # cluster, [segment], customers, share, and mean and median of each feature in its own units.
    def profile(self, x: object, *, names: list[str] | None, n_threads: int | None) -> Table: ...
    def predict_one(self, values: Sequence[float]) -> int: ...
    @property
    def is_fitted(self) -> bool: ...
    @property
    def n_clusters(self) -> int: ...
    @property
    def centers(self) -> list[list[float]]: ...
    @property
    def init_centers(self) -> list[list[float]]: ...
    @property
    def inertia(self) -> float: ...
    @property
    def n_iter(self) -> int: ...
    # Clusters that have a row; fewer than n_clusters where there are fewer distinct rows.
    @property
    def n_nonempty(self) -> int: ...
    @property
    def feature_names(self) -> list[str] | None: ...
    # The model with what Python keeps beside it.
    def to_bytes(self, settings: KMeansSettings, *, scaler: Scaler | None, names: list[str] | None) -> bytes: ...
    @staticmethod
    def from_bytes(data: bytes) -> tuple[KMeans, KMeansSettings, Scaler | None, list[str] | None]: ...

@final
class Change:
    @property
    def applied(self) -> int: ...

@final
class CustomerBase:
    def __new__(
        cls, options: ReadOptions, track: str, late: str, max_memory: int | None, spill_dir: str | None
    ) -> CustomerBase: ...
    def update(
        self,
        data: object,
        *,
        batch_id: str | None,
        n_threads: int | None,
        progress: _Progress | None,
        rows_total: int | None,
    ) -> Change: ...
    def update_by_batch(
        self, data: object, *, n_threads: int | None, progress: _Progress | None, rows_total: int | None
    ) -> None: ...
    def merge(self, other: CustomerBase) -> Change: ...
    def seal(self, before: int) -> Change: ...
    def relabel(self, pairs: list[tuple[_Id, _Id]]) -> Change: ...
    def remove(self, ids: list[_Id]) -> Change: ...
    def rfm(self, day: _Day | None, *, columns: list[str] | None, sort: bool, n_threads: int | None) -> Table: ...
    def cohort_retention(
        self, options: CohortOptions, day: _Day | None, *, n_threads: int | None
    ) -> CohortRetention: ...
    def settings(self) -> tuple[ReadOptions, str, str]: ...
    def save(self, path: str) -> Change: ...
    @staticmethod
    def load(path: str, max_memory: int | None, spill_dir: str | None) -> CustomerBase: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(data: bytes, max_memory: int | None, spill_dir: str | None) -> CustomerBase: ...
    def copy(self) -> CustomerBase: ...
    def report(self) -> Table: ...
    def __len__(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    # the number, and whether it is exact
    @property
    def customers(self) -> tuple[int, bool]: ...
    @property
    def max_memory(self) -> int | None: ...
    @property
    def spill_dir(self) -> str | None: ...
    @property
    def spilled(self) -> int: ...
    def spill(self) -> None: ...
    # runs on disk; customers and bytes written so far
    @property
    def runs(self) -> tuple[int, int, int]: ...
    @property
    def batches(self) -> list[str]: ...
    @property
    def sealed(self) -> str | None: ...
    @property
    def last_day(self) -> str | None: ...
    @property
    def rows(self) -> int: ...

# A number of baskets, or a share of them.
_Least: TypeAlias = int | float

@type_check_only
class PairOptions(TypedDict):
    min_item_baskets: int | float
    min_pair_baskets: int | float
    min_basket: int
    test: str
    adjust: str
    top: int | None

@final
class Baskets:
    def __new__(
        cls, options: ReadOptions, item: str, basket: str, max_basket: int | None, anonymous: bool
    ) -> Baskets: ...
    def update(
        self,
        data: object,
        *,
        batch_id: str | None,
        n_threads: int | None,
        progress: _Progress | None,
        rows_total: int | None,
    ) -> Change: ...
    def merge(self, other: Baskets) -> Change: ...
    def seal(self, before: int) -> Change: ...
    def relabel(self, pairs: list[tuple[_Id, _Id]]) -> Change: ...
    def remove(self, ids: list[_Id]) -> Change: ...
    def pairs(self, options: PairOptions, by: tuple[object, str] | None, *, n_threads: int | None) -> Table: ...
    def itemsets(self, min_baskets: _Least, max_len: int, max_itemsets: int, *, n_threads: int | None) -> Table: ...
    def rules(
        self, min_baskets: _Least, min_confidence: float, max_len: int, max_itemsets: int, *, n_threads: int | None
    ) -> Table: ...
    # read options, item, what a basket is, max_basket, anonymous
    def settings(
        self,
    ) -> tuple[ReadOptions, str, Literal["order", "day", "customer"], int | None, bool]: ...
    def save(self, path: str) -> Change: ...
    @staticmethod
    def load(path: str) -> Baskets: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(data: bytes) -> Baskets: ...
    def copy(self) -> Baskets: ...
    def report(self) -> Table: ...
    def __len__(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def batches(self) -> list[str]: ...
    @property
    def sealed(self) -> str | None: ...

# Lifetime value. Times are in days.

# The parameters of a prior: mean and standard deviation of the logarithm of a parameter.
_Prior: TypeAlias = list[tuple[float, float] | None]
# ("continuous" | "monthly", rate of a year, 0.0) or ("periodic", days of a period, rate of a period).
_Discounting: TypeAlias = tuple[str, float, float]
# p_alive, expected_purchases, p_purchase, p_alive_end, expected_spend, expected_revenue, discounted_purchases, clv, and
# the ends of the interval
_Prediction: TypeAlias = tuple[
    float | None,
    float | None,
    float | None,
    float | None,
    float | None,
    float | None,
    float | None,
    float | None,
    int | None,
    int | None,
]

@type_check_only
class FitOptions(TypedDict):
    start: list[float] | None
    all_starts: bool
    max_iter: int
    prior: _Prior | None

@type_check_only
class PurchaseFitOptions(TypedDict):
    start: list[float] | None
    all_starts: bool
    max_iter: int
    prior: _Prior | None
    by: str | None
    min_customers: int
    unseen: str

@type_check_only
class FitStart(TypedDict):
    start: list[float]
    end: list[float]
    log_likelihood: float
    status: str
    limit: str | None

@type_check_only
class FitInfo(TypedDict):
    parameters: list[float]
    log_likelihood: float
    status: str
    limit: str | None
    # Of the logarithms of the parameters.
    covariance: list[list[float | None]]
    standard_errors: list[float | None]
    gradient_norm: float
    decrement: float | None
    evaluations: int
    customers: float
    cells: int
    repeat_customers: float
    repeat_purchases: float
    calibration_end: str | None
    fingerprint: str
    starts: list[FitStart]
    remarks: list[str]
    # Of the pooled fit of a model with groups: the customers whose group has no parameters of its own.
    rest_customers: NotRequired[float]
    rest_log_likelihood: NotRequired[float]
    # Of a fit of spend.
    customers_left_out: NotRequired[int]
    money_left_out: NotRequired[float]
    pearson: NotRequired[float | None]
    spearman: NotRequired[float | None]
    mean_by_x: NotRequired[list[tuple[str, int, float | None]]]

# Experiments.
@type_check_only
class ExperimentArguments(TypedDict):
    customer_id: str | list[str]
    group: str | None
    exposed_on: str
    start: _Day | None
    days_after: int
    days_before: int
    lag: int
    gap: int
    on_conflict: str
    passed_on: list[str]
    every: int | None
    as_of: _Day | None

@type_check_only
class EffectArguments(TypedDict):
    metrics: list[tuple[str, str, list[str]]]
    group: str
    control: str | None
    adjust: tuple[str, list[str]]
    strata: str | None
    min_stratum: int
    by: str | None
    winsorize: float | None
    caps: list[tuple[str, float]] | None
    alternative: str
    level: float
    correction: str | None
    primary: str | None
    shares: list[tuple[str, float]] | None
    sequential: float | None
    received: str | None
    on_missing: str

def experiment_table(
    base: CustomerBase,
    experiment: object,
    arguments: ExperimentArguments,
    scorer: RfmScorer | None,
    *,
    attributes: list[str],
    n_threads: int | None,
) -> Table: ...
def track_segments(
    base: CustomerBase,
    experiment: object,
    arguments: ExperimentArguments,
    scorer: RfmScorer,
    *,
    control: str | None,
    target: list[str] | None,
    n_threads: int | None,
) -> Table: ...
def experiment_plan(
    tables: list[tuple[Table, int]],
    effect: EffectArguments,
    *,
    segments: list[str] | None,
    shares: tuple[float, float],
    power: float,
    n_threads: int | None,
) -> Table: ...
def aa_comparisons(table: Table, effect: EffectArguments, *, draws: int, seed: int, n_threads: int | None) -> Table: ...

@final
class EffectResult:
    @property
    def days(self) -> tuple[str, str] | None: ...
    @property
    def groups(self) -> list[str]: ...
    @property
    def control(self) -> str: ...
    @staticmethod
    def of_base(
        base: CustomerBase,
        experiment: object,
        arguments: ExperimentArguments,
        effect: EffectArguments,
        scorer: RfmScorer | None,
        others: list[object],
        *,
        n_threads: int | None,
    ) -> EffectResult: ...
    @staticmethod
    def of_transactions(
        data: object,
        options: ReadOptions,
        experiment: object,
        arguments: ExperimentArguments,
        effect: EffectArguments,
        scorer: RfmScorer | None,
        others: list[object],
        *,
        n_threads: int | None,
        progress: _Progress | None,
        rows_total: int | None,
    ) -> EffectResult: ...
    @staticmethod
    def of_table(
        table: object, names: list[str], effect: EffectArguments, *, n_threads: int | None
    ) -> EffectResult: ...
    def table(self) -> Table: ...
    def segments(self) -> Table: ...
    def periods(self) -> Table: ...
    def checks(self) -> Table: ...
    def received(self) -> Table: ...
    def moments(self) -> Table: ...
    def roi(self, metric: str, margin: float, cost: tuple[float, float, float]) -> Table: ...
    def plan_next(self, power: float) -> Table: ...
    def merge(self, other: EffectResult) -> EffectResult: ...
    # With settings of the caller, as text.
    def to_bytes(self, settings: str) -> bytes: ...
    @staticmethod
    def from_bytes(data: bytes) -> tuple[EffectResult, str]: ...

def clv_summary(
    base: CustomerBase, calibration_end: _Day | None, holdout_end: _Day | None, *, names: str, n_threads: int | None
) -> Table: ...

# The rows of a summary, checked.
@final
class ClvSummary:
    @staticmethod
    def read(
        data: object,
        *,
        customer_id: list[str] | None,
        by: str | None,
        weights: str | None,
        unit_days: float | None,
        n_threads: int | None,
    ) -> ClvSummary: ...
    # As of a day after its end: everybody is older.
    def shifted(self, day: _Day) -> ClvSummary: ...
    @property
    def rows(self) -> int: ...
    @property
    def repeat_customers(self) -> int: ...
    @property
    def repeat_purchases(self) -> float: ...
    @property
    def has_ids(self) -> bool: ...
    @property
    def has_amounts(self) -> bool: ...
    @property
    def has_holdout(self) -> bool: ...
    @property
    def holdout_days(self) -> float | None: ...
    # An ISO date.
    @property
    def calibration_end(self) -> str | None: ...
    @property
    def remarks(self) -> list[str]: ...
    @property
    def groups(self) -> list[object] | None: ...

@final
class PurchaseModel:
    @staticmethod
    def fit(
        family: str, summary: ClvSummary, options: PurchaseFitOptions, *, n_threads: int | None
    ) -> PurchaseModel: ...
    @staticmethod
    def given(family: str, parameters: list[float]) -> PurchaseModel: ...
    # The second is a text, which `from_bytes` gives back.
    def to_bytes(self, settings: str) -> bytes: ...
    @staticmethod
    def from_bytes(data: bytes) -> tuple[PurchaseModel, str]: ...
    @property
    def family(self) -> str: ...
    @property
    def by(self) -> str | None: ...
    # Those with parameters of their own, ascending.
    @property
    def groups(self) -> list[Any]: ...
    # Of all customers, then of each group.
    def fits(self) -> list[FitInfo]: ...
    def predict(
        self,
        summary: ClvSummary,
        *,
        horizons: list[float | None],
        spend: SpendModel | str | None,
        margin: float,
        discounting: _Discounting,
        level: float | None,
        cells: bool,
        horizon_column: bool,
        n_threads: int | None,
    ) -> Table: ...
    def predict_one(
        self,
        x: int,
        t_x: float,
        age: float,
        m_x: float | None,
        *,
        group: object,
        horizon: float | None,
        spend: SpendModel | str | None,
        margin: float,
        discounting: _Discounting,
        level: float | None,
    ) -> _Prediction: ...
    def new_customers(
        self,
        *,
        horizons: list[float | None],
        include_first: bool,
        spend: SpendModel | str | None,
        margin: float,
        discounting: _Discounting,
        level: float | None,
    ) -> Table: ...
    def total(self, summary: ClvSummary, *, horizons: list[float], level: float, n_threads: int | None) -> Table: ...
    def simulate(
        self,
        summary: ClvSummary,
        *,
        horizon: float,
        seed: int,
        n: int,
        draw_parameters: bool,
        n_threads: int | None,
    ) -> Table: ...
    def log_likelihood(self, summary: ClvSummary, *, n_threads: int | None) -> float: ...
    # Measures of the model and of the baselines, and means by x.
    def evaluate(
        self, summary: ClvSummary, *, spend: SpendModel | str | None, n_threads: int | None
    ) -> tuple[Table, Table]: ...
    def tracking(
        self,
        base: CustomerBase,
        calibration_end: _Day,
        holdout_end: _Day | None,
        *,
        period_days: int,
        level: float,
        n_threads: int | None,
    ) -> Table: ...

@final
class SpendModel:
    @staticmethod
    def fit(summary: ClvSummary, options: FitOptions, *, n_threads: int | None) -> SpendModel: ...
    @staticmethod
    def given(parameters: list[float]) -> SpendModel: ...
    def to_bytes(self, settings: str) -> bytes: ...
    @staticmethod
    def from_bytes(data: bytes) -> tuple[SpendModel, str]: ...
    def fits(self) -> list[FitInfo]: ...
    def predict(self, summary: ClvSummary, *, n_threads: int | None) -> Table: ...
    def predict_one(self, x: int, m_x: float | None) -> float | None: ...
    def log_likelihood(self, summary: ClvSummary, *, n_threads: int | None) -> float: ...

# Cohorts: how many were lost at renewal 1, 2, ..., and how many were still there after the last.
@final
class SbgModel:
    @staticmethod
    def fit(cohorts: list[tuple[list[int], int]], options: FitOptions) -> SbgModel: ...
    @staticmethod
    def given(parameters: list[float]) -> SbgModel: ...
    def to_bytes(self, settings: str) -> bytes: ...
    @staticmethod
    def from_bytes(data: bytes) -> tuple[SbgModel, str]: ...
    def fits(self) -> list[FitInfo]: ...
    def survival(self, t: int) -> float: ...
    def retention_rate(self, t: int) -> float: ...
    def discounted_lifetime(self, n: int, rate: float) -> float: ...

# Allocation of budgets

def allocate(
    cells: object,
    budget: float | None,
    *,
    objective: str,
    low: float | str | None,
    high: float | str | None,
    group: str | None,
    group_budget: list[tuple[str, Any]],
) -> Allocation: ...
def allocate_contacts(options: object, budget: float | None, *, whole: bool) -> Allocation: ...

@final
class Curve:
    @staticmethod
    def exp(a: float, b: float) -> Curve: ...
    @staticmethod
    def hill(a: float, c: float, k: float) -> Curve: ...
    @staticmethod
    def table(spend: list[float], value: list[float]) -> Curve: ...
    @staticmethod
    def fit(spend: list[float], value: list[float], se: list[float] | None, *, kind: str, k: float | None) -> Curve: ...
    def with_se(self, se: float | None) -> Curve: ...
    @property
    def kind(self) -> str: ...
    @property
    def parameters(self) -> list[tuple[str, list[float]]]: ...
    @property
    def se(self) -> float | None: ...
    def value(self, spend: float) -> float: ...
    def marginal(self, spend: float) -> float: ...

@final
class Allocation:
    def table(self) -> Table: ...
    def frontier(self, budgets: list[float] | None) -> Table: ...
    # The metadata entry "custcore.regret" is the regret of the plan.
    def sensitivity(self, n: int, seed: int) -> Table: ...
    @property
    def price(self) -> float: ...
    @property
    def spend(self) -> float: ...
    @property
    def value(self) -> float: ...
    @property
    def unspent(self) -> float | None: ...
    @property
    def gap(self) -> float: ...
    @property
    def budget(self) -> float | None: ...
    @property
    def group_prices(self) -> list[tuple[str, float]]: ...
    @property
    def rows(self) -> int: ...
    # Rows and settings, as the functions take them; `wrap` makes a curve of Python.
    def arguments(self, wrap: Callable[[Curve], object]) -> tuple[list[dict[str, Any]], dict[str, Any]]: ...

//! Kernels of custcore on small seeded inputs, to be timed by criterion and counted by callgrind.
//!
//! Only the public API of the crate is called, with one thread, so that counts do not depend on scheduling.

use std::hint::black_box;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use custcore::internals::{BinEdges, NumberColumn, Numbers, Threads};
use custcore::{
    AsOf, BaseSpec, CategoryColumns, CenterInit, ColumnRoles, Context, CustomerBase, Error, Features, KMeansSpec, MatrixLayout, Result,
    RfmScorer, RfmSpec, SimdPath, Table, Track, rfm,
};

/// A kernel with its input; it can run repeatedly.
pub type Kernel = Box<dyn Fn() -> Result<()>>;

/// The kernels. Ten rows per customer; the input of the scorer and of the edges has one row per customer.
pub const KERNELS: [&str; 16] = [
    "group_dense",
    "group_clustered",
    "group_sparse",
    "group_string",
    "group_orders",
    "days_dense",
    "days_sparse",
    "days_as_of",
    "rfm_table",
    "scorer_fit",
    "scorer_transform",
    "edges_integer",
    "edges_float",
    "kmeans_cloud",
    "kmeans_heavy",
    "kmeans_fit",
];

const ROWS_A_CUSTOMER: usize = 10;
const LINES_AN_ORDER: u64 = 9;
const DAY: i64 = 86_400_000_000;
const FIRST_DAY: i64 = 18_993;
const DAYS: u64 = 3 * 365;

/// The kernel with a name, over `rows` rows.
pub fn kernel(name: &str, rows: usize) -> Result<Kernel> {
    let customers = (rows / ROWS_A_CUSTOMER).max(1);
    let ids = |kind: Ids| purchases(rows, customers, kind);
    Ok(match name {
        "group_dense" => group(ids(Ids::Dense)?),
        "group_clustered" => group(ids(Ids::Clustered)?),
        "group_sparse" => group(ids(Ids::Sparse)?),
        "group_string" => group(ids(Ids::Text)?),
        "group_orders" => group(ids(Ids::Orders)?),
        "days_dense" => group_days(ids(Ids::Dense)?),
        "days_sparse" => group_days(ids(Ids::Sparse)?),
        "days_as_of" => {
            let base = grouped(&ids(Ids::Dense)?, Track::Days)?;
            let day = Some(AsOf::Date((FIRST_DAY + DAYS as i64 / 2) as i32));
            Box::new(move || rfm(&base, day, true, &one_thread()).map(drop_whole))
        }
        "rfm_table" => {
            let base = grouped(&ids(Ids::Sparse)?, Track::default())?;
            Box::new(move || rfm(&base, None, true, &one_thread()).map(drop_whole))
        }
        "scorer_fit" => {
            let table = customers_table(rows)?;
            Box::new(move || {
                let mut scorer = RfmScorer::new(RfmSpec::default())?;
                scorer.fit(std::slice::from_ref(&table.batch), &one_thread()).map(|()| drop_whole(scorer))
            })
        }
        "scorer_transform" => {
            let table = customers_table(rows)?;
            let mut scorer = RfmScorer::new(RfmSpec::default())?;
            scorer.fit(std::slice::from_ref(&table.batch), &one_thread())?;
            Box::new(move || scorer.transform(std::slice::from_ref(&table.batch), &table.report, &one_thread()).map(drop_whole))
        }
        "edges_integer" => {
            let mut random = Random(3);
            edges(Numbers::Integers((0..rows).map(|_| random.below(DAYS) as i64).collect()))
        }
        "edges_float" => {
            let mut random = Random(4);
            edges(Numbers::Floats((0..rows).map(|_| random.cents()).collect()))
        }
        "kmeans_cloud" => clusters(rows, false, Some(20))?,
        "kmeans_heavy" => clusters(rows, true, Some(20))?,
        "kmeans_fit" => clusters(rows, true, None)?,
        other => return Err(Error::internal(format!("unknown kernel {other}; the kernels are {KERNELS:?}"))),
    })
}

/// The kinds of customer ids.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ids {
    Dense,
    Clustered,
    Sparse,
    Text,
    Orders,
}

fn one_thread() -> Context {
    Context::new(1)
}

fn drop_whole<T>(result: T) {
    drop(black_box(result));
}

fn grouped(batch: &RecordBatch, track: Track) -> Result<CustomerBase> {
    let has_orders = batch.column_by_name("order_id").is_some();
    let roles = ColumnRoles {
        customer_id: "customer_id".into(),
        timestamp: "timestamp".into(),
        amount: Some("amount".into()),
        order_id: has_orders.then(|| "order_id".into()),
        attributes: Vec::new(),
        categories: CategoryColumns::default(),
        start: None,
        returning: None,
    };
    let mut base = CustomerBase::new(BaseSpec { track, ..BaseSpec::new(roles) })?;
    base.update(std::slice::from_ref(batch), &one_thread())?;
    Ok(base)
}

fn group(batch: RecordBatch) -> Kernel {
    Box::new(move || grouped(&batch, Track::default()).map(drop_whole))
}

fn group_days(batch: RecordBatch) -> Kernel {
    Box::new(move || grouped(&batch, Track::Days).map(drop_whole))
}

fn edges(values: Numbers) -> Kernel {
    let column = NumberColumn::from_numbers(values);
    Box::new(move || {
        let edges = |threads: Threads<'_>| BinEdges::type7(&column, 5, threads).map(|edges| edges.bin_rows(&column, threads));
        one_thread().install(edges).map(drop_whole)
    })
}

/// Three features of each row: normal ones; or a normal, a gamma and a cubed normal one, whose tails are heavy.
fn features(rows: usize, heavy: bool) -> Vec<f64> {
    let mut random = Random(5);
    let mut flat = Vec::with_capacity(3 * rows);
    for _ in 0..rows {
        let (x, y, z) = (random.normal(), random.normal(), random.normal());
        // Half the sum of two squared normals is a gamma.
        flat.extend(if heavy { [x, f64::midpoint(y * y, random.normal().powi(2)), z.powi(3)] } else { [x, y, z] });
    }
    flat
}

/// Eight clusters: so many iterations from the first eight rows, or a default fit.
fn clusters(rows: usize, heavy: bool, iterations: Option<usize>) -> Result<Kernel> {
    let flat = features(rows, heavy);
    let start = flat[..24].to_vec();
    let layout = MatrixLayout { rows, columns: 3, row_stride: 3, column_stride: 1 };
    let features = Features::from_matrix(&(Arc::new(Float64Array::from(flat)) as ArrayRef), layout)?;
    let spec = KMeansSpec {
        n_clusters: 8,
        init: if iterations.is_some() { CenterInit::Given(vec![start]) } else { CenterInit::Searched },
        n_init: 1,
        max_iter: iterations.unwrap_or(300),
        tol: if iterations.is_some() { 0.0 } else { 1e-4 },
        seed: 0,
        path: SimdPath::fastest(),
    };
    Ok(Box::new(move || spec.fit(&features, None, &one_thread()).map(drop_whole)))
}

/// An RFM table with this number of customers.
fn customers_table(customers: usize) -> Result<Table> {
    let base = grouped(&purchases(customers * 3, customers, Ids::Dense)?, Track::default())?;
    rfm(&base, None, true, &one_thread())
}

/// Purchases, ordered by time or by customer.
fn purchases(rows: usize, customers: usize, ids: Ids) -> Result<RecordBatch> {
    let mut random = Random(1);
    let order_of = |row: usize| if ids == Ids::Orders { row as u64 / LINES_AN_ORDER } else { row as u64 };
    let customer = |row: usize| match ids {
        Ids::Clustered => (row * customers / rows) as u64,
        _ => Random(order_of(row)).next() % customers as u64,
    };
    let codes: Vec<u64> = (0..rows).map(customer).collect();
    let customer_id: ArrayRef = match ids {
        Ids::Text => Arc::new(StringArray::from_iter_values(codes.iter().map(|code| format!("C{code:09}")))),
        Ids::Sparse => Arc::new(codes.iter().map(|&code| (Random(code).next() >> 1) as i64).collect::<Int64Array>()),
        _ => Arc::new(codes.iter().map(|&code| code as i64 + 1).collect::<Int64Array>()),
    };
    let span = DAYS as i64 * DAY / rows as i64;
    let timestamp = TimestampMicrosecondArray::from_iter_values((0..rows as i64).map(|row| FIRST_DAY * DAY + row * span));
    let amount: Float64Array = (0..rows).map(|_| random.cents()).collect();
    let mut columns: Vec<(&str, ArrayRef)> =
        vec![("customer_id", customer_id), ("timestamp", Arc::new(timestamp)), ("amount", Arc::new(amount))];
    if ids == Ids::Orders {
        columns.push(("order_id", Arc::new((0..rows).map(|row| order_of(row) as i64).collect::<Int64Array>())));
    }
    RecordBatch::try_from_iter(columns).map_err(Error::internal)
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Normal, by the method of Box and Muller.
    fn normal(&mut self) -> f64 {
        let mut unit = || (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        (-2.0 * (1.0 - unit()).ln()).sqrt() * (std::f64::consts::TAU * unit()).cos()
    }

    /// Money in whole cents, up to 100.
    fn cents(&mut self) -> f64 {
        (1 + self.below(10_000)) as f64 / 100.0
    }
}

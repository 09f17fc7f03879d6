//! A base with customers on disk is the base that is kept in memory.

#![expect(clippy::expect_used, reason = "what a test expects and does not find fails it")]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampSecondArray};
use custcore::{
    BaseSpec, CategoryColumns, ColumnRoles, Context, CustomerBase, CustomerId, ErrorKind, MemoryLimit, OrderLines, Pick, Report, Result,
    ResultColumns, Track, rfm_by_ranges,
};
use proptest::prelude::*;

/// One line: customer, second, cents, order, country.
type Row = (Option<i64>, i64, Option<i64>, Option<i64>, Option<u8>);

fn spec(track: Track) -> BaseSpec {
    let roles = ColumnRoles {
        customer_id: "id".into(),
        timestamp: "t".into(),
        amount: Some("amount".into()),
        order_id: (track == Track::Orders).then(|| "order".into()),
        attributes: vec![("country".to_owned(), Pick::Last)],
        categories: CategoryColumns::default(),
        start: None,
        returning: None,
    };
    BaseSpec { track, ..BaseSpec::new(roles) }
}

fn batch(rows: &[Row], texts: bool) -> RecordBatch {
    let ids: ArrayRef = if texts {
        Arc::new(rows.iter().map(|row| row.0.map(|id| format!("customer {id}"))).collect::<StringArray>())
    } else {
        Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>())
    };
    let countries = rows.iter().map(|row| row.4.map(|c| ["de", "fr", "it"][usize::from(c % 3)]));
    let columns: [(&str, ArrayRef); 5] = [
        ("id", ids),
        ("t", Arc::new(TimestampSecondArray::from(rows.iter().map(|row| row.1).collect::<Vec<_>>()))),
        ("amount", Arc::new(rows.iter().map(|row| row.2.map(|cents| cents as f64 / 100.0)).collect::<Float64Array>())),
        ("order", Arc::new(rows.iter().map(|row| row.3).collect::<Int64Array>())),
        ("country", Arc::new(countries.collect::<StringArray>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).expect("a batch")
}

fn base(pieces: &[&[Row]], track: Track, texts: bool) -> CustomerBase {
    let mut base = CustomerBase::new(spec(track)).expect("settings");
    pieces.iter().for_each(|piece| base.update(&[batch(piece, texts)], &Context::default()).expect("an update"));
    base
}

/// The rows of RFM, the report, and a hash of the bytes of the file.
fn results(base: &CustomerBase) -> (Vec<ArrayRef>, Report, u64) {
    let context = Context::default();
    let mut tables = rfm_by_ranges(base, None, true, &ResultColumns::all(), &context).expect("tables");
    let batches: Vec<RecordBatch> = tables.iter().map(|table| table.batch.clone()).collect();
    let whole = arrow_select::concat::concat_batches(&batches[0].schema(), &batches).expect("one schema");
    let report = base.report_by_ranges(&context).expect("a report");
    assert_eq!(tables.swap_remove(0).report, report);
    let mut hash = DefaultHasher::new();
    base.to_bytes(&context).expect("written").hash(&mut hash);
    (whole.columns().to_vec(), report, hash.finish())
}

/// The same base with the smallest memory limit, its customers on disk.
fn spilled(pieces: &[&[Row]], track: Track, texts: bool, folder: Option<PathBuf>) -> CustomerBase {
    let limit = MemoryLimit::new(1 << 20, folder).expect("a limit");
    let mut base = CustomerBase::new(spec(track)).expect("settings").with_limit(Some(limit));
    for piece in pieces {
        base.update(&[batch(piece, texts)], &Context::default()).expect("an update");
        base.spill(&Context::default()).expect("a run");
    }
    base
}

fn rows(customers: i64) -> impl Strategy<Value = Vec<Row>> {
    let row = (
        prop_oneof![9 => (0..customers).prop_map(Some), 1 => Just(None)],
        0_i64..3_000_000,
        prop_oneof![9 => (-500_i64..3000).prop_map(Some), 1 => Just(None)],
        prop::option::weighted(0.9, 0_i64..12),
        prop::option::weighted(0.9, any::<u8>()),
    );
    prop::collection::vec(row, 1..150)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_spilled_base_is_that_of_memory(
        all in rows(60),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        track in prop_oneof![Just(Track::Totals), Just(Track::Days), Just(Track::Orders)],
        (texts, gone, day) in (any::<bool>(), 0_i64..60, 0_i32..40),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(all.len())).chain([0, all.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<&[Row]> = cuts.windows(2).map(|ends| &all[ends[0]..ends[1]]).collect();
        let context = Context::default();
        let (mut whole, mut disk) = (base(&pieces, track, texts), spilled(&pieces, track, texts, None));
        prop_assert_eq!(disk.customers(&context).expect("counted"), whole.len());
        prop_assert_eq!(results(&disk), results(&whole));
        let copy = disk.clone();
        let id = |id: i64| if texts { CustomerId::Text(format!("customer {id}")) } else { CustomerId::Integer(i128::from(id)) };
        let pairs = [(id(gone), id((gone + 1) % 60)), (id((gone + 1) % 60), id(100))];
        for base in [&mut whole, &mut disk] {
            base.relabel_within(&pairs, &context).expect("new ids");
        }
        prop_assert_eq!(results(&disk), results(&whole));
        let ids = [id(gone), id((gone + 7) % 60), id(1000)];
        prop_assert_eq!(disk.remove_within(&ids, &context), whole.remove_within(&ids, &context));
        prop_assert_eq!(results(&disk), results(&whole));
        if track == Track::Orders {
            for base in [&mut whole, &mut disk] {
                base.seal_within(day, &context).expect("sealed");
            }
            prop_assert_eq!(results(&disk), results(&whole));
            // Late lines are told from those of open orders.
            let late = [batch(&all, texts)];
            let (before, of_disk, of_whole) = (results(&disk), disk.update(&late, &context), whole.update(&late, &context));
            prop_assert_eq!(of_disk.as_ref().map_err(custcore::Error::kind), of_whole.as_ref().map_err(custcore::Error::kind));
            if of_disk.is_err() {
                prop_assert_eq!(results(&disk), before);
            }
        }
        prop_assert_eq!(results(&disk), results(&whole));
        // What is changed leaves a copy as it was, and merging appends its runs with their row numbers.
        let (mut merged, mut expected) = (copy.clone(), base(&pieces, track, texts));
        merged.merge(&copy, &context).expect("merged");
        expected.merge(&base(&pieces, track, texts), &context).expect("merged");
        prop_assert_eq!(results(&merged), results(&expected));
        let mut in_memory = CustomerBase::new(spec(track)).expect("settings");
        in_memory.merge(&copy, &context).expect("merged");
        prop_assert!(!in_memory.is_spilled());
        prop_assert_eq!(results(&in_memory), results(&copy));
    }
}

/// A parent for folders of runs, removed on drop.
struct Parent(PathBuf);

impl Parent {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("custcore-spill-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// Number of folders and of runs in it.
    fn count(&self) -> (usize, usize) {
        let folders: Vec<PathBuf> = std::fs::read_dir(&self.0).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
        let runs = |folder: &PathBuf| {
            let names = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
            names.filter(|name| name != "lock").count()
        };
        (folders.len(), folders.iter().map(runs).sum())
    }
}

impl Drop for Parent {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn many(customers: i64, from: i64) -> Vec<Row> {
    (from..from + customers).map(|i| (Some(i * 7919 % 900_001), i * 977 % 3_000_000, Some(i % 1000), None, None)).collect()
}

#[test]
fn an_update_spills_what_exceeds_the_limit_and_reads_write_nothing() -> Result<()> {
    let (context, parent) = (Context::new(2), Parent::new("update"));
    let limit = MemoryLimit::new(1 << 20, Some(parent.0.clone()))?;
    let rows = [many(60_000, 0), many(60_000, 30_000)];
    let (mut whole, mut disk) = (base(&[], Track::Days, false), CustomerBase::new(spec(Track::Days))?.with_limit(Some(limit)));
    for rows in &rows {
        let batches: Vec<RecordBatch> = rows.chunks(7_000).map(|rows| batch(rows, false)).collect();
        let mut builder = disk.begin_limited(&batches[0].schema())?;
        batches.iter().try_for_each(|batch| builder.push(std::slice::from_ref(batch), &context))?;
        disk.commit_limited(builder.finish(&context)?, None, &context)?;
        whole.update(&batches, &context)?;
    }
    assert!(disk.is_spilled());
    assert!(disk.bytes() <= 1 << 19, "{}", disk.bytes());
    let runs = parent.count();
    assert_eq!(runs.1, disk.runs());
    assert_eq!(results(&disk), results(&whole));
    assert_eq!((disk.customers(&context)?, disk.known_customers()), (whole.len(), Some(whole.len())));
    assert_eq!(parent.count(), runs);
    // A file is loaded within a limit.
    let path = parent.0.join("base");
    disk.save(&path, &context)?;
    let loaded = CustomerBase::load_within(&path, None, Some(parent.0.clone()), &context)?;
    std::fs::remove_file(&path).expect("the file");
    assert_eq!((loaded.limit(), loaded.runs(), loaded.bytes() < 1 << 19), (disk.limit(), 1, true));
    assert_eq!(loaded.to_bytes(&context)?, whole.to_bytes(&context)?);
    drop((disk, loaded));
    assert_eq!(parent.count(), (0, 0));
    Ok(())
}

#[test]
fn runs_are_compacted() -> Result<()> {
    let (context, parent) = (Context::new(1), Parent::new("compact"));
    let limit = MemoryLimit::new(1 << 20, Some(parent.0.clone()))?;
    let mut disk = CustomerBase::new(spec(Track::Totals))?.with_limit(Some(limit));
    let mut most = 0;
    for piece in 0..140 {
        disk.update(&[batch(&many(300, 100 * piece), false)], &context)?;
        disk.spill(&context)?;
        most = most.max(disk.runs());
    }
    // At most 64 runs of each of two size classes.
    assert!(most <= 66, "{most}");
    assert_eq!(parent.count(), (1, disk.runs()));
    let all: Vec<Vec<Row>> = (0..140).map(|piece| many(300, 100 * piece)).collect();
    let pieces: Vec<&[Row]> = all.iter().map(Vec::as_slice).collect();
    assert_eq!(results(&disk), results(&base(&pieces, Track::Totals, false)));
    Ok(())
}

#[test]
fn a_failed_change_leaves_the_base() -> Result<()> {
    let (context, parent) = (Context::new(1), Parent::new("failed"));
    let rows = many(500, 0);
    let mut disk = spilled(&[&rows], Track::Totals, false, Some(parent.0.clone()));
    let other = base(&[&rows], Track::Totals, false);
    let before = results(&disk);
    // The runs stay readable while the folder is away, and nothing can be written.
    let away = parent.0.with_extension("away");
    std::fs::rename(&parent.0, &away).expect("moved");
    let cancelled = Context::new(1);
    cancelled.cancel();
    let id = |id: i64| CustomerId::Integer(i128::from(id));
    assert_eq!(disk.remove_within(&[id(7919)], &context).map_err(|error| error.kind()), Err(ErrorKind::File));
    assert_eq!(disk.relabel_within(&[(id(7919), id(1))], &context).map_err(|error| error.kind()), Err(ErrorKind::File));
    let many = batch(&many(60_000, 0), false);
    assert_eq!(disk.update(&[many], &context).map_err(|error| error.kind()), Err(ErrorKind::File));
    assert_eq!(results(&disk), before);
    std::fs::rename(&away, &parent.0).expect("moved");
    assert_eq!(disk.remove_within(&[id(7919)], &cancelled).map_err(|error| error.kind()), Err(ErrorKind::Cancelled));
    assert_eq!(results(&disk), before);
    assert_eq!(parent.count(), (1, 1));
    disk.merge(&other, &context)?;
    Ok(())
}

#[test]
fn a_folder_that_does_not_exist_is_refused() {
    let parent = std::env::temp_dir().join("custcore-no-such-folder");
    assert_eq!(MemoryLimit::new(1 << 20, Some(parent)).map_err(|error| error.kind()), Err(ErrorKind::File));
    assert_eq!(MemoryLimit::new(1 << 10, None).map_err(|error| error.kind()), Err(ErrorKind::MemoryLimit));
}

#[test]
fn orders_that_must_follow_each_other_are_refused() -> Result<()> {
    let mut settings = spec(Track::Orders);
    (settings.track, settings.order_lines) = (Track::Totals, OrderLines::Adjacent);
    let mut base = CustomerBase::new(settings)?.with_limit(Some(MemoryLimit::new(1 << 20, None)?));
    let many = batch(&many(60_000, 0), false);
    let refused = base.update(&[many], &Context::new(1)).map_err(|error| error.kind());
    assert_eq!((refused, base.is_spilled(), base.rows()), (Err(ErrorKind::MemoryLimit), false, 0));
    Ok(())
}

#[test]
fn one_batch_twice_is_found_across_runs() -> Result<()> {
    let context = Context::default();
    let mut disk = spilled(&[], Track::Totals, false, None);
    let data = batch(&[(Some(1), 2, Some(3), None, None)], false);
    let mut load = |batch_id: &str| {
        let mut builder = disk.begin_limited(&data.schema())?;
        builder.push(std::slice::from_ref(&data), &context)?;
        disk.commit_limited(builder.finish(&context)?, Some(batch_id), &context)?;
        disk.spill(&context)
    };
    load("monday")?;
    load("tuesday")?;
    assert_eq!(load("monday").map_err(|error| error.kind()), Err(ErrorKind::DuplicateBatch));
    assert_eq!((disk.runs(), disk.rows()), (2, 2));
    Ok(())
}

//! A base that is written down in runs and handed out by ranges of ids is the base that was kept in memory.

#![expect(clippy::expect_used, reason = "what a test expects and does not find fails it")]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampSecondArray};
use custcore::{Amount, BaseSpec, ColumnRoles, Context, CustomerBase, ErrorKind, OrderLines, Pick, Report, Result, Spill, Track, rfm};
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

/// Count, rows, sum and first row of each entry.
type Entries = BTreeMap<String, (u64, u64, i128, Option<u64>)>;

fn add(report: &Report, entries: &mut Entries) {
    for entry in &report.entries {
        let (count, rows, units, first) = entries.entry(entry.name.to_string()).or_default();
        *count += entry.count;
        *rows += entry.rows;
        *units += entry.sum.map_or(0, |Amount { units, .. }| units);
        *first = first.iter().copied().chain(entry.first_row).min();
    }
}

/// The rows of RFM of all parts in turn, their reports in one, and the bytes of the file that all make.
fn results(parts: &[CustomerBase]) -> (Vec<ArrayRef>, Entries) {
    let (mut batches, mut entries) = (Vec::new(), Entries::new());
    for part in parts {
        let table = rfm(part, None, true, &Context::default()).expect("a table");
        add(&table.report, &mut entries);
        batches.push(table.batch);
    }
    let whole = arrow_select::concat::concat_batches(&batches[0].schema(), &batches).expect("one schema");
    (whole.columns().to_vec(), entries)
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
    fn ranges_in_turn_are_the_whole(
        all in rows(60),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        track in prop_oneof![Just(Track::Totals), Just(Track::Days), Just(Track::Orders)],
        (texts, memory) in (any::<bool>(), prop_oneof![Just(0), Just(20_000), Just(u64::MAX)]),
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(all.len())).chain([0, all.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<&[Row]> = cuts.windows(2).map(|ends| &all[ends[0]..ends[1]]).collect();
        let context = Context::default();
        let mut spill = Spill::new(&std::env::temp_dir(), spec(track)).expect("a folder");
        for piece in &pieces {
            spill.add(&base(&[piece], track, texts), &context).expect("a run");
        }
        let whole = base(&pieces, track, texts);
        let mut bases = vec![spill.account().clone()];
        let mut parts = spill.parts(memory);
        while let Some(part) = parts.next(&context).expect("a part") {
            bases.push(part);
        }
        if memory == u64::MAX {
            prop_assert!(bases.len() <= 2);
        }
        let (columns, entries) = results(std::slice::from_ref(&whole));
        let (found, found_entries) = results(&bases);
        prop_assert_eq!(found_entries, entries);
        prop_assert_eq!(&found[..2], &columns[..2]);
        prop_assert_eq!(&found, &columns);
        let mut joined = bases[0].clone();
        bases[1..].iter().for_each(|part| joined.merge(part, &Context::default()).expect("merged"));
        prop_assert_eq!(joined.to_bytes(&context).expect("written"), whole.to_bytes(&context).expect("written"));
    }
}

#[test]
fn many_customers_come_in_ranges_that_fit() -> Result<()> {
    let context = Context::default();
    let row = |i: i64| (Some(i * 7919 % 30_011), i * 977 % 3_000_000, Some(i % 1000), None, None);
    let all: Vec<Row> = (0..60_000).map(row).collect();
    let mut spill = Spill::new(&std::env::temp_dir(), spec(Track::Totals))?;
    all.chunks(13_000).try_for_each(|piece| spill.add(&base(&[piece], Track::Totals, false), &context))?;
    assert_eq!(spill.len(), 5);
    let whole = base(&[&all], Track::Totals, false);
    let (mut parts, mut bases) = (spill.parts(spill.bytes()), Vec::new());
    while let Some(part) = parts.next(&context)? {
        bases.push(part);
    }
    // A quarter of the bytes each, and no customer in two of them.
    assert!((4..=8).contains(&bases.len()), "{}", bases.len());
    assert_eq!(bases.iter().map(CustomerBase::len).sum::<usize>(), whole.len());
    assert!(bases.iter().all(|part| part.len() < whole.len() / 2));
    bases[0] = {
        let mut first = spill.account().clone();
        first.merge(&bases[0], &Context::default())?;
        first
    };
    assert_eq!(results(&bases), results(&[whole]));
    Ok(())
}

#[test]
fn the_folder_goes_with_the_runs() -> Result<()> {
    let parent = std::env::temp_dir().join(format!("custcore-spill-{}", std::process::id()));
    std::fs::create_dir_all(&parent).expect("a folder");
    let inside = || std::fs::read_dir(&parent).expect("the folder").count();
    let mut spill = Spill::new(&parent, spec(Track::Days))?;
    spill.add(&base(&[&[(Some(1), 2, Some(3), None, None)]], Track::Days, false), &Context::default())?;
    assert_eq!(inside(), 1);
    drop(spill);
    assert_eq!(inside(), 0);
    std::fs::remove_dir(&parent).expect("empty");
    let error = Spill::new(&parent, spec(Track::Days)).map(|_| ()).map_err(|error| error.kind());
    assert_eq!(error, Err(ErrorKind::File));
    Ok(())
}

#[test]
fn orders_that_must_follow_each_other_are_refused() {
    let mut spec = spec(Track::Orders);
    (spec.track, spec.order_lines) = (Track::Totals, OrderLines::Adjacent);
    assert_eq!(Spill::new(&std::env::temp_dir(), spec).map(|_| ()).map_err(|error| error.kind()), Err(ErrorKind::StateMismatch));
}

#[test]
fn one_batch_twice_is_found_across_runs() -> Result<()> {
    let context = Context::default();
    let named = || -> Result<CustomerBase> {
        let mut base = CustomerBase::new(spec(Track::Totals))?;
        let data = batch(&[(Some(1), 2, Some(3), None, None)], false);
        let mut fold = base.begin(&data.schema())?;
        fold.push(&[data], &context)?;
        let update = fold.finish(&context)?;
        base.commit(update, Some("monday"), &Context::default())?;
        Ok(base)
    };
    let mut spill = Spill::new(&std::env::temp_dir(), spec(Track::Totals))?;
    spill.add(&named()?, &context)?;
    assert_eq!(spill.add(&named()?, &context).map_err(|error| error.kind()), Err(ErrorKind::DuplicateBatch));
    assert_eq!(spill.len(), 1);
    Ok(())
}

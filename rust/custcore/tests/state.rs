//! Files of customer bases: a base comes back as it was, the same content is the same bytes, and damage is found.

#![expect(clippy::expect_used, reason = "what a test expects and does not find fails it")]

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Decimal128Array, FixedSizeBinaryArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray, StringViewArray,
    TimestampMillisecondArray, TimestampSecondArray, UInt64Array,
};
use custcore::{
    BaseSpec, CategoryColumns, ColumnRoles, Context, CustomerBase, CustomerId, ErrorKind, OrderLines, Pick, Result, Track, rfm,
};
use proptest::prelude::*;

/// One line: customer, second, amount, order, country.
type Row = (Option<i64>, i64, Option<i64>, Option<i64>, Option<u8>);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Ids {
    Int32,
    Unsigned,
    Text,
    View,
    Uuid,
}

#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "switches that are tried in every combination")]
struct Case {
    ids: Ids,
    track: Track,
    adjacent: bool,
    attributes: bool,
    wide: bool,
    zoned: bool,
}

fn spec(case: Case) -> BaseSpec {
    let attributes = [("country".to_owned(), Pick::First), ("days".to_owned(), Pick::First)];
    let roles = ColumnRoles {
        customer_id: "units".into(),
        timestamp: "t".into(),
        amount: Some("amount".into()),
        order_id: (case.track == Track::Orders || case.adjacent).then(|| "order".into()),
        attributes: if case.attributes { attributes.to_vec() } else { Vec::new() },
        categories: CategoryColumns::default(),
        start: None,
        returning: None,
    };
    let order_lines = if case.adjacent && case.track != Track::Orders { OrderLines::Adjacent } else { OrderLines::Any };
    BaseSpec { track: case.track, order_lines, n_days: case.wide, ..BaseSpec::new(roles) }
}

fn batch(rows: &[Row], case: Case) -> RecordBatch {
    let ids = || rows.iter().map(|row| row.0);
    let text = |id: i64| if id % 3 == 0 { format!("a customer of a rather long name {id}") } else { format!("c{id}\0") };
    let texts: Vec<Option<String>> = ids().map(|id| id.map(text)).collect();
    let texts = || texts.iter().map(Option::as_deref);
    let ids: ArrayRef = match case.ids {
        Ids::Int32 => Arc::new(ids().map(|id| id.map(|id| id as i32)).collect::<Int32Array>()),
        Ids::Unsigned => Arc::new(ids().map(|id| id.map(|id| id as u64)).collect::<UInt64Array>()),
        Ids::Text => Arc::new(texts().collect::<StringArray>()),
        Ids::View => Arc::new(texts().collect::<StringViewArray>()),
        Ids::Uuid => {
            let bytes = ids().map(|id| id.map(|id| i128::from(id).to_be_bytes()));
            Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes, 16).expect("ids"))
        }
    };
    let seconds = TimestampSecondArray::from(rows.iter().map(|row| row.1).collect::<Vec<_>>());
    let times: ArrayRef = if case.zoned { Arc::new(seconds.with_timezone("Europe/Berlin")) } else { Arc::new(seconds) };
    let amounts: ArrayRef = if case.wide {
        let amounts = rows.iter().map(|row| row.2.map(|cents| i128::from(cents) << 70)).collect::<Decimal128Array>();
        Arc::new(amounts.with_precision_and_scale(38, 2).expect("decimals"))
    } else {
        Arc::new(rows.iter().map(|row| row.2.map(|cents| cents as f64 / 100.0)).collect::<Float64Array>())
    };
    let country = rows.iter().map(|row| row.4.map(|c| ["de", "fr", "it"][usize::from(c % 3)]));
    let columns: [(&str, ArrayRef); 6] = [
        ("units", ids),
        ("t", times),
        ("amount", amounts),
        ("order", Arc::new(rows.iter().map(|row| row.3).collect::<Int64Array>())),
        ("country", Arc::new(country.collect::<StringArray>())),
        ("days", Arc::new(rows.iter().map(|row| row.4.map(i64::from)).collect::<Int64Array>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).expect("a batch")
}

fn base(pieces: &[&[Row]], case: Case) -> Result<CustomerBase> {
    let mut base = CustomerBase::new(spec(case))?;
    for piece in pieces {
        base.update(&[batch(piece, case)], &Context::default())?;
    }
    Ok(base)
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (
        prop_oneof![6 => (0_i64..30).prop_map(Some), 1 => Just(None)],
        0_i64..3_000_000,
        prop_oneof![9 => (-500_i64..5000).prop_map(Some), 1 => Just(None)],
        prop::option::weighted(0.9, 0_i64..12),
        prop::option::weighted(0.9, any::<u8>()),
    );
    prop::collection::vec(row, 0..120)
}

fn cases() -> impl Strategy<Value = Case> {
    let ids = prop_oneof![Just(Ids::Int32), Just(Ids::Unsigned), Just(Ids::Text), Just(Ids::View), Just(Ids::Uuid)];
    let track = prop_oneof![Just(Track::Totals), Just(Track::Days), Just(Track::Orders)];
    (ids, track, any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>())
        .prop_map(|(ids, track, adjacent, attributes, wide, zoned)| Case { ids, track, adjacent, attributes, wide, zoned })
}

/// A table, and of each entry of its report the name, count, rows and sum.
type Results = (RecordBatch, Vec<(String, u64, u64, String)>);

/// The results that a base gives, without what only the order of rows tells.
fn results(base: &CustomerBase) -> Result<Results> {
    let table = rfm(base, None, true, &Context::default())?;
    let entries = table.report.entries.iter().map(|entry| (entry.name.to_string(), entry.count, entry.rows, format!("{:?}", entry.sum)));
    Ok((table.batch.clone(), entries.collect()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_base_comes_back_and_goes_on((all, more, case) in (rows(), rows(), cases())) {
        let before = base(&[&all], case).expect("a base");
        let bytes = before.to_bytes(&Context::default()).expect("written");
        let mut after = CustomerBase::from_bytes(&bytes, &Context::default()).expect("read");
        prop_assert_eq!(after.spec(), before.spec());
        prop_assert_eq!(results(&after).expect("results"), results(&before).expect("results"));
        prop_assert_eq!(after.to_bytes(&Context::default()).expect("written again"), bytes);
        after.update(&[batch(&more, case)], &Context::default()).expect("more");
        let whole = base(&[&all, &more], case).expect("a base");
        prop_assert_eq!(results(&after).expect("results"), results(&whole).expect("results"));
        prop_assert_eq!(after.to_bytes(&Context::default()).expect("written"), whole.to_bytes(&Context::default()).expect("written"));
    }

    #[test]
    fn the_same_content_is_the_same_bytes((all, case, turn, cut) in (rows(), cases(), any::<prop::sample::Index>(), any::<prop::sample::Index>())) {
        // Where lines follow each other their order is part of what they say.
        let case = Case { adjacent: false, ..case };
        let once = base(&[&all], case).expect("a base").to_bytes(&Context::default()).expect("written");
        let mut turned = all.clone();
        turned.rotate_left(turn.index(all.len() + 1).min(all.len()));
        let (a, b) = turned.split_at(cut.index(all.len() + 1));
        prop_assert_eq!(&base(&[a, b], case).expect("a base").to_bytes(&Context::default()).expect("written"), &once);
        let mut merged = base(&[b], case).expect("a base");
        merged.merge(&base(&[a], case).expect("a base"), &Context::default()).expect("merged");
        prop_assert_eq!(&merged.to_bytes(&Context::default()).expect("written"), &once);
        let mut loaded = CustomerBase::from_bytes(&base(&[b], case).expect("a base").to_bytes(&Context::default()).expect("written"), &Context::default()).expect("read");
        loaded.merge(&CustomerBase::from_bytes(&base(&[a], case).expect("a base").to_bytes(&Context::default()).expect("written"), &Context::default()).expect("read"), &Context::default()).expect("merged");
        prop_assert_eq!(&loaded.to_bytes(&Context::default()).expect("written"), &once);
    }

    #[test]
    fn sealed_and_changed_bases_come_back((all, day) in (rows(), 0_i32..40)) {
        let case = Case { ids: Ids::Int32, track: Track::Orders, adjacent: false, attributes: true, wide: false, zoned: false };
        let mut before = base(&[&all], case).expect("a base");
        before.seal(day).expect("sealed");
        before.relabel(&[(CustomerId::Integer(3), CustomerId::Integer(77)), (CustomerId::Integer(4), CustomerId::Integer(5))]).expect("relabelled");
        before.remove(&[CustomerId::Integer(6), CustomerId::Integer(1000)]).expect("removed");
        let after = CustomerBase::from_bytes(&before.to_bytes(&Context::default()).expect("written"), &Context::default()).expect("read");
        prop_assert_eq!(after.sealed(), before.sealed());
        prop_assert_eq!(results(&after).expect("results"), results(&before).expect("results"));
        prop_assert_eq!(after.to_bytes(&Context::default()).expect("written"), before.to_bytes(&Context::default()).expect("written"));
        for back in [0, 7, 20] {
            let table = |base: &CustomerBase| {
                let then = base.at(Some(custcore::AsOf::Date(back))).expect("a past day");
                results(&then).map_err(|error| error.to_string())
            };
            prop_assert_eq!(table(&after), table(&before));
        }
    }
}

const SMALL: Case = Case { ids: Ids::Text, track: Track::Orders, adjacent: false, attributes: true, wide: false, zoned: true };

fn small() -> Vec<Row> {
    vec![(Some(1), 5, Some(200), Some(1), Some(0)), (Some(1), 100_000, Some(-50), Some(1), None), (Some(3), 90_000, None, None, Some(1))]
}

#[test]
fn every_changed_byte_and_every_truncation_is_found() -> Result<()> {
    let whole = base(&[&small()], SMALL)?.to_bytes(&Context::default())?;
    let refused = |bytes: &[u8]| match CustomerBase::from_bytes(bytes, &Context::default()) {
        Ok(_) => false,
        Err(error) => matches!(error.kind(), ErrorKind::ModelFormat | ErrorKind::ModelVersion),
    };
    let mut bytes = whole.clone();
    for at in 0..whole.len() {
        assert!(refused(&whole[..at]), "first {at} of {} bytes", whole.len());
        bytes[at] ^= 1;
        assert!(refused(&bytes), "byte {at}");
        bytes[at] ^= 1;
    }
    Ok(())
}

#[test]
fn a_base_that_never_saw_data_comes_back() -> Result<()> {
    let empty = CustomerBase::new(spec(SMALL))?;
    let mut after = CustomerBase::from_bytes(&empty.to_bytes(&Context::default())?, &Context::default())?;
    assert_eq!(after.spec(), empty.spec());
    assert!(after.last_day().is_none());
    after.update(&[batch(&small(), SMALL)], &Context::default())?;
    assert_eq!(after.to_bytes(&Context::default())?, base(&[&small()], SMALL)?.to_bytes(&Context::default())?);
    Ok(())
}

#[test]
fn a_base_for_one_call_is_not_kept() -> Result<()> {
    let base = CustomerBase::new(BaseSpec { track: Track::Once, ..spec(SMALL) })?;
    assert_eq!(base.to_bytes(&Context::default()).map_err(|error| error.kind()), Err(ErrorKind::StateMismatch));
    Ok(())
}

#[test]
fn names_of_batches_and_files_come_back() -> Result<()> {
    let path = std::env::temp_dir().join(format!("custcore-state-{}", std::process::id()));
    let mut base = CustomerBase::new(spec(SMALL))?;
    let data = batch(&small(), SMALL);
    let mut fold = base.begin(&data.schema())?;
    fold.push(std::slice::from_ref(&data), &Context::default())?;
    let update = fold.finish(&Context::default())?;
    base.commit(update, Some("2024-05-01"), &Context::default())?;
    base.save(&path, &Context::default())?;
    let after = CustomerBase::load(&path, &Context::default())?;
    assert_eq!(after.batches().collect::<Vec<_>>(), ["2024-05-01"]);
    assert_eq!(after.check_batch("2024-05-01").map_err(|error| error.kind()), Err(ErrorKind::DuplicateBatch));
    std::fs::remove_file(&path).expect("it is there");
    assert_eq!(CustomerBase::load(&path, &Context::default()).map(|_| ()).map_err(|error| error.kind()), Err(ErrorKind::File));
    Ok(())
}

#[test]
fn times_of_another_unit_make_the_same_file() -> Result<()> {
    let case = Case { track: Track::Days, zoned: false, ..SMALL };
    let seconds = batch(&small(), case);
    let millis = TimestampMillisecondArray::from(small().iter().map(|row| row.1 * 1000).collect::<Vec<_>>());
    let mut columns = seconds.columns().to_vec();
    columns[1] = Arc::new(millis);
    let names: Vec<String> = seconds.schema().fields().iter().map(|field| field.name().clone()).collect();
    let millis = RecordBatch::try_from_iter_with_nullable(names.into_iter().zip(columns).map(|(name, column)| (name, column, true)))
        .expect("a batch");
    let mut other = CustomerBase::new(spec(case))?;
    other.update(&[millis], &Context::default())?;
    assert_eq!(other.to_bytes(&Context::default())?, base(&[&small()], case)?.to_bytes(&Context::default())?);
    Ok(())
}

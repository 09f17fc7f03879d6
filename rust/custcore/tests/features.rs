//! What a build has without a feature, and how it says what it lacks. Runs with any features.

#![allow(missing_docs, clippy::unwrap_used, clippy::float_cmp)]

use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampSecondArray};
use custcore::{BaseSpec, CategoryColumns, ColumnRoles, Context, CustomerBase, Error, ErrorKind, Track, rfm};

/// Enough for several threads.
const ROWS: i64 = 100_000;

fn base(timezone: Option<&str>) -> Result<CustomerBase, Error> {
    let roles = ColumnRoles {
        customer_id: "customer_id".into(),
        timestamp: "timestamp".into(),
        amount: Some("amount".into()),
        order_id: None,
        attributes: Vec::new(),
        categories: CategoryColumns::default(),
        start: None,
        returning: None,
    };
    let mut base = CustomerBase::new(BaseSpec { timezone: timezone.map(str::to_owned), track: Track::Totals, ..BaseSpec::new(roles) })?;
    let columns: [(&str, ArrayRef); 3] = [
        ("customer_id", Arc::new((0..ROWS).map(|row| Some(row % 1000 * 1_000_003)).collect::<Int64Array>())),
        ("timestamp", Arc::new(TimestampSecondArray::from_iter_values((0..ROWS).map(|row| 1_600_000_000 + row)).with_timezone("UTC"))),
        ("amount", Arc::new((0..ROWS).map(|_| Some(0.1)).collect::<Float64Array>())),
    ];
    base.update(&[RecordBatch::try_from_iter(columns).unwrap()], &Context::new(4))?;
    Ok(base)
}

/// An error of this build, which names the feature that it lacks.
fn lacks<T>(done: Result<T, Error>, feature: &str) -> bool {
    done.is_err_and(|error| error.kind() == ErrorKind::InvalidArgument && error.message().contains(&format!("feature `{feature}`")))
}

#[test]
fn many_rows_are_aggregated_with_and_without_threads() {
    let base = base(None).unwrap();
    let table = rfm(&base, None, true, &Context::new(4)).unwrap();
    assert_eq!(table.batch.num_rows(), 1000);
    assert!(table.batch["monetary_total"].as_primitive::<Float64Type>().values().iter().all(|sum| *sum == 10.0));
    assert!(table.batch["customer_id"].as_primitive::<Int64Type>().values().is_sorted());
    assert_eq!(Context::new(4).threads(), if cfg!(feature = "parallel") { 4 } else { 1 });
}

#[test]
fn work_is_spawned_with_and_without_threads() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let here = std::thread::current().id();
    Context::new(2).spawn(move |_| sender.send(std::thread::current().id()).unwrap()).unwrap();
    assert_ne!(receiver.recv().unwrap(), here);
}

#[test]
fn offsets_are_known_without_zones() {
    for zone in ["UTC", "+05:30", "-08:00"] {
        base(Some(zone)).unwrap();
    }
    let london = base(Some("Europe/London"));
    assert!(if cfg!(feature = "timezones") { london.is_ok() } else { lacks(london, "timezones") });
    assert!(base(Some("UTC+5")).is_err_and(|error| error.message().contains("'+05:00'")));
}

#[test]
fn a_base_is_kept_where_there_are_files_of_bases() {
    let base = base(None).unwrap();
    let context = Context::new(1);
    let bytes = base.to_bytes(&context);
    let path = std::env::temp_dir().join(format!("custcore-features-{}.base", std::process::id()));
    let saved = base.save(&path, &context);
    if cfg!(feature = "bases") {
        assert_eq!(CustomerBase::from_bytes(&bytes.unwrap(), &context).unwrap().len(), 1000);
        assert_eq!(CustomerBase::load(&path, &context).unwrap().len(), 1000);
        std::fs::remove_file(&path).unwrap();
    } else {
        assert!(lacks(bytes, "bases") && lacks(saved, "bases") && !path.exists());
        assert!(lacks(CustomerBase::from_bytes(b"ARROW1", &context), "bases"));
        assert!(lacks(CustomerBase::load(Path::new("customers.base"), &context), "bases"));
    }
}

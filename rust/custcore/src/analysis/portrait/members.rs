//! The customers of the segments: the table that is portrayed.

use arrow_array::{Array, ArrayRef, RecordBatch};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::rows::{Codes, id_names, read_ids};
use super::spec::PortraitSpec;
use crate::analysis::moves::NO_SEGMENT;
use crate::column::find_column;
use crate::column::key::{Key, OwnedKey};
use crate::column::key_schema::{KeyNames, KeySchema};
use crate::column::value::ValueColumn;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::interner::{Interner, NO_CODE};
use crate::report::{EntryKind, Report, ReportEntry, ReportUnit, Tally};

/// More segments than this are no segments.
const MAX_SEGMENTS: usize = 10_000;

/// Customers and their segments.
#[derive(Debug)]
pub(super) struct Members {
    pub(super) key: KeySchema,
    pub(super) ids: Interner,
    /// The segment of each customer, by code; [`NO_SEGMENT`] for those without.
    segments: Vec<u16>,
    /// The segments that have customers, in order.
    pub(super) names: Vec<String>,
    /// Their customers.
    pub(super) sizes: Vec<u64>,
}

/// A segment of the table.
struct Found {
    key: OwnedKey,
    /// Its place in dictionaries; `None` if it is in none.
    rank: Option<usize>,
}

impl Members {
    /// The segment of a customer; `None` for one who is in no segment.
    #[inline]
    pub(super) fn segment(&self, code: u32) -> Option<usize> {
        self.segments.get(code as usize).filter(|&&segment| segment != NO_SEGMENT).map(|&segment| usize::from(segment))
    }

    /// Number of customers of segments.
    pub(super) fn customers(&self) -> u64 {
        self.sizes.iter().sum()
    }

    /// Reads the table of segments. Rows without an id or a segment are reported; a customer with two rows is an error.
    pub(super) fn read(batches: &[RecordBatch], spec: &PortraitSpec, report: &mut Report, context: &Context) -> Result<Self> {
        let said = |error: Error| error.said_of("segments");
        let Some(first) = batches.first() else { return Err(Error::internal("a table without a batch")) };
        let schema = first.schema();
        let names = match &spec.customer_id {
            Some(names) => names.clone(),
            None => id_names(&schema, &KeyNames::from("customer_id")).map_err(said)?.0,
        };
        names.check("customer_id")?;
        let key = KeySchema::of(&schema, &names, "customer_id").map_err(said)?;
        find_column(&schema, &spec.segment, "segment").map_err(said)?;
        let mut ids = Interner::new(key.kind());
        let Codes { codes, repeated, nulls } = read_ids(batches, &key, &mut ids, context).map_err(said)?;
        if let Some(repeated) = repeated {
            return Err(said(repeated.error("Keep one row of each customer")));
        }
        let mut found = Vec::new();
        let of_rows = segments_of_rows(batches, &spec.segment, &mut found, context).map_err(said)?;
        let mut segments = vec![NO_SEGMENT; ids.len()];
        let mut without = Tally::default();
        for (row, (&code, &segment)) in (0..).zip(codes.iter().zip(&of_rows)) {
            if code == NO_CODE {
                continue;
            }
            segments[code as usize] = segment;
            if segment == NO_SEGMENT {
                without.add(0, row);
            }
        }
        report.n_rows += codes.len() as u64;
        let entry = |name, unit, tally: &Tally| ReportEntry::new(name, EntryKind::LeftOut, unit, tally, None);
        report.entries.push(entry("null_customer_id", ReportUnit::Rows, &nulls));
        report.entries.push(entry("null_segment", ReportUnit::Customers, &without));
        let mut members = Self { key, ids, segments, names: Vec::new(), sizes: Vec::new() };
        members.order(&found, report);
        Ok(members)
    }

    /// Puts the segments in order: those of dictionaries as there, then the others by value. Those without customers are a remark.
    fn order(&mut self, found: &[Found], report: &mut Report) {
        let mut sizes = vec![0_u64; found.len()];
        self.segments.iter().filter(|&&segment| segment != NO_SEGMENT).for_each(|&segment| sizes[usize::from(segment)] += 1);
        let mut order: Vec<usize> = (0..found.len()).collect();
        order.sort_by(|&a, &b| {
            (found[a].rank.is_none(), found[a].rank, &found[a].key).cmp(&(found[b].rank.is_none(), found[b].rank, &found[b].key))
        });
        let (present, absent): (Vec<usize>, Vec<usize>) = order.into_iter().partition(|&at| sizes[at] > 0);
        let text = |&at: &usize| found[at].key.borrow().text().unwrap_or_default();
        if !absent.is_empty() {
            report.remarks.push(format!("segments without customers: {}", absent.iter().map(text).collect::<Vec<_>>().join(", ")));
        }
        let mut places = vec![NO_SEGMENT; found.len()];
        (0..).zip(&present).for_each(|(place, &at)| places[at] = place);
        self.segments.iter_mut().filter(|segment| **segment != NO_SEGMENT).for_each(|segment| *segment = places[usize::from(*segment)]);
        self.names = present.iter().map(text).collect();
        self.sizes = present.iter().map(|&at| sizes[at]).collect();
    }
}

/// The segment of each row, as a position in `found`.
fn segments_of_rows(batches: &[RecordBatch], name: &str, found: &mut Vec<Found>, context: &Context) -> Result<Vec<u16>> {
    let mut places: HashMap<OwnedKey, u16, RandomState> = HashMap::default();
    let mut rows = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    let mut ranks = 0;
    for batch in batches {
        context.check()?;
        let column: &ArrayRef = batch.column(find_column(&batch.schema(), name, "segment")?);
        let values = ValueColumn::new(name, "segment", column)?;
        let mut place = |key: Key<'_>, is_ordered: bool| -> Result<u16> {
            if key == Key::Null {
                return Ok(NO_SEGMENT);
            }
            let at = match places.get(&key) {
                Some(&at) => at,
                None if found.len() >= MAX_SEGMENTS => {
                    let message = format!("column '{name}' has more than 10,000 values; expected segments. Name their column: segment=...");
                    return Err(Error::new(ErrorKind::InvalidArgument, message).in_column(name));
                }
                None => {
                    found.push(Found { key: key.to_owned(), rank: None });
                    places.insert(key.to_owned(), (found.len() - 1) as u16);
                    (found.len() - 1) as u16
                }
            };
            let segment = &mut found[usize::from(at)];
            if is_ordered && segment.rank.is_none() {
                segment.rank = Some(ranks);
                ranks += 1;
            }
            Ok(at)
        };
        // Dictionary values are looked up once, not for every row.
        let dictionary: Option<Vec<u16>> =
            values.dictionary().map(|keys| keys.iter().map(|key| place(key.borrow(), true)).collect::<Result<_>>()).transpose()?;
        for row in 0..column.len() {
            rows.push(match (&dictionary, values.stored.index(row)) {
                (Some(places), Some(index)) => places[index],
                (Some(_), None) => NO_SEGMENT,
                (None, _) => place(values.key(row), false)?,
            });
        }
    }
    Ok(rows)
}

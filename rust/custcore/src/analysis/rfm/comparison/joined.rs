//! Two score tables joined by id.

use arrow_array::RecordBatch;

use super::scored::{FoundSegment, ScoredTable, Side, TABLES};
use super::spec::ComparisonSpec;
use crate::analysis::moves::NO_SEGMENT;
use crate::column::invalid_type;
use crate::column::key_schema::KeySchema;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::interner::Interner;
use crate::num::money::Money;
use crate::report::Report;
use crate::table::AS_OF;

/// Two score tables, customer by customer.
#[derive(Debug)]
pub struct Comparison {
    pub(super) key: KeySchema,
    pub(super) ids: Interner,
    /// The segments of both tables, in order.
    pub(super) names: Vec<String>,
    pub(super) money: Option<Money>,
    pub(super) before: Side,
    pub(super) after: Side,
    /// The days of the tables, as they name them.
    days: [Option<String>; 2],
    pub(super) report: Report,
}

/// How many customers are in the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ComparedCustomers {
    /// Of the first table.
    pub before: u64,
    /// Of the second table.
    pub after: u64,
    /// Of both.
    pub both: u64,
    /// Of both, in different segments.
    pub moved: u64,
}

impl Comparison {
    /// Compares two score tables. A null or repeated id, a null segment and an infinite amount are errors that name the table and
    /// the row; a null amount adds 0 and is a remark.
    pub fn new(before: &[RecordBatch], after: &[RecordBatch], spec: &ComparisonSpec, context: &Context) -> Result<Self> {
        let (Some(first), Some(second)) = (before.first(), after.first()) else {
            return Err(Error::internal("a table without a batch to compare"));
        };
        let (first, second) = (first.schema(), second.schema());
        let names = spec.id_names([&first, &second])?;
        names.check("customer_id")?;
        let of = |error: Error, table: usize| error.said_of(TABLES[table]);
        let mut key = KeySchema::of(&first, &names, "customer_id").map_err(|error| of(error, 0))?;
        let other = KeySchema::of(&second, &names, "customer_id").map_err(|error| of(error, 1))?;
        for (part, other) in key.parts().iter().zip(other.parts()) {
            if part.kind != other.kind {
                let expected = format!("{}, as in '{}'", part.kind.name(), TABLES[0]);
                let remedy = "Ids of different kinds are never equal: cast one of the columns";
                return Err(of(invalid_type(&part.name, "customer_id", &other.value_type, &expected, remedy), 1));
            }
        }
        let mut report = Report::default();
        let mut tables = [ScoredTable::new(before, spec, &key, 0)?, ScoredTable::new(after, spec, &other, 1)?];
        let money = common_money(&mut tables, spec, &mut report)?;
        let mut ids = Interner::new(key.kind());
        let mut segments = Vec::new();
        let [one, two] = tables;
        let before = one.read(&mut ids, &mut segments, &mut report, context)?;
        let after = two.read(&mut ids, &mut segments, &mut report, context)?;
        key.widen(&other);
        let days = [&first, &second].map(|schema| schema.metadata().get(AS_OF).cloned());
        let mut comparison = Self { key, ids, names: Vec::new(), money, before, after, days, report };
        comparison.order_segments(&segments);
        Ok(comparison)
    }

    /// Puts the segments in order: those of dictionaries first, as there, then the others by name.
    fn order_segments(&mut self, segments: &[FoundSegment]) {
        let mut order: Vec<u16> = (0..segments.len() as u16).collect();
        let sort_key = |at: u16| {
            let FoundSegment { name, rank } = &segments[usize::from(at)];
            (rank.is_none(), *rank, name)
        };
        order.sort_by(|&a, &b| sort_key(a).cmp(&sort_key(b)));
        let mut place = vec![0; segments.len()];
        (0..).zip(&order).for_each(|(to, &from)| place[usize::from(from)] = to);
        for segment in self.before.segments.iter_mut().chain(&mut self.after.segments).filter(|segment| **segment != NO_SEGMENT) {
            *segment = place[usize::from(*segment)];
        }
        self.names = order.iter().map(|&at| segments[usize::from(at)].name.clone()).collect();
    }

    /// Number of customers of either table.
    pub fn n_customers(&self) -> u64 {
        self.ids.len() as u64
    }

    /// The days of the tables, if they name them.
    pub fn days(&self) -> &[Option<String>; 2] {
        &self.days
    }

    /// How many customers are in the tables.
    pub fn customers_compared(&self) -> ComparedCustomers {
        let mut found = ComparedCustomers::default();
        for code in 0..self.ids.len() {
            let (from, to) = (self.before.segment(code), self.after.segment(code));
            found.before += u64::from(from != NO_SEGMENT);
            found.after += u64::from(to != NO_SEGMENT);
            let both = from != NO_SEGMENT && to != NO_SEGMENT;
            found.both += u64::from(both);
            found.moved += u64::from(both && from != to);
        }
        found
    }
}

/// The unit of money of both tables, in which both are read; `None` if one of them has no money.
fn common_money(tables: &mut [ScoredTable<'_>; 2], spec: &ComparisonSpec, report: &mut Report) -> Result<Option<Money>> {
    let (a, b) = match (tables[0].money, tables[1].money) {
        (Some(a), Some(b)) => (a, b),
        (None, None) => return Ok(None),
        (a, _) => {
            let (there, missing) = if a.is_some() { (TABLES[0], TABLES[1]) } else { (TABLES[1], TABLES[0]) };
            report.remarks.push(format!("no money is compared: column '{}' is in '{there}', not in '{missing}'", spec.monetary));
            tables.iter_mut().for_each(|table| table.money = None);
            return Ok(None);
        }
    };
    let common = match (a, b) {
        (a, b) if a == b => a,
        (Money::Decimal { scale }, Money::Decimal { scale: other }) => Money::Decimal { scale: scale.max(other) },
        (Money::Decimal { scale }, Money::Integer) | (Money::Integer, Money::Decimal { scale }) => Money::Decimal { scale: scale.max(0) },
        (float @ Money::Float { .. }, Money::Integer) | (Money::Integer, float @ Money::Float { .. }) => float,
        _ => {
            let message = format!(
                "column '{}' is a float in one table and a decimal in the other, whose amounts are not counted in one unit; cast one of them",
                spec.monetary
            );
            return Err(Error::new(ErrorKind::InvalidType, message).in_column(&spec.monetary));
        }
    };
    for table in tables {
        table.unit = Some(common);
    }
    Ok(Some(common))
}

//! The customer base: typed columns in, the few facts per customer that every analysis asks for out.
//!
//! A base of level "totals" keeps 32 bytes and the id of each customer. [`CustomerBase::update`] folds batches into a
//! state of its own and merges it at the end, so that a failed update leaves the base as it was.

pub mod bound;
pub mod brief;
pub mod extras;
mod flat;
pub mod fold;
mod folder;
pub mod intern;
mod join;
pub mod journal;
pub mod keys;
pub mod orders;
mod plan;
pub mod scan;
mod shards;
pub mod slots;
pub mod sort;
pub mod spec;
pub mod state;
pub mod totals;

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use self::fold::{Fold, Update};
use self::spec::Spec;
use self::state::State;
use crate::column::chunks::Kinds;
use crate::column::key::{KeyColumn, KeyKind};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::money::Money;
use crate::report::{Entry, EntryKind, Report, Unit};

/// The customer base.
#[derive(Debug, Clone)]
pub struct CustomerBase {
    spec: Spec,
    known: Option<Known>,
}

/// What a base knows once it has seen a schema.
#[derive(Debug, Clone)]
struct Known {
    kinds: Kinds,
    state: State,
    rows: u64,
}

impl CustomerBase {
    /// An empty base.
    pub fn new(spec: Spec) -> Result<Self> {
        Ok(Self { spec: spec.checked()?, known: None })
    }

    /// The base of one update, with settings whose names need no check because no table is made of them yet.
    pub(crate) fn of(spec: Spec, update: Update) -> Self {
        Self { spec, known: Some(Known { kinds: update.kinds, state: update.state, rows: update.rows }) }
    }

    /// Its settings.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Rows it was given.
    pub fn rows(&self) -> u64 {
        self.known.as_ref().map_or(0, |known| known.rows)
    }

    /// Customers it knows, those who have only refunds included.
    pub fn len(&self) -> usize {
        let Some(known) = &self.known else { return 0 };
        (0..known.state.interner.len() as u32).filter(|&code| known.state.totals.is_present(code)).count()
    }

    /// Whether it knows no customer.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Begins an update with data of this schema; the columns are checked here, before any are read.
    pub fn begin(&self, schema: &Schema) -> Result<Fold> {
        let kinds = Kinds::of(schema, &self.spec.roles, self.spec.timezone.as_deref(), self.spec.amount_decimals)?;
        if let Some(known) = &self.known {
            self.spec.check_second_update()?;
            check_kinds(&self.spec, &known.kinds, &kinds)?;
        }
        Fold::new(&self.spec, kinds)
    }

    /// An error where an update does not go with what is known now, to be asked before anything is changed.
    pub fn check(&self, update: &Update) -> Result<()> {
        let Some(known) = &self.known else { return Ok(()) };
        self.spec.check_second_update()?;
        check_kinds(&self.spec, &known.kinds, &update.kinds)?;
        intern::check_room(&known.state.interner, &update.state.interner)
    }

    /// Ends an update that was begun with [`CustomerBase::begin`].
    pub fn commit(&mut self, update: Update) -> Result<()> {
        self.check(&update)?;
        match &mut self.known {
            None => self.known = Some(Known { kinds: update.kinds, state: update.state, rows: update.rows }),
            Some(known) => {
                known.state.merge(&update.state, known.rows)?;
                known.kinds.id_type = KeyColumn::common_type(&known.kinds.id_type, &update.kinds.id_type);
                known.rows += update.rows;
            }
        }
        Ok(())
    }

    /// Adds batches of transactions.
    pub fn update(&mut self, batches: &[RecordBatch], context: &Context) -> Result<()> {
        let Some(first) = batches.first() else { return Ok(()) };
        let mut fold = self.begin(&first.schema())?;
        fold.push(batches, context)?;
        self.commit(fold.finish(context)?)
    }

    /// What it knows, or an error when it never saw a schema.
    pub(crate) fn known(&self) -> Result<(&Kinds, &State)> {
        self.known.as_ref().map(|known| (&known.kinds, &known.state)).ok_or_else(|| {
            Error::new(
                ErrorKind::NotEnoughData,
                "the base was never updated, so the type of its ids is not known; call update(data) first (data may be empty)",
            )
        })
    }

    /// The report at `as_of`.
    pub(crate) fn report(&self, as_of: Option<i32>) -> Result<Report> {
        use EntryKind::{LeftOut, Note};
        let (kinds, state) = self.known()?;
        let money = kinds.money;
        let (rows, orders) = (&state.rows, &state.purchases);
        let entry = |name, kind, unit, tally| Entry::new(name, kind, unit, tally, money);
        let entries = vec![
            entry("null_customer_id", LeftOut, Unit::Rows, &rows.null_id),
            entry("null_timestamp", LeftOut, Unit::Rows, &rows.null_time),
            entry("nonfinite_amount", LeftOut, Unit::Rows, &rows.nonfinite),
            entry("after_as_of", LeftOut, Unit::Rows, &rows.after),
            entry("excluded_refunds", LeftOut, Unit::Orders, &orders.excluded_refunds),
            entry("refund_only_customers", LeftOut, Unit::Customers, &state.totals.without_purchase()),
            entry("netted_refunds", Note, Unit::Orders, &orders.netted_refunds),
            entry("zero_orders", Note, Unit::Orders, &orders.zero_orders),
            entry("null_amount", Note, Unit::Rows, &rows.null_amount),
            entry("null_order_id", Note, Unit::Rows, &rows.null_order),
        ];
        let mut remarks = Vec::new();
        if let Some(zone) = kinds.clock.zone() {
            remarks.push(format!("times read in {}, zone data {}", zone.name(), crate::calendar::zone_data_version()));
        }
        Ok(Report { entries, n_rows: self.rows(), as_of, remarks })
    }
}

/// Data of an update must be of the same kinds as those before; widths and layouts may differ.
fn check_kinds(spec: &Spec, known: &Kinds, new: &Kinds) -> Result<()> {
    let unlike = |what: &str, column: &str, before: String, now: String| {
        let message =
            format!("column '{column}': {what} were {before} in earlier updates and are {now} now. Cast the new data to what came before");
        Err(Error::new(ErrorKind::StateMismatch, message).in_column(column))
    };
    if known.id_kind != new.id_kind {
        let name = |kind| match kind {
            KeyKind::Signed => "integers of up to 64 bits",
            KeyKind::Unsigned => "unsigned 64-bit integers",
            KeyKind::Text => "strings",
            KeyKind::Binary => "binary",
        };
        return unlike("ids", &spec.roles.customer_id, name(known.id_kind).to_owned(), name(new.id_kind).to_owned());
    }
    let clock =
        |kinds: &Kinds| kinds.clock.zone().map_or("naive (without a zone)".to_owned(), |zone| format!("read in zone {}", zone.name()));
    if clock(known) != clock(new) {
        return unlike("times", &spec.roles.timestamp, clock(known), clock(new));
    }
    if known.money != new.money {
        let name = |money: Option<Money>| match money {
            None => "absent".to_owned(),
            Some(Money::Float { .. }) => "floats".to_owned(),
            Some(Money::Integer) => "integers".to_owned(),
            Some(Money::Decimal { scale }) => format!("decimals of scale {scale}"),
        };
        return unlike("amounts", spec.roles.amount.as_deref().unwrap_or("amount"), name(known.money), name(new.money));
    }
    Ok(())
}

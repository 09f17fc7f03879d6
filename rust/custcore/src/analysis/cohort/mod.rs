//! Cohort retention: who comes back, with cells that say what was observed.
//!
//! One scan writes down every order ([`crate::state::order_log`]). Then customers are put into cohorts ([`members`]), their orders
//! are counted into cells ([`count`], by [`kernel`]), and tables are made of the counts ([`table`]). Whatever else is asked
//! for later (movement, revenue retention, the customers themselves) comes from the journal, never from a second scan.

pub mod book;
mod cash;
pub mod cells;
pub mod count;
pub mod kept;
pub mod kernel;
mod ledger;
pub mod masks;
pub mod members;
pub mod movement;
pub mod scene;
pub mod spec;
pub mod table;

use std::borrow::Cow;

use arrow_schema::Schema;

use self::book::Book;
use self::cells::Cell;
use self::count::{Counter, Unattributed};
use self::masks::Masks;
use self::members::{Cohorts, Groups, Member, Values};
use self::scene::Scene;
use self::spec::CohortSpec;
use crate::base::CustomerBase;
use crate::column::bounds::Edge;
use crate::column::chunks::Kinds;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::ingest::builder::Fold;
use crate::report::{Entry, EntryKind, Report, Unit};
use crate::state::order_log::Journal;
use crate::state::spec::{AsOf, Spec};
use crate::table::Table;
use crate::time::calendar::date_text;

/// The result: all its tables come from here.
#[derive(Debug)]
pub struct CohortRetention {
    spec: CohortSpec,
    base: CustomerBase,
    /// The last day that counts.
    last_day: Option<i32>,
    found: Option<Found>,
    table: Table,
}

/// What was found, where something was observed.
#[derive(Debug)]
struct Found {
    scene: Scene,
    orders: Orders,
    groups: Groups,
    /// Values of the cohort column.
    values: Option<Values>,
    /// Customers who are in a cohort.
    customers: usize,
    cohorts: Cohorts,
    cells: Vec<Cell>,
}

/// What was written down.
#[derive(Debug)]
enum Orders {
    /// Sorted by customer, and who is in which cohort.
    Sorted(Book, Vec<Member>),
    /// As it came, purchases kept brief; one cohort a customer.
    Brief(Journal),
}

impl Orders {
    /// Number of orders.
    fn len(&self) -> usize {
        match self {
            Self::Sorted(book, _) => book.n_orders(),
            Self::Brief(journal) => journal.len(),
        }
    }
}

/// Begins a scan that [`CohortSpec::scan`] has set up. Columns and bounds are checked here, before any rows are read.
pub fn begin(read: &Spec, schema: &Schema) -> Result<Fold> {
    let kinds = Kinds::of(schema, &read.roles, read.timezone.as_deref(), read.amount_decimals)?;
    let fold = Fold::new(read, kinds)?;
    let (start, end) = ends(&fold);
    if let (Some(start), Some(end)) = (start, end)
        && !start.is_before(&end)
    {
        let message = format!("observation_start={} lies not before the end of observation, {}", start.text(), end.text());
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    Ok(fold)
}

/// The ends of observation that were asked for.
fn ends(fold: &Fold) -> (Option<Edge>, Option<Edge>) {
    let edges = fold.edges();
    (edges.start, edges.end.or_else(|| fold.until().map(|day| Edge::of_day(day + 1))))
}

/// Ends the scan and counts.
pub fn finish(spec: CohortSpec, fold: Fold, context: &Context) -> Result<CohortRetention> {
    let ends = ends(&fold);
    let mut read = fold.spec().clone();
    // The table of RFM has no columns of attributes.
    read.roles.attributes = Vec::new();
    let mut update = fold.finish(context)?;
    let journal = update.state.journal.take().unwrap_or_default();
    of_base(spec, CustomerBase::of(read, update), journal, ends, context)
}

/// Counts the orders of `journal`, none of which lies after the end of observation, by the customers of `base`.
pub fn of_base(
    spec: CohortSpec,
    base: CustomerBase,
    journal: Journal,
    ends: (Option<Edge>, Option<Edge>),
    context: &Context,
) -> Result<CohortRetention> {
    let much = base.known()?.1.interner.len().max(journal.len());
    context.run_if_large(much, |threads| count(spec, base, journal, ends, threads))?
}

fn count(
    spec: CohortSpec,
    base: CustomerBase,
    journal: Journal,
    ends: (Option<Edge>, Option<Edge>),
    threads: Threads<'_>,
) -> Result<CohortRetention> {
    let (kinds, state) = base.known()?;
    let last_day = ends.1.map(|end| end.last_day()).or_else(|| (state.last_day != i32::MIN).then_some(state.last_day));
    let groups = Groups::of(spec.by_attribute(), state);
    let mut lost = Unattributed::new(groups.number());
    let mut found = None;
    let mut without_purchase = None;
    let absent = state.totals.are_absent();
    let rows = (state.first_day <= state.last_day).then_some((state.first_day, state.last_day));
    let days = if absent { rows } else { state.totals.slots().days(threads) };
    if let Some(scene) = Scene::new(&spec, state, ends, days) {
        let counts;
        let (values, customers, cohorts, orders);
        if spec.is_brief() && journal.purchases().is_some() {
            let counted = Masks { spec: &spec, scene: &scene, customers: state.interner.len(), journal: &journal, threads }.count()?;
            without_purchase = absent.then_some(counted.without_purchase);
            (cohorts, counts, lost) = (counted.cohorts, counted.counts, counted.lost);
            customers = cohorts.all.iter().map(|cohort| cohort.size as usize).sum();
            (values, orders) = (None, Orders::Brief(journal));
        } else {
            let book = Book::of(journal, state.interner.len());
            values = spec.cohort_attribute().map(|i| Values::of(&state.attributes[i], state));
            let members = members::memberships(&spec, &scene, &book, state, values.as_ref(), threads);
            customers = members.chunk_by(|a, b| a.customer == b.customer).count();
            cohorts = Cohorts::of(&spec, &scene, &members, &groups, state)?;
            let counter = Counter { spec: &spec, scene: &scene, book: &book, state, groups: &groups, cohorts: &cohorts, threads };
            (counts, lost) = counter.count(&members);
            orders = Orders::Sorted(book, members);
        }
        let cells = cells::cells(&spec, &scene, &cohorts, &counts);
        found = Some(Found { scene, orders, groups, values, customers, cohorts, cells });
    }
    let mut report = report(base.report(last_day)?, kinds, &lost);
    if let Some(tally) = without_purchase {
        // The base kept nothing that tells who bought.
        let known = report.entries.iter_mut().filter(|entry| entry.name == "refund_only_customers");
        known.for_each(|entry| *entry = Entry::new(entry.name, entry.kind, entry.unit, &tally, kinds.money));
    }
    let view = View::of(&spec, &base, found.as_ref(), &report)?;
    let table = table::cells_table(&view, &lost)?;
    Ok(CohortRetention { spec, base, last_day, found, table })
}

/// The report of the scan, with notes that take apart what lies in no cell.
fn report(mut report: Report, kinds: &Kinds, lost: &Unattributed) -> Report {
    let note = |name, unit, tally| Entry::new(name, EntryKind::Note, unit, tally, kinds.money);
    report.entries.extend([
        note("outside_cohorts", Unit::Customers, &lost.outside),
        note("before_observation_start", Unit::Orders, &lost.before_start),
        note("before_first_purchase", Unit::Orders, &lost.before_first),
        note("beyond_n_periods", Unit::Orders, &lost.beyond),
    ]);
    report
}

/// What tables are made of.
struct View<'a> {
    spec: &'a CohortSpec,
    kinds: &'a Kinds,
    state: &'a crate::state::customer_state::State,
    found: Option<&'a Found>,
    report: &'a Report,
}

impl<'a> View<'a> {
    fn of(spec: &'a CohortSpec, base: &'a CustomerBase, found: Option<&'a Found>, report: &'a Report) -> Result<Self> {
        let (kinds, state) = base.known()?;
        Ok(Self { spec, kinds, state, found, report })
    }

    /// What `work` makes of the orders, sorted by customer.
    fn count<R: Default>(&self, threads: Threads<'_>, work: impl FnOnce(Counter<'_>) -> Result<R>) -> Result<R> {
        let Some(Found { scene, orders, groups, cohorts, .. }) = self.found else { return Ok(R::default()) };
        let (spec, state) = (self.spec, self.state);
        match orders {
            Orders::Sorted(book, _) => work(Counter { spec, scene, book, state, groups, cohorts, threads }),
            Orders::Brief(journal) => {
                let book = Book::of_brief(journal, state.interner.len());
                work(Counter { spec, scene, book: &book, state, groups, cohorts, threads })
            }
        }
    }

    /// What was kept brief.
    fn masks<'t>(&self, threads: Threads<'t>) -> Option<Masks<'t>>
    where
        'a: 't,
    {
        let Some(Found { orders: Orders::Brief(journal), scene, .. }) = self.found else { return None };
        Some(Masks { spec: self.spec, scene, customers: self.state.interner.len(), journal, threads })
    }

    /// Who is in which cohort, by code and cohort.
    fn members(&self, threads: Threads<'_>) -> Cow<'a, [Member]> {
        match self.found {
            Some(Found { orders: Orders::Sorted(_, members), .. }) => Cow::Borrowed(members),
            _ => self.masks(threads).map_or(Cow::Borrowed(&[]), |masks| Cow::Owned(masks.members())),
        }
    }
}

impl CohortRetention {
    fn view(&self) -> Result<View<'_>> {
        View::of(&self.spec, &self.base, self.found.as_ref(), &self.table.report)
    }

    /// The long table: a row per cohort and period, and for each group what lies in no cell.
    pub fn cells(&self) -> Table {
        self.table.clone()
    }

    /// The wide table of one column of the long one: a row per cohort, a column per period.
    pub fn matrix(&self, value: &str) -> Result<Table> {
        table::matrix_table(&self.view()?, table::Value::named(value, self.view()?.kinds.money)?)
    }

    /// The averages over complete cells: of all customers, or (`simple`) of the rates.
    pub fn average(&self, simple: bool) -> Result<Table> {
        table::average_table(&self.view()?, simple)
    }

    /// Customers per calendar period: new, retained, reactivated, churned.
    pub fn movement(&self, context: &Context) -> Result<Table> {
        let view = self.view()?;
        let rows = self.run(context, |threads| match view.masks(threads) {
            Some(masks) => Ok(masks.movement()),
            None => view.count(threads, |counter| counter.movement()),
        })?;
        table::movement_table(&view, &rows)
    }

    /// Revenue retention per calendar period; `reactivation` says whether the money of customers who are back counts in nrr.
    pub fn revenue_retention(&self, reactivation: bool, context: &Context) -> Result<Table> {
        let view = self.view()?;
        if view.kinds.money.is_none() {
            let message = "revenue_retention() needs money: pass amount= to cohort_retention()";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let rows = self.run(context, |threads| {
            let quick = view.masks(threads).and_then(|masks| masks.flows());
            quick.map_or_else(|| view.count(threads, |counter| counter.flows()), Ok)
        })?;
        table::flow_table(&view, &rows, reactivation)
    }

    /// The cohort of every customer, by id.
    pub fn customers(&self, context: &Context) -> Result<Table> {
        let view = self.view()?;
        let members = self.run(context, |threads| Ok(view.members(threads)))?;
        let mut codes: Vec<u32> = members.iter().map(|member| member.customer).collect();
        codes.dedup();
        crate::analysis::rfm::sort_by_id(&mut codes, &view.state.interner, context)?;
        let of = |code: u32| {
            let first = members.partition_point(|member| member.customer < code);
            members[first..].iter().take_while(move |member| member.customer == code).copied()
        };
        let sorted: Vec<Member> = codes.into_iter().flat_map(of).collect();
        self.run(context, |threads| table::customers_table(&view, &sorted, threads))
    }

    /// The RFM table of the same rows.
    pub fn rfm(&self, context: &Context) -> Result<Table> {
        if !self.spec.rfm {
            let message = "there is no RFM table in this result; pass rfm=True to cohort_retention()";
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        crate::analysis::rfm::rfm(&self.base, self.last_day.map(AsOf::Date), true, context)
    }

    /// Does `work` on the pool where there are many customers or orders.
    fn run<R: Send>(&self, context: &Context, work: impl FnOnce(Threads<'_>) -> Result<R> + Send) -> Result<R> {
        let customers = self.base.known()?.1.interner.len();
        let orders = self.found.as_ref().map_or(0, |found| found.orders.len());
        context.run_if_large(customers.max(orders), work)?
    }

    /// How much there is to look at: cells, and customers or orders.
    pub fn size(&self) -> usize {
        self.found.as_ref().map_or(0, |found| found.cells.len() + found.customers.max(found.orders.len()))
    }

    /// Number of cohorts, over all groups.
    pub fn n_cohorts(&self) -> usize {
        self.found.as_ref().map_or(0, |found| found.cohorts.all.len())
    }

    /// Number of customers who are in a cohort.
    pub fn n_customers(&self) -> usize {
        self.found.as_ref().map_or(0, |found| found.customers)
    }

    /// ISO texts of the first moment observed and of the first after it; `None` where nothing was.
    pub fn observed(&self) -> Option<(String, String)> {
        self.found.as_ref().map(|found| (found.scene.start.text(), found.scene.end.text()))
    }

    /// The zone that times were read in.
    pub fn timezone(&self) -> Option<String> {
        let (kinds, _) = self.base.known().ok()?;
        kinds.clock.zone().map(|zone| zone.name().to_owned())
    }

    /// The last day that counts, as text.
    pub fn as_of(&self) -> Option<String> {
        self.last_day.map(date_text)
    }
}

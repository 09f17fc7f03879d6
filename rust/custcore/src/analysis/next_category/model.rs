//! A model of the next category: how many customers have each category and each pair.

use super::counts::PairCounts;
use super::owned::{Lists, add_lists, interned};
use super::spec::{NextMethod, NextSpec};
use crate::analysis::holdings::{Holdings, each_view};
use crate::base::CustomerBase;
use crate::column::value::ValueType;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::group::interner::{Interner, Keys, NO_CODE};
use crate::state::cells::CellRole;
use crate::state::spec::AsOf;

/// A fitted model of the next category.
#[derive(Debug, Clone)]
pub struct NextCategory {
    pub(super) spec: NextSpec,
    /// The day of the fit.
    pub(super) as_of: Option<i32>,
    /// Buyers in the fit.
    pub(super) customers: u64,
    pub(super) value_type: ValueType,
    /// The categories with enough customers, ascending.
    pub(super) values: Interner,
    /// Customers with each of them.
    pub(super) counts: Vec<u32>,
    pub(super) pairs: PairCounts,
}

impl NextCategory {
    /// Fits a model on the customers of a base as of a day.
    pub fn fit(spec: NextSpec, base: &CustomerBase, as_of: Option<AsOf>, context: &Context) -> Result<Self> {
        let spec = spec.checked()?;
        let value_type = value_type_of(base)?;
        let (mut values, mut lists) = (Interner::new(value_type.kind.stored()), Lists::default());
        let report = each_view(base, as_of, context, |view| {
            let holdings = Holdings::of(view, CellRole::Category)?;
            let codes = interned(&holdings, &mut values)?;
            add_lists((&mut lists, &mut Lists::default()), (view, &holdings, &codes), None, context)
        })?;
        Self::of_lists(spec, (value_type, &values), &lists, report.as_of, context)
    }

    /// Fits a model on lists of codes of `values`.
    pub(super) fn of_lists(
        spec: NextSpec,
        (value_type, values): (ValueType, &Interner),
        lists: &Lists,
        as_of: Option<i32>,
        context: &Context,
    ) -> Result<Self> {
        let keys = values.keys();
        let mut customers = vec![0_u64; values.len()];
        lists.items().iter().for_each(|&code| customers[code as usize] += 1);
        let mut frequent: Vec<u32> = (0..values.len() as u32).filter(|&code| customers[code as usize] >= spec.min_customers).collect();
        frequent.sort_unstable_by(|&a, &b| keys.compare(a, b));
        let mut own = Interner::new(values.kind());
        let mut places = vec![NO_CODE; values.len()];
        for (place, &code) in (0..).zip(&frequent) {
            places[code as usize] = place;
            own.intern_from(keys, code)?;
        }
        let mut of_frequent = Lists::default();
        for at in 0..lists.len() {
            let mut items: Vec<u32> = lists.get(at).iter().map(|&code| places[code as usize]).filter(|&place| place != NO_CODE).collect();
            items.sort_unstable();
            of_frequent.push(items.into_iter());
        }
        // Popularity needs no pairs.
        let pairs = if spec.method == NextMethod::Popularity {
            PairCounts { starts: vec![0; frequent.len() + 1], ..PairCounts::default() }
        } else {
            PairCounts::count(&of_frequent, frequent.len(), context)?
        };
        let counts = frequent.iter().map(|&code| customers[code as usize] as u32).collect();
        Ok(Self { spec, as_of, customers: lists.len() as u64, value_type, values: own, counts, pairs })
    }

    /// Its settings.
    pub fn spec(&self) -> NextSpec {
        self.spec
    }

    /// The day of the fit; `None` for a base without rows.
    pub fn as_of(&self) -> Option<i32> {
        self.as_of
    }

    /// Buyers in the fit.
    pub fn customers(&self) -> u64 {
        self.customers
    }

    /// Number of categories with enough customers.
    pub fn categories(&self) -> usize {
        self.counts.len()
    }

    /// Number of pairs of categories that some customer has.
    pub fn pairs(&self) -> usize {
        self.pairs.partners.len() / 2
    }

    /// The categories.
    pub(super) fn keys(&self) -> &Keys {
        self.values.keys()
    }

    /// An error if the categories of a base are of another kind.
    pub(super) fn check_kind(&self, base: &CustomerBase) -> Result<()> {
        let other = value_type_of(base)?;
        if other.kind == self.value_type.kind {
            return Ok(());
        }
        let message = format!(
            "the model was fitted on categories that are {}, and those of the base are {}; cast one of them",
            self.value_type.kind.name(),
            other.kind.name()
        );
        Err(Error::new(ErrorKind::StateMismatch, message))
    }
}

/// The type of the categories of a base.
pub(super) fn value_type_of(base: &CustomerBase) -> Result<ValueType> {
    base.input_schema()?.category.clone().ok_or_else(|| {
        let message = "the base keeps no categories; build it with categories='column'";
        Error::new(ErrorKind::StateMismatch, message)
    })
}

//! Python binding of allocations of a budget.

mod curve;
mod rows;

use std::sync::Arc;

use custcore::{
    Allocation, AllocationCell, AllocationObjective, AllocationSpec, BudgetGroup, ContactOption, SpendLimit, allocate as allocate_of,
    allocate_contacts as contacts_of, allocation_cells, contact_options,
};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

pub use self::curve::CoreCurve;
use self::rows::{cells_of_rows, limit, options_of_rows};
use crate::boundary::header::Selection;
use crate::error::into_py;
use crate::input::Input;
use crate::options::choice;
use crate::runtime::Call;
use crate::table::CoreTable;

const CELLS: [&str; 12] = ["segment", "channel", "curve", "a", "b", "c", "k", "spend", "value", "low", "high", "se"];
const OPTIONS: [&str; 6] = ["segment", "channel", "cost", "value", "customers", "value_se"];
const OBJECTIVES: [(&str, AllocationObjective); 2] = [("profit", AllocationObjective::Profit), ("return", AllocationObjective::Return)];
const GROUPS: [(&str, BudgetGroup); 2] = [("segment", BudgetGroup::Segment), ("channel", BudgetGroup::Channel)];

/// The batches of a table, of which these columns are used.
fn batches(data: &Bound<'_, PyAny>, names: &[&str]) -> PyResult<Vec<arrow_array::RecordBatch>> {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    Ok(Input::read(data, Selection::Using { names, first: false })?.batches)
}

/// Allocates a budget to cells: a list of dicts, or a table.
#[pyfunction]
#[pyo3(signature = (cells, budget, *, objective, low, high, group, group_budget))]
pub fn allocate(
    cells: &Bound<'_, PyAny>,
    budget: Option<f64>,
    objective: &str,
    low: Option<&Bound<'_, PyAny>>,
    high: Option<&Bound<'_, PyAny>>,
    group: Option<&str>,
    group_budget: Vec<(String, Bound<'_, PyAny>)>,
) -> PyResult<CoreAllocation> {
    let py = cells.py();
    let budget_of = |(name, most): (String, Bound<'_, PyAny>)| {
        let what = || format!("group_budget['{}']", name.escape_debug());
        let most = limit(&most, what)?.unwrap_or(SpendLimit::Money(f64::INFINITY));
        Ok((name, most))
    };
    let bound = |given: Option<&Bound<'_, PyAny>>, name: &str| match given {
        Some(given) => limit(given, || name.to_owned()),
        None => Ok(None),
    };
    let spec = AllocationSpec {
        budget,
        objective: choice(py, "objective", objective, &OBJECTIVES)?,
        low: bound(low, "low")?,
        high: bound(high, "high")?,
        group: group.map(|group| choice(py, "group", group, &GROUPS)).transpose()?,
        group_budget: group_budget.into_iter().map(budget_of).collect::<PyResult<_>>()?,
    };
    let cells: Vec<AllocationCell> = match cells.cast::<PyList>() {
        Ok(rows) => cells_of_rows(rows)?,
        Err(_) => allocation_cells(&batches(cells, &CELLS)?).map_err(|error| into_py(py, &error))?,
    };
    let rows = cells.len();
    let made = Call::new(py, None, None, None)?.run(py, rows, move |_| allocate_of(cells, spec))?;
    Ok(CoreAllocation(Arc::new(made)))
}

/// Allocates a budget to contacts: a list of dicts, or a table.
#[pyfunction]
#[pyo3(signature = (options, budget, *, whole))]
pub fn allocate_contacts(options: &Bound<'_, PyAny>, budget: Option<f64>, whole: bool) -> PyResult<CoreAllocation> {
    let py = options.py();
    let options: Vec<ContactOption> = match options.cast::<PyList>() {
        Ok(rows) => options_of_rows(rows)?,
        Err(_) => contact_options(&batches(options, &OPTIONS)?).map_err(|error| into_py(py, &error))?,
    };
    let rows = options.len();
    let made = Call::new(py, None, None, None)?.run(py, rows, move |_| contacts_of(options, budget, whole))?;
    Ok(CoreAllocation(Arc::new(made)))
}

/// A plan, with the problem that it solves.
#[pyclass(frozen, module = "custcore._core", name = "Allocation")]
pub struct CoreAllocation(Arc<Allocation>);

#[pymethods]
impl CoreAllocation {
    fn table(&self, py: Python<'_>) -> PyResult<CoreTable> {
        self.0.table().map(CoreTable::new).map_err(|error| into_py(py, &error))
    }

    #[pyo3(signature = (budgets))]
    fn frontier(&self, py: Python<'_>, budgets: Option<Vec<f64>>) -> PyResult<CoreTable> {
        let allocation = Arc::clone(&self.0);
        let rows = self.rows().saturating_mul(budgets.as_ref().map_or(1, Vec::len));
        let table = Call::new(py, None, None, None)?.run(py, rows, move |_| allocation.frontier(budgets.as_deref()))?;
        Ok(CoreTable::new(table))
    }

    fn sensitivity(&self, py: Python<'_>, n: usize, seed: u64) -> PyResult<CoreTable> {
        let allocation = Arc::clone(&self.0);
        let rows = self.rows().saturating_mul(n);
        let table = Call::new(py, None, None, None)?.run(py, rows, move |context| allocation.sensitivity(n, seed, context))?;
        Ok(CoreTable::new(table))
    }

    #[getter]
    fn price(&self) -> f64 {
        self.0.price()
    }

    #[getter]
    fn spend(&self) -> f64 {
        self.0.spend()
    }

    #[getter]
    fn value(&self) -> f64 {
        self.0.value()
    }

    #[getter]
    fn unspent(&self) -> Option<f64> {
        self.0.unspent()
    }

    #[getter]
    fn gap(&self) -> f64 {
        self.0.gap()
    }

    #[getter]
    fn budget(&self) -> Option<f64> {
        self.0.budget()
    }

    /// The price of each group that has a budget.
    #[getter]
    fn group_prices(&self) -> Vec<(&str, f64)> {
        self.0.group_prices()
    }

    /// Number of cells, or of options.
    #[getter]
    fn rows(&self) -> usize {
        self.0.cells().map_or(0, |(cells, _)| cells.len()) + self.0.options().map_or(0, |(options, _)| options.len())
    }

    /// The arguments that make this allocation again: rows as dicts, and settings. `wrap` makes a curve of Python of one of the core.
    fn arguments<'py>(&self, wrap: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyDict>)> {
        let py = wrap.py();
        let (rows, settings) = (PyList::empty(py), PyDict::new(py));
        let bound = |given: Option<SpendLimit>| -> PyResult<Option<Bound<'py, PyAny>>> {
            given
                .map(|given| match given {
                    SpendLimit::Money(amount) => amount.into_bound_py_any(py),
                    SpendLimit::Share(share) => format!("{:?}%", 100.0 * share).into_bound_py_any(py),
                })
                .transpose()
        };
        if let Some((cells, spec)) = self.0.cells() {
            for cell in cells {
                let row = PyDict::new(py);
                row.set_item("segment", &cell.segment)?;
                row.set_item("channel", &cell.channel)?;
                row.set_item("curve", wrap.call1((CoreCurve::new(cell.curve.clone()),))?)?;
                row.set_item("low", bound(cell.low)?)?;
                row.set_item("high", bound(cell.high)?)?;
                row.set_item("se", cell.se)?;
                rows.append(row)?;
            }
            let objective = OBJECTIVES.iter().find(|(_, objective)| *objective == spec.objective).map(|(name, _)| *name);
            settings.set_item("objective", objective)?;
            settings.set_item("low", bound(spec.low)?)?;
            settings.set_item("high", bound(spec.high)?)?;
            settings.set_item("group", spec.group.and_then(|group| GROUPS.iter().find(|(_, by)| *by == group)).map(|(name, _)| *name))?;
            let budgets = PyDict::new(py);
            for (name, most) in &spec.group_budget {
                budgets.set_item(name, bound(Some(*most))?)?;
            }
            settings.set_item("group_budget", budgets)?;
        }
        if let Some((options, whole)) = self.0.options() {
            for option in options {
                let row = PyDict::new(py);
                row.set_item("segment", &option.segment)?;
                row.set_item("channel", &option.channel)?;
                row.set_item("cost", option.cost)?;
                row.set_item("value", option.value)?;
                row.set_item("customers", option.customers)?;
                row.set_item("value_se", option.value_se)?;
                rows.append(row)?;
            }
            settings.set_item("whole", whole)?;
        }
        Ok((rows, settings))
    }
}

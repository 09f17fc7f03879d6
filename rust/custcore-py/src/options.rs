//! Converts the arguments of the public functions to settings of the core; errors list the accepted values.

use custcore::{
    AsOf, BaseSpec, CategoryColumns, ColumnRoles, Error, ErrorKind, KeyNames, Late, OnNonfinite, OnNull, OrderLines, Pick, ResultColumns,
    Returns, Track,
};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::into_py;

/// The columns of a key: one name, or a list.
#[derive(FromPyObject, Clone)]
pub enum Names {
    One(String),
    More(Vec<String>),
}

impl From<Names> for KeyNames {
    fn from(names: Names) -> Self {
        match names {
            Names::One(name) => name.into(),
            Names::More(names) => names.into(),
        }
    }
}

/// The names as an argument of Python.
pub fn names<'py>(py: Python<'py>, names: &KeyNames) -> PyResult<Bound<'py, PyAny>> {
    if names.is_composite() { names.iter().collect::<Vec<_>>().into_bound_py_any(py) } else { names.iter().next().into_bound_py_any(py) }
}

/// The columns of a result, as an argument.
pub fn asked(py: Python<'_>, columns: Option<Vec<String>>) -> PyResult<ResultColumns> {
    columns.map_or(Ok(ResultColumns::all()), ResultColumns::named).map_err(|error| into_py(py, &error))
}

/// Options for reading transactions; passed as a dict by the Python functions.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct ReadOptions {
    customer_id: Names,
    timestamp: String,
    amount: Option<String>,
    as_of: Option<(String, i64)>,
    returns: String,
    zero_is_purchase: bool,
    amount_decimals: i64,
    timezone: Option<String>,
    on_null: String,
    on_nonfinite: String,
    order_id: Option<Names>,
    order_lines: String,
    n_days: bool,
    attributes: Vec<(String, String)>,
    categories: Option<String>,
    promotion: Option<String>,
    channel: Option<String>,
    category_days: bool,
}

impl ReadOptions {
    /// The settings for a one-shot computation.
    pub fn spec(&self, py: Python<'_>) -> PyResult<BaseSpec> {
        self.unchecked_spec(py)?.checked().map_err(|error| into_py(py, &error))
    }

    /// The settings for a persistent customer base.
    pub fn kept_spec(&self, py: Python<'_>, track: &str, late: &str) -> PyResult<BaseSpec> {
        let mut spec = self.unchecked_spec(py)?;
        let levels = [("totals", Track::Totals), ("days", Track::Days), ("orders", Track::Orders)];
        spec.track = choice(py, "track", track, &levels)?;
        spec.late = choice(py, "late", late, &[("error", Late::Error), ("report", Late::Report)])?;
        Ok(spec)
    }

    /// The settings, before column names are checked against those of a result.
    pub fn unchecked_spec(&self, py: Python<'_>) -> PyResult<BaseSpec> {
        let pick = |(name, word): &(String, String)| -> PyResult<(String, Pick)> {
            Ok((name.clone(), choice(py, "attributes", word, &[("first", Pick::First), ("last", Pick::Last)])?))
        };
        let roles = ColumnRoles {
            customer_id: self.customer_id.clone().into(),
            timestamp: self.timestamp.clone(),
            amount: self.amount.clone(),
            order_id: self.order_id.clone().map(KeyNames::from),
            attributes: self.attributes.iter().map(pick).collect::<PyResult<_>>()?,
            categories: CategoryColumns {
                category: self.categories.clone(),
                promotion: self.promotion.clone(),
                channel: self.channel.clone(),
                by_day: self.category_days,
            },
            start: None,
            returning: None,
        };
        let mut spec = BaseSpec::new(roles);
        spec.returns =
            choice(py, "returns", &self.returns, &[("net", Returns::Net), ("exclude", Returns::Exclude), ("count", Returns::Count)])?;
        spec.zero_is_purchase = self.zero_is_purchase;
        spec.amount_decimals = u8::try_from(self.amount_decimals).unwrap_or(u8::MAX);
        spec.timezone.clone_from(&self.timezone);
        spec.on_null = choice(py, "on_null", &self.on_null, &[("drop", OnNull::Drop), ("error", OnNull::Error)])?;
        spec.on_nonfinite = choice(py, "on_nonfinite", &self.on_nonfinite, &[("error", OnNonfinite::Error), ("drop", OnNonfinite::Drop)])?;
        spec.order_lines = choice(py, "order_lines", &self.order_lines, &[("any", OrderLines::Any), ("adjacent", OrderLines::Adjacent)])?;
        spec.n_days = self.n_days;
        spec.until = self.as_of.as_ref().map(as_of);
        Ok(spec)
    }
}

/// The settings of a persistent base as constructor arguments: read options, tracking level, treatment of late lines.
pub fn kept_options<'py>(py: Python<'py>, spec: &BaseSpec) -> PyResult<(Bound<'py, PyDict>, &'static str, &'static str)> {
    let word = |debug: String| debug.to_lowercase();
    let options = PyDict::new(py);
    options.set_item("customer_id", names(py, &spec.roles.customer_id)?)?;
    options.set_item("timestamp", &spec.roles.timestamp)?;
    options.set_item("amount", &spec.roles.amount)?;
    options.set_item("as_of", py.None())?;
    options.set_item("returns", word(format!("{:?}", spec.returns)))?;
    options.set_item("zero_is_purchase", spec.zero_is_purchase)?;
    options.set_item("amount_decimals", spec.amount_decimals)?;
    options.set_item("timezone", &spec.timezone)?;
    options.set_item("on_null", word(format!("{:?}", spec.on_null)))?;
    options.set_item("on_nonfinite", word(format!("{:?}", spec.on_nonfinite)))?;
    options.set_item("order_id", spec.roles.order_id.as_ref().map(|key| names(py, key)).transpose()?)?;
    options.set_item("order_lines", word(format!("{:?}", spec.order_lines)))?;
    options.set_item("n_days", spec.n_days)?;
    let pick = |(name, pick): &(String, Pick)| (name.clone(), word(format!("{pick:?}")));
    options.set_item("attributes", spec.roles.attributes.iter().map(pick).collect::<Vec<_>>())?;
    let columns = &spec.roles.categories;
    options.set_item("categories", &columns.category)?;
    options.set_item("promotion", &columns.promotion)?;
    options.set_item("channel", &columns.channel)?;
    options.set_item("category_days", columns.by_day)?;
    let late = match spec.late {
        Late::Error => "error",
        Late::Report => "report",
    };
    Ok((options, spec.track.name(), late))
}

/// A day as passed by `custcore.rfm`: ("date" | "naive", day) or ("instant", UTC seconds).
pub fn as_of((kind, value): &(String, i64)) -> AsOf {
    match kind.as_str() {
        "instant" => AsOf::Instant(*value),
        "naive" => AsOf::Naive(*value as i32),
        _ => AsOf::Date(*value as i32),
    }
}

/// Looks up the choice with the given name.
pub fn choice<T: Copy>(py: Python<'_>, argument: &str, word: &str, choices: &[(&str, T)]) -> PyResult<T> {
    choices.iter().find(|(name, _)| *name == word).map(|(_, choice)| *choice).ok_or_else(|| {
        let words: Vec<String> = choices.iter().map(|(name, _)| format!("'{name}'")).collect();
        into_py(
            py,
            &Error::new(ErrorKind::InvalidArgument, format!("{argument}='{word}' is invalid; expected one of {}", words.join(", "))),
        )
    })
}

/// The name of a choice.
pub fn word<T: PartialEq>(value: &T, choices: &[(&'static str, T)]) -> &'static str {
    choices.iter().find(|(_, choice)| choice == value).map_or("", |(word, _)| word)
}

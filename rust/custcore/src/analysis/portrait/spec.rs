//! Settings of a portrait.

use arrow_array::RecordBatch;

use crate::analysis::p_values::PValueAdjustment;
use crate::column::key_schema::KeyNames;
use crate::column::number::Number;
use crate::error::{Error, ErrorKind, Result};
use crate::time::period::{Calendar, Period};

/// Whether null is a value of attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeNulls {
    /// Customers whose value is null are not counted for this attribute.
    Drop,
    /// Null is a value, also that of customers who are not in the table.
    Value,
}

/// How the numbers of an attribute become values.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeBins {
    /// Each number is a value.
    Each,
    /// So many bins between type-7 quantiles of all customers.
    Quantiles(u8),
    /// Bins between these edges, which belong to the bin below.
    Edges(Vec<Number>),
}

/// Settings of a portrait.
#[derive(Debug, Clone)]
pub struct PortraitSpec {
    /// The columns of customer ids of all tables; `None`: those that a table names in its metadata, those named as in the table of
    /// segments, else its first column.
    pub customer_id: Option<KeyNames>,
    /// The column of segments.
    pub segment: String,
    /// Whether null is a value.
    pub nulls: AttributeNulls,
    /// A value is tested where the segment and the value have so many customers.
    pub min_customers: u64,
    /// How p-values are adjusted.
    pub adjust: PValueAdjustment,
    /// A value is a mark where its adjusted p-value is smaller.
    pub alpha: f64,
    /// Bins by attribute.
    pub bins: Vec<(String, AttributeBins)>,
    /// Bins of other floats and decimals.
    pub default_bins: AttributeBins,
    /// The period that dates are counted by.
    pub period: Period,
    /// Of these periods.
    pub calendar: Calendar,
    /// The zone in which times with a zone are read, instead of their own.
    pub timezone: Option<String>,
}

impl PortraitSpec {
    pub(super) fn check(&self) -> Result<()> {
        let invalid = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        if !(self.alpha > 0.0 && self.alpha < 1.0) {
            return invalid(format!("alpha={} is outside 0 to 1, both excluded", self.alpha));
        }
        for (name, bins) in self.bins.iter().map(|(name, bins)| (name.as_str(), bins)).chain([("", &self.default_bins)]) {
            let whose = if name.is_empty() { "bins".to_owned() } else { format!("bins of '{name}'") };
            match bins {
                AttributeBins::Quantiles(n) if !(2..=100).contains(n) => {
                    return invalid(format!("{whose}: {n} is outside 2 to 100"));
                }
                AttributeBins::Edges(edges) if edges.is_empty() || edges.len() > 254 => {
                    return invalid(format!("{whose}: {} edges; expected 1 to 254", edges.len()));
                }
                AttributeBins::Edges(edges) if !edges.is_sorted_by(|a, b| a.compare(*b).is_lt()) => {
                    let edges: Vec<String> = edges.iter().map(Number::to_string).collect();
                    return invalid(format!("{whose}: the edges {} do not ascend", edges.join(", ")));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A table of attributes of customers.
#[derive(Debug)]
pub struct AttributeTable<'a> {
    /// Its name; that of its attribute, if it has one only.
    pub name: Option<String>,
    /// Its rows, at least one batch.
    pub batches: &'a [RecordBatch],
    /// Whether it is a list of values, of which a customer may have several; if not, it is one where an id occurs twice.
    pub is_list: bool,
}

impl AttributeTable<'_> {
    /// What errors call it; `at` is its position.
    pub(super) fn said(&self, at: usize) -> String {
        self.name.as_ref().map_or_else(|| format!("table {} of the attributes", at + 1), |name| format!("attributes '{name}'"))
    }
}

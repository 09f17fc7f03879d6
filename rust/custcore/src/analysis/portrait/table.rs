//! The table of a portrait: one row per segment, attribute and value.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::Metadata;
use serde::{Deserialize, Serialize};

use super::cells::{Cell, cells};
use super::counts::{Attribute, count};
use super::members::Members;
use super::spec::{AttributeTable, PortraitSpec};
use crate::analysis::rfm::transitions::table::segments as segment_column;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::report::Report;
use crate::table::{Table, TableBuilder};

/// The metadata entry of a portrait with what its rows do not say.
const PORTRAIT: &str = "custcore.portrait";

/// What the rows of a portrait do not say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// The segments, in order.
    pub(super) segments: Vec<String>,
    /// Their customers.
    pub(super) customers: Vec<u64>,
    /// The level of its marks.
    pub(super) alpha: f64,
}

impl Facts {
    /// Those of a portrait.
    pub(super) fn of(batch: &RecordBatch) -> Result<Self> {
        let schema = batch.schema();
        let text = schema.metadata().get(PORTRAIT).and_then(|text| serde_json::from_str(text).ok());
        text.ok_or_else(|| Error::new(ErrorKind::InvalidArgument, "the table is no portrait; pass what custcore.portrait returns"))
    }
}

/// Who the customers of each segment are. `segments` has one row per customer.
pub fn portrait(segments: &[RecordBatch], attributes: &[AttributeTable<'_>], spec: &PortraitSpec, context: &Context) -> Result<Table> {
    spec.check()?;
    let mut report = Report::default();
    let mut members = Members::read(segments, spec, &mut report, context)?;
    let found = count(attributes, &mut members, spec, &mut report, context)?;
    let cells = cells(&found, &members, spec, context)?;
    untested(&found, &cells, spec, &mut report);
    build(&found, &members, &cells, spec, report)
}

/// Attributes of which nothing could be tested are remarks: they have too many values, or too few customers.
fn untested(attributes: &[Attribute], cells: &[Cell], spec: &PortraitSpec, report: &mut Report) {
    let mut is_tested = vec![false; attributes.len()];
    cells.iter().filter(|cell| cell.is_tested).for_each(|cell| is_tested[cell.attribute as usize] = true);
    for (attribute, _) in attributes.iter().zip(&is_tested).filter(|(_, is_tested)| !**is_tested) {
        let (name, values, least) = (&attribute.name, attribute.values.len(), spec.min_customers);
        report.remarks.push(format!(
            "attribute '{name}': none of its {values} values is tested, as no segment and value have {least} customers each"
        ));
    }
}

fn build(attributes: &[Attribute], members: &Members, cells: &[Cell], spec: &PortraitSpec, report: Report) -> Result<Table> {
    let counts =
        |count: fn(&Cell) -> u64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(cells.iter().map(|cell| count(cell) as i64))) };
    let floats = |value: &dyn Fn(&Cell) -> Option<f64>| -> ArrayRef { Arc::new(cells.iter().map(value).collect::<Float64Array>()) };
    let flags = |flag: fn(&Cell) -> bool| -> ArrayRef { Arc::new(cells.iter().map(|cell| Some(flag(cell))).collect::<BooleanArray>()) };
    let index = |share: Option<f64>, cell: &Cell| share.map(|share| 100.0 * share / cell.share_all());
    let low = |cell: &Cell| cell.interval().map(|(low, _)| low);
    let high = |cell: &Cell| cell.interval().map(|(_, high)| high);
    let mut table = TableBuilder::default();
    table.column("segment", segment_column(&members.names, cells.iter().map(|cell| cell.segment))?);
    let attribute = |cell: &Cell| &attributes[cell.attribute as usize];
    table.column("attribute", Arc::new(StringArray::from_iter_values(cells.iter().map(|cell| &attribute(cell).name))));
    let value = |cell: &Cell| attributes[cell.attribute as usize].values[cell.value as usize].as_deref();
    table.column("value", Arc::new(cells.iter().map(value).collect::<StringArray>()));
    table.column("customers", counts(|cell| cell.customers));
    table.column("segment_known", counts(|cell| cell.segment_known));
    table.column("all_customers", counts(|cell| cell.all_customers));
    table.column("all_known", counts(|cell| cell.all_known));
    table.column("share", floats(&Cell::share));
    table.column("share_low", floats(&low));
    table.column("share_high", floats(&high));
    table.column("share_all", floats(&|cell| Some(cell.share_all())));
    table.column("index", floats(&|cell| index(cell.share(), cell)));
    table.column("index_low", floats(&|cell| index(low(cell), cell)));
    table.column("index_high", floats(&|cell| index(high(cell), cell)));
    table.column("p_value", floats(&|cell| Some(cell.p_value)));
    table.column("tested", flags(|cell| cell.is_tested));
    table.column("p_adjusted", floats(&|cell| cell.p_adjusted));
    table.column("strength", floats(&|cell| Some(cell.strength)));
    table.column("is_mark", flags(|cell| cell.is_mark));
    let facts = Facts { segments: members.names.clone(), customers: members.sizes.clone(), alpha: spec.alpha };
    let mut metadata = Metadata::new();
    metadata.insert(PORTRAIT, serde_json::to_string(&facts).map_err(Error::internal)?);
    table.finish(cells.len(), metadata, report)
}

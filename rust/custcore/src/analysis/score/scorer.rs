//! A fitted scorer of any columns.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;

use super::binner::Binner;
use super::groups::{MISSING, Nest, ScoreGroups, UNSEEN};
use super::ids::{CustomerKey, IdColumns, id_names};
use super::spec::{Dimension, ScoreSpec, Ties};
use crate::column::find_column;
use crate::column::key::{Key, OwnedKey};
use crate::column::key_schema::KeyNames;
use crate::column::number::NumberColumn;
use crate::column::value::ValueColumn;
use crate::error::{Error, ErrorKind, Result};
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::exec::simd::widest;
use crate::order_statistics::quantile::Number;
use crate::table::CUSTOMER_ID;

/// A fitted dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedDimension {
    /// The settings of the dimension.
    pub dimension: Dimension,
    /// The bins of each cell; `None` if no fitted customer of the cell has a value.
    pub binners: Vec<Option<Binner>>,
    /// Bins fitted on all customers, for cells not present in the fit.
    pub global: Option<Binner>,
    /// Whether all rows are in one cell: there are no groups and no preceding scores.
    pub(super) plain: bool,
    /// With nested binning, the cells of the next dimension.
    pub nest: Option<Nest>,
}

/// A fitted scorer of any columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Scorer {
    pub(super) spec: ScoreSpec,
    pub(super) groups: Option<ScoreGroups>,
    /// The fitted dimensions, in order.
    pub fitted: Vec<FittedDimension>,
}

/// The columns that a scorer reads from a batch.
struct ScoreInput {
    rows: usize,
    values: Vec<NumberColumn>,
    ids: Option<IdColumns>,
    groups: Option<ValueColumn>,
}

impl Scorer {
    /// Fits a scorer on a table of one batch. Also returns the scores of that table, as [`Scorer::score`] would.
    pub fn fit(spec: &ScoreSpec, batch: &RecordBatch, context: &Context, threads: Threads<'_>) -> Result<(Self, Vec<Vec<u8>>)> {
        let input = ScoreInput::read(spec, batch)?;
        if input.values.iter().all(|column| column.valid_rows() == 0) || input.rows == 0 {
            return Err(nothing_to_fit());
        }
        for (dimension, values) in spec.dimensions.iter().zip(&input.values) {
            if let Some(row) = values.first_infinite() {
                let column = &dimension.column;
                let message =
                    format!("column '{column}' has an infinite value at row {row}, for which quantiles are undefined; set it to null");
                return Err(Error::new(ErrorKind::NonFinite, message).in_column(column).at_row(row as u64));
            }
        }
        let (groups, mut cells) = match &input.groups {
            None if spec.nested => (None, vec![0; input.rows]),
            // All rows are in one cell, and the cell of each row is not needed.
            None => (None, Vec::new()),
            Some(column) => {
                let (groups, cells) = ScoreGroups::fit(column, input.rows);
                (Some(groups), cells)
            }
        };
        let mut n_cells = groups.as_ref().map_or(1, |groups| groups.keys().len());
        let mut fitted: Vec<FittedDimension> = Vec::with_capacity(spec.dimensions.len());
        let mut all = Vec::with_capacity(spec.dimensions.len());
        for (dimension, values) in spec.dimensions.iter().zip(&input.values) {
            context.check()?;
            let method = spec.method(dimension);
            let fit = |rows: Option<&[u32]>| Binner::fit(&method, values, input.ids.as_ref(), rows, dimension, threads);
            let plain = groups.is_none() && (fitted.is_empty() || !spec.nested);
            let binners: Vec<Option<Binner>> =
                if plain { vec![fit(None)] } else { rows_by_cell(&cells, n_cells, values).iter().map(|rows| fit(Some(rows))).collect() };
            if binners.iter().all(Option::is_none) {
                return Err(nothing_to_fit().in_column(&dimension.column));
            }
            let global = if spec.unseen_global && !plain { fit(None) } else { None };
            let mut done = FittedDimension { dimension: dimension.clone(), binners, global, plain, nest: None };
            let scores = done.score_rows(&cells, values, input.ids.as_ref(), threads)?;
            done.count(&cells, &scores, threads);
            if spec.nested && fitted.len() + 1 < spec.dimensions.len() {
                let nest = Nest::fit(&mut cells, &scores);
                n_cells = nest.len();
                done.nest = Some(nest);
            }
            fitted.push(done);
            all.push(scores);
        }
        Ok((Self { spec: spec.clone(), groups, fitted }, all))
    }

    /// Fits a scorer on a table of several batches.
    pub fn fit_batches(spec: &ScoreSpec, batches: &[RecordBatch], context: &Context, threads: Threads<'_>) -> Result<Self> {
        Ok(Self::fit(spec, &one_batch(spec, batches)?, context, threads)?.0)
    }

    /// The settings of the fit.
    pub fn spec(&self) -> &ScoreSpec {
        &self.spec
    }

    /// The groups of the fit, in cell order.
    pub fn groups(&self) -> Option<&[OwnedKey]> {
        self.groups.as_ref().map(ScoreGroups::keys)
    }

    /// The scores of the rows of a batch, one vector per dimension; 0 for null.
    pub fn score(&self, batch: &RecordBatch, threads: Threads<'_>) -> Result<Vec<Vec<u8>>> {
        let input = ScoreInput::read(&self.spec, batch)?;
        if let (Some(ids), Some(fitted)) = (input.ids.as_ref().filter(|_| input.rows > 0), self.fitted_id()) {
            let mut id = Vec::new();
            ids.parts(0, &mut id);
            fitted.check(&id)?;
        }
        let mut cells = self.cells(&input)?;
        let mut all = Vec::with_capacity(self.fitted.len());
        for (fitted, values) in self.fitted.iter().zip(&input.values) {
            let scores = fitted.score_rows(&cells, values, input.ids.as_ref(), threads)?;
            if let Some(nest) = &fitted.nest {
                cells.iter_mut().zip(&scores).for_each(|(cell, &score)| *cell = nest.find(*cell, score));
            }
            all.push(scores);
        }
        Ok(all)
    }

    /// Some id of the fit, if ids decide among equal values.
    fn fitted_id(&self) -> Option<&CustomerKey> {
        self.fitted.iter().flat_map(|fitted| &fitted.binners).flatten().find_map(Binner::first_id)
    }

    /// The scores of one customer, one per dimension. The id is given by its parts, one for each column of the key; without one
    /// the customer sorts before equal values.
    #[inline]
    pub fn score_one(&self, values: &[Number], id: Option<&[Key<'_>]>, group: Option<Key<'_>>, out: &mut [u8]) -> Result<()> {
        self.place(values, id, group, |at, _, _, score| {
            if let Some(out) = out.get_mut(at) {
                *out = score;
            }
        })
    }

    /// Passes the position of each dimension to `take`, with its bins that apply to the customer and the score in them.
    #[inline]
    pub(super) fn place<'a>(
        &'a self,
        values: &[Number],
        id: Option<&[Key<'_>]>,
        group: Option<Key<'_>>,
        mut take: impl FnMut(usize, &'a FittedDimension, &'a Binner, u8),
    ) -> Result<()> {
        if let (Some(id), Some(fitted)) = (id, self.fitted_id()) {
            fitted.check(id)?;
        }
        let mut cell = match (&self.groups, group) {
            (None, _) => 0,
            (Some(groups), group) => {
                let group = group.unwrap_or(Key::Null);
                groups.find(group).map_or_else(|| self.unseen_group(group, None), Ok)?
            }
        };
        for (at, (fitted, &value)) in self.fitted.iter().zip(values).enumerate() {
            let binner = fitted.binner(cell).ok_or_else(|| fitted.unseen_cell(None))?;
            let score = fitted.dimension.score_of_bin(binner.bin_one(value, id));
            take(at, fitted, binner, score);
            if let Some(nest) = &fitted.nest {
                cell = nest.find(cell, score);
            }
        }
        Ok(())
    }

    fn cells(&self, input: &ScoreInput) -> Result<Vec<u32>> {
        let (Some(groups), Some(column)) = (&self.groups, &input.groups) else {
            return Ok(if self.spec.nested { vec![0; input.rows] } else { Vec::new() });
        };
        (0..input.rows)
            .map(|row| {
                let group = column.key(row);
                groups.find(group).map_or_else(|| self.unseen_group(group, Some(row as u64)), Ok)
            })
            .collect()
    }

    /// The cell of a group not present in the fit: [`UNSEEN`] with `unseen='global'`, else an error.
    fn unseen_group(&self, group: Key<'_>, row: Option<u64>) -> Result<u32> {
        if self.spec.unseen_global {
            return Ok(UNSEEN);
        }
        let column = self.spec.by.as_deref().unwrap_or_default();
        let location = row.map_or(String::new(), |row| format!(" at row {row}"));
        let mut error = Error::new(
            ErrorKind::InvalidArgument,
            format!("column '{column}' has the group {group}{location}, which was not present when the scorer was fitted. Fit on data that includes it, or use unseen='global' to score it by the edges of all customers"),
        )
        .in_column(column);
        if let Some(row) = row {
            error = error.at_row(row);
        }
        Err(error)
    }
}

impl FittedDimension {
    #[inline]
    fn binner(&self, cell: u32) -> Option<&Binner> {
        self.binners.get(cell as usize).and_then(Option::as_ref).or(self.global.as_ref())
    }

    fn score_rows(&self, cells: &[u32], values: &NumberColumn, ids: Option<&IdColumns>, threads: Threads<'_>) -> Result<Vec<u8>> {
        let mut bins = match self.binners.as_slice() {
            [Some(only)] if self.plain => only.bin_rows(values, ids, threads),
            _ => self.bin_by_cell(cells, values, ids)?,
        };
        if self.dimension.reversed {
            bins.iter_mut().for_each(|bin| *bin = self.dimension.score_of_bin(*bin));
        }
        Ok(bins)
    }

    fn bin_by_cell(&self, cells: &[u32], values: &NumberColumn, ids: Option<&IdColumns>) -> Result<Vec<u8>> {
        let mut id = Vec::new();
        let bin = |(row, &cell): (usize, &u32)| {
            let Some(value) = values.get(row).filter(|_| cell != MISSING) else { return Ok(0) };
            let binner = self.binner(cell).ok_or_else(|| self.unseen_cell(Some(row as u64)))?;
            if let Some(ids) = ids {
                ids.parts(row, &mut id);
            }
            Ok(binner.bin_one(value, ids.map(|_| id.as_slice())))
        };
        cells.iter().enumerate().map(bin).collect()
    }

    fn unseen_cell(&self, row: Option<u64>) -> Error {
        let location = row.map_or(String::new(), |row| format!(" at row {row}"));
        let error = Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "{} cannot be scored{location}: its group or combination of preceding scores was not present when the scorer was fitted. Use unseen='global' to score it by the edges of all customers",
                self.dimension.name
            ),
        );
        if let Some(row) = row { error.at_row(row) } else { error }
    }

    /// Counts the fitted rows per cell and score.
    fn count(&mut self, cells: &[u32], scores: &[u8], threads: Threads<'_>) {
        if let ([Some(only)], true) = (self.binners.as_mut_slice(), self.plain) {
            let bins = only.counts.len();
            for counts in threads.par_chunks(scores.len(), |run| counts_of(&scores[run], bins)) {
                only.counts.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
            return;
        }
        for (&cell, &score) in cells.iter().zip(scores) {
            if let (Some(Some(binner)), 1..) = (self.binners.get_mut(cell as usize), score) {
                binner.counts[usize::from(score) - 1] += 1;
            }
        }
    }
}

impl ScoreInput {
    fn read(spec: &ScoreSpec, batch: &RecordBatch) -> Result<Self> {
        let schema = batch.schema();
        let column = |name: &str, role: &str| -> Result<_> { Ok(batch.column(find_column(&schema, name, role)?)) };
        let values = spec.dimensions.iter().map(|d| NumberColumn::new(&d.column, "scored column", column(&d.column, "scored column")?));
        let values = values.collect::<Result<_>>()?;
        let ids = if spec.ties == Ties::Split { Some(IdColumns::read(spec, batch)?) } else { None };
        let groups = spec.by.as_deref().map(|name| ValueColumn::new(name, "by", column(name, "by")?)).transpose()?;
        Ok(Self { rows: batch.num_rows(), values, ids, groups })
    }
}

/// How many rows have each of the scores 1 to `bins`.
fn counts_of(scores: &[u8], bins: usize) -> Vec<u64> {
    // Comparing bytes with each of a few scores, many at a time, is faster than a table of counts.
    if bins <= 16 {
        return (1..=bins).map(|score| count_equal(scores, score as u8)).collect();
    }
    let mut counts = vec![0; 256];
    scores.iter().for_each(|&score| counts[usize::from(score)] += 1);
    counts[1..=bins].to_vec()
}

widest! {
    /// How many of the scores are `score`.
    fn count_equal(scores: &[u8], score: u8) -> u64 {
        // A byte holds the count of a chunk.
        let chunk = |chunk: &[u8]| u64::from(chunk.iter().fold(0_u8, |count, &other| count + u8::from(other == score)));
        scores.chunks(192).map(chunk).sum()
    }
}

/// The rows with a value, grouped by cell.
fn rows_by_cell(cells: &[u32], n_cells: usize, values: &NumberColumn) -> Vec<Vec<u32>> {
    let mut rows = vec![Vec::new(); n_cells];
    for (row, &cell) in (0_u32..).zip(cells) {
        if cell != MISSING && values.is_valid(row as usize) {
            rows[cell as usize].push(row);
        }
    }
    rows
}

/// Concatenates the columns that a fit reads into one batch.
pub(crate) fn one_batch(spec: &ScoreSpec, batches: &[RecordBatch]) -> Result<RecordBatch> {
    let Some(first) = batches.first() else { return Err(nothing_to_fit()) };
    if batches.len() == 1 {
        return Ok(first.clone());
    }
    let schema = first.schema();
    let ids = if spec.ties == Ties::Split { Some(id_names(spec, &schema)?) } else { None };
    let mut names: Vec<&str> = spec.dimensions.iter().map(|dimension| dimension.column.as_str()).collect();
    names.extend(spec.by.as_deref());
    names.extend(ids.iter().flat_map(KeyNames::iter));
    let positions = (0..schema.fields().len()).filter(|&i| names.contains(&schema.field(i).name().as_str()));
    let positions: Vec<usize> = positions.collect();
    let schema_mismatch = |e| Error::new(ErrorKind::InvalidType, format!("the batches have different schemas: {e}"));
    let parts: Vec<RecordBatch> =
        batches.iter().map(|batch| batch.project(&positions)).collect::<std::result::Result<_, _>>().map_err(schema_mismatch)?;
    // After projection the id column may not be the first, so it is recorded in the metadata.
    let mut metadata = schema.metadata().clone();
    if let Some(ids) = &ids {
        metadata.insert(CUSTOMER_ID, ids.to_text());
    }
    let projected = parts[0].schema().as_ref().clone().with_metadata(metadata);
    concat_batches(&parts[0].schema(), &parts).and_then(|batch| batch.with_schema(Arc::new(projected))).map_err(schema_mismatch)
}

fn nothing_to_fit() -> Error {
    Error::new(ErrorKind::NotEnoughData, "there are no customers to fit a scorer on: the table is empty or all its values are null")
}

//! Tables with scores: the columns of a table followed by those of a scorer, or only the columns that are asked for.

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use super::octants::Octants;
use super::result_columns::ResultColumns;
use super::score_columns::{self, CELL, DIGITS, SCORES, SEGMENT, SUM, Scoring, SegmentCodes};
use super::scorer::{RfmScorer, Segmenter};
use super::spec::Segments;
use super::value_bounds::check_table;
use crate::analysis::score::ids::id_names;
use crate::column::key_schema::KeyNames;
use crate::error::Result;
use crate::exec::context::Context;
use crate::exec::par::Threads;
use crate::report::Report;
use crate::table::{CUSTOMER_ID, Table, TableBuilder};

impl RfmScorer {
    /// Scores an RFM table; the scores are appended to its columns.
    pub fn transform(&self, batches: &[RecordBatch], report: &Report, context: &Context) -> Result<Vec<Table>> {
        self.transform_columns(batches, report, &ResultColumns::all(), context)
    }

    /// Scores an RFM table; the result has the columns that are asked for, of the table and of the scorer, after the ids.
    pub fn transform_columns(
        &self,
        batches: &[RecordBatch],
        report: &Report,
        asked: &ResultColumns,
        context: &Context,
    ) -> Result<Vec<Table>> {
        let n = self.fitted()?.scorer.fitted.len();
        if let Some(batch) = batches.first() {
            let schema = batch.schema();
            let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            self.check_columns(asked, &names, n, |_| None)?;
        }
        check_table(batches, self.columns(), context)?;
        self.score_tables(batches, report, asked, context)
    }

    fn score_tables(&self, batches: &[RecordBatch], report: &Report, asked: &ResultColumns, context: &Context) -> Result<Vec<Table>> {
        let fitted = self.fitted()?;
        let mut tables = Vec::with_capacity(batches.len());
        let mut rows_before = 0;
        for batch in batches {
            context.check()?;
            let scores = context.run_if_large(batch.num_rows(), |threads| fitted.scorer.score(batch, threads))?;
            let scores = scores.map_err(|error| error.counted_from(rows_before))?;
            tables.push(self.scored(batch, scores, report, asked, context)?);
            rows_before += batch.num_rows() as u64;
        }
        Ok(tables)
    }

    /// One batch with its scores appended.
    fn scored(
        &self,
        batch: &RecordBatch,
        scores: Vec<Vec<u8>>,
        report: &Report,
        asked: &ResultColumns,
        context: &Context,
    ) -> Result<Table> {
        let fitted = self.fitted()?;
        let mut report = report.clone();
        report.remarks.extend(fitted.remarks.iter().cloned());
        let segments = match fitted.segmenter.as_ref().filter(|_| asked.has(SEGMENT)) {
            None => None,
            Some(segmenter @ Segmenter::Map(map)) => Some((segmenter.names(), SegmentCodes::ByCell(map))),
            Some(segmenter @ Segmenter::Octants(octants)) => {
                let codes = context.run_if_large(batch.num_rows(), |threads| octants.segment_rows(batch, self.columns(), threads))?;
                Some((segmenter.names(), SegmentCodes::ByRow(codes?)))
            }
        };
        context.run_if_large(batch.num_rows(), |threads| self.appended(batch, scores, segments, report, asked, threads))?
    }

    /// The columns of a batch that are asked for, and those of its scores.
    fn appended(
        &self,
        batch: &RecordBatch,
        scores: Vec<Vec<u8>>,
        segments: Option<(Vec<&str>, SegmentCodes<'_>)>,
        report: Report,
        asked: &ResultColumns,
        threads: Threads<'_>,
    ) -> Result<Table> {
        let schema = batch.schema();
        let ids = self.ids_of(&schema)?;
        let mut table = TableBuilder::from_columns(batch, |name| asked.has(name) || ids.iter().any(|id| id == name));
        if !scores.is_empty() {
            let scoring = Scoring { bins: self.spec.bins, weights: self.spec.weights, segments };
            score_columns::add_scores(&mut table, scores, scoring, asked, threads)?;
        }
        let Table { batch, report } = table.finish(batch.num_rows(), schema.metadata().clone(), report)?;
        Ok(Table { batch: asked.arrange(batch, &ids)?, report })
    }

    /// Fits on a table and scores it. A table without rows gives an empty result and leaves the scorer unchanged.
    pub fn fit_transform(&mut self, batches: &[RecordBatch], report: &Report, context: &Context) -> Result<Vec<Table>> {
        check_table(batches, self.columns(), context)?;
        self.fit_and_score(batches, report, &ResultColumns::all(), context)
    }

    /// As [`Self::fit_transform`], of batches whose values are within their bounds; only what the columns that are asked for need is
    /// fitted and computed.
    pub(super) fn fit_and_score(
        &mut self,
        batches: &[RecordBatch],
        report: &Report,
        asked: &ResultColumns,
        context: &Context,
    ) -> Result<Vec<Table>> {
        let n = batches.first().map_or(0, |batch| self.n_dimensions(&batch.schema())).min(self.dimensions_for(asked)?);
        if n > 0 && batches.iter().any(|batch| batch.num_rows() > 0) {
            let scores = self.fit_scores(batches, n, context)?;
            // A single batch was already scored by the fit.
            if let [batch] = batches {
                return Ok(vec![self.scored(batch, scores, report, asked, context)?]);
            }
            return self.score_tables(batches, report, asked, context);
        }
        let mut report = report.clone();
        let names = self.segment_names()?.filter(|_| n > 0);
        let unscored = |batch: &RecordBatch| {
            let segments = names.as_ref().map(|names| (names.iter().map(String::as_str).collect(), SegmentCodes::ByRow(Vec::new())));
            self.appended(batch, vec![Vec::new(); n], segments, report.clone(), asked, Threads::inline())
        };
        let tables = batches.iter().map(unscored).collect::<Result<Vec<_>>>()?;
        if n > 0 {
            report.remarks.extend(self.map()?.1);
        }
        Ok(tables.into_iter().map(|table| Table { report: report.clone(), ..table }).collect())
    }

    /// How many of R, F and M the columns need that are asked for.
    fn dimensions_for(&self, asked: &ResultColumns) -> Result<usize> {
        let segments_use_money = match &self.spec.segments {
            Segments::Octants(_, _) => true,
            _ => self.map()?.0.is_some_and(|map| map.bins()[2] > 1),
        };
        // A scorer whose segments need M is not fitted without it.
        Ok(if asked.has_any(&[SCORES[2], CELL, DIGITS, SUM]) {
            3
        } else if asked.has_any(&[SCORES[0], SCORES[1], SEGMENT]) {
            if segments_use_money { 3 } else { 2 }
        } else {
            0
        })
    }

    /// The columns of an RFM table that must be computed for a result with these columns.
    pub(super) fn inputs_for(&self, asked: &ResultColumns) -> Result<ResultColumns> {
        let scored = self.columns().map(str::to_owned);
        let n = self.dimensions_for(asked)?;
        let others = self.used_columns().into_iter().filter(|name| n > 0 && !scored.contains(name));
        Ok(asked.and(scored.clone().into_iter().take(n).chain(others)))
    }

    /// The columns of an RFM table that are scored, and what decides how.
    pub(super) fn scored_inputs(&self) -> ResultColumns {
        ResultColumns::none().and(self.used_columns())
    }

    /// An error for a column that is neither one of `names` nor one of this scorer with `n` dimensions.
    pub(super) fn check_columns(
        &self,
        asked: &ResultColumns,
        names: &[&str],
        n: usize,
        why: impl Fn(&str) -> Option<String>,
    ) -> Result<()> {
        let segments = self.segment_names()?;
        let mut known = names.to_vec();
        known.extend(SCORES.into_iter().take(n).chain([CELL, DIGITS, SUM]).chain(segments.is_some().then_some(SEGMENT)));
        let remark = self.map()?.1;
        asked.check(&known, |name| match name {
            SEGMENT => Some(remark.clone().unwrap_or_else(|| "the scorer has segments=None".to_owned())),
            name if name == SCORES[2] => Some(format!("M is scored only where there is a column '{}'", self.columns()[2])),
            _ => why(name),
        })
    }

    /// The columns of ids of a table: those of the settings, else those that the table names, else its first one, unless that is
    /// scored.
    fn ids_of(&self, schema: &Schema) -> Result<Vec<String>> {
        let spec = &self.spec.score;
        let is_named = spec.ids.is_some() || schema.metadata().contains_key(CUSTOMER_ID);
        let first_is_scored = schema.fields().first().is_none_or(|field| self.used_columns().contains(field.name()));
        let ids = if is_named || !first_is_scored { Some(id_names(spec, schema)?) } else { None };
        let names = ids.iter().flat_map(KeyNames::iter).filter(|name| schema.index_of(name).is_ok());
        Ok(names.map(str::to_owned).collect())
    }

    /// The segment names in the order of the segment map, if the scorer has segments.
    pub fn segment_names(&self) -> Result<Option<Vec<String>>> {
        Ok(match &self.spec().segments {
            Segments::Octants(center, lang) => Some(Octants::new(*center, *lang).names().iter().map(|&name| name.to_owned()).collect()),
            _ => self.map()?.0.map(|map| map.names().to_vec()),
        })
    }
}

/// Why a column of scores is not in a table of recency, frequency and money.
pub(super) fn why_unscored(name: &str) -> Option<String> {
    let is_score = SCORES.contains(&name) || [CELL, DIGITS, SUM, SEGMENT].contains(&name);
    is_score.then(|| "scores and segments are columns of rfm_scores, and of RFMScorer.transform".to_owned())
}

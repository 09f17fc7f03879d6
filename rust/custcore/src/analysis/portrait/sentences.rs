//! Portraits in sentences, in English and Chinese. Values are data: they are not translated, and control characters are escaped.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch, StringArray};
use arrow_schema::Metadata;

use super::marks::{Marks, whole};
use super::table::Facts;
use crate::analysis::rfm::transitions::table::segments as segment_column;
use crate::column::find_result_column;
use crate::error::{Error, Result};
use crate::report::Report;
use crate::table::{Table, TableBuilder};

/// Marks above 100 in a sentence.
const MARKS: usize = 3;

/// The language of sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentenceLanguage {
    /// English.
    En,
    /// Chinese.
    Zh,
}

/// The words of a mark.
struct Mark {
    attribute: String,
    value: Option<String>,
    share: f64,
    share_all: f64,
    index: f64,
    /// The share of the customers of the segment whose value is known.
    known: f64,
}

/// A sentence for each segment of a portrait.
pub fn portrait_sentences(portrait: &[RecordBatch], language: SentenceLanguage, report: Report) -> Result<Table> {
    let batch = whole(portrait)?;
    let facts = Facts::of(&batch)?;
    let marks = Marks::of(&batch)?;
    let schema = batch.schema();
    let column = |name: &str| -> Result<_> { Ok(batch.column(find_result_column(&schema, name)?)) };
    let unlike = || Error::internal("a portrait of other columns");
    let texts = |name: &str| -> Result<&StringArray> { column(name)?.as_string_opt().ok_or_else(unlike) };
    let floats = |name: &str| column(name)?.as_primitive_opt::<Float64Type>().ok_or_else(unlike);
    let (attributes, values) = (texts("attribute")?, texts("value")?);
    let (share, share_all, index) = (floats("share")?, floats("share_all")?, floats("index")?);
    let known = column("segment_known")?.as_primitive_opt::<Int64Type>().ok_or_else(unlike)?;
    let all: u64 = facts.customers.iter().sum();
    let mut sentences = Vec::with_capacity(facts.segments.len());
    for (at, (segment, &customers)) in facts.segments.iter().zip(&facts.customers).enumerate() {
        let mark = |row: usize| Mark {
            attribute: printable(attributes.value(row)),
            value: values.is_valid(row).then(|| printable(values.value(row))),
            share: share.value(row),
            share_all: share_all.value(row),
            index: index.value(row),
            known: known.value(row) as f64 / customers as f64,
        };
        let (above, below) = marks.strongest(marks.rows(at), MARKS);
        let (above, below) = (above.into_iter().map(mark).collect::<Vec<_>>(), below.map(mark));
        sentences.push(language.sentence(&printable(segment), customers, all, &above, below.as_ref(), facts.alpha));
    }
    let mut table = TableBuilder::default();
    table.column("segment", segment_column(&facts.segments, 0..facts.segments.len() as u16)?);
    let rows = sentences.len();
    table.column("sentence", Arc::new(StringArray::from_iter_values(sentences)));
    table.finish(rows, Metadata::new(), report)
}

impl SentenceLanguage {
    fn sentence(self, segment: &str, customers: u64, all: u64, above: &[Mark], below: Option<&Mark>, alpha: f64) -> String {
        let level = level(alpha);
        if above.is_empty() && below.is_none() {
            return match self {
                Self::En => format!("{segment}: nothing sets it apart at the {level} % level ({customers} customers)."),
                Self::Zh => format!("{segment}：在 {level}% 水平上无显著特征（{customers} 人）。"),
            };
        }
        let share = self.percent(customers as f64 / all as f64);
        let mut parts: Vec<String> = above.iter().map(|mark| self.mark(mark)).collect();
        parts.extend(below.map(|mark| self.rare(mark)));
        match self {
            Self::En => format!("{segment} ({customers} customers, {share} of all): {}.", parts.join("; ")),
            Self::Zh => format!("{segment}（{customers} 人，占 {share}）：{}。", parts.join("；")),
        }
    }

    /// What customers of the segment are more often than others.
    fn mark(self, mark: &Mark) -> String {
        let (what, share, all) = (self.what(mark), self.percent(mark.share), self.percent(mark.share_all));
        let (index, known) = (mark.index.round_ties_even(), self.known(mark));
        match self {
            Self::En => format!("{what} ({share} against {all}, index {index}){known}"),
            Self::Zh => format!("{what}的占 {share}（全体 {all}，指数 {index}）{known}"),
        }
    }

    /// What they are less often.
    fn rare(self, mark: &Mark) -> String {
        let (what, share, all) = (self.what(mark), self.percent(mark.share), self.percent(mark.share_all));
        let (index, known) = (mark.index.round_ties_even(), self.known(mark));
        match self {
            Self::En => format!("rarely {what} ({share} against {all}, index {index}){known}"),
            Self::Zh => format!("较少{what}（占 {share}，全体 {all}，指数 {index}）{known}"),
        }
    }

    fn what(self, Mark { attribute, value, .. }: &Mark) -> String {
        match (self, value) {
            (Self::En, Some(value)) => format!("{value} in {attribute}"),
            (Self::En, None) => format!("no value in {attribute}"),
            (Self::Zh, Some(value)) => format!("{attribute}为“{value}”"),
            (Self::Zh, None) => format!("{attribute}为空"),
        }
    }

    /// A word of warning where the value is known for fewer than half.
    fn known(self, mark: &Mark) -> String {
        if mark.known >= 0.5 {
            return String::new();
        }
        let share = self.percent(mark.known);
        match self {
            Self::En => format!(" (known for {share})"),
            Self::Zh => format!("（已知 {share}）"),
        }
    }

    /// A share in whole percent, half to even.
    fn percent(self, share: f64) -> String {
        let percent = 100.0 * share;
        let number = if percent < 1.0 { "<1".to_owned() } else { percent.round_ties_even().to_string() };
        match self {
            Self::En => format!("{number} %"),
            Self::Zh => format!("{number}%"),
        }
    }
}

/// A level in percent: 5, 1, 0.1.
fn level(alpha: f64) -> String {
    let text = format!("{:.6}", 100.0 * alpha);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The text without characters that steer a terminal or the direction of text.
fn printable(text: &str) -> String {
    let is_steering = |c: char| c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().flat_map(|c| if is_steering(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(value: &str, share: f64, share_all: f64, known: f64) -> Mark {
        let value = (!value.is_empty()).then(|| printable(value));
        Mark { attribute: "country".to_owned(), value, share, share_all, index: 100.0 * share / share_all, known }
    }

    #[test]
    fn both_languages() {
        let (above, below) = ([mark("Germany", 0.125, 0.05, 1.0), mark("", 0.3, 0.2, 0.25)], mark("a\nb", 0.004, 0.635, 1.0));
        let sentence = |language: SentenceLanguage| language.sentence("A", 1133, 4338, &above, Some(&below), 0.05);
        assert_eq!(
            sentence(SentenceLanguage::En),
            "A (1133 customers, 26 % of all): Germany in country (12 % against 5 %, index 250); no value in country (30 % against 20 %, \
             index 150) (known for 25 %); rarely a\\nb in country (<1 % against 64 %, index 1)."
        );
        assert_eq!(
            sentence(SentenceLanguage::Zh),
            "A（1133 人，占 26%）：country为“Germany”的占 12%（全体 5%，指数 250）；country为空的占 30%（全体 20%，指数 150）（已知 25%）；\
             较少country为“a\\nb”（占 <1%，全体 64%，指数 1）。"
        );
    }

    #[test]
    fn nothing_sets_it_apart() {
        let sentence = |language: SentenceLanguage, alpha| language.sentence("B", 7, 70, &[], None, alpha);
        assert_eq!(sentence(SentenceLanguage::En, 0.05), "B: nothing sets it apart at the 5 % level (7 customers).");
        assert_eq!(sentence(SentenceLanguage::Zh, 0.001), "B：在 0.1% 水平上无显著特征（7 人）。");
    }
}

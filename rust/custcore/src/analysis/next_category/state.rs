//! Serialization of models of the next category: counts of categories and pairs as integers.

use std::collections::BTreeMap;

use arrow_schema::{Field, Metadata};
use serde::{Deserialize, Serialize};

use super::counts::PairCounts;
use super::model::NextCategory;
use super::spec::{NextMethod, NextSpec};
use crate::analysis::model::StoredModel;
use crate::column::key::KeyKind;
use crate::column::value::ValueType;
use crate::error::{Error, ErrorKind, Result};
use crate::group::interner::{Interner, Keys};

/// Serialized form of a model. Weights are derived from the counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextCategoryState {
    method: String,
    min_customers: u64,
    as_of: Option<i32>,
    customers: u64,
    value_type: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    extension: BTreeMap<String, String>,
    categories: Vec<StoredValue>,
    counts: Vec<u32>,
    /// Of each category: the later ones that some customer has with it, each followed by the number of these customers.
    pairs: Vec<Vec<u32>>,
}

/// A category as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredValue {
    Integer(i64),
    Text(String),
    Binary(Vec<u8>),
}

/// More pairs than this do not fit the file of a model.
const MOST_PAIRS: usize = 5_000_000;

impl NextCategory {
    /// An error if the model is too large for a file.
    pub fn check_stored(&self) -> Result<()> {
        if self.pairs() <= MOST_PAIRS {
            return Ok(());
        }
        let message = format!(
            "the model has {} pairs of categories, and a file holds {MOST_PAIRS}. Fit it with a larger min_customers, or on coarser \
             categories",
            self.pairs()
        );
        Err(Error::new(ErrorKind::OutOfRange, message))
    }
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::ModelFormat, format!("the stored model has invalid {what}"))
}

impl StoredModel for NextCategory {
    const KIND: &'static str = "next_category";
    type Body = NextCategoryState;

    fn body(&self) -> NextCategoryState {
        let value = |code: usize| match self.keys() {
            Keys::Range { base, .. } => StoredValue::Integer(base + code as i64),
            Keys::Integers(ids) => StoredValue::Integer(ids[code]),
            Keys::Bytes(arena) => {
                let bytes = arena.get(code as u32).to_vec();
                String::from_utf8(bytes).map_or_else(|error| StoredValue::Binary(error.into_bytes()), StoredValue::Text)
            }
        };
        let pairs = |category: u32| {
            let (partners, both) = self.pairs.of(category);
            partners.iter().zip(both).filter(|(other, _)| **other > category).flat_map(|(&other, &both)| [other, both]).collect()
        };
        let extension = self.value_type.field("value").metadata().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        NextCategoryState {
            method: self.spec.method.word().to_owned(),
            min_customers: self.spec.min_customers,
            as_of: self.as_of,
            customers: self.customers,
            value_type: self.value_type.data_type.to_string(),
            extension,
            categories: (0..self.counts.len()).map(value).collect(),
            counts: self.counts.clone(),
            pairs: (0..self.counts.len() as u32).map(pairs).collect(),
        }
    }

    fn restore(body: NextCategoryState) -> Result<Self> {
        let method = NextMethod::ALL.into_iter().find(|method| method.word() == body.method).ok_or_else(|| invalid("methods"))?;
        let spec = NextSpec { method, min_customers: body.min_customers }.checked()?;
        let data_type = body.value_type.parse().map_err(|_| invalid("types"))?;
        let field = Field::new("value", data_type, true).with_metadata(Metadata::from_iter(body.extension));
        let value_type = ValueType::of(&field, "categories").map_err(|_| invalid("types"))?;
        let mut values = Interner::new(value_type.kind.stored());
        let is_integer = matches!(value_type.kind.stored(), KeyKind::Signed | KeyKind::Unsigned);
        for (at, value) in (0_u32..).zip(&body.categories) {
            let code = match (value, is_integer) {
                (StoredValue::Integer(value), true) => values.intern_integer(*value)?,
                (StoredValue::Text(value), false) => values.intern_bytes(value.as_bytes())?,
                (StoredValue::Binary(value), false) => values.intern_bytes(value)?,
                _ => return Err(invalid("categories")),
            };
            if code != at || (at > 0 && values.keys().compare(at - 1, at).is_ge()) {
                return Err(invalid("categories"));
            }
        }
        let n = body.categories.len();
        let fits = |&count: &u32| u64::from(count) >= spec.min_customers && u64::from(count) <= body.customers;
        if body.counts.len() != n || body.pairs.len() != n || !body.counts.iter().all(fits) {
            return Err(invalid("counts"));
        }
        let pairs = both_ways(&body.pairs, &body.counts).ok_or_else(|| invalid("pairs"))?;
        Ok(Self { spec, as_of: body.as_of, customers: body.customers, value_type, values, counts: body.counts, pairs })
    }
}

/// The pairs of each category with all others; `None` if they are out of order or larger than the counts.
fn both_ways(stored: &[Vec<u32>], counts: &[u32]) -> Option<PairCounts> {
    let mut rows: Vec<Vec<(u32, u32)>> = vec![Vec::new(); stored.len()];
    for (category, row) in (0_u32..).zip(stored) {
        let mut before = category;
        let pairs = row.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return None;
        }
        for pair in pairs {
            let (other, both) = (pair[0], pair[1]);
            let least = counts.get(other as usize)?.min(&counts[category as usize]);
            if other <= before || both == 0 || both > *least {
                return None;
            }
            before = other;
            rows[category as usize].push((other, both));
            rows[other as usize].push((category, both));
        }
    }
    let mut found = PairCounts { starts: vec![0], ..PairCounts::default() };
    for mut row in rows {
        row.sort_unstable();
        found.partners.extend(row.iter().map(|(other, _)| *other));
        found.both.extend(row.iter().map(|(_, both)| *both));
        found.starts.push(found.partners.len());
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_checked() {
        let counts = [3, 4, 5];
        assert!(both_ways(&[vec![1, 2, 2, 3], vec![2, 4], vec![]], &counts).is_some_and(|pairs| pairs.of(1) == (&[0, 2][..], &[2, 4][..])));
        for wrong in [
            [vec![1], vec![], vec![]],
            [vec![1, 0], vec![], vec![]],
            [vec![1, 4], vec![], vec![]],
            [vec![2, 1, 1, 1], vec![], vec![]],
            [vec![], vec![1, 1], vec![]],
            [vec![3, 1], vec![], vec![]],
        ] {
            assert!(both_ways(&wrong, &counts).is_none(), "{wrong:?}");
        }
    }
}

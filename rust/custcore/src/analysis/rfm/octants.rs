//! RFM octants, the eight segments common in China: recency, frequency and monetary value above or below their centres.
//!
//! Octants use values, not scores. R is high if the last purchase is more recent than the centre, F and M if the value is
//! strictly above the centre.

use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};

use crate::column::find_column;
use crate::column::number::{Number, NumberColumn};
use crate::error::{Error, ErrorKind, Result};
use crate::exec::par::Threads;
use crate::num::exact::{mean_below, middle};

/// Statistic that separates high from low.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OctantCenter {
    /// The mean of all customers.
    #[default]
    Mean,
    /// The median of all customers.
    Median,
}

/// Language of the segment names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OctantLanguage {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

/// The eight octants and their centres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Octants {
    center: OctantCenter,
    lang: OctantLanguage,
    centers: [f64; 3],
}

/// Names by octant: bits 1, 2 and 4 are R high, F high and M high.
const NAMES: [[&str; 8]; 2] = [
    [
        "general win back customers",
        "general develop customers",
        "general keep customers",
        "general value customers",
        "important win back customers",
        "important develop customers",
        "important keep customers",
        "important value customers",
    ],
    ["一般挽留客户", "一般发展客户", "一般保持客户", "一般价值客户", "重要挽留客户", "重要发展客户", "重要保持客户", "重要价值客户"],
];

impl Octants {
    /// Octants without centres.
    pub fn new(center: OctantCenter, lang: OctantLanguage) -> Self {
        Self { center, lang, centers: [f64::NAN; 3] }
    }

    /// Computes the centres from the recency, frequency and monetary columns of a table.
    pub fn fit(mut self, batch: &RecordBatch, columns: [&str; 3]) -> Result<Self> {
        for (i, (center, values)) in self.centers.iter_mut().zip(read(batch, columns)?).enumerate() {
            // The centre is rounded away from the high side, so that it separates the values exactly like the unrounded centre.
            let sign = if i == 0 { -1.0 } else { 1.0 };
            let values: Vec<f64> = values.valid_f64().into_iter().map(|value| sign * value).collect();
            let found = match self.center {
                OctantCenter::Mean => mean_below(&values),
                OctantCenter::Median => middle(values).and_then(|middle| mean_below(&middle)),
            };
            let found =
                found.ok_or_else(|| Error::new(ErrorKind::NotEnoughData, "octants need at least one customer to compute their centres"))?;
            *center = sign * found;
        }
        Ok(self)
    }

    /// Sets stored centres; `None` if one is not finite.
    pub fn with_centers(self, centers: [f64; 3]) -> Option<Self> {
        centers.iter().all(|center| center.is_finite()).then_some(Self { centers, ..self })
    }

    /// The names by octant.
    pub fn names(&self) -> &'static [&'static str; 8] {
        match self.lang {
            OctantLanguage::En => &NAMES[0],
            OctantLanguage::Zh => &NAMES[1],
        }
    }

    /// The centres of recency, frequency and monetary value.
    pub fn centers(&self) -> [f64; 3] {
        self.centers
    }

    /// The octant of one customer as a position in the names.
    #[inline]
    pub fn segment(&self, values: [f64; 3]) -> u8 {
        (0..3).map(|i| u8::from(self.is_high(i, values[i])) << i).sum()
    }

    /// Whether a value of the dimension at `position` is high.
    #[inline]
    pub fn is_high(&self, position: usize, value: f64) -> bool {
        let center = self.centers[position];
        if position == 0 { value < center } else { value > center }
    }

    /// The octants of the rows of a table; `None` if a value is null.
    pub fn segment_rows(&self, batch: &RecordBatch, columns: [&str; 3], threads: Threads<'_>) -> Result<Vec<Option<u16>>> {
        let [r, f, m] = read(batch, columns)?;
        let value = |column: &NumberColumn, row: usize| column.get(row).map(Number::to_f64);
        let segment = |row: usize| Some(u16::from(self.segment([value(&r, row)?, value(&f, row)?, value(&m, row)?])));
        Ok(threads.par_map(batch.num_rows(), segment))
    }
}

fn read(batch: &RecordBatch, columns: [&str; 3]) -> Result<[NumberColumn; 3]> {
    let schema = batch.schema();
    let read = |name: &str| NumberColumn::new(name, "scored column", batch.column(find_column(&schema, name, "scored column")?));
    Ok([read(columns[0])?, read(columns[1])?, read(columns[2])?])
}

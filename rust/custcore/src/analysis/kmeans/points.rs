//! The rows to cluster: zero-copy columns in one or more parts, read in blocks.

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::{ArrowNativeType, ScalarBuffer};

use super::simd::Lanes;
use crate::column::BLOCK;
use crate::column::feature::Feature;
use crate::column::find_column;
use crate::error::{Error, ErrorKind, Result};

/// A float type of features.
pub trait Float: ArrowNativeType + Default {
    /// The same value as float64.
    fn wide(self) -> f64;
    /// `(self - middle) * scale` as float32; `middle` is exact in this type.
    fn narrow(self, middle: f64, scale: f64) -> f32;
    /// The value times zero: zero if finite, else NaN.
    #[must_use]
    fn nothing(self) -> Self;
    /// The sum.
    #[must_use]
    fn plus(self, other: Self) -> Self;
    /// Copies `V::N` values of stride `S` to `out`; the slice has at least `V::N * S` elements.
    fn apart<V: Lanes, const S: usize>(values: &[Self], out: &mut [Self]);
}

impl Float for f32 {
    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn narrow(self, middle: f64, scale: f64) -> f32 {
        (self - middle as f32) * scale as f32
    }

    #[inline(always)]
    fn nothing(self) -> Self {
        self * 0.0
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self + other
    }

    #[inline(always)]
    fn apart<V: Lanes, const S: usize>(values: &[Self], out: &mut [Self]) {
        V::apart::<S>(values).store(out);
    }
}

impl Float for f64 {
    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    #[inline(always)]
    fn narrow(self, middle: f64, scale: f64) -> f32 {
        ((self - middle) * scale) as f32
    }

    #[inline(always)]
    fn nothing(self) -> Self {
        self * 0.0
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self + other
    }

    #[inline(always)]
    fn apart<V: Lanes, const S: usize>(values: &[Self], out: &mut [Self]) {
        V::apart_wide::<S>(values, out);
    }
}

/// A strided column: one feature of a part.
#[derive(Debug, Clone)]
pub struct Lane<T: Float> {
    values: ScalarBuffer<T>,
    stride: usize,
}

impl<T: Float> Lane<T> {
    /// The value of a row.
    #[inline]
    pub fn get(&self, row: usize) -> T {
        self.values[row * self.stride]
    }

    /// The values from row `start` on, and their stride.
    #[inline]
    pub fn from(&self, start: usize) -> (&[T], usize) {
        (&self.values[start * self.stride..], self.stride)
    }
}

/// Rows whose features are stored in the same arrays.
#[derive(Debug, Clone)]
pub(crate) struct FeaturePart<T: Float> {
    /// The features.
    pub lanes: Vec<Lane<T>>,
    /// Number of rows.
    pub rows: usize,
}

/// Rows of one float type.
#[derive(Debug, Clone)]
pub struct Points<T: Float> {
    parts: Vec<FeaturePart<T>>,
    /// The first row of each part.
    starts: Vec<usize>,
    rows: usize,
    n_features: usize,
}

/// A block of at most [`BLOCK`] rows of one part.
#[derive(Debug, Clone, Copy)]
pub struct PointBlock {
    /// The part.
    pub part: u32,
    /// The first row within the part.
    pub start: usize,
    /// Number of rows.
    pub len: usize,
}

impl<T: Float> Points<T> {
    fn new(parts: Vec<FeaturePart<T>>, n_features: usize) -> Self {
        let mut rows = 0;
        let mut starts = Vec::with_capacity(parts.len());
        for part in &parts {
            starts.push(rows);
            rows += part.rows;
        }
        Self { parts, starts, rows, n_features }
    }

    /// Points from contiguous columns.
    pub fn of_columns(columns: Vec<Vec<T>>, rows: usize) -> Self {
        let n_features = columns.len();
        let lanes = columns.into_iter().map(|values| Lane { values: values.into(), stride: 1 }).collect();
        Self::new(vec![FeaturePart { lanes, rows }], n_features)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of features.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// All rows as blocks, in order.
    pub fn blocks(&self) -> Vec<PointBlock> {
        let of_part = |(part, rows): (usize, usize)| {
            let block = move |start| PointBlock { part: part as u32, start, len: BLOCK.min(rows - start) };
            (0..rows).step_by(BLOCK).map(block)
        };
        self.parts.iter().map(|part| part.rows).enumerate().flat_map(of_part).collect()
    }

    /// The features of a block.
    #[inline]
    pub fn lanes(&self, block: &PointBlock) -> &[Lane<T>] {
        &self.parts[block.part as usize].lanes
    }

    /// The index of the first row of a block over all parts.
    #[inline]
    pub fn first_row(&self, block: &PointBlock) -> usize {
        self.starts[block.part as usize] + block.start
    }

    /// The features of a row as float64.
    pub fn read(&self, row: usize, out: &mut [f64]) {
        let part = self.starts.partition_point(|&start| start <= row) - 1;
        // Empty parts share their start with the next part; `partition_point` finds the last, which holds the row.
        for (out, lane) in out.iter_mut().zip(&self.parts[part].lanes) {
            *out = lane.get(row - self.starts[part]).wide() + 0.0;
        }
    }
}

/// The memory layout of a two-dimensional array, in elements.
#[derive(Debug, Clone, Copy)]
pub struct MatrixLayout {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// Stride between rows.
    pub row_stride: usize,
    /// Stride between columns.
    pub column_stride: usize,
}

/// The rows to cluster, of either float type, with the feature names if any.
#[derive(Debug, Clone)]
pub struct Features {
    /// The feature names.
    pub names: Option<Vec<String>>,
    /// The rows.
    pub values: FeatureValues,
}

/// Rows of either float type.
#[derive(Debug, Clone)]
pub enum FeatureValues {
    /// float32.
    F32(Points<f32>),
    /// float64.
    F64(Points<f64>),
}

/// Evaluates an expression for points of either type.
macro_rules! each_float {
    ($values:expr, $points:ident => $body:expr) => {
        match $values {
            $crate::analysis::kmeans::points::FeatureValues::F32($points) => $body,
            $crate::analysis::kmeans::points::FeatureValues::F64($points) => $body,
        }
    };
}
pub(crate) use each_float;

impl Features {
    /// The columns of batches: those named by `columns`, or all.
    pub fn from_batches(batches: &[RecordBatch], columns: Option<&[String]>) -> Result<Self> {
        let Some(first) = batches.first() else { return Err(not_enough("there are no rows to cluster")) };
        let schema = first.schema();
        let names: Vec<String> = match columns {
            Some(columns) => columns.to_vec(),
            None => schema.fields().iter().map(|field| field.name().clone()).collect(),
        };
        if names.is_empty() {
            return Err(not_enough("there is no column to cluster by"));
        }
        let mut first_row = 0;
        let mut read = Vec::with_capacity(batches.len());
        for batch in batches {
            let feature = |name: &String| {
                let position = find_column(&schema, name, "a feature")?;
                Feature::new(name, batch.column(position), first_row)
            };
            let features = names.iter().map(feature).collect::<Result<Vec<_>>>()?;
            first_row += batch.num_rows() as u64;
            read.push((features, batch.num_rows()));
        }
        let all_narrow = read.iter().flat_map(|(features, _)| features).all(|feature| matches!(feature, Feature::F32(_)));
        let n = names.len();
        let values = if all_narrow {
            let narrow = |feature| match feature {
                Feature::F32(values) => Some(Lane { values, stride: 1 }),
                Feature::F64(_) => None,
            };
            let part = |(features, rows): (Vec<_>, usize)| FeaturePart { lanes: features.into_iter().filter_map(narrow).collect(), rows };
            FeatureValues::F32(Points::new(coalesced(read.into_iter().map(part).collect()), n))
        } else {
            let wide = |feature: Feature| Lane { values: feature.widened(), stride: 1 };
            let part = |(features, rows): (Vec<Feature>, usize)| FeaturePart { lanes: features.into_iter().map(wide).collect(), rows };
            FeatureValues::F64(Points::new(coalesced(read.into_iter().map(part).collect()), n))
        };
        Ok(Self { names: Some(names), values })
    }

    /// A two-dimensional array; `flat` is its memory from the first element on.
    pub fn from_matrix(flat: &ArrayRef, layout: MatrixLayout) -> Result<Self> {
        fn points<T: Float>(values: &ScalarBuffer<T>, layout: MatrixLayout) -> Points<T> {
            let lane = |column: usize| {
                let start = (column * layout.column_stride).min(values.len());
                Lane { values: values.slice(start, values.len() - start), stride: layout.row_stride }
            };
            Points::new(vec![FeaturePart { lanes: (0..layout.columns).map(lane).collect(), rows: layout.rows }], layout.columns)
        }
        if layout.columns == 0 {
            return Err(not_enough("there is no column to cluster by"));
        }
        let values = match Feature::new("x", flat, 0)? {
            Feature::F32(values) => FeatureValues::F32(points(&values, layout)),
            Feature::F64(values) => FeatureValues::F64(points(&values, layout)),
        };
        Ok(Self { names: None, values })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        each_float!(&self.values, points => points.rows())
    }

    /// Number of features.
    pub fn n_features(&self) -> usize {
        each_float!(&self.values, points => points.n_features())
    }

    /// The name of a feature in messages: its index if it has no name.
    pub fn name(&self, feature: usize) -> String {
        self.names.as_ref().map_or_else(|| feature.to_string(), |names| names[feature].clone())
    }
}

/// Concatenates the parts if they are small, to amortize the cost per block.
fn coalesced<T: Float>(parts: Vec<FeaturePart<T>>) -> Vec<FeaturePart<T>> {
    let rows: usize = parts.iter().map(|part| part.rows).sum();
    if parts.len() < 2 || rows / parts.len() >= 4 * BLOCK {
        return parts;
    }
    let n_features = parts[0].lanes.len();
    let lane = |feature: usize| {
        let values: Vec<T> = parts.iter().flat_map(|part| (0..part.rows).map(move |row| part.lanes[feature].get(row))).collect();
        Lane { values: values.into(), stride: 1 }
    };
    vec![FeaturePart { lanes: (0..n_features).map(lane).collect(), rows }]
}

pub(super) fn not_enough(message: &str) -> Error {
    Error::new(ErrorKind::NotEnoughData, message)
}

//! Python binding of segment maps.

use custcore::{OctantCenter, OctantLanguage, Octants, ScoreRange, SegmentMap, SegmentRule, Segments};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::into_py;
use crate::options::choice;
use crate::store;

type PyRule = (String, Option<ScoreRange>, Option<ScoreRange>, Option<ScoreRange>);

/// A segment map, by scores or by the octants of values.
#[pyclass(frozen, module = "custcore._core", name = "SegmentMap")]
pub struct CoreSegmentMap {
    segments: Segments,
}

#[derive(Clone, Copy)]
enum Named {
    Rf10,
    RVignette,
    Octants,
}

impl CoreSegmentMap {
    /// Wraps a segment setting.
    pub fn of(segments: Segments) -> Self {
        Self { segments }
    }

    /// The segment setting for a scorer.
    pub fn segments(&self) -> Segments {
        self.segments.clone()
    }

    fn map(&self) -> Option<&SegmentMap> {
        match &self.segments {
            Segments::Map(map) => Some(map),
            _ => None,
        }
    }
}

#[pymethods]
impl CoreSegmentMap {
    #[new]
    fn new(py: Python<'_>, rules: Vec<PyRule>, bins: [u8; 3], rest: Option<String>) -> PyResult<Self> {
        let rules = rules.into_iter().map(|(name, r, f, m)| SegmentRule { name, ranges: [r, f, m] }).collect();
        let map = SegmentMap::new(rules, bins, rest).map_err(|error| into_py(py, &error))?;
        Ok(Self { segments: Segments::Map(map) })
    }

    #[staticmethod]
    fn named(py: Python<'_>, name: &str, lang: &str, center: &str) -> PyResult<Self> {
        let lang = choice(py, "lang", lang, &[("en", OctantLanguage::En), ("zh", OctantLanguage::Zh)])?;
        let center = choice(py, "center", center, &[("mean", OctantCenter::Mean), ("median", OctantCenter::Median)])?;
        let names = [("rf10", Named::Rf10), ("octants", Named::Octants), ("r_vignette", Named::RVignette)];
        let segments = match choice(py, "segments", name, &names)? {
            Named::Rf10 => SegmentMap::rf10().map(Segments::Map),
            Named::RVignette => SegmentMap::r_vignette().map(Segments::Map),
            Named::Octants => Ok(Segments::Octants(center, lang)),
        };
        Ok(Self { segments: segments.map_err(|error| into_py(py, &error))? })
    }

    /// Whether it uses values instead of scores.
    #[getter]
    fn by_value(&self) -> bool {
        self.map().is_none()
    }

    #[getter]
    fn bins(&self) -> Option<(u8, u8, u8)> {
        self.map().map(|map| map.bins().into())
    }

    #[getter]
    fn names(&self) -> Vec<String> {
        match &self.segments {
            Segments::Map(map) => map.names().to_vec(),
            Segments::Octants(center, lang) => Octants::new(*center, *lang).names().iter().map(|&name| name.to_owned()).collect(),
            Segments::Auto | Segments::Off => Vec::new(),
        }
    }

    #[getter]
    fn rest(&self) -> Option<&str> {
        self.map().and_then(SegmentMap::rest)
    }

    #[getter]
    fn rules(&self) -> Vec<PyRule> {
        let rule = |rule: &SegmentRule| (rule.name.clone(), rule.ranges[0], rule.ranges[1], rule.ranges[2]);
        self.map().map_or_else(Vec::new, |map| map.rules().iter().map(rule).collect())
    }

    fn uncovered(&self) -> Vec<(u8, u8, u8)> {
        self.map().map_or_else(Vec::new, |map| map.uncovered().iter().map(|&cell| cell.into()).collect())
    }

    fn overlaps(&self) -> Vec<((u8, u8, u8), Vec<&str>)> {
        self.map().map_or_else(Vec::new, |map| map.overlaps().into_iter().map(|(cell, names)| (cell.into(), names)).collect())
    }

    fn segment(&self, r: u8, f: u8, m: u8) -> Option<&str> {
        let map = self.map()?;
        map.segment(r, f, m).map(|i| map.names()[usize::from(i)].as_str())
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        store::to_bytes(py, &self.segments)
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        Ok(Self { segments: store::from_bytes(py, data)? })
    }
}

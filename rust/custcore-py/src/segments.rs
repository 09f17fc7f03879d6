//! Segment maps as Python sees them.

use custcore::rfm::octants::{Center, Lang, Octants};
use custcore::rfm::scorer::Segments;
use custcore::rfm::segments::{Range, Rule, SegmentMap};
use pyo3::prelude::*;

use crate::error::into_py;
use crate::options::choice;

type PyRule = (String, Option<Range>, Option<Range>, Option<Range>);

/// A segment map: of scores, or the octants of values.
#[pyclass(frozen, module = "custcore._core", name = "SegmentMap")]
pub struct CoreSegmentMap {
    kind: Kind,
}

enum Kind {
    Map(SegmentMap),
    Octants(Center, Lang),
}

#[derive(Clone, Copy)]
enum Named {
    Rf10,
    RVignette,
    Octants,
}

impl CoreSegmentMap {
    /// The setting of a scorer.
    pub fn segments(&self) -> Segments {
        match &self.kind {
            Kind::Map(map) => Segments::Map(map.clone()),
            Kind::Octants(center, lang) => Segments::Octants(*center, *lang),
        }
    }

    fn map(&self) -> Option<&SegmentMap> {
        match &self.kind {
            Kind::Map(map) => Some(map),
            Kind::Octants(_, _) => None,
        }
    }
}

#[pymethods]
impl CoreSegmentMap {
    #[new]
    fn new(py: Python<'_>, rules: Vec<PyRule>, bins: [u8; 3], rest: Option<String>) -> PyResult<Self> {
        let rules = rules.into_iter().map(|(name, r, f, m)| Rule { name, ranges: [r, f, m] }).collect();
        let map = SegmentMap::new(rules, bins, rest).map_err(|error| into_py(py, &error))?;
        Ok(Self { kind: Kind::Map(map) })
    }

    #[staticmethod]
    fn named(py: Python<'_>, name: &str, lang: &str, center: &str) -> PyResult<Self> {
        let lang = choice(py, "lang", lang, &[("en", Lang::En), ("zh", Lang::Zh)])?;
        let center = choice(py, "center", center, &[("mean", Center::Mean), ("median", Center::Median)])?;
        let names = [("rf10", Named::Rf10), ("octants", Named::Octants), ("r_vignette", Named::RVignette)];
        let kind = match choice(py, "segments", name, &names)? {
            Named::Rf10 => SegmentMap::rf10().map(Kind::Map),
            Named::RVignette => SegmentMap::r_vignette().map(Kind::Map),
            Named::Octants => Ok(Kind::Octants(center, lang)),
        };
        Ok(Self { kind: kind.map_err(|error| into_py(py, &error))? })
    }

    /// Whether it looks at values instead of scores.
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
        match &self.kind {
            Kind::Map(map) => map.names().to_vec(),
            Kind::Octants(center, lang) => Octants::new(*center, *lang).names().iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[getter]
    fn rest(&self) -> Option<&str> {
        self.map().and_then(SegmentMap::rest)
    }

    #[getter]
    fn rules(&self) -> Vec<PyRule> {
        let rule = |rule: &Rule| (rule.name.clone(), rule.ranges[0], rule.ranges[1], rule.ranges[2]);
        self.map().map_or_else(Vec::new, |map| map.rules().iter().map(rule).collect())
    }

    fn uncovered(&self) -> Vec<(u8, u8, u8)> {
        self.map().map_or_else(Vec::new, |map| map.uncovered().iter().map(|&cell| cell.into()).collect())
    }

    fn overlaps(&self) -> Vec<((u8, u8, u8), Vec<String>)> {
        self.map().map_or_else(Vec::new, |map| map.overlaps().iter().map(|(cell, names)| ((*cell).into(), names.clone())).collect())
    }

    fn segment(&self, r: u8, f: u8, m: u8) -> Option<&str> {
        let map = self.map()?;
        map.segment(r, f, m).map(|i| map.names()[usize::from(i)].as_str())
    }
}

//! Serialization of fitted models: one line of JSON with format, version, kind and checksum. Untrusted files are safe to load.
//!
//! `{"format": "custcore model", "version": 2, "library_version": ..., "kind": ..., "sha256": ..., "body": ...}`. The
//! checksum covers the body as written, so any changed byte is detected before the body is parsed. Floats round-trip bit for
//! bit, and equal models give equal bytes. No part of a model is executed; a loaded body is validated like user arguments, and
//! an invalid one is an error.
//!
//! ```
//! use custcore::{SegmentMap, Segments, model};
//!
//! let path = std::env::temp_dir().join(format!("custcore-model-{}.json", std::process::id()));
//! model::save(&Segments::Map(SegmentMap::rf10()?), &path)?;
//! assert_eq!(model::load::<Segments>(&path)?, Segments::Map(SegmentMap::rf10()?));
//! # std::fs::remove_file(&path).ok();
//! # Ok::<(), custcore::Error>(())
//! ```

use std::io::Read;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::store::{atomic, regular};

/// Value of `format`.
const FORMAT: &str = "custcore model";
/// Format version written. Version 1, before the first release, supported k-means models only.
pub const VERSION: u64 = 2;
/// Maximum size of a model in bytes. A model has a few numbers per bin or cluster, so a larger file is not a model.
pub const LARGEST: usize = 64 << 20;

/// A type that can be stored as a model.
pub trait StoredModel: Sized {
    /// Value of `kind`.
    const KIND: &'static str;
    /// Serialized form of the body.
    type Body: Serialize + DeserializeOwned;
    /// The body of a model.
    fn body(&self) -> Self::Body;
    /// Restores a model from its body; an invalid body is an error.
    fn restore(body: Self::Body) -> Result<Self>;
}

#[derive(Serialize)]
struct EnvelopeOut<'a> {
    format: &'a str,
    version: u64,
    library_version: &'a str,
    kind: &'a str,
    sha256: &'a str,
    body: &'a RawValue,
}

/// All fields are optional and unknown ones are ignored, because the writer is not known yet.
#[derive(Deserialize)]
struct Envelope<'a> {
    format: Option<String>,
    version: Option<u64>,
    library_version: Option<String>,
    kind: Option<String>,
    sha256: Option<String>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

/// Serializes a model.
pub fn to_bytes<M: StoredModel>(model: &M) -> Result<Vec<u8>> {
    let body = serde_json::value::to_raw_value(&model.body()).map_err(Error::internal)?;
    let sha256 = digest(&body);
    let library_version = env!("CARGO_PKG_VERSION");
    let written = EnvelopeOut { format: FORMAT, version: VERSION, library_version, kind: M::KIND, sha256: &sha256, body: &body };
    let mut bytes = serde_json::to_vec(&written).map_err(Error::internal)?;
    bytes.push(b'\n');
    if bytes.len() > LARGEST {
        let message = format!("the model has {} bytes, more than the maximum of {LARGEST}. Score by fewer groups", bytes.len());
        return Err(Error::new(ErrorKind::OutOfRange, message));
    }
    Ok(bytes)
}

/// Restores a model from the bytes of [`to_bytes`].
pub fn from_bytes<M: StoredModel>(bytes: &[u8]) -> Result<M> {
    let wrong = |message: String| Error::new(ErrorKind::ModelFormat, message);
    if bytes.len() > LARGEST {
        return Err(wrong(format!("{} bytes are not a custcore model: the maximum is {LARGEST}", bytes.len())));
    }
    let found: Envelope<'_> = serde_json::from_slice(bytes)
        .map_err(|_| wrong("the bytes are not a custcore model, or are truncated: they are no whole JSON object".to_owned()))?;
    if found.format.as_deref() != Some(FORMAT) {
        return Err(wrong(format!("the bytes are not a custcore model: the format is not '{FORMAT}'")));
    }
    let version = found.version.ok_or_else(|| wrong("the model has no version".to_owned()))?;
    if version > VERSION {
        let by = found.library_version.as_ref().map_or_else(String::new, |by| format!(" ({})", by.escape_debug()));
        let message =
            format!("the model has version {version}, written by a newer custcore{by}; this one reads version {VERSION}. Update custcore");
        return Err(Error::new(ErrorKind::ModelVersion, message));
    }
    if version < VERSION {
        return Err(wrong(format!("the model has version {version}, from before the first release; fit it again")));
    }
    let kind = found.kind.unwrap_or_default();
    if kind != M::KIND {
        return Err(wrong(format!("the model is of the kind '{}'; expected '{}'", kind.escape_debug(), M::KIND)));
    }
    let body = found.body.filter(|body| found.library_version.is_some() && Some(digest(body)) == found.sha256);
    let body = body.ok_or_else(|| wrong("the model was changed after it was written: the checksum does not match".to_owned()))?;
    let invalid = |error: &dyn std::fmt::Display| wrong(format!("the model is invalid: {error}"));
    let body = serde_json::from_str(body.get()).map_err(|error| invalid(&error))?;
    M::restore(body).map_err(|error| invalid(&error))
}

/// Writes a model to a file atomically: an existing file is replaced only by a complete one.
pub fn save<M: StoredModel>(model: &M, path: &Path) -> Result<()> {
    write(path, &to_bytes(model)?)
}

/// Reads a model from a file.
pub fn load<M: StoredModel>(path: &Path) -> Result<M> {
    from_bytes(&read(path)?)
}

/// Writes the bytes of a model to a file, as [`save`] does.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    atomic::write(path, bytes).map_err(|error| Error::file("write", path, &error))
}

/// Reads the bytes of a file, up to just beyond the maximum size of a model.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let read = || {
        let mut bytes = Vec::new();
        regular::open(path)?.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error| Error::file("read", path, &error))
}

fn digest(body: &RawValue) -> String {
    format!("{:x}", Sha256::digest(body.get()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::kmeans::fitted::FittedKMeans;
    use crate::analysis::kmeans::fitted::{FitSettings, KMeansStart};
    use crate::analysis::kmeans::model::KMeansModel;
    use crate::analysis::kmeans::scaler::ScalerModel;

    fn clusterer(inertia: f64) -> FittedKMeans {
        let centers = vec![0.1, -0.0, 5e-324, 1.797_693_134_862_315_7e308];
        FittedKMeans {
            settings: FitSettings {
                n_clusters: 2,
                init: KMeansStart::PlusPlus,
                n_init: None,
                max_iter: 300,
                tol: 1e-4,
                random_state: Some(u64::MAX),
                columns: None,
            },
            model: KMeansModel { n_features: 2, init_centers: centers.clone(), centers, inertia, n_iter: 3, n_nonempty: 2 },
            feature_names: Some(vec!["a\"\u{1f600}".to_owned(), String::new()]),
            scaler: None,
            names: None,
        }
    }

    #[test]
    fn floats_round_trip_bit_for_bit() -> Result<()> {
        for inertia in [0.3, f64::INFINITY, f64::NAN, f64::NEG_INFINITY] {
            let model = clusterer(inertia);
            let back: FittedKMeans = from_bytes(&to_bytes(&model)?)?;
            let bits = |model: &FittedKMeans| model.model.centers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&back), bits(&model));
            assert_eq!(back.model.inertia.to_bits(), inertia.to_bits());
            assert_eq!(back.settings, model.settings);
            assert_eq!(to_bytes(&back)?, to_bytes(&model)?);
        }
        Ok(())
    }

    #[test]
    fn invalid_models_are_rejected() -> Result<()> {
        let bytes = to_bytes(&clusterer(1.0))?;
        let kind = |bytes: &[u8]| from_bytes::<FittedKMeans>(bytes).map(drop).map_err(|error| error.kind());
        assert_eq!(kind(&bytes), Ok(()));
        for length in 0..bytes.len() - 1 {
            assert_eq!(kind(&bytes[..length]), Err(ErrorKind::ModelFormat), "{length} bytes");
        }
        let other = from_bytes::<ScalerModel>(&bytes).map_err(|error| error.message().to_owned());
        assert_eq!(other, Err("the model is of the kind 'kmeans'; expected 'scaler'".to_owned()));
        let text = String::from_utf8(bytes).map_err(Error::internal)?;
        assert_eq!(kind(text.replace("\"version\":2", "\"version\":3").as_bytes()), Err(ErrorKind::ModelVersion));
        assert_eq!(kind(text.replace("\"n_iter\":3", "\"n_iter\":4").as_bytes()), Err(ErrorKind::ModelFormat));
        assert_eq!(load::<FittedKMeans>(Path::new("/nowhere/at/all")).map(drop).map_err(|error| error.kind()), Err(ErrorKind::File));
        Ok(())
    }
}

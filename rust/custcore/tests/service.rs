//! The example `service` with a model that custcore for Python wrote.

#![allow(missing_docs, clippy::unwrap_used)]

use std::path::Path;

#[allow(dead_code, reason = "main is for the example alone")]
#[path = "../examples/service.rs"]
mod service;

const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/models");

#[test]
fn each_line_has_its_answer() {
    let lines = "0,5,500\n 300 , 1 , 0.5\n0,99,1e300\n3,2\nx,2,3\n\n-1,5,500\n3,0,500\n";
    let mut answers = Vec::new();
    service::serve(&Path::new(MODELS).join("rfm.json"), lines.as_bytes(), &mut answers).unwrap();
    let answers = String::from_utf8(answers).unwrap();
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers[0], "5-5-5,champions");
    assert_eq!(answers[1], "1-1-2,hibernating");
    assert_eq!(answers[2], "5-5-5,champions");
    assert_eq!(answers[3], "error: monetary is missing");
    assert!(answers[4].starts_with("error: "));
    assert_eq!(answers[5], "error: cannot parse integer from empty string");
    assert!(answers[6].starts_with("error: recency_days is -1; expected 0 or more"));
    assert!(answers[7].starts_with("error: frequency is 0; expected 1 or more"));
    assert_eq!(answers.len(), 8);
}

#[test]
fn another_kind_is_told() {
    let error = service::serve(&Path::new(MODELS).join("kmeans.json"), &b""[..], Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "the model is of the kind 'kmeans'; expected 'rfm_scorer'");
}

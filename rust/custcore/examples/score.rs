//! The program that README.md prints. `tests/readme.rs` compares and runs it.
#![allow(clippy::print_stdout)]

use std::path::Path;

use custcore::{Number, RfmScorer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scorer: RfmScorer = custcore::model::load(Path::new("scorer.json"))?;
    let score = scorer.score_one(&[Number::Integer(3), Number::Integer(1), Number::Float(99.90)], None, None)?;
    println!("{}-{}-{:?} {:?}", score.r, score.f, score.m, score.segment);
    Ok(())
}

#[cfg(test)]
pub(crate) fn run() -> Result<(), Box<dyn std::error::Error>> {
    main()
}

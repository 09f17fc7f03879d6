//! The Rust program of README.md compiles as it is printed, and runs.

#![allow(missing_docs, clippy::unwrap_used)]

use std::path::Path;
use std::{env, fs};

#[path = "../examples/score.rs"]
mod score;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[test]
fn the_program_is_the_example() {
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let printed: Vec<&str> = readme.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let example = include_str!("../examples/score.rs");
    let (_, program) = example.split_once("\n\n").unwrap();
    let (program, _) = program.split_once("\n#[cfg(test)]").unwrap();
    assert_eq!(printed, [program]);
}

/// The only test that depends on the current folder, or changes it.
#[test]
fn the_program_runs_with_a_model_that_python_saved() {
    let folder = env::temp_dir().join(format!("custcore-readme-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    fs::copy(Path::new(ROOT).join("tests/golden/models/rfm.json"), folder.join("scorer.json")).unwrap();
    env::set_current_dir(&folder).unwrap();
    let done = score::run().map_err(|error| error.to_string());
    env::set_current_dir(ROOT).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(done, Ok(()));
}

//! A Rust program that scores customers by a model that was fitted and saved elsewhere, e.g. in Python.
//!
//! `cargo run --release -p custcore --example service -- model.json < customers.csv`
//!
//! One line for each customer on the standard input, `recency_days,frequency,monetary` (or without money where the model has
//! none); one line for each on the standard output: the scores and the segment, or what is wrong with the line. Nothing is
//! allocated for a customer but the line.

use std::error::Error;
use std::fmt;
use std::io::{self, BufRead, BufWriter, Write};
use std::path::Path;

use custcore::{Number, RfmScorer, Score, model};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: service MODEL.json < CUSTOMERS.csv")?;
    serve(Path::new(&path), io::stdin().lock(), BufWriter::new(io::stdout().lock()))
}

/// Answers each line.
pub fn serve(model: &Path, lines: impl BufRead, mut answers: impl Write) -> Result<(), Box<dyn Error>> {
    let scorer: RfmScorer = model::load(model)?;
    for line in lines.lines() {
        match score(&scorer, &line?) {
            Ok(score) => writeln!(answers, "{}", Shown(score))?,
            Err(error) => writeln!(answers, "error: {error}")?,
        }
    }
    Ok(answers.flush()?)
}

/// The scores of the customer that a line describes.
fn score<'a>(scorer: &'a RfmScorer, line: &str) -> Result<Score<'a>, Box<dyn Error>> {
    let mut fields = line.split(',').map(str::trim);
    let mut next = |name: &str| fields.next().ok_or_else(|| format!("{name} is missing"));
    let recency = Number::Integer(next("recency_days")?.parse()?);
    let frequency = Number::Integer(next("frequency")?.parse()?);
    let monetary = if scorer.has_money() { Number::Float(next("monetary")?.parse()?) } else { Number::Integer(0) };
    Ok(scorer.score_one(&[recency, frequency, monetary], None, None)?)
}

/// A score as a line: `5-3-4,champions`.
struct Shown<'a>(Score<'a>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Score { r, f: frequency, m, segment } = self.0;
        write!(f, "{r}-{frequency}")?;
        if let Some(m) = m {
            write!(f, "-{m}")?;
        }
        write!(f, ",{}", segment.unwrap_or_default())
    }
}

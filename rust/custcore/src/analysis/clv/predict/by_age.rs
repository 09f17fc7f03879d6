//! Unconditional expectations for the tracking curve.

use super::Predictor;
use crate::error::Result;
use crate::exec::context::Context;

/// Expected repeat purchase days within the first `ages` days of a customer, one number for each age.
pub(crate) fn expected_by_age(predictor: &dyn Predictor, ages: &[f64], context: &Context) -> Result<Vec<f64>> {
    /// Ages between two looks at whether the call was cancelled.
    const BLOCK: usize = 1 << 17;
    let mut out = Vec::with_capacity(ages.len());
    for block in ages.chunks(BLOCK) {
        context.check()?;
        out.extend(context.run_if_large(block.len(), |threads| threads.par_map(block.len(), |i| predictor.expected(block[i])))?);
    }
    Ok(out)
}

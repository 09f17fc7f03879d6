//! Runs a kernel repeatedly, for callgrind: `kernels NAME ROWS TIMES`; `kernels` lists them.
#![allow(clippy::print_stdout)]

use custcore::{Error, Result};
use custcore_benches::{KERNELS, kernel};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, rows, times] = arguments.as_slice() else {
        println!("{}", KERNELS.join("\n"));
        return Ok(());
    };
    let run = kernel(name, rows.parse().map_err(Error::internal)?)?;
    for _ in 0..times.parse::<usize>().map_err(Error::internal)? {
        run()?;
    }
    Ok(())
}

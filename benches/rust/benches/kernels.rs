//! Times the kernels: `make bench-rust`, or, in benches/rust, `cargo bench --features criterion --bench kernels -- group`.
#![allow(missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use custcore_benches::{KERNELS, kernel};

const ROWS: usize = 1_000_000;

fn kernels(criterion: &mut Criterion) {
    for name in KERNELS {
        let Ok(run) = kernel(name, ROWS) else { continue };
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
        group.bench_function("1M", |bencher| bencher.iter(&run));
        group.finish();
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);

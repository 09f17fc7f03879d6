//! Labels of rows.

/// The number of a cluster, as narrow as their number allows.
pub trait Label: Copy + Send + Sync + PartialEq + Default + 'static {
    /// The label of a cluster.
    fn new(cluster: usize) -> Self;
    /// The label of a cluster whose number is a float.
    fn of(cluster: f32) -> Self;
    /// The cluster.
    fn index(self) -> usize;
    /// Labels that are bytes.
    fn bytes(labels: &[Self]) -> Option<&[u8]>;
}

impl Label for u8 {
    #[inline(always)]
    fn new(cluster: usize) -> Self {
        cluster as Self
    }

    #[inline(always)]
    fn of(cluster: f32) -> Self {
        cluster as i32 as Self
    }

    #[inline(always)]
    fn index(self) -> usize {
        self.into()
    }

    #[inline(always)]
    fn bytes(labels: &[Self]) -> Option<&[u8]> {
        Some(labels)
    }
}

impl Label for u32 {
    #[inline(always)]
    fn new(cluster: usize) -> Self {
        cluster as Self
    }

    #[inline(always)]
    fn of(cluster: f32) -> Self {
        cluster as i32 as Self
    }

    #[inline(always)]
    fn index(self) -> usize {
        self as usize
    }

    #[inline(always)]
    fn bytes(_: &[Self]) -> Option<&[u8]> {
        None
    }
}

//! Cluster labels of rows.

/// A cluster index, in the narrowest type that holds all clusters.
pub(crate) trait Label: Copy + Send + Sync + PartialEq + Default + 'static {
    /// The label of a cluster index stored as a float.
    fn of(cluster: f32) -> Self;
    /// The cluster index.
    fn index(self) -> usize;
    /// The labels as bytes, if the type is `u8`.
    fn bytes(labels: &[Self]) -> Option<&[u8]>;
}

impl Label for u8 {
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

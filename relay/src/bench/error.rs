//! The bench's one error: what was being done, and why it did not work.

use std::fmt::Display;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
#[error("{during}: {why}")]
pub(crate) struct BenchError {
    during: &'static str,
    why: String,
}

impl BenchError {
    pub(super) fn new(during: &'static str, why: impl Display) -> Self {
        Self { during, why: why.to_string() }
    }
}

/// Says what was being done.
pub(super) trait During<T> {
    fn during(self, what: &'static str) -> Result<T, BenchError>;
}

impl<T, E: Display> During<T> for Result<T, E> {
    fn during(self, what: &'static str) -> Result<T, BenchError> {
        self.map_err(|error| BenchError::new(what, error))
    }
}

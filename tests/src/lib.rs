//! yingke-tests

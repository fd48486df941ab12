//! yingke-routing

//! yingke-relay

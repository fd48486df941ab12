//! Speed, memory and size of the real relay, as ratios to bare loops in the same run.
fn main() {}

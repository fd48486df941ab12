//! Stories of the room through its public surface, on a real store. Each was seen to fail when the
//! rule it is about was taken away.

mod law;
mod messages;
mod plans;
mod rights;
mod snapshots;
mod taking;

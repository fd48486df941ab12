//! Stories of the room through its public surface, on a real store. Made to fail once by breaking
//! what they guard: repeated sends not looked for, a claim without capacity, marks past the end, an
//! answer that leaves the clock running, visitors reaching each other, an end without its outcome
//! kept, a line ordered by the clock, marks not told to the visitor.

mod law;
mod messages;
mod plans;
mod rights;
mod snapshots;
mod taking;

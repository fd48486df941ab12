//! Stories of the room through its public surface, on a real store. Made to fail once by breaking
//! what they guard: repeated sends not looked for, a claim without capacity, marks past the end, an
//! answer that leaves the clock running, visitors reaching each other, an end without its outcome
//! kept, a line ordered by the clock, marks not told to the visitor.

/// Carries out a command; gives the outcome or the code of the refusal.
macro_rules! act {
    ($relay:expr, $verb:ident, $who:expr, $command:expr) => {
        act!($relay, $verb, $who, crate::testing::any_id(), $command)
    };
    ($relay:expr, $verb:ident, $who:expr, $id:expr, $command:expr) => {
        crate::conversations::actions::$verb($relay.app.clone(), $who.clone(), $id, $command)
            .await
            .map_err(|error| error.code())
    };
}

mod away;
mod contacts;
mod crew;
mod decisions;
mod handing;
mod inviting;
mod law;
mod leaving;
mod messages;
mod moved_on;
mod paging;
mod picked;
mod plans;
mod rights;
mod secrecy;
mod snapshots;
mod taking;

//! The hard rules of routing as short stories. Each was made to fail once by breaking the rule it
//! tells.

mod assignment;
mod clocks;
mod hours;
mod paper;
mod presence;
mod replay;
mod rules;
mod story;
mod transfers;
mod waiting;

//! What kinds of things happen in a world. Each world has some of them: a fault that many kinds hide
//! from each other shows in a world with few.

use crate::chance::Chance;

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traits {
    /// Visitors have a second tab.
    pub(super) tabs: bool,
    /// Backups are made, and put in place of what is there.
    pub(super) restores: bool,
    /// Colleagues ask each other, managers look in and take over.
    pub(super) handing: bool,
    /// Visitors leave messages and the line.
    pub(super) leaving: bool,
    /// Departments, skills, rules and hours change.
    pub(super) settings: bool,
}

impl Traits {
    /// Of this seed; drawn apart, so that the rest of the world is as it was.
    pub(super) fn of(seed: u64) -> Self {
        let mut chance = Chance::new(seed ^ 0x7472_6169_7473);
        let mut one_in_two = || chance.below(2) == 0;
        Self {
            tabs: one_in_two(),
            restores: one_in_two(),
            handing: one_in_two(),
            leaving: one_in_two(),
            settings: one_in_two(),
        }
    }

    /// Things happen to conversations that not all who see them are told of.
    pub(super) fn is_many_people(&self) -> bool {
        self.handing || self.settings
    }
}

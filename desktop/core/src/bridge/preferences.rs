//! What a person set in the workbench for this computer. The core keeps it, so that it outlives the
//! web view's storage; what an earlier version kept is read with the defaults of what it did not know.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::limits::{LIST_COLUMNS_MAX, LIST_NAME_CHARS_MAX, LISTS_MAX};

/// The workbench's preferences, kept by the core so that they outlive the web view's storage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export, export_to = "ui/")]
pub struct Preferences {
    /// `zh-CN` or `en`; empty follows the system (A14).
    pub locale: String,
    /// Light, dark, or as the system.
    pub theme: Theme,
    /// Which key sends (C22).
    pub send_key: SendKey,
    /// Width of the list, in pixels, 240 to 400 (C03).
    pub list_width: u32,
    /// Width of the side pane, in pixels, 280 to 480.
    pub side_width: u32,
    /// Whether the side pane is shown.
    pub side_open: bool,
    /// How each list is shown, by a name the workbench gives it. Beyond 64 lists of 64 columns, or
    /// with a name of more than 64 characters, nothing is kept: `refused` with `too_large`.
    #[serde(default)]
    pub lists: BTreeMap<String, ListPreferences>,
    /// How one is told of what waits (C21).
    pub alerts: AlertPreferences,
}

/// How one list is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export, export_to = "ui/")]
pub struct ListPreferences {
    /// The columns shown, in their order; empty for those the list begins with, unless `chosen`.
    pub columns: Vec<ListColumn>,
    /// The columns were chosen: none may be, too.
    #[serde(default)]
    pub chosen: bool,
    /// What it is sorted by; none for the list's own order.
    pub sort: Option<ListSort>,
}

/// A column of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export, export_to = "ui/")]
pub struct ListColumn {
    /// As the list calls it. One the list does not know any more is left out.
    pub name: String,
    /// In pixels; none for as wide as the list thinks best.
    pub width: Option<u32>,
}

/// See [`ListPreferences::sort`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export, export_to = "ui/")]
pub struct ListSort {
    /// By which column.
    pub column: String,
    /// The largest first.
    pub descending: bool,
}

/// How one is told of what waits (C21).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export, export_to = "ui/")]
pub struct AlertPreferences {
    /// By a sound.
    pub sound: bool,
    /// Its loudness, in percent.
    pub volume: u32,
    /// By notifications of the system.
    pub notifications: bool,
    /// They show what was said; else only who, because others may see the screen.
    #[serde(default = "shown")]
    pub message_text: bool,
    /// By neither for now; the list shows it all the same.
    pub do_not_disturb: bool,
    /// The same at these hours of every day.
    #[serde(default)]
    pub quiet_hours: QuietHours,
}

/// Hours of the day without sounds and notifications, by this computer's clock and time zone. What
/// waits then is still counted, shown and escalated: only this person hears nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(export, export_to = "ui/")]
pub struct QuietHours {
    /// They are kept.
    pub on: bool,
    /// The first quiet minute, counted from midnight, 0 to 1439.
    pub from_min: u32,
    /// The first minute that is not quiet any more. One before `from_min` is of the next day; the
    /// same means no time at all.
    pub to_min: u32,
}

impl Default for QuietHours {
    fn default() -> Self {
        Self { on: false, from_min: 22 * 60, to_min: 8 * 60 }
    }
}

impl Preferences {
    /// Whether they are small enough to be kept.
    pub(crate) fn fit(&self) -> bool {
        let is_name = |name: &str| name.chars().nth(LIST_NAME_CHARS_MAX).is_none();
        self.lists.len() <= LISTS_MAX
            && self.lists.iter().all(|(name, list)| {
                is_name(name)
                    && list.columns.len() <= LIST_COLUMNS_MAX
                    && list.columns.iter().all(|column| is_name(&column.name))
                    && list.sort.as_ref().is_none_or(|sort| is_name(&sort.column))
            })
    }
}

impl QuietHours {
    /// Whether a minute of the day, counted from midnight, is one of them.
    pub(crate) fn cover(self, minute: u32) -> bool {
        let Self { on, from_min, to_min } = self;
        let is_inside = if from_min <= to_min {
            (from_min..to_min).contains(&minute)
        } else {
            minute >= from_min || minute < to_min
        };
        on && is_inside
    }
}

fn shown() -> bool {
    true
}

impl Default for AlertPreferences {
    fn default() -> Self {
        Self {
            sound: true,
            volume: 60,
            notifications: true,
            message_text: shown(),
            do_not_disturb: false,
            quiet_hours: QuietHours::default(),
        }
    }
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            locale: String::new(),
            theme: Theme::System,
            send_key: SendKey::Enter,
            list_width: 288,
            side_width: 320,
            side_open: true,
            lists: BTreeMap::new(),
            alerts: AlertPreferences::default(),
        }
    }
}

/// See [`Preferences::theme`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "ui/")]
pub enum Theme {
    /// As the operating system.
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// See [`Preferences::send_key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "ui/")]
pub enum SendKey {
    /// Enter sends, Shift+Enter breaks the line.
    Enter,
    /// Ctrl+Enter (⌘+Enter) sends, Enter breaks the line.
    CtrlEnter,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_go_across_midnight() {
        let covered = |from_min: u32, to_min: u32| {
            let hours = QuietHours { on: true, from_min, to_min };
            (0..24 * 60).filter(|minute| hours.cover(*minute)).collect::<Vec<u32>>()
        };
        assert_eq!(covered(12 * 60, 13 * 60), (720..780).collect::<Vec<u32>>());
        let night: Vec<u32> = (0..480).chain(1320..1440).collect();
        assert_eq!(covered(22 * 60, 8 * 60), night);
        assert_eq!(covered(22 * 60, 0), (1320..1440).collect::<Vec<u32>>());
        assert!(covered(600, 600).is_empty());
        assert!(!QuietHours::default().cover(1320), "they are not kept");
    }

    #[test]
    fn what_an_earlier_version_kept_is_read() {
        let mut kept = serde_json::to_value(Preferences::default()).unwrap();
        kept.as_object_mut().unwrap().remove("lists");
        let alerts = kept["alerts"].as_object_mut().unwrap();
        alerts.remove("quiet_hours");
        alerts.remove("message_text");
        assert_eq!(serde_json::from_value::<Preferences>(kept).unwrap(), Preferences::default());
    }
}

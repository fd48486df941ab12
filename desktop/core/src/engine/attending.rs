//! Shows the attention machine how the conversations stand after every event, and carries out what it
//! decides: a sound in the workbench, a notification of the system. It decides nothing itself.

use std::collections::{BTreeMap, BTreeSet};

use yingke_shared::ids::ConversationId;
use yingke_shared::views::{ConversationRecord, IncomingInvitation, ManagerAlert, MessageContent};

use super::account::Account;
use super::{Effect, Step};
use crate::attention::{Alert, Attention, Moment, Rules, Wait};
use crate::bridge::types::{AlertPreferences, Standing, UiPush};
use crate::host::Notice;
use crate::inbox;

/// A notification shows the beginning of a message.
const NOTICE_CHARS_MAX: usize = 120;

/// What the account knows beside the machine.
#[derive(Default)]
pub(super) struct Attending {
    pub(super) machine: Attention,
    /// A person looks at the window.
    pub(super) focused: bool,
    /// Something about more than single conversations changed.
    pub(super) anew: bool,
    /// What was looked at, the link, and who looks: when one changes, everything is looked at again.
    before: Option<(Option<ConversationId>, bool)>,
}

impl Step<'_> {
    /// The minute of the day where this computer is, counted from midnight.
    fn minute_of_day(&self) -> u32 {
        let utc_s = i128::from(self.wall / 1_000);
        let local_s = utc_s + i128::from(self.host.utc_offset_s(self.wall));
        u32::try_from(local_s.rem_euclid(24 * 60 * 60) / 60).unwrap_or(0)
    }
}

impl Account {
    /// Tells of what is new or waits too long.
    pub(super) fn attend(&mut self, step: &mut Step<'_>, wishes: AlertPreferences, locale: &str) {
        if !self.is_open() {
            return;
        }
        let in_view = self.shown.open().filter(|_| self.attending.focused).cloned();
        let now = Some((in_view, self.connection.is_live()));
        let is_due = self.attending.machine.deadline().is_some_and(|at| at <= step.now);
        let anew =
            std::mem::take(&mut self.attending.anew) || is_due || self.attending.before != now;
        let touched = self.shown.changed().filter(|_| !anew).cloned();
        if touched.as_ref().is_some_and(BTreeSet::is_empty) {
            return;
        }
        self.attending.before = now;
        let scene = self.scene(touched.as_ref());
        let moment = Moment {
            now: step.now,
            relay_ms: self.relay_ms(step),
            at: step.timestamp(),
            live: self.connection.is_live(),
            partial: self.replica.missing().is_some(),
        };
        let limits = self.replica.company().attention;
        let is_quiet = wishes.do_not_disturb || wishes.quiet_hours.cover(step.minute_of_day());
        let rules = Rules {
            warn_ms: u64::from(limits.warn_s) * 1_000,
            red_ms: u64::from(limits.red_s) * 1_000,
            sounds: wishes.sound && !is_quiet,
            toasts: wishes.notifications && !is_quiet,
        };
        let looked = self.attending.machine.look(moment, rules, &scene, touched.as_ref());
        for conversation_id in &looked.changed {
            self.shown.dirty(conversation_id);
        }
        for conversation_id in looked.settled {
            step.act(Effect::Withdraw { conversation_id });
        }
        for alert in looked.alerts {
            self.tell_of(step, alert, wishes.message_text, locale);
        }
    }

    /// Nobody is told any more: what is shown outside of the window goes too.
    pub(super) fn unattended(&self, step: &mut Step<'_>) {
        for conversation_id in self.attending.machine.toasted() {
            step.act(Effect::Withdraw { conversation_id: conversation_id.clone() });
        }
    }

    /// How the conversations stand: all, or these.
    fn scene(&self, touched: Option<&BTreeSet<ConversationId>>) -> BTreeMap<ConversationId, Wait> {
        let mut scene = BTreeMap::new();
        let is_meant = |id: &ConversationId| touched.is_none_or(|touched| touched.contains(id));
        match touched {
            Some(touched) => {
                let held = touched.iter().filter_map(|id| self.replica.record(id));
                for (record, _) in held.filter(|(_, held)| *held) {
                    scene.insert(record.id.clone(), self.wait(record));
                }
            }
            None => {
                for record in self.replica.held() {
                    scene.insert(record.id.clone(), self.wait(record));
                }
            }
        }
        for IncomingInvitation { rev, invitation, .. } in self.replica.invitations() {
            if is_meant(&invitation.conversation_id) {
                let wait = scene.entry(invitation.conversation_id).or_default();
                wait.invitation = Some(rev.get());
            }
        }
        for ManagerAlert { conversation_id, rev, .. } in self.replica.alerts() {
            if is_meant(&conversation_id) {
                scene.entry(conversation_id).or_default().alert = Some(rev.get());
            }
        }
        scene
    }

    fn wait(&self, record: &ConversationRecord) -> Wait {
        let id = &record.id;
        let (unsent, failed) = self.outbox.count(id);
        let is_answering = unsent > 0 && !failed;
        let since = record.unanswered_since().filter(|_| !is_answering);
        let is_ours = self.replica.standing(id) == Standing::Serving;
        Wait {
            held: true,
            wrote: record.last_message.visitor_count.get(),
            since_ms: since.filter(|_| is_ours).map(|since| since.millis()),
            viewed: inbox::unread(record, self.marks.read(id)) == 0,
            in_view: self.attending.focused && self.shown.is_open(id),
            own_word: self.replica.is_own(record.said()),
            invitation: None,
            alert: None,
        }
    }

    fn tell_of(&self, step: &mut Step<'_>, alert: Alert, with_text: bool, locale: &str) {
        let Alert { conversation_id, kind, level, sound, toast } = alert;
        if toast {
            let (name, said) = self.words_of(&conversation_id);
            let text = if with_text { said } else { String::new() };
            let (conversation_id, locale) = (conversation_id.clone(), locale.to_owned());
            let notice = Notice { conversation_id, kind, level, name, text, locale };
            step.act(Effect::Notify(Box::new(notice)));
        }
        step.push(UiPush::Attention { conversation_id, kind, level, sound });
    }

    /// Who, and what was said last.
    fn words_of(&self, conversation_id: &ConversationId) -> (String, String) {
        let is_it = |id: &ConversationId| id == conversation_id;
        if let Some((record, true)) = self.replica.record(conversation_id) {
            return (record.visitor.label.clone(), beginning(&record.said().content));
        }
        let invitations = self.replica.invitations().into_iter();
        let mut invited = invitations.filter(|one| is_it(&one.invitation.conversation_id));
        if let Some(invited) = invited.next() {
            let said = invited.said.map(|said| beginning(&said.content));
            return (invited.visitor.label, said.unwrap_or_default());
        }
        let alerts = self.replica.alerts().into_iter();
        let told = alerts.filter(|one| is_it(&one.conversation_id)).map(|one| one.label).next();
        (told.unwrap_or_default(), String::new())
    }
}

/// The beginning of a text, in one line; nothing for a notice.
fn beginning(content: &MessageContent) -> String {
    let MessageContent::Text { text } = content else { return String::new() };
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(NOTICE_CHARS_MAX).collect()
}

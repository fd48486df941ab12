//! Who the stories of several people are about: three agents, a manager, two visitors, all of staff
//! connected; and the commands in one word each.

use std::sync::Arc;

use yingke_shared::commands::staff::{
    AnswerInvitation, Assign, EnterConversation, HandBack, Invite, LeaveConversation,
    SetAvailability, TakeOver, WithdrawInvitation,
};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{ConversationId, InvitationId};
use yingke_shared::settings::CompanySettings;
use yingke_shared::views::{
    Availability, ConversationRecord, InvitationKind, Invitee, MessageContent, Role, SystemNotice,
};

use crate::auth::{StaffIdentity, VisitorIdentity};
use crate::conversations::{queries, store};
use crate::live::{Registration, Seat};
use crate::settings;
use crate::store::Abort;
use crate::testing::{TestRelay, any_id};

pub(super) type Result<T = Outcome> = std::result::Result<T, ErrorCode>;

pub(super) struct Crew {
    pub(super) relay: TestRelay,
    pub(super) ana: StaffIdentity,
    pub(super) ben: StaffIdentity,
    pub(super) cai: StaffIdentity,
    pub(super) mia: StaffIdentity,
    pub(super) vera: VisitorIdentity,
    pub(super) viktor: VisitorIdentity,
    seats: Vec<Registration>,
}

impl Crew {
    pub(super) async fn gather() -> Self {
        let relay = TestRelay::open().await;
        let ana = relay.agent("Ana").await;
        let ben = relay.agent("Ben").await;
        let cai = relay.agent("Cai").await;
        let mia = relay.account("Mia", Role::Manager, 8).await;
        let (vera, viktor) = (relay.visitor().await, relay.visitor().await);
        let seats = [&ana, &ben, &cai, &mia].map(|who| {
            relay.app.hub.join_staff(&who.agent_id, who.role, &who.session, &Arc::default())
        });
        Self { ana, ben, cai, mia, vera, viktor, seats: seats.into(), relay }
    }

    pub(super) fn seat_of_mia(&self) -> Seat {
        self.seats[3].seat().clone()
    }

    pub(super) async fn assign(&self, id: &ConversationId, to: &StaffIdentity) -> Result {
        let (conversation_id, agent_id) = (id.clone(), to.agent_id.clone());
        let command = Assign { conversation_id, agent_id, over_capacity: false };
        act!(self.relay, assign_by_hand, self.mia, command)
    }

    /// Vera writes and is given to this agent.
    pub(super) async fn served_by(&self, who: &StaffIdentity) -> ConversationId {
        let id = self.relay.say(&self.vera, any_id().as_str(), "在吗").await.unwrap().0;
        self.assign(&id, who).await.unwrap();
        id
    }

    /// The same of Viktor.
    pub(super) async fn served_by_viktor(&self, who: &StaffIdentity) -> ConversationId {
        let id = self.relay.say(&self.viktor, any_id().as_str(), "在吗").await.unwrap().0;
        self.assign(&id, who).await.unwrap();
        id
    }

    /// Signed in: whoever is there and not lost.
    pub(super) async fn sign_in(&self, who: &StaffIdentity) {
        let (who, now) = (who.clone(), self.relay.app.world.now());
        let written = self.relay.app.store.write("sign in", move |tx| {
            let until = now.plus_millis(3_600_000);
            crate::auth::store::insert_session(tx, &who.session, &who.agent_id, now, until)?;
            Ok::<_, Abort<ErrorCode>>(())
        });
        written.await.unwrap();
    }

    pub(super) async fn invite(
        &self,
        from: &StaffIdentity,
        id: &ConversationId,
        to: Invitee,
        kind: InvitationKind,
    ) -> Result<InvitationId> {
        let command_id = any_id();
        let invitation = InvitationId::new(command_id.as_str()).unwrap();
        let note = "请帮忙".to_owned();
        let command = Invite { conversation_id: id.clone(), to, kind, note };
        act!(self.relay, invite, from, command_id, command).map(|_| invitation)
    }

    pub(super) async fn ask(
        &self,
        from: &StaffIdentity,
        id: &ConversationId,
        to: &StaffIdentity,
        kind: InvitationKind,
    ) -> Result<InvitationId> {
        self.invite(from, id, Invitee::Agent { agent_id: to.agent_id.clone() }, kind).await
    }

    pub(super) async fn answer(
        &self,
        who: &StaffIdentity,
        id: &InvitationId,
        accept: bool,
    ) -> Result {
        let command = AnswerInvitation { invitation_id: id.clone(), accept };
        act!(self.relay, answer, who, command)
    }

    pub(super) async fn withdraw(&self, who: &StaffIdentity, id: &InvitationId) -> Result {
        act!(self.relay, withdraw, who, WithdrawInvitation { invitation_id: id.clone() })
    }

    /// `to` takes part beside `from`.
    pub(super) async fn join(&self, from: &StaffIdentity, id: &ConversationId, to: &StaffIdentity) {
        let invitation = self.ask(from, id, to, InvitationKind::Join).await.unwrap();
        self.answer(to, &invitation, true).await.unwrap();
    }

    pub(super) async fn enter(&self, who: &StaffIdentity, id: &ConversationId) -> Result {
        act!(self.relay, enter, who, EnterConversation { conversation_id: id.clone() })
    }

    pub(super) async fn leave(&self, who: &StaffIdentity, id: &ConversationId) -> Result {
        act!(self.relay, leave, who, LeaveConversation { conversation_id: id.clone() })
    }

    pub(super) async fn take_over(&self, who: &StaffIdentity, id: &ConversationId) -> Result {
        act!(self.relay, take_over, who, TakeOver { conversation_id: id.clone() })
    }

    pub(super) async fn hand_back(&self, who: &StaffIdentity, id: &ConversationId) -> Result {
        act!(self.relay, hand_back, who, HandBack { conversation_id: id.clone() })
    }

    pub(super) async fn choose(
        &self,
        who: &StaffIdentity,
        availability: Availability,
        hand_over: bool,
    ) -> Result {
        let body = SetAvailability { availability, hand_over };
        let (app, who) = (self.relay.app.clone(), who.clone());
        let chosen = crate::agents::actions::set_availability(app, who, any_id(), body).await;
        chosen.map_err(|error| error.code())
    }

    /// The record as Mia sees it.
    pub(super) async fn record(&self, id: &ConversationId) -> ConversationRecord {
        let (id, reader) = (id.clone(), self.mia.agent_id.clone());
        let read = move |tx: &crate::store::ReadTx<'_>| queries::record_of(tx, &id, &reader);
        self.relay.app.store.read("record", read).await.unwrap().unwrap()
    }

    /// What the system wrote into the conversation, in order, without the welcome.
    pub(super) async fn notices(&self, id: &ConversationId) -> Vec<SystemNotice> {
        let id = id.clone();
        let read =
            move |tx: &crate::store::ReadTx<'_>| store::messages(tx, &id, None, 100, 1 << 20);
        let page = self.relay.app.store.read("notices", read).await.unwrap();
        let notice = |content| match content {
            MessageContent::Notice { notice: SystemNotice::Welcome { .. } } => None,
            MessageContent::Notice { notice } => Some(notice),
            _ => None,
        };
        page.rows.into_iter().filter_map(|message| notice(message.content)).collect()
    }

    /// The deeds on record, in order: who and what.
    pub(super) async fn deeds(&self) -> Vec<(String, String)> {
        let read = self.relay.app.store.read("audit", |tx| {
            let sql = "SELECT a.nickname, d.deed FROM audit d JOIN agents a ON a.id = d.agent_id \
                       ORDER BY d.number";
            tx.query(sql, &[], |row| Ok((row.text(0)?, row.text(1)?)))
        });
        read.await.unwrap()
    }

    pub(super) async fn set_company(&self, change: fn(&mut CompanySettings)) {
        let written = self.relay.app.store.write("company", move |tx| {
            let mut company = settings::queries::company(tx)?;
            change(&mut company.value);
            settings::store::save(tx, settings::store::COMPANY, company.version, &company.value)?;
            Ok::<_, Abort<ErrorCode>>(())
        });
        written.await.unwrap();
    }
}

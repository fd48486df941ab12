//! What crosses between the client core and the workbench: requests, replies and pushes.
//!
//! The workbench draws what it is told and asks for what a person did; it never talks to the relay
//! and never waits for the network to show what the agent did. The same values cross Tauri's one
//! command and channel, and the headless client's local socket. TypeScript is generated into
//! `shared/bindings/ui/`.
//!
//! Long: one contract, read from top to bottom by both sides; most lines say what a field means.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{
    AgentId, ClientId, ConversationId, DepartmentId, InvitationId, Seq, VisitorId,
};
use yingke_shared::time::Timestamp;
use yingke_shared::views::{
    AgentCard, Availability, ColleagueCard, Company, ConversationStatus, Floor, IncomingInvitation,
    Invitation, InvitationKind, InvitationOver, Invitee, ManagerAlert, Marks, Message, Note,
    OwnCard, SiteSettings, VisitorCard,
};

use super::calls::{RelayAnswer, RelayCall};
pub use super::preferences::{
    AlertPreferences, ListColumn, ListPreferences, ListSort, Preferences, QuietHours, SendKey,
    Theme,
};

/// Something a person did in the workbench, or a page it needs.
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(tag = "type", content = "body", rename_all = "snake_case", deny_unknown_fields)]
#[ts(export, export_to = "ui/")]
pub enum UiRequest {
    /// Everything needed to draw the window from nothing. Reply: `state`.
    GetState {},
    /// Sign in. Reply: `done`; the state arrives as a push. Errors: `refused` with
    /// `wrong_credentials` or `too_fast`; `offline`; `incompatible`; `plain_http`.
    SignIn {
        /// `https://…`; plain `http://` only for loopback unless `allow_plain_http`.
        server: String,
        /// The account's name.
        account: String,
        /// The password; kept by the core only as `remember` says.
        password: String,
        /// What to keep for the next start (C01).
        remember: Remember,
        /// The person read the warning about an unencrypted server and went on.
        allow_plain_http: bool,
    },
    /// Sign out: the session ends at the relay if it can be reached, the cache is wiped. Unsent
    /// messages and drafts stay on disk for this account only. Reply: `done`.
    SignOut {},
    /// The key store keeps the password of the sign-in form no longer (C01). Reply: `done`.
    ForgetPassword {},
    /// Change the own password. Reply: `done`.
    ChangePassword {
        /// So far.
        old: String,
        /// New.
        new: String,
    },
    /// 在线, 忙碌 or 离开. Reply: `done`; the card arrives as a push.
    SetAvailability {
        /// The new one.
        availability: Availability,
        /// With 离开: running conversations go back to the line instead of being ended (B11).
        hand_over: bool,
    },
    /// Give a waiting conversation to an agent (B09). Reply: `done`.
    Assign {
        /// Which.
        conversation_id: ConversationId,
        /// To whom.
        agent_id: AgentId,
        /// The person confirmed that the agent is full.
        over_capacity: bool,
    },
    /// Ask somebody to take over or to join (F01, F03). Reply: `done`.
    Invite {
        /// To which conversation.
        conversation_id: ConversationId,
        /// Who.
        to: Invitee,
        /// To do what.
        kind: InvitationKind,
        /// What to say about it; empty for nothing.
        note: String,
    },
    /// Accept or decline. Reply: `done`.
    AnswerInvitation {
        /// Which.
        invitation_id: InvitationId,
        /// Yes or no.
        accept: bool,
    },
    /// Take an own invitation back. Reply: `done`.
    WithdrawInvitation {
        /// Which.
        invitation_id: InvitationId,
    },
    /// Leave a conversation that others go on with (F04). Reply: `done`.
    LeaveConversation {
        /// Which.
        conversation_id: ConversationId,
    },
    /// A manager joins (F05). Reply: `done`.
    EnterConversation {
        /// Which.
        conversation_id: ConversationId,
    },
    /// A manager serves it from now on (F05). Reply: `done`.
    TakeOver {
        /// Which.
        conversation_id: ConversationId,
    },
    /// Put a served conversation back to the front of the line. Reply: `done`.
    HandBack {
        /// Which.
        conversation_id: ConversationId,
    },
    /// Write first to a visitor (C05). Needs the network. Reply: `started`.
    StartConversation {
        /// With whom.
        visitor_id: VisitorId,
        /// 1 to 4,000 characters.
        text: String,
    },
    /// A note among staff (X08). Needs the network. Reply: `done`; the note arrives as a push.
    AddNote {
        /// To which conversation.
        conversation_id: ConversationId,
        /// 1 to 4,000 characters.
        text: String,
    },
    /// A manager follows a conversation unseen (F05). The chat can be opened when this replies; the
    /// core asks again by itself after the link broke. Reply: `done`.
    WatchConversation {
        /// Which.
        conversation_id: ConversationId,
    },
    /// No longer. Reply: `done`.
    UnwatchConversation {
        /// Which.
        conversation_id: ConversationId,
    },
    /// The floor is shown, or no longer; while it is, it arrives as pushes. Reply: `done`.
    WatchFloor {
        /// It is.
        on: bool,
    },
    /// End every served conversation whose visitor left (C16). Reply: `closed`.
    CloseAllLeft {},
    /// Ask the relay for something that is neither cached nor live. Reply: `called`.
    Call {
        /// What.
        call: Box<RelayCall>,
    },
    /// The chat pane now shows this conversation: its newest page from the cache at once, missing
    /// messages as pushes. One that is not in the inbox is asked of the relay, if the reader may read
    /// it. Colleagues who have it open too are told (X10). Reply: `chat`.
    OpenConversation {
        /// Which.
        conversation_id: ConversationId,
    },
    /// The chat pane shows none. Reply: `done`.
    CloseConversation {},
    /// Messages before `before`, from the cache or else from the relay. Reply: `earlier`.
    LoadEarlier {
        /// Of which conversation.
        conversation_id: ConversationId,
        /// The oldest number shown.
        before: Seq,
    },
    /// Put a message into the outbox; it is durable when this replies. Clears the draft. Reply:
    /// `queued`.
    SendMessage {
        /// To which conversation.
        conversation_id: ConversationId,
        /// 1 to 4,000 characters.
        text: String,
        /// The message's name, if whoever asks may have to ask again without having heard the
        /// answer; else the core makes one. The same name twice is one message.
        #[serde(default)]
        #[ts(optional)]
        client_id: Option<ClientId>,
    },
    /// Send a failed or wedged message again. Reply: `done`.
    RetrySend {
        /// Which.
        client_id: ClientId,
    },
    /// Take an unsent message out of the outbox. Reply: `done`; refused once the relay may have it
    /// (see [`OutboxItem::may_discard`]).
    DiscardSend {
        /// Which.
        client_id: ClientId,
    },
    /// Keep the draft of a conversation (X16); empty removes it. Reply: `done`.
    SetDraft {
        /// Of which conversation.
        conversation_id: ConversationId,
        /// Its text.
        text: String,
    },
    /// The window is focused, the conversation open and its messages up to here in view (X07).
    /// Reply: `done`.
    Viewed {
        /// Which conversation.
        conversation_id: ConversationId,
        /// Up to here.
        seq: Seq,
    },
    /// The agent is typing; the core limits how often the relay hears it. Reply: `done`.
    Typing {
        /// In which conversation.
        conversation_id: ConversationId,
    },
    /// End a conversation (C15). Needs the network. Reply: `done`.
    EndConversation {
        /// Which.
        conversation_id: ConversationId,
    },
    /// A person looks at the window, or no longer: it is focused and not hidden. Reply: `done`.
    Looking {
        /// It is.
        focused: bool,
    },
    /// Keep the workbench's preferences. Reply: `done`.
    SetPreferences {
        /// All of them.
        preferences: Preferences,
    },
}

/// What is kept of a sign-in. Secrets go only into the operating system's key store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "ui/")]
pub enum Remember {
    /// Server and account name only.
    Nothing,
    /// The password, filled in at the next start.
    Password,
    /// The password, and sign in by itself at the next start.
    AutoSignIn,
}

/// A reply to a [`UiRequest`].
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(tag = "type", content = "body", rename_all = "snake_case")]
#[ts(export, export_to = "ui/")]
pub enum UiReply {
    /// Carried out.
    Done {},
    /// See [`UiRequest::GetState`].
    State(UiState),
    /// See [`UiRequest::OpenConversation`].
    Chat(Chat),
    /// See [`UiRequest::LoadEarlier`].
    Earlier {
        /// Oldest first.
        items: Vec<Message>,
        /// The notes among them.
        notes: Vec<Note>,
        /// Whether there are still earlier ones.
        has_earlier: bool,
    },
    /// See [`UiRequest::SendMessage`].
    Queued {
        /// The outbox item as it is shown until the relay's message replaces it.
        item: OutboxItem,
    },
    /// See [`UiRequest::StartConversation`].
    Started {
        /// Which it is.
        conversation_id: ConversationId,
    },
    /// See [`UiRequest::CloseAllLeft`].
    Closed {
        /// How many were ended.
        ended: u32,
        /// Those that stay, because the relay refused.
        kept: Vec<ConversationId>,
    },
    /// See [`UiRequest::Call`].
    Called {
        /// What the relay answered.
        answer: Box<RelayAnswer>,
    },
}

/// Why a request was not carried out. The workbench chooses the words from kind and code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "ui/")]
pub struct UiError {
    /// What kind of trouble.
    pub kind: UiErrorKind,
    /// The relay's code, if it refused.
    pub code: Option<ErrorCode>,
    /// When trying again makes sense, in milliseconds from now.
    pub retry_after_ms: Option<u32>,
}

/// Kinds of trouble, each with its own thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "ui/")]
pub enum UiErrorKind {
    /// The relay cannot be reached.
    Offline,
    /// The relay refused; see the code.
    Refused,
    /// Relay and client speak different versions: update.
    Incompatible,
    /// The server's address is unencrypted and not this computer: ask the person.
    PlainHttp,
    /// The server's address is not an address.
    BadAddress,
    /// No one is signed in.
    SignedOut,
    /// The local files cannot be written or read.
    Storage,
    /// A bug of the client.
    Bug,
}

/// What the core tells the workbench without being asked.
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(tag = "type", content = "body", rename_all = "snake_case")]
#[ts(export, export_to = "ui/")]
pub enum UiPush {
    /// Signed in, signed out, another account, or the cache was replaced: draw from this.
    State(UiState),
    /// The link to the relay changed.
    Connection(Connection),
    /// The own card changed.
    Own(OwnCard),
    /// A colleague changed.
    Colleague(ColleagueCard),
    /// Rows of the inbox changed.
    Inbox {
        /// New or changed rows.
        upsert: Vec<InboxRow>,
        /// Rows that left the list.
        removed: Vec<ConversationId>,
    },
    /// The open conversation changed.
    Chat {
        /// Which; ignore it if another one is open.
        conversation_id: ConversationId,
        /// Its head now.
        head: ChatHead,
        /// New or changed messages. Insert by number; one whose `client_id` is in the outbox
        /// replaces that item.
        messages: Vec<Message>,
        /// New notes.
        notes: Vec<Note>,
        /// The whole outbox of this conversation now.
        outbox: Vec<OutboxItem>,
    },
    /// What all staff need of the company's settings changed.
    Company(Company),
    /// All sites, when one changed.
    Sites {
        /// In the order of their ids.
        sites: Vec<SiteSettings>,
    },
    /// All open invitations to the reader, when they changed.
    Invitations {
        /// In the order they came.
        invitations: Vec<IncomingInvitation>,
    },
    /// An invitation to a conversation the reader sees is over, and why: who made it is told what
    /// became of it (F03). Told once, as it happens; a fresh state does not repeat it.
    InvitationOver(InvitationOver),
    /// All that managers are told of, when it changed.
    Alerts {
        /// The oldest first.
        alerts: Vec<ManagerAlert>,
    },
    /// The floor, whole (see [`UiRequest::WatchFloor`]).
    Floor(Floor),
    /// How many wait in the own departments (B10).
    QueueLength {
        /// So many; `None` while the relay cannot be reached.
        waiting: Option<u32>,
    },
    /// Who else has a conversation open, and who of them types (X10).
    Colleagues {
        /// Which conversation.
        conversation_id: ConversationId,
        /// Who else has it open.
        reading: Vec<AgentId>,
        /// Who of them types.
        typing: Vec<AgentId>,
    },
    /// Something asks for attention (X05): to be heard, and shown where the window is not looked at.
    Attention {
        /// Which conversation.
        conversation_id: ConversationId,
        /// What about it.
        kind: AlertKind,
        /// How urgent.
        level: AlertLevel,
        /// It is to be heard, as loud as the preferences say.
        sound: bool,
    },
    /// What a visitor types right now (E01); empty: nothing any more.
    Preview {
        /// In which conversation.
        conversation_id: ConversationId,
        /// Masked text.
        text: String,
    },
}

/// Everything needed to draw the window.
#[derive(Clone, Serialize, Deserialize, TS)]
#[ts(export, export_to = "ui/")]
pub struct UiState {
    /// Who is signed in, if anyone.
    pub session: Session,
    /// The link to the relay.
    pub connection: Connection,
    /// All rows of the inbox, in no order; see [`InboxRow::order`].
    pub inbox: Vec<InboxRow>,
    /// Everyone else.
    pub colleagues: Vec<ColleagueCard>,
    /// What all staff need of the company's settings.
    pub company: Company,
    /// The company's sites, in the order of their ids.
    pub sites: Vec<SiteSettings>,
    /// Open invitations to the reader, in the order they came.
    pub invitations: Vec<IncomingInvitation>,
    /// What managers are told of, the oldest first.
    pub alerts: Vec<ManagerAlert>,
    /// How many wait in the own departments; `None` while the relay cannot be reached.
    pub queue_length: Option<u32>,
    /// As the person set them.
    pub preferences: Preferences,
}

/// Who is signed in.
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export, export_to = "ui/")]
pub enum Session {
    /// No one: show the sign-in screen.
    SignedOut {
        /// What to fill in.
        form: SignInForm,
        /// Why a session ended by itself, if it did.
        notice: Option<SignedOutNotice>,
    },
    /// Signing in by itself with what was remembered.
    SigningIn {
        /// What is tried.
        form: SignInForm,
    },
    /// Someone.
    SignedIn {
        /// The relay's address.
        server: String,
        /// The own card, from the cache when offline.
        own: OwnCard,
    },
}

/// What the sign-in screen is filled with.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "ui/")]
pub struct SignInForm {
    /// The last server.
    pub server: String,
    /// The last account.
    pub account: String,
    /// Whether the key store holds its password: the field then shows dots and may stay as it is
    /// (an empty password in [`UiRequest::SignIn`] means the remembered one).
    pub password_remembered: bool,
    /// Whether this computer has a key store; without one `remember` can only be `nothing`.
    pub can_remember: bool,
}

/// Why a session ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "ui/")]
pub enum SignedOutNotice {
    /// The relay ended it: password changed elsewhere, account disabled, session expired.
    EndedByRelay,
    /// The relay speaks another version.
    Incompatible,
    /// The remembered password was refused.
    PasswordRefused,
}

/// The link to the relay. Always true, always shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "ui/")]
pub struct Connection {
    /// How it stands.
    pub state: ConnectionState,
    /// Since when, by this computer's clock.
    pub since: Timestamp,
    /// Round trip of the last answered command, in milliseconds.
    pub latency_ms: Option<u32>,
    /// The relay's clock minus this computer's, in milliseconds: waiting clocks add it.
    #[ts(type = "number")]
    pub clock_offset_ms: i64,
    /// Messages in the outbox over all conversations.
    pub unsent: u32,
}

/// See [`Connection`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "ui/")]
pub enum ConnectionState {
    /// 已连接: everything shown is current.
    Connected,
    /// The first connection of this session is being made.
    Connecting,
    /// 重连中: the link broke and is being made again.
    Reconnecting,
    /// 离线: several tries failed; it goes on trying, less often.
    Offline,
}

/// One row of the inbox.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "ui/")]
pub struct InboxRow {
    /// Which conversation.
    pub conversation_id: ConversationId,
    /// Whose.
    pub visitor: VisitorCard,
    /// Whether a widget of the visitor is connected.
    pub visitor_online: bool,
    /// What was said last: the newest text, whatever notices follow it.
    pub said: Message,
    /// Visitor messages not viewed; derived (C09).
    pub unread: u32,
    /// Since when the visitor waits for an answer (C07).
    pub unanswered_since: Option<Timestamp>,
    /// What the visitor types right now; empty for nothing.
    pub preview: String,
    /// The draft's text; empty for none (X16).
    pub draft: String,
    /// Unsent messages; `failed` or wedged ones ask for attention.
    pub unsent: u32,
    /// Whether one of them failed or is wedged.
    pub send_failed: bool,
    /// How the reader stands to it.
    pub standing: Standing,
    /// For which department.
    pub department_id: Option<DepartmentId>,
    /// Waits before others.
    pub vip: bool,
    /// What came of the present wait, or of the last one (X05); none if nobody waited.
    pub ledger: Option<Ledger>,
    /// Where it belongs.
    pub order: InboxOrder,
}

/// What came of one wait of a visitor, by this computer's clock and as far as this run of the client
/// knows (X05).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "ui/")]
pub struct Ledger {
    /// In the list.
    pub shown_at: Timestamp,
    /// Heard, the last time.
    pub sounded_at: Option<Timestamp>,
    /// The most urgent it was told as.
    pub level: AlertLevel,
    /// As a notification of the system, the last time.
    pub toasted_at: Option<Timestamp>,
    /// Viewed.
    pub seen_at: Option<Timestamp>,
    /// Answered.
    pub answered_at: Option<Timestamp>,
}

/// How urgent a wait is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "ui/")]
pub enum AlertLevel {
    /// It began.
    Calm,
    /// The company's first limit has passed.
    Warn,
    /// The second.
    Alarm,
}

/// What asks for attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "ui/")]
pub enum AlertKind {
    /// A conversation came.
    Conversation,
    /// Its visitor wrote.
    Message,
    /// The reader is asked to take it over or to join.
    Invitation,
    /// Managers are told of it.
    Manager,
    /// Its visitor still waits for an answer.
    StillWaiting,
}

/// How the reader stands to a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export, export_to = "ui/")]
pub enum Standing {
    /// Serves it.
    Serving,
    /// Takes part beside the one who serves it (F03).
    Member,
    /// Follows it unseen (F05).
    Watching,
    /// Is asked to take it over or to join, and may read it.
    Invited,
    /// Reads it: it is over, or another agent has it.
    Reading,
}

/// Rows are sorted by `group`, then by `key`, both ascending, then by conversation id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[ts(export, export_to = "ui/")]
pub struct InboxOrder {
    /// 0: unanswered, longest first; 1: the rest, latest first.
    pub group: u8,
    /// A time, negated where later comes first.
    #[ts(type = "number")]
    pub key: i64,
}

/// The open conversation's head: everything but its messages.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "ui/")]
pub struct ChatHead {
    /// Which history of the relay this is of. A message of another one is no message of this one,
    /// whatever its number: replace what is held, do not merge.
    pub history: u32,
    /// Counts the heads told since the account was opened. A reply and a push travel apart, so an
    /// older head may come later: of two, the one with the lower number is thrown away, and so is the
    /// outbox that came with it.
    pub edition: u32,
    /// Whose.
    pub visitor: VisitorCard,
    /// Where it stands. `Ended`, or served by someone else: read only.
    pub status: ConversationStatus,
    /// Whether it is still in the inbox (not withdrawn).
    pub held: bool,
    /// How the reader stands to it. Only who serves or takes part may write.
    pub standing: Standing,
    /// For which department.
    pub department_id: Option<DepartmentId>,
    /// Waits before others.
    pub vip: bool,
    /// Who takes part beside the one who serves it.
    pub members: Vec<AgentId>,
    /// Open invitations.
    pub invitations: Vec<Invitation>,
    /// Whether a widget of the visitor is connected.
    pub visitor_online: bool,
    /// When the first message was stored.
    pub started_at: Timestamp,
    /// When an agent first wrote.
    pub first_response_at: Option<Timestamp>,
    /// Since when the visitor waits for an answer.
    pub unanswered_since: Option<Timestamp>,
    /// What "delivered" and "read" beside an own message mean (X07).
    pub visitor_marks: Marks,
    /// The own read mark: the line "new messages" stands after it when the conversation is opened.
    pub own_read: Seq,
    /// What the visitor types right now.
    pub preview: String,
}

/// The open conversation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "ui/")]
pub struct Chat {
    /// Which.
    pub conversation_id: ConversationId,
    /// Its head.
    pub head: ChatHead,
    /// The newest messages in the cache, oldest first, without holes.
    pub messages: Vec<Message>,
    /// The notes among them.
    pub notes: Vec<Note>,
    /// Whether there are earlier ones.
    pub has_earlier: bool,
    /// Unsent messages, in order.
    pub outbox: Vec<OutboxItem>,
    /// The draft; empty for none.
    pub draft: String,
    /// Names for the authors of the messages.
    pub agents: Vec<AgentCard>,
}

/// A message not yet acknowledged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, export_to = "ui/")]
pub struct OutboxItem {
    /// Its name for ever.
    pub client_id: ClientId,
    /// In which conversation.
    pub conversation_id: ConversationId,
    /// Its text.
    pub text: String,
    /// When it was written, by this computer's clock.
    pub at: Timestamp,
    /// Where it stands.
    pub state: OutboxState,
    /// Whether it can still be taken out or edited: the relay certainly does not have it.
    pub may_discard: bool,
}

/// Where an unsent message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[ts(export, export_to = "ui/")]
pub enum OutboxState {
    /// Waits for the network or for its turn.
    Queued,
    /// On its way; not shown as such in the first second (no flicker).
    Sending,
    /// The relay refused it. Nothing was stored; it can be sent again, edited or deleted.
    Failed {
        /// Why.
        code: ErrorCode,
    },
    /// Too old to go by itself (6 days): ask.
    Wedged,
}

//! The simulated network: what a link does to what is said on it, and requests beside the links.

use yingke_client::by_hand::{Happened, Wanted};
use yingke_relay::live::Io;
use yingke_relay::{agents, auth, conversations, settings, sites, visitors};
use yingke_shared::error_code::WireError;
use yingke_shared::frame::{Outcome, Reply, StaffFrame, Start, VisitorFrame};
use yingke_shared::ids::{AgentId, ConversationId, Position};
use yingke_shared::rest::{
    ChangeAgent, ChangeSite, EnterAsVisitor, ServedPage, SignIn, SignedIn, VisitorEntered,
};
use yingke_shared::settings::SaveSettings;

use yingke_client::bridge::types::{UiError, UiErrorKind};

use super::relay::{address, admin};
use super::run::{Event, Simulation, Who};
use super::visitor::Want;
use super::wire::Said;

/// One direction of a link.
#[derive(Debug, Default)]
pub(super) struct Way {
    /// Nothing arrives any more, and nobody is told.
    pub(super) dead: bool,
    /// When the last thing arrives: the next one does not overtake it.
    last: u64,
}

/// A link between somebody and the relay.
pub(super) struct Link {
    who: Who,
    /// The client's number of it.
    dial: u64,
    /// The relay has its end.
    reached: bool,
    pub(super) up: Way,
    pub(super) down: Way,
    /// The reader's place by what the relay said.
    position: Option<u64>,
}

impl Link {
    /// What is said on it arrives, on either side.
    fn carries(&self) -> bool {
        self.reached && !self.up.dead && !self.down.dead
    }
}

/// A request beside the links.
pub(super) enum Call {
    SignIn { agent: usize, call: u64, form: SignIn },
    SignOut { token: String },
    Served { agent: usize, account: u64, call: u64, token: String, after: Option<ConversationId> },
    Enter { visitor: usize },
    ChangeAgent { id: AgentId, change: ChangeAgent },
    ChangeSite { change: ChangeSite },
    Save { request: Box<SaveSettings> },
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Answer {
    Unreachable,
    SignedIn(Result<SignedIn, WireError>),
    Served(Result<ServedPage, WireError>),
    Entered(Result<VisitorEntered, WireError>),
    Done,
}

impl Simulation {
    /// How long something takes from here to there.
    pub(super) fn delay(&self) -> u64 {
        if self.quiet_since.is_none() && self.fate.once_in(25) {
            return self.fate.between(50, 3_000);
        }
        self.fate.between(1, 4)
    }

    // --- dialling ---

    pub(super) fn dial(&mut self, who: Who, dial: u64) {
        self.hang_up(who);
        self.last_link += 1;
        let link = self.last_link;
        let dead = || Way { dead: false, last: 0 };
        let made = Link { who, dial, reached: false, up: dead(), down: dead(), position: None };
        self.links.insert(link, made);
        self.current.insert(who, link);
        let wait = self.delay();
        if !self.offline.contains(&who) {
            self.after(wait, Event::Reach(link));
        } else if self.fate.once_in(2) {
            self.after(wait, Event::Broken(link));
        }
    }

    pub(super) fn reach(&mut self, link: u64) {
        let Some(made) = self.links.get_mut(&link) else { return };
        let who = made.who;
        let wait = self.delay();
        let Some(relay) = &mut self.relay else {
            return self.after(wait, Event::Broken(link));
        };
        if let Some(made) = self.links.get_mut(&link) {
            made.reached = true;
        }
        let end = self.exchange.open(link);
        match who {
            Who::Agent(_) => relay.staff(end),
            Who::Visitor(_) => relay.visitor(end),
        }
        let now = self.fate.now();
        if let Some(made) = self.links.get_mut(&link) {
            made.down.last = now + wait;
        }
        self.after(wait, Event::Opened(link));
    }

    /// Whose link it is, if it still counts for them.
    fn holder(&self, link: u64) -> Option<(Who, u64)> {
        let made = self.links.get(&link)?;
        (self.current.get(&made.who) == Some(&link)).then_some((made.who, made.dial))
    }

    /// They are on a link that carries, whatever they believe.
    pub(super) fn is_reached(&self, who: Who) -> bool {
        self.current.get(&who).and_then(|link| self.links.get(link)).is_some_and(Link::carries)
    }

    pub(super) fn opened(&mut self, link: u64) {
        match self.holder(link) {
            Some((Who::Agent(agent), dial)) => self.happened(agent, Happened::Opened { dial }),
            Some((Who::Visitor(visitor), _)) => {
                let wants = self.visitors[visitor].opened(&self.fate);
                self.carry_out(visitor, wants);
            }
            None => {}
        }
    }

    // --- up ---

    pub(super) fn send(&mut self, who: Who, frame: String) {
        let Some(&link) = self.current.get(&who) else { return };
        let wait = self.delay();
        let at = self.fate.now() + wait;
        let Some(made) = self.links.get_mut(&link) else { return };
        if made.up.dead {
            return;
        }
        let at = at.max(made.up.last);
        made.up.last = at;
        self.at(at, Event::Up(link, frame));
    }

    pub(super) fn arrives_up(&mut self, link: u64, frame: String) {
        if self.links.get(&link).is_some_and(|link| link.reached && !link.up.dead) {
            self.note_arrives(&frame);
            self.exchange.arrive(link, Io::Text(frame.into()));
        }
    }

    pub(super) fn pong(&mut self, link: u64) {
        if self.links.get(&link).is_some_and(|link| !link.up.dead) {
            self.exchange.arrive(link, Io::Alive);
        }
    }

    /// The far end lets go.
    pub(super) fn hang_up(&mut self, who: Who) {
        let Some(link) = self.current.remove(&who) else { return };
        let wait = self.delay();
        let at = self.fate.now() + wait;
        let Some(made) = self.links.get_mut(&link) else { return };
        if made.up.dead {
            return;
        }
        let at = at.max(made.up.last);
        made.up.last = at;
        self.at(at, Event::UpEnd(link));
    }

    pub(super) fn up_end(&mut self, link: u64) {
        let io = if self.fate.once_in(2) { Io::Closing } else { Io::Gone };
        self.exchange.arrive(link, io);
    }

    // --- down ---

    /// The relay said something: what it is allowed to say is checked here, before the network.
    pub(super) fn said(&mut self, link: u64, said: Said) {
        let who = self.links.get(&link).map(|made| made.who);
        let Some(who) = who else { return };
        let Some(said) = self.lie_on_the_way(who, said) else { return };
        if let Said::Frame(frame) = &said {
            self.spy(link, frame);
        }
        let wait = self.delay();
        let at = self.fate.now() + wait;
        let Some(made) = self.links.get_mut(&link) else { return };
        if made.down.dead {
            return;
        }
        let at = at.max(made.down.last);
        made.down.last = at;
        self.at(at, Event::Down(link, said));
    }

    /// No delivery may leave a hole: each begins where the one before ended.
    fn spy(&mut self, link: u64, frame: &str) {
        let Some(made) = self.links.get_mut(&link) else { return };
        let is_staff = matches!(made.who, Who::Agent(_));
        if let Some(rest) = frame.strip_prefix(r#"{"type":"delivery","after":"#) {
            let numbers = rest.split_once(',').and_then(|(after, rest)| {
                let upto = rest.strip_prefix(r#""upto":"#)?.split_once(',')?.0;
                Some((after.parse::<u64>().ok()?, upto.parse::<u64>().ok()?))
            });
            match (numbers, made.position) {
                (Some((after, upto)), Some(position)) if after == position && upto >= after => {
                    made.position = Some(upto);
                }
                (numbers, position) => {
                    let who = made.who;
                    self.violation(format!("{who:?}: delivery {numbers:?} at {position:?}"));
                }
            }
        } else if frame.starts_with(r#"{"type":"welcome""#) {
            made.position = position_of(frame, is_staff).map(Position::get);
        } else if is_staff
            && frame.starts_with(r#"{"type":"reply""#)
            && let Ok(StaffFrame::Reply(Reply { id, ok, .. })) = serde_json::from_str(frame)
        {
            self.note_answered(&id, ok.is_some());
            let Some(Outcome::Accepted { conversation_id, seq, .. }) = ok else { return };
            let told = (conversation_id, seq);
            let before = self.staff_acked.insert(id.clone(), told.clone());
            if before.is_some_and(|before| before != told) {
                self.violation(format!("{id} was acknowledged twice, differently"));
            }
        }
    }

    pub(super) fn arrives_down(&mut self, link: u64, said: Said) {
        if self.links.get(&link).is_none_or(|made| made.down.dead) {
            return;
        }
        match said {
            Said::Ping => {
                if let Some((who, _)) = self.holder(link)
                    && !self.offline.contains(&who)
                    && !self.links[&link].up.dead
                {
                    let wait = self.delay();
                    self.after(wait, Event::Pong(link));
                }
            }
            Said::Close => self.broken(link),
            Said::Frame(frame) => match self.holder(link) {
                Some((Who::Agent(agent), dial)) => {
                    self.happened(agent, Happened::Heard { dial, frame });
                }
                Some((Who::Visitor(visitor), _)) => {
                    match self.visitors[visitor].heard(&self.fate, &frame) {
                        Ok(wants) => self.carry_out(visitor, wants),
                        Err(what) => self.violation(format!("visitor {visitor}: {what}")),
                    }
                }
                None => {}
            },
        }
    }

    pub(super) fn broken(&mut self, link: u64) {
        let holder = self.holder(link);
        self.links.remove(&link);
        match holder {
            Some((who @ Who::Agent(agent), dial)) => {
                self.current.remove(&who);
                self.happened(agent, Happened::Closed { dial });
            }
            Some((who @ Who::Visitor(visitor), _)) => {
                self.current.remove(&who);
                let wants = self.visitors[visitor].closed(&self.fate);
                self.carry_out(visitor, wants);
            }
            None => {}
        }
    }

    // --- what clients want ---

    pub(super) fn happened(&mut self, agent: usize, happened: Happened) {
        let wanted = self.agents[agent].happened(happened);
        self.want(agent, wanted);
    }

    pub(super) fn want(&mut self, agent: usize, wanted: Vec<Wanted>) {
        let who = Who::Agent(agent);
        for wanted in wanted {
            match wanted {
                Wanted::Dial { dial } => self.dial(who, dial),
                Wanted::Send { frame } => self.send(who, frame),
                Wanted::HangUp => self.hang_up(who),
                Wanted::SignIn { call, form } => self.call(Call::SignIn { agent, call, form }),
                Wanted::SignOut { token } => self.call(Call::SignOut { token }),
                Wanted::LoadServed { account, call, token, after } => {
                    self.call(Call::Served { agent, account, call, token, after });
                }
                // Heard by the person already.
                Wanted::Push(_) | Wanted::Reply { .. } => {}
            }
        }
        self.plan(who);
    }

    pub(super) fn carry_out(&mut self, visitor: usize, wants: Vec<Want>) {
        let who = Who::Visitor(visitor);
        for want in wants {
            match want {
                Want::Enter => self.call(Call::Enter { visitor }),
                Want::Dial => self.dial(who, 0),
                Want::Send(frame) => self.send(who, frame),
                Want::HangUp => self.hang_up(who),
            }
        }
        self.plan(who);
    }

    // --- requests ---

    pub(super) fn call(&mut self, call: Call) {
        let who = call.who();
        self.last_call += 1;
        let id = self.last_call;
        self.calls.insert(id, call);
        let wait = self.delay();
        if who.is_some_and(|who| self.offline.contains(&who)) {
            self.after(wait, Event::Answer(id, Answer::Unreachable));
        } else {
            self.after(wait, Event::Call(id));
        }
    }

    pub(super) fn call_arrives(&mut self, id: u64) {
        let Some(call) = self.calls.get(&id) else { return };
        let Some(relay) = &mut self.relay else {
            return self.after(1, Event::Answer(id, Answer::Unreachable));
        };
        let work = call.work(relay.app.clone(), self.place.site.clone());
        let (answers, bell) = (self.answers.clone(), self.exchange.bell.clone());
        self.running.insert(id);
        relay.spawn(async move {
            let answer = work.await;
            answers.lock().unwrap().push((id, answer));
            bell.notify_one();
        });
    }

    pub(super) fn answered(&mut self, id: u64, answer: Answer) {
        let Some(call) = self.calls.remove(&id) else { return };
        let lost = call.who().is_some_and(|who| self.offline.contains(&who));
        let answer = if lost { Answer::Unreachable } else { answer };
        let offline = || UiError::of(UiErrorKind::Offline);
        match call {
            Call::SignIn { agent, call, .. } => {
                let result = match answer {
                    Answer::SignedIn(result) => result.map_err(UiError::from),
                    _ => Err(offline()),
                };
                self.happened(agent, Happened::SignedIn { call, result });
            }
            Call::Served { agent, account, call, .. } => {
                let result = match answer {
                    Answer::Served(result) => result.map_err(UiError::from),
                    _ => Err(offline()),
                };
                self.happened(agent, Happened::Served { account, call, result });
            }
            Call::Enter { visitor } => {
                let result = match answer {
                    Answer::Entered(result) => result.map_err(|error| error.code),
                    _ => Err(yingke_shared::error_code::ErrorCode::Unavailable),
                };
                let wants = self.visitors[visitor].entered(&self.fate, result);
                self.carry_out(visitor, wants);
            }
            Call::SignOut { .. }
            | Call::ChangeAgent { .. }
            | Call::ChangeSite { .. }
            | Call::Save { .. } => {}
        }
    }
}

fn position_of(frame: &str, is_staff: bool) -> Option<Position> {
    fn begin<S>(start: &Start<S>) -> Position {
        match start {
            Start::Resumed { position } | Start::Snapshot { position, .. } => *position,
        }
    }
    if is_staff {
        match serde_json::from_str(frame).ok()? {
            StaffFrame::Welcome(welcome) => Some(begin(&welcome.start)),
            _ => None,
        }
    } else {
        match serde_json::from_str(frame).ok()? {
            VisitorFrame::Welcome(welcome) => Some(begin(&welcome.start)),
            _ => None,
        }
    }
}

type Work = std::pin::Pin<Box<dyn Future<Output = Answer> + Send>>;

impl Call {
    fn who(&self) -> Option<Who> {
        match self {
            Self::SignIn { agent, .. } | Self::Served { agent, .. } => Some(Who::Agent(*agent)),
            Self::Enter { visitor } => Some(Who::Visitor(*visitor)),
            Self::SignOut { .. }
            | Self::ChangeAgent { .. }
            | Self::ChangeSite { .. }
            | Self::Save { .. } => None,
        }
    }

    /// What the relay does about it: the routes' own actions.
    fn work(
        &self,
        app: std::sync::Arc<yingke_relay::app::App>,
        site: yingke_shared::ids::SiteId,
    ) -> Work {
        match self {
            Self::SignIn { form, agent, .. } => {
                let (form, from) = (form.clone(), address(10 + u8::try_from(*agent).unwrap()));
                Box::pin(async move {
                    let signed_in = async {
                        let (token, who) = auth::actions::sign_in(&app, from, form).await?;
                        let own = agents::actions::own_card(&app, &who).await?;
                        Ok(SignedIn { token, own })
                    };
                    let result: Result<_, yingke_relay::error::RelayError> = signed_in.await;
                    Answer::SignedIn(result.map_err(|error| error.0))
                })
            }
            Self::SignOut { token } => {
                let token = token.clone();
                Box::pin(async move {
                    if let Ok(who) = auth::actions::staff_of_token(&app, &token).await {
                        let _ = auth::actions::sign_out(&app, &who).await;
                    }
                    Answer::Done
                })
            }
            Self::Served { token, after, .. } => {
                let (token, after) = (token.clone(), after.clone());
                Box::pin(async move {
                    let page = async {
                        let who = auth::actions::staff_of_token(&app, &token).await?;
                        conversations::actions::load_served(&app, &who, after).await
                    };
                    Answer::Served(page.await.map_err(|error| error.0))
                })
            }
            Self::Enter { .. } => Box::pin(async move {
                let enter = EnterAsVisitor { ticket: None };
                let entered = visitors::actions::enter(&app, address(3), site, enter).await;
                Answer::Entered(entered.map_err(|error| error.0))
            }),
            Self::ChangeAgent { id, change } => {
                let (id, change) = (id.clone(), change.clone());
                Box::pin(async move {
                    let _ = agents::actions::change(&app, &admin(), id, change).await;
                    Answer::Done
                })
            }
            Self::ChangeSite { change } => {
                let change = change.clone();
                Box::pin(async move {
                    let _ = sites::actions::change(&app, &admin(), site, change).await;
                    Answer::Done
                })
            }
            Self::Save { request } => {
                let request = SaveSettings::clone(request);
                Box::pin(async move {
                    let _ = settings::actions::save(&app, &admin(), request).await;
                    Answer::Done
                })
            }
        }
    }
}

//! The company that is measured: a site, agents, visitors whom they serve, all stored before the
//! relay starts and through the same actions that a relay carries out, only without sockets.

use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use yingke_shared::commands::visitor::{PageContext, VisitorAsks, VisitorSendMessage};
use yingke_shared::explanation::AssignedHow;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::{AgentId, ClientId, ConversationId, DepartmentId, SiteId, VisitorId};
use yingke_shared::limits::CAPACITY_MAX;
use yingke_shared::settings::AutoReplyTexts;
use yingke_shared::views::{Availability, Role};

use super::error::{BenchError, During as _};
use crate::agents::{self, Agent};
use crate::app::App;
use crate::auth::{self, TokenHash, VisitorIdentity};
use crate::clock::{RealWorld, World as _};
use crate::config::Config;
use crate::conversations::actions::{ClaimOutcome, claim, send_as_visitor};
use crate::settings::DEFAULT_DEPARTMENT;
use crate::sites::{self, Domain};
use crate::store::{Abort, Store, StoreError};
use crate::{events, visitors};

/// The sum of a row that is not compared.
pub(super) const UNSUMMED: i64 = 0;

/// 40 characters, a usual line.
pub(super) const TEXT: &str =
    "您好，请问这款龙井还有货吗？如果今天下单，大概什么时候能够送到上海浦东呢？谢谢您";

/// Actions under way at once while storing: fewer than the writer's queue holds.
const AT_ONCE: usize = 512;

/// An agent who may sign in.
#[derive(Debug, Clone)]
pub(super) struct KnownAgent {
    pub(super) id: AgentId,
    pub(super) token: String,
}

/// A visitor whom an agent serves.
#[derive(Debug, Clone)]
pub(super) struct KnownVisitor {
    pub(super) id: VisitorId,
    pub(super) token: String,
    pub(super) conversation: ConversationId,
    /// The agent's place in [`Ground::agents`].
    pub(super) agent: usize,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Ground {
    pub(super) agents: Vec<KnownAgent>,
    pub(super) visitors: Vec<KnownVisitor>,
}

impl Ground {
    /// Pairs: each agent serves one visitor.
    pub(super) async fn of_pairs(folder: &Path, pairs: usize) -> Result<Self, BenchError> {
        Self::store(folder, pairs, 1).await
    }

    /// A crowd: each agent serves as many visitors as may be.
    pub(super) async fn of_crowd(folder: &Path, visitors: usize) -> Result<Self, BenchError> {
        Self::store(folder, visitors, CAPACITY_MAX as usize).await
    }

    async fn store(folder: &Path, visitors: usize, each: usize) -> Result<Self, BenchError> {
        let store = Store::open(folder, &RealWorld).during("making a database")?;
        let app = Arc::new(App::new(Config::default(), Arc::new(RealWorld), store));
        let domains = Domain::parse_all(&["http://shop.localhost".to_owned()]);
        let domains = domains.during("making a site")?;
        let site = sites::actions::insert(&app.store, &RealWorld, "Tea", domains).await;
        let site = site.map_err(|error| BenchError::new("making a site", format!("{error:?}")))?;
        let mut ground = Self::default();
        for number in 0..visitors.div_ceil(each) {
            ground.agents.push(agent(&app, number, each).await?);
        }
        let agents = &ground.agents;
        let (app, site) = (&app, &site.id);
        let mut known = stream::iter(0..visitors)
            .map(|number| {
                let place = number / each;
                Box::pin(async move { visitor(app, site, agents.get(place), place).await })
            })
            .buffered(AT_ONCE);
        let mut found = Vec::with_capacity(visitors);
        while let Some(visitor) = known.next().await {
            found.push(visitor?);
        }
        drop(known);
        ground.visitors = found;
        app.store.close().await;
        Ok(ground)
    }
}

/// An agent, online, with a session. Without the slow hash of a password: nobody signs in with one.
async fn agent(app: &App, number: usize, capacity: usize) -> Result<KnownAgent, BenchError> {
    let id = AgentId::new(RealWorld.new_id()).during("making an id")?;
    let token = RealWorld.new_secret();
    let hash = TokenHash::of(&token);
    let account = format!("ana{number}");
    let row = Agent {
        id: id.clone(),
        nickname: format!("Ana{number}"),
        account: account.clone(),
        role: Role::Agent,
        availability: Availability::Online,
        capacity: u32::try_from(capacity).unwrap_or(CAPACITY_MAX),
        disabled: false,
        departments: vec![DepartmentId::new(DEFAULT_DEPARTMENT).during("naming a department")?],
        skills: Vec::new(),
        auto_replies: AutoReplyTexts::default(),
        idle_since: RealWorld.now(),
        lost_at: None,
    };
    let now = RealWorld.now();
    let expires = auth::rules::session_ends(now);
    let stored = app.store.write("bench agent", move |tx| {
        agents::store::insert(tx, &row, &account, "", now)?;
        auth::store::insert_session(tx, &hash, &row.id, now, expires)?;
        tx.append(events::NewEvent {
            at: now,
            subject: None,
            body: events::LogBody::AgentChanged { agent_id: row.id.clone() },
        })?;
        Ok::<_, Abort<StoreError>>(())
    });
    stored.await.during("storing an agent")?;
    Ok(KnownAgent { id, token })
}

/// A visitor with an open conversation that the agent serves.
async fn visitor(
    app: &Arc<App>,
    site_id: &SiteId,
    agent: Option<&KnownAgent>,
    place: usize,
) -> Result<KnownVisitor, BenchError> {
    let during = "storing a visitor";
    let id = VisitorId::new(RealWorld.new_id()).during(during)?;
    let token = RealWorld.new_secret();
    let (hash, now) = (TokenHash::of(&token), RealWorld.now());
    let (visitor_id, site) = (id.clone(), site_id.clone());
    let stored = app.store.write("bench visitor", move |tx| {
        visitors::store::insert(tx, &visitor_id, &site, now)?;
        visitors::store::insert_token(tx, &hash, &visitor_id, now)?;
        Ok::<_, Abort<StoreError>>(())
    });
    stored.await.during(during)?;
    let who = VisitorIdentity { visitor_id: id.clone(), site_id: site_id.clone() };
    let client_id = ClientId::new(RealWorld.new_id()).during(during)?;
    let page = PageContext { url: "http://shop.localhost/".to_owned(), title: "Tea".to_owned() };
    let text = TEXT.to_owned();
    let command =
        VisitorSendMessage { text, page, locale: "zh-CN".to_owned(), asks: VisitorAsks::default() };
    let sent = send_as_visitor(Arc::clone(app), who, client_id, command).await;
    let conversation = match sent {
        Ok(Outcome::Accepted { conversation_id, .. }) => conversation_id,
        other => return Err(BenchError::new(during, format!("{other:?}"))),
    };
    let agent = agent.ok_or_else(|| BenchError::new(during, "no agent"))?;
    match claim(app, conversation.clone(), agent.id.clone(), AssignedHow::Started {}).await {
        Ok(ClaimOutcome::Claimed) => {}
        other => return Err(BenchError::new(during, format!("{other:?}"))),
    }
    Ok(KnownVisitor { id, token, conversation, agent: place })
}

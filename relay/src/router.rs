//! Every HTTP route and every socket command of the relay, on one screen.
//!
//! A route takes who asks from its extractor (`Staff`, `Visitor`, or nobody) and every action asks
//! [`crate::policy`]; a route added here without a line in the policy test of this file fails.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, patch, post, put};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use yingke_shared::commands::{StaffCommand, VisitorCommand};
use yingke_shared::error_code::ErrorCode;
use yingke_shared::frame::Outcome;
use yingke_shared::ids::ClientId;

use crate::app::App;
use crate::auth::{StaffIdentity, VisitorIdentity};
use crate::error::RelayError;
use crate::limits::{REQUEST_BODY_BYTES_MAX, SETTINGS_BODY_BYTES_MAX};
use crate::live::Seat;
use crate::{
    agents, assets, assignment, audit, auth, conversations, health, live, settings, sites, visitors,
};

/// Who may ask a route at all; what they then may is the policy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// Anybody: the route itself gives nothing away.
    Anybody,
    /// A signed-in member of staff.
    Staff,
    /// A visitor with a token.
    Visitor,
    /// Decided by the `hello` on the socket.
    Hello,
}

/// One line of the table.
pub struct Route {
    /// Methods, for people and tests.
    pub methods: &'static str,
    /// Path.
    pub path: &'static str,
    /// Who may ask.
    pub asker: Asker,
    handler: MethodRouter<Arc<App>>,
}

/// The table.
#[rustfmt::skip]
#[must_use]
pub fn table() -> Vec<Route> {
    use Asker::{Anybody, Hello, Staff, Visitor};
    let route = |methods, path, asker, handler| Route { methods, path, asker, handler };
    vec![
        route("GET", "/healthz", Anybody, get(health::health)),

        route("POST", "/api/sign-in", Anybody, post(auth::routes::sign_in)),
        route("POST", "/api/sign-out", Staff, post(auth::routes::sign_out)),
        route("POST", "/api/password", Staff, post(auth::routes::change_password)),
        route("GET", "/api/me", Staff, get(agents::routes::me)),
        route("PUT", "/api/me/auto-replies", Staff, put(agents::routes::set_auto_replies)),
        route("GET POST", "/api/agents", Staff, get(agents::routes::list).post(agents::routes::add)),
        route("PATCH", "/api/agents/{id}", Staff, patch(agents::routes::change)),
        route("GET POST", "/api/sites", Staff, get(sites::routes::list).post(sites::routes::add)),
        route("PATCH", "/api/sites/{id}", Staff, patch(sites::routes::change)),
        route("GET", "/api/conversations", Staff, get(conversations::routes::served)),
        route("GET", "/api/conversations/{id}", Staff, get(conversations::routes::conversation)),
        route("GET", "/api/conversations/{id}/messages", Staff, get(conversations::routes::messages)),
        route("GET", "/api/conversations/{id}/assignments", Staff, get(conversations::routes::assignments)),
        route("GET", "/api/contacts", Staff, get(conversations::routes::contacts)),
        route("GET PUT", "/api/settings", Staff, get(settings::routes::all).put(settings::routes::save).layer(DefaultBodyLimit::max(SETTINGS_BODY_BYTES_MAX))),
        route("POST", "/api/routing/dry-run", Staff, post(assignment::routes::dry_run)),
        route("POST", "/api/routing/replay", Staff, post(assignment::routes::replay).layer(DefaultBodyLimit::max(SETTINGS_BODY_BYTES_MAX))),
        route("GET", "/api/audit", Staff, get(audit::routes::page)),
        route("GET", "/ws/staff", Hello, get(live::socket::staff_upgrade)),

        route("GET", "/widget.js", Anybody, get(assets::loader)),
        route("GET", "/w/assets/{file}", Anybody, get(assets::app_file)),
        route("GET", "/w/{site}/boot", Anybody, get(sites::routes::boot)),
        route("GET", "/w/{site}/frame", Anybody, get(sites::routes::frame)),
        route("GET", "/c/{site}", Anybody, get(sites::routes::page)),
        route("POST", "/w/{site}/visitor", Anybody, post(visitors::routes::enter)),
        route("POST", "/w/{site}/ticket", Visitor, post(visitors::routes::ticket)),
        route("GET", "/ws/visitor", Hello, get(live::socket::visitor_upgrade)),
    ]
}

/// The table as a service. What is not in it is `not_found` like anything else that is not there.
pub fn routes(app: &Arc<App>) -> Router {
    let mut router = Router::new();
    for route in table() {
        router = router.route(route.path, route.handler);
    }
    router
        .fallback(|| async { RelayError::refused(ErrorCode::NotFound) })
        .method_not_allowed_fallback(|| async { RelayError::refused(ErrorCode::NotFound) })
        .layer(DefaultBodyLimit::max(REQUEST_BODY_BYTES_MAX))
        .with_state(Arc::clone(app))
}

/// What carrying out a command gives. Owns all it needs: a session has several under way.
pub type Answer = BoxFuture<'static, Result<Outcome, RelayError>>;

/// Every command of staff. `hello` and `typing` end in the live part: they store nothing.
pub fn dispatch_staff(
    app: &Arc<App>,
    who: &StaffIdentity,
    seat: &Seat,
    client_id: ClientId,
    command: StaffCommand,
) -> Answer {
    use StaffCommand as C;
    let (app, who, seat, id) = (Arc::clone(app), who.clone(), seat.clone(), client_id);
    match command {
        C::StaffSendMessage(body) => {
            conversations::actions::send_as_agent(app, who, id, body).boxed()
        }
        C::StaffMark(body) => conversations::actions::mark_as_agent(app, who, id, body).boxed(),
        C::SetAvailability(body) => agents::actions::set_availability(app, who, id, body).boxed(),
        C::StaffEndConversation(body) => {
            conversations::actions::end_as_agent(app, who, id, body).boxed()
        }
        C::LoadMessages(body) => conversations::actions::load_messages(app, who, id, body).boxed(),
        C::WatchConversation(body) => conversations::actions::watch(app, who, seat, body).boxed(),
        C::UnwatchConversation(body) => conversations::actions::unwatch(&app, &seat, &body).boxed(),
        C::WatchFloor(body) => {
            conversations::actions::watch_floor(&app, &who, &seat, &body).boxed()
        }
        C::Assign(body) => conversations::actions::assign_by_hand(app, who, id, body).boxed(),
        C::Invite(body) => conversations::actions::invite(app, who, id, body).boxed(),
        C::AnswerInvitation(body) => conversations::actions::answer(app, who, id, body).boxed(),
        C::WithdrawInvitation(body) => conversations::actions::withdraw(app, who, id, body).boxed(),
        C::LeaveConversation(body) => conversations::actions::leave(app, who, id, body).boxed(),
        C::EnterConversation(body) => conversations::actions::enter(app, who, id, body).boxed(),
        C::TakeOver(body) => conversations::actions::take_over(app, who, id, body).boxed(),
        C::HandBack(body) => conversations::actions::hand_back(app, who, id, body).boxed(),
        C::StartConversation(body) => conversations::actions::start(app, who, id, body).boxed(),
        C::AddNote(body) => conversations::actions::add_note(app, who, id, body).boxed(),
        C::Hello(_) | C::Typing(_) | C::Viewing(_) => unknown(),
    }
}

/// Every command of a visitor. `hello` and `preview` end in the live part: they store nothing.
pub fn dispatch_visitor(
    app: &Arc<App>,
    who: &VisitorIdentity,
    client_id: ClientId,
    command: VisitorCommand,
) -> Answer {
    use VisitorCommand as C;
    let (app, who, id) = (Arc::clone(app), who.clone(), client_id);
    match command {
        C::VisitorSendMessage(body) => {
            conversations::actions::send_as_visitor(app, who, id, body).boxed()
        }
        C::BeginConversation(body) => conversations::actions::begin(app, who, id, body).boxed(),
        C::VisitorMark(body) => conversations::actions::mark_as_visitor(app, who, id, body).boxed(),
        C::VisitorEndConversation(body) => {
            conversations::actions::end_as_visitor(app, who, id, body).boxed()
        }
        C::LoadHistory(body) => conversations::actions::load_history(app, who, id, body).boxed(),
        C::LeaveQueue(body) => conversations::actions::leave_queue(app, who, id, body).boxed(),
        C::LeaveMessage(body) => conversations::actions::leave_message(app, who, id, body).boxed(),
        C::Hello(_) | C::Preview(_) => unknown(),
    }
}

fn unknown() -> Answer {
    futures_util::future::ready(Err(ErrorCode::UnknownCommand.into())).boxed()
}

#[cfg(test)]
#[path = "router_tests.rs"]
mod tests;

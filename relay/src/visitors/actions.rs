//! The verbs: enter, return, take a return ticket.

use std::net::IpAddr;

use yingke_shared::error_code::ErrorCode;
use yingke_shared::ids::{SiteId, VisitorId};
use yingke_shared::rest::{EnterAsVisitor, ReturnTicket, VisitorEntered};

use super::{forgetting, store};
use crate::app::App;
use crate::auth::{TokenHash, VisitorIdentity};
use crate::error::RelayError;
use crate::limits::TOKENS_PER_VISITOR_MAX;
use crate::policy;
use crate::sites;
use crate::store::Abort;

/// Becomes a visitor of the site, or returns as one by a ticket, which is spent. A ticket that is
/// unknown, spent, or of another site makes a new visitor.
pub async fn enter(
    app: &App,
    address: IpAddr,
    site_id: SiteId,
    request: EnterAsVisitor,
) -> Result<VisitorEntered, RelayError> {
    let now = app.world.now();
    app.entrance
        .by_address
        .take(&address, now)
        .map_err(|wait| RelayError::later(ErrorCode::TooFast, wait))?;
    let site = sites::actions::open_site(app, site_id).await?;
    let ticket =
        request.ticket.filter(|_| site.return_tickets).map(|ticket| TokenHash::of(&ticket));
    let new_id = VisitorId::new(app.world.new_id()).map_err(|_| ErrorCode::Internal)?;
    let token = app.world.new_secret();
    let hash = TokenHash::of(&token);
    let (hub, given) = (app.hub.clone(), hash.clone());
    let (visitor_id, forgotten) = app
        .store
        .write("enter as visitor", move |tx| {
            let returning = match &ticket {
                Some(ticket) => store::visitor_of_ticket(tx, ticket, &site.id)?,
                None => None,
            };
            let visitor_id = match (returning, &ticket) {
                (Some(known), Some(ticket)) if store::spend_ticket(tx, ticket)? => known,
                _ => {
                    store::insert(tx, &new_id, &site.id, now)?;
                    new_id.clone()
                }
            };
            store::insert_token(tx, &hash, &visitor_id, now)?;
            if visitor_id != new_id {
                store::void_old_tokens(tx, &visitor_id, TOKENS_PER_VISITOR_MAX)?;
            }
            let forgotten =
                forgetting::forget_unheard(tx, now, |visitor_id| hub.visitor_online(visitor_id))?;
            Ok::<_, Abort<ErrorCode>>((visitor_id, forgotten))
        })
        .await?;
    app.auth.guesses.is_right(&given, now);
    // One who came back in this very moment enters anew.
    for visitor_id in &forgotten {
        app.hub.end_sessions_of_visitor(visitor_id, ErrorCode::Unauthenticated);
    }
    Ok(VisitorEntered { visitor_id, token })
}

/// A new return ticket; the one before is void.
pub async fn ticket(
    app: &App,
    who: &VisitorIdentity,
    site_id: SiteId,
) -> Result<ReturnTicket, RelayError> {
    policy::visitor_may(who.site_id == site_id)?;
    let now = app.world.now();
    let too_fast = |wait| RelayError::later(ErrorCode::TooFast, wait);
    app.entrance.tickets.take(&who.visitor_id, now).map_err(too_fast)?;
    let site = sites::actions::open_site(app, site_id).await?;
    if !site.return_tickets {
        return Err(ErrorCode::Forbidden.into());
    }
    let ticket = app.world.new_secret();
    let hash = TokenHash::of(&ticket);
    let visitor_id = who.visitor_id.clone();
    app.store
        .write("return ticket", move |tx| {
            Ok::<_, Abort<ErrorCode>>(store::replace_ticket(tx, &visitor_id, &hash, now)?)
        })
        .await?;
    Ok(ReturnTicket { ticket })
}

//! Applying what is delivered must equal fetching afresh: the helper around actions, for several
//! viewers at once, staff and visitors.

use anyhow::{Result, bail};
use yingke_shared::ids::Position;

use crate::http::Address;
use crate::link::{Link, Side};
use crate::wait;

/// One viewer: a live link, and the token to fetch the same afresh.
pub struct Viewer<'a, S: Side> {
    /// Who, for the failure's text.
    pub name: &'static str,
    /// The long-lived link that only applies.
    pub link: &'a Link<S>,
    /// The session's or visitor's secret.
    pub token: &'a str,
}

impl<S: Side> Viewer<'_, S> {
    async fn fresh(&self, address: &Address) -> Result<(Position, S::Snapshot)> {
        let link: Link<S> = Link::open(address, self.token, None).await?;
        Ok(link.look(|held| (held.position, held.snapshot.clone())))
    }

    /// Waits until the applied state equals a fresh one. The fresh one is fetched again each time,
    /// because the relay may still be acting (an assignment follows a message).
    pub async fn agrees(&self, address: &Address, after: &str) -> Result<()> {
        let mut last = None;
        let looked = wait::until("applied equals fetched", || async {
            let (position, fresh) = self.fresh(address).await?;
            let agreed = self.link.look(|held| {
                if let Some(broken) = &held.broken {
                    bail!("{broken}");
                }
                Ok((held.snapshot == fresh).then_some(()))
            })?;
            Ok(match agreed {
                Some(()) => Some(None),
                None if self.link.look(|held| held.closed) => Some(Some((position, fresh))),
                None => None,
            })
        })
        .await;
        match looked {
            Ok(None) => return Ok(()),
            Ok(difference) => last = difference,
            Err(_) => {}
        }
        let (position, fresh) = match last {
            Some(difference) => difference,
            None => self.fresh(address).await?,
        };
        let held = self.link.look(|held| format!("{}: {:#?}", held.position, held.snapshot));
        bail!("{} after {after}: applied\n{held}\nbut fetched\n{position}: {fresh:#?}", self.name)
    }

    /// The same at the very end, when the reader has been moved past everything that happened: the
    /// equality must hold at or after the position of a fresh snapshot.
    pub async fn agrees_finally(&self, address: &Address) -> Result<()> {
        let (position, _) = self.fresh(address).await?;
        self.link
            .until("the reader is moved past everything", |held| {
                (held.position >= position).then_some(())
            })
            .await?;
        self.agrees(address, "everything").await
    }
}

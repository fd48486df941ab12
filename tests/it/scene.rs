//! The usual beginning: a relay, a site, some agents.

use anyhow::Result;
use yingke_shared::ids::SiteId;
use yingke_shared::views::{Availability, Role};
use yingke_tests::http::{Account, Address, Admin};
use yingke_tests::relay::TestRelay;
use yingke_tests::staff::StaffSocket;
use yingke_tests::visitor::TestVisitor;

/// A running relay with one site.
pub(crate) struct Scene {
    pub(crate) relay: TestRelay,
    pub(crate) admin: Admin,
    pub(crate) site: SiteId,
}

impl Scene {
    /// A relay whose site starts on `http://shop.localhost`.
    pub(crate) async fn set() -> Result<Self> {
        let relay = TestRelay::start().await?;
        Self::on(relay, "http://shop.localhost").await
    }

    /// The same on a relay that runs already.
    pub(crate) async fn on(relay: TestRelay, origin: &str) -> Result<Self> {
        let admin = relay.admin().await?;
        let site = admin.add_site("Tea", origin).await?;
        Ok(Self { relay, admin, site })
    }

    /// Where the relay is.
    pub(crate) fn address(&self) -> &Address {
        &self.relay.address
    }

    /// An agent with an account, not signed in.
    pub(crate) async fn hire(&self, name: &str, capacity: u32) -> Result<Account> {
        self.admin.add_agent(name, capacity).await
    }

    /// An agent on a raw socket, online.
    pub(crate) async fn agent(&self, name: &str, capacity: u32) -> Result<StaffSocket> {
        let account = self.hire(name, capacity).await?;
        let agent = StaffSocket::sign_in(self.address(), &account).await?;
        agent.set_availability(Availability::Online).await?;
        Ok(agent)
    }

    /// A manager on a raw socket, taking no visitors.
    pub(crate) async fn manager(&self, name: &str) -> Result<StaffSocket> {
        let account = self.admin.add_staff(name, Role::Manager, 8).await?;
        let manager = StaffSocket::sign_in(self.address(), &account).await?;
        manager.set_availability(Availability::Busy).await?;
        Ok(manager)
    }

    /// A scripted visitor.
    pub(crate) async fn visitor(&self) -> Result<TestVisitor> {
        TestVisitor::enter(self.address(), &self.site).await
    }

    /// The good end.
    pub(crate) async fn finish(self) -> Result<()> {
        self.relay.finish().await
    }
}

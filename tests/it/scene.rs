//! The usual beginning: a relay, a site, some agents.

use anyhow::Result;
use yingke_shared::ids::SiteId;
use yingke_shared::settings::{Attention, CompanySettings, DepartmentSettings, SettingsSection};
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
        let scene = Self { relay, admin, site };
        scene.have_patience().await?;
        Ok(scene)
    }

    /// A story takes as long as the computer takes: nobody is moved, asked again or filed, and nothing
    /// asks louder, because time passes. A story of such a limit sets it.
    async fn have_patience(&self) -> Result<()> {
        self.change_company(|company| {
            (company.grace_s, company.invitation_s) = (3_600, 600);
            company.attention = Attention { warn_s: 40_000, red_s: 80_000 };
        })
        .await?;
        self.change_departments(|department| {
            (department.no_answer, department.file_after_s) = (None, None);
        })
        .await
    }

    /// Changes what the admin has set for the company.
    pub(crate) async fn change_company(
        &self,
        change: impl FnOnce(&mut CompanySettings),
    ) -> Result<()> {
        let mut company = self.admin.settings().await?.company;
        change(&mut company.value);
        let section = SettingsSection::Company(company.value);
        self.admin.save_settings(company.version, section).await.map(drop)
    }

    /// Changes what the admin has set for each department.
    pub(crate) async fn change_departments(
        &self,
        change: impl FnMut(&mut DepartmentSettings),
    ) -> Result<()> {
        let mut departments = self.admin.settings().await?.departments;
        departments.value.iter_mut().for_each(change);
        let section = SettingsSection::Departments(departments.value);
        self.admin.save_settings(departments.version, section).await.map(drop)
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

//! What is known of a visitor when a conversation begins.
//!
//! Owns the description that rules look at and nothing else: it is data, made by the relay from
//! what the page, the widget and the contact say.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::ids::{AgentId, DepartmentId, SiteId};

/// A visitor as rules see one. What is not known is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Described {
    /// The website.
    pub site: Option<SiteId>,
    /// Where the conversation came from: web, link, app …
    pub channel: String,
    /// The page now open.
    pub page: String,
    /// The page the visit began on.
    pub landing: String,
    /// Where the visit came from.
    pub referrer: String,
    /// What was searched for there.
    pub keyword: String,
    /// BCP 47, as the browser says.
    pub language: String,
    /// ISO country code.
    pub country: String,
    /// Province or state.
    pub province: String,
    /// City.
    pub city: String,
    /// Network provider.
    pub isp: String,
    /// desktop, phone, tablet.
    pub device: String,
    /// Operating system.
    pub os: String,
    /// Browser.
    pub browser: String,
    /// Was here before.
    pub returning: bool,
    /// Visits so far, this one included.
    pub visits: u32,
    /// Is known by a signed identity.
    pub identified: bool,
    /// Waits before others in the same department (B18).
    pub vip: bool,
    /// The contact the visitor is linked to.
    pub contact: String,
    /// The group of that contact.
    pub group: String,
    /// The level of that contact; larger is higher.
    pub level: u32,
    /// Tags of visitor and contact.
    pub tags: BTreeSet<String>,
    /// What the visitor picked in the form before the chat (A24).
    pub category: String,
    /// The product handed over by the page.
    pub product: String,
    /// Its category.
    pub product_category: String,
    /// Fields of registration and custom fields.
    pub fields: BTreeMap<String, String>,
    /// The department the visitor picked (A25).
    pub department: Option<DepartmentId>,
    /// The agent the visitor picked (A25).
    pub agent: Option<AgentId>,
    /// The agent who served this visitor last, if that still counts.
    pub last_agent: Option<AgentId>,
}

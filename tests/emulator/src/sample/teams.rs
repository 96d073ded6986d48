//! The sample teams with their channels and members.

use super::directory::{Home, User};

/// One team.
#[derive(Debug)]
pub struct Team {
    /// Group id.
    pub id: &'static str,
    /// Display name.
    pub name: &'static str,
    /// Description.
    pub about: &'static str,
    /// Channel ids and names.
    pub channels: &'static [(&'static str, &'static str)],
    /// Addresses of the members.
    members: &'static [&'static str],
}

impl Team {
    /// Whether a person is a member.
    pub fn has(&self, user: &User) -> bool {
        user.home == Home::Contoso && self.members.contains(&user.email)
    }
}

/// All teams.
pub const TEAMS: &[Team] = &[
    Team {
        id: "7ea00000-0000-4000-8000-00000000000a",
        name: "Contoso Retail",
        about: "Everybody who sells",
        channels: &[("19:general0a@thread.tacv2", "General"), ("19:launch0a@thread.tacv2", "Spring launch")],
        members: &["adele@contoso.example", "alex@contoso.example", "megan@contoso.example"],
    },
    Team {
        id: "7ea00000-0000-4000-8000-00000000000b",
        name: "Project Heron",
        about: "Planning of Project Heron",
        channels: &[("19:general0b@thread.tacv2", "General")],
        members: &["adele@contoso.example", "megan@contoso.example"],
    },
    Team {
        id: "7ea00000-0000-4000-8000-00000000000c",
        name: "Operations",
        about: "Only for operations",
        channels: &[("19:general0c@thread.tacv2", "General")],
        members: &["megan@contoso.example"],
    },
    Team {
        id: "7ea00000-0000-4000-8000-00000000000d",
        name: "Purchasing",
        about: "Suppliers, prices, deliveries",
        channels: &[("19:general0d@thread.tacv2", "General"), ("19:prices0d@thread.tacv2", "Price rounds")],
        members: &["carla@contoso.example"],
    },
];

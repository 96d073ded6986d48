//! The invented people. `contoso.example` is the home tenant; the others exist to be refused.

use crate::settings::Settings;

/// The tenant id that every personal Microsoft account has.
pub const PERSONAL_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
/// The tenant of `fabrikam.example`.
pub const FABRIKAM_TENANT: &str = "fab0fab0-1111-4222-8333-444444444444";

/// Where an account lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// The tenant the application is registered in.
    Contoso,
    /// Another organisation.
    Fabrikam,
    /// A personal Microsoft account.
    Personal,
}

/// One invented person.
#[derive(Debug, PartialEq, Eq)]
pub struct User {
    /// Directory object id.
    pub oid: &'static str,
    /// Display name.
    pub name: &'static str,
    /// Sign-in name and address.
    pub email: &'static str,
    /// Job title.
    pub title: &'static str,
    /// Windows name of the mailbox's time zone.
    pub zone: &'static str,
    /// Where the account lives.
    pub home: Home,
    /// A word in the subject of some of this person's mail and of nobody else's.
    pub project: &'static str,
    /// A word in every mail body of this person and of nobody else's.
    pub marker: &'static str,
}

impl User {
    /// The tenant id that this person's tokens carry.
    pub fn tenant<'a>(&self, settings: &'a Settings) -> &'a str {
        match self.home {
            Home::Contoso => &settings.tenant_id,
            Home::Fabrikam => FABRIKAM_TENANT,
            Home::Personal => PERSONAL_TENANT,
        }
    }

    /// First and last name.
    pub fn names(&self) -> (&'static str, &'static str) {
        self.name.split_once(' ').unwrap_or((self.name, ""))
    }
}

/// Everybody who can try to sign in.
pub const USERS: &[User] = &[
    User {
        oid: "ad000000-0000-4000-8000-000000000001",
        name: "Adele Vance",
        email: "adele@contoso.example",
        title: "Product Manager",
        zone: "W. Europe Standard Time",
        home: Home::Contoso,
        project: "Project Heron",
        marker: "marker-heron-5d1f",
    },
    User {
        oid: "a1000000-0000-4000-8000-000000000002",
        name: "Alex Wilber",
        email: "alex@contoso.example",
        title: "Marketing Assistant",
        zone: "Pacific Standard Time",
        home: Home::Contoso,
        project: "Project Osprey",
        marker: "marker-osprey-8c2e",
    },
    User {
        oid: "be000000-0000-4000-8000-000000000003",
        name: "Megan Bowen",
        email: "megan@contoso.example",
        title: "Head of Operations",
        zone: "UTC",
        home: Home::Contoso,
        project: "Project Egret",
        marker: "marker-egret-31aa",
    },
    User {
        oid: "f0000000-0000-4000-8000-000000000004",
        name: "Frank Miller",
        email: "frank@fabrikam.example",
        title: "Buyer",
        zone: "UTC",
        home: Home::Fabrikam,
        project: "Project Gannet",
        marker: "marker-gannet-77b0",
    },
    User {
        oid: "00000000-0000-0000-9a00-000000000005",
        name: "Pat Moss",
        email: "pat@outlook.example",
        title: "",
        zone: "UTC",
        home: Home::Personal,
        project: "Project Teal",
        marker: "marker-teal-c914",
    },
    User {
        oid: "ca000000-0000-4000-8000-000000000006",
        name: "Carla Brunner",
        email: "carla@contoso.example",
        title: "Head of Purchasing",
        zone: "W. Europe Standard Time",
        home: Home::Contoso,
        project: "Project Wren",
        marker: "marker-wren-4e77",
    },
];

/// A person by address, in any case.
pub fn by_email(email: &str) -> Option<&'static User> {
    USERS.iter().find(|user| user.email.eq_ignore_ascii_case(email))
}

/// A person by directory id or sign-in name, as Graph's `/users/{id}` takes them.
pub fn by_key(key: &str) -> Option<&'static User> {
    USERS.iter().find(|user| user.oid == key).or_else(|| by_email(key))
}

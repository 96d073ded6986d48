//! Graph's permissions on a file, and the rows that a model sees of them.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::tools::answer::clean;
use crate::tools::arguments::LINE;
use crate::tools::drive_item::Person;

/// What a row is made of.
pub(super) const SELECT: &str =
    "id,roles,link,grantedToV2,grantedToIdentitiesV2,invitation,expirationDateTime,inheritedFrom";

/// Graph's permission.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Permission {
    id: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    link: Option<SharingLink>,
    granted_to_v2: Option<Grantee>,
    #[serde(default)]
    granted_to_identities_v2: Vec<Grantee>,
    invitation: Option<Person>,
    expiration_date_time: Option<String>,
    inherited_from: Option<IgnoredAny>,
    error: Option<Failed>,
}

/// Why an invitation of several did not go out.
#[derive(Deserialize)]
struct Failed {
    code: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SharingLink {
    scope: Option<String>,
    web_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Grantee {
    user: Option<Person>,
    group: Option<Person>,
    /// SharePoint's own groups, such as the members of a site.
    site_group: Option<Person>,
    site_user: Option<Person>,
}

/// A list of them.
#[derive(Deserialize)]
pub(super) struct Permissions {
    #[serde(default)]
    pub value: Vec<Permission>,
    #[serde(rename = "@odata.nextLink")]
    pub next: Option<String>,
}

/// Who has access, and how.
#[derive(Serialize)]
pub(super) struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    roles: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    who: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    /// Of a folder above: it is removed there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    inherited: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Row {
    /// The row of a permission.
    pub fn of(permission: Permission) -> Self {
        let all = permission.granted_to_v2.into_iter().chain(permission.granted_to_identities_v2);
        let named = |one: Grantee| one.user.or(one.group).or(one.site_group).or(one.site_user);
        let people = all.filter_map(named).chain(permission.invitation);
        let mut who: Vec<_> = people.map(Person::shown).filter(|who| !who.is_empty()).collect();
        who.dedup();
        let (scope, link) = permission.link.map_or((None, None), |link| (link.scope, link.web_url));
        Self {
            id: permission.id,
            roles: clean(&permission.roles.join(","), LINE),
            who,
            scope,
            link,
            expires: permission.expiration_date_time,
            inherited: permission.inherited_from.is_some(),
            error: permission
                .error
                .map(|error| clean(&error.message.or(error.code).unwrap_or_else(|| "unknown".to_owned()), LINE)),
        }
    }

    /// Whether it was not given, or nobody was told of it.
    pub const fn failed(&self) -> bool {
        self.error.is_some()
    }

    /// Whether it stays until somebody removes it.
    pub const fn lasts(&self) -> bool {
        self.error.is_none() && self.expires.is_none()
    }
}

//! Entra ID: authorize, token, discovery and keys of one home tenant (Microsoft identity platform v2.0).

pub mod admin_consent;
pub mod assertion;
pub mod authorize;
pub mod claims;
pub mod client;
pub mod documents;
pub mod error;
pub mod id_token;
pub mod scopes;
pub mod sessions;
pub mod token;

pub use sessions::Sessions;

use axum::http::Method;

use crate::App;
use crate::call::Call;
use crate::reply::Reply;
use crate::sample::directory::{Home, User};
use crate::settings::Settings;
use error::EntraError;

/// Which accounts an endpoint's tenant segment admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The home tenant, by id or domain.
    Home,
    /// Any organisation.
    Organizations,
    /// Anybody.
    Common,
    /// Personal accounts only.
    Consumers,
}

impl Audience {
    /// Reads the tenant segment of a path; an unknown tenant is none.
    pub fn parse(segment: &str, settings: &Settings) -> Option<Self> {
        match segment {
            "organizations" => Some(Self::Organizations),
            "common" => Some(Self::Common),
            "consumers" => Some(Self::Consumers),
            "contoso.example" => Some(Self::Home),
            id if id.eq_ignore_ascii_case(&settings.tenant_id) => Some(Self::Home),
            _ => None,
        }
    }

    /// Whether an account may sign in here.
    pub fn admits(self, user: &User) -> bool {
        match self {
            Self::Home => user.home == Home::Contoso,
            Self::Organizations => user.home != Home::Personal,
            Self::Common => true,
            Self::Consumers => user.home == Home::Personal,
        }
    }
}

/// Answers a request to the sign-in host; `path` starts with the tenant segment.
pub async fn handle(app: &App, call: &Call, path: &str) -> Reply {
    let trimmed = path.trim_start_matches('/');
    let (tenant, rest) = trimmed.split_once('/').unwrap_or((trimmed, ""));
    let Some(audience) = Audience::parse(tenant, &app.settings) else {
        let text = format!("Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.");
        return EntraError::new("invalid_request", 90002, &text).reply();
    };
    match (&call.method, rest) {
        (&Method::GET, "oauth2/v2.0/authorize") => authorize::show(app, call, audience),
        (&Method::POST, "oauth2/v2.0/authorize") => authorize::choose(app, call, audience),
        (&Method::GET, "v2.0/adminconsent") => admin_consent::show(app, call, audience),
        (&Method::POST, "v2.0/adminconsent") => admin_consent::decide(app, call, audience),
        (&Method::POST, "oauth2/v2.0/token") => token::handle(app, call, (tenant, audience)).await,
        (_, "oauth2/v2.0/token") => {
            EntraError::new("invalid_request", 900_561, "The endpoint only accepts POST requests.").reply()
        }
        (&Method::GET, "v2.0/.well-known/openid-configuration") => {
            documents::openid_configuration(app, tenant, audience)
        }
        (&Method::GET, "discovery/v2.0/keys") => documents::keys(app, audience).await,
        _ => crate::reply::empty(404),
    }
}

//! Which path is what: its handler, its body limit, whether Access guards it, whether other origins may read it.

use crate::config::{Access, AccessMode};
use crate::mcp::Endpoint;
use crate::operator;

/// Forms and registrations are small.
const SMALL_BODY: usize = 16 * 1024;

/// A mail with its body, as JSON, and some room.
const MESSAGE_BODY: usize = 4 * 1024 * 1024;

/// A gateway envelope carries a message once more, quoted.
const ENVELOPE_BODY: usize = 16 * 1024 * 1024;

/// A path that this server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/`
    Landing,
    /// `/healthz`
    Health,
    /// `/.well-known/oauth-authorization-server`
    AuthorizationServer,
    /// `/.well-known/oauth-protected-resource`, with the resource's path.
    ProtectedResource(&'static str),
    /// `/authorize`
    Authorize,
    /// `/callback`
    Callback,
    /// `/admin-consent`
    AdminConsent,
    /// `/account`
    Account,
    /// `/token`
    Token,
    /// `/register`
    Register,
    /// `/revoke`
    Revoke,
    /// `/mcp`, `/sse`, `/sse/message`
    Mcp(Endpoint),
    /// `/graph-handler/v1/chat/completions`
    GraphHandler,
    /// `/operator/…`
    Operator,
    /// Anything else.
    Unknown,
}

impl Route {
    /// The route of an exact path: no trailing slash, no decoding.
    pub fn parse(path: &str) -> Self {
        match path {
            "/" => Self::Landing,
            "/healthz" => Self::Health,
            "/.well-known/oauth-authorization-server" => Self::AuthorizationServer,
            "/.well-known/oauth-protected-resource" => Self::ProtectedResource(""),
            "/.well-known/oauth-protected-resource/mcp" => Self::ProtectedResource("/mcp"),
            "/.well-known/oauth-protected-resource/sse" => Self::ProtectedResource("/sse"),
            "/authorize" => Self::Authorize,
            "/callback" => Self::Callback,
            "/admin-consent" => Self::AdminConsent,
            "/account" => Self::Account,
            "/token" => Self::Token,
            "/register" => Self::Register,
            "/revoke" => Self::Revoke,
            "/mcp" => Self::Mcp(Endpoint::Mcp),
            "/sse" => Self::Mcp(Endpoint::Sse),
            "/sse/message" => Self::Mcp(Endpoint::SseMessage),
            "/graph-handler/v1/chat/completions" => Self::GraphHandler,
            _ if path.starts_with(operator::PREFIX) => Self::Operator,
            _ => Self::Unknown,
        }
    }

    /// The name in log lines; never the raw path, which strangers choose.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Landing => "landing",
            Self::Health => "healthz",
            Self::AuthorizationServer => "authorization-server-metadata",
            Self::ProtectedResource(_) => "protected-resource-metadata",
            Self::Authorize => "authorize",
            Self::Callback => "callback",
            Self::AdminConsent => "admin-consent",
            Self::Account => "account",
            Self::Token => "token",
            Self::Register => "register",
            Self::Revoke => "revoke",
            Self::Mcp(Endpoint::Mcp) => "mcp",
            Self::Mcp(Endpoint::Sse) => "sse",
            Self::Mcp(Endpoint::SseMessage) => "sse-message",
            Self::GraphHandler => "graph-handler",
            Self::Operator => "operator",
            Self::Unknown => "unknown",
        }
    }

    /// The most that a body may hold, in bytes.
    pub const fn body_limit(self) -> usize {
        match self {
            Self::Mcp(_) => MESSAGE_BODY,
            Self::GraphHandler => ENVELOPE_BODY,
            Self::Landing
            | Self::Health
            | Self::AuthorizationServer
            | Self::ProtectedResource(_)
            | Self::Authorize
            | Self::Callback
            | Self::AdminConsent
            | Self::Account
            | Self::Token
            | Self::Register
            | Self::Revoke
            | Self::Operator
            | Self::Unknown => SMALL_BODY,
        }
    }

    /// Whether a request here needs an Access assertion. Hosted MCP clients cannot carry one, so `browser` guards only
    /// what a person's browser visits: no token exists that was not obtained through there.
    pub const fn is_guarded(self, access: &Access) -> bool {
        let Access::On { mode, .. } = access else { return false };
        match self {
            // Operators come with a script and a key of their own.
            Self::Health
            | Self::AuthorizationServer
            | Self::ProtectedResource(_)
            | Self::GraphHandler
            | Self::Operator => false,
            Self::Landing | Self::Authorize | Self::Callback | Self::AdminConsent | Self::Account => true,
            Self::Token | Self::Register | Self::Revoke | Self::Mcp(_) | Self::Unknown => {
                matches!(mode, AccessMode::Strict)
            }
        }
    }

    /// The methods that a page of another origin may use here; `None` where it may not read anything.
    pub const fn cors_methods(self) -> Option<&'static str> {
        match self {
            Self::AuthorizationServer | Self::ProtectedResource(_) => Some("GET"),
            Self::Token | Self::Register | Self::Revoke => Some("POST"),
            Self::Mcp(_) => Some("GET, POST, DELETE"),
            Self::Landing
            | Self::Health
            | Self::Authorize
            | Self::Callback
            | Self::AdminConsent
            | Self::Account
            | Self::GraphHandler
            | Self::Operator
            | Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guarded(mode: AccessMode) -> Access {
        Access::On { mode, team_domain: "contoso.cloudflareaccess.com".into(), aud: "a".repeat(64) }
    }

    #[test]
    fn strict_access_guards_all_but_metadata_health_and_the_gateway_handler() {
        let strict = guarded(AccessMode::Strict);
        for path in [
            "/",
            "/authorize",
            "/callback",
            "/admin-consent",
            "/account",
            "/token",
            "/register",
            "/revoke",
            "/mcp",
            "/sse",
            "/sse/message",
            "/x",
        ] {
            assert!(Route::parse(path).is_guarded(&strict), "{path}");
        }
        for path in [
            "/healthz",
            "/operator/grants",
            "/.well-known/oauth-protected-resource/mcp",
            "/graph-handler/v1/chat/completions",
        ] {
            assert!(!Route::parse(path).is_guarded(&strict), "{path}");
        }
    }

    #[test]
    fn browser_access_guards_what_a_browser_visits() {
        let browser = guarded(AccessMode::Browser);
        for path in ["/", "/authorize", "/callback", "/admin-consent", "/account"] {
            assert!(Route::parse(path).is_guarded(&browser), "{path}");
        }
        assert!(!Route::parse("/mcp").is_guarded(&browser));
    }

    #[test]
    fn pages_of_the_sign_in_are_closed_to_other_origins() {
        for path in [
            "/authorize",
            "/callback",
            "/admin-consent",
            "/account",
            "/operator/grants",
            "/",
            "/graph-handler/v1/chat/completions",
        ] {
            assert_eq!(Route::parse(path).cors_methods(), None, "{path}");
        }
    }

    #[test]
    fn a_path_is_matched_as_a_whole() {
        for path in ["/mcp/", "/mcp-other", "/MCP", "//mcp", "/sse/message/x", "/%6dcp"] {
            assert_eq!(Route::parse(path), Route::Unknown, "{path}");
        }
    }
}

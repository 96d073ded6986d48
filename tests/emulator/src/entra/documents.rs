//! Discovery and key documents (OpenID Connect Discovery 1.0).

use serde_json::json;

use super::Audience;
use crate::App;
use crate::reply::{self, Reply};
use crate::sample::directory::PERSONAL_TENANT;

/// The issuer of one tenant's tokens.
pub fn issuer(tenant: &str) -> String {
    format!("https://login.microsoftonline.com/{tenant}/v2.0")
}

fn issuer_of(app: &App, audience: Audience) -> String {
    match audience {
        Audience::Home => issuer(&app.settings.tenant_id),
        // The real documents hold this placeholder, to be replaced by the token's `tid`.
        Audience::Organizations | Audience::Common => issuer("{tenantid}"),
        Audience::Consumers => issuer(PERSONAL_TENANT),
    }
}

/// `/{tenant}/v2.0/.well-known/openid-configuration`.
pub fn openid_configuration(app: &App, tenant: &str, audience: Audience) -> Reply {
    let base = format!("https://login.microsoftonline.com/{tenant}");
    reply::json(
        200,
        &json!({
            "issuer": issuer_of(app, audience),
            "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{base}/oauth2/v2.0/token"),
            "jwks_uri": format!("{base}/discovery/v2.0/keys"),
            "end_session_endpoint": format!("{base}/oauth2/v2.0/logout"),
            "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid", "oid", "email"],
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
        }),
    )
}

/// `/{tenant}/discovery/v2.0/keys`.
pub async fn keys(app: &App, audience: Audience) -> Reply {
    let issuer = issuer_of(app, audience);
    let published = app.entra_keys.published().await;
    let keys: Vec<_> = published
        .iter()
        .map(|key| {
            let mut jwk = key.jwk();
            crate::json::set(&mut jwk, "issuer", issuer.clone());
            jwk
        })
        .collect();
    reply::with(reply::json(200, &json!({"keys": keys})), "cache-control", "max-age=86400, private")
}

//! The two documents from which a client finds its way: authorization server metadata (RFC 8414) and protected resource
//! metadata (RFC 9728). Every URL comes from the configuration, never from the request.

use serde::Serialize;

use crate::exchange::Exchange;
use crate::identity::Scope;
use crate::web::Response;

use super::scopes;

const CACHE: &str = "public, max-age=300";

#[derive(Serialize)]
struct AuthorizationServer<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    /// Absent where registration is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    revocation_endpoint: String,
    scopes_supported: Vec<&'static str>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 2],
    token_endpoint_auth_methods_supported: [&'static str; 4],
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 2],
    revocation_endpoint_auth_methods_supported: [&'static str; 4],
    revocation_endpoint_auth_signing_alg_values_supported: [&'static str; 2],
    code_challenge_methods_supported: [&'static str; 1],
    authorization_response_iss_parameter_supported: bool,
    client_id_metadata_document_supported: bool,
}

#[derive(Serialize)]
struct ProtectedResource<'a> {
    resource: String,
    resource_name: &'static str,
    authorization_servers: [&'a str; 1],
    scopes_supported: Vec<&'static str>,
    bearer_methods_supported: [&'static str; 1],
}

const AUTH_METHODS: [&str; 4] = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];
const SIGNING_ALGS: [&str; 2] = ["RS256", "ES256"];

/// RFC 8414. The issuer is the bare origin, so this document exists at the root alone.
pub fn authorization_server(exchange: &Exchange) -> Response {
    let url = &exchange.config.public_url;
    let document = AuthorizationServer {
        issuer: &url.origin,
        authorization_endpoint: url.join("/authorize"),
        token_endpoint: url.join("/token"),
        registration_endpoint: (exchange.config.registrations_per_day > 0).then(|| url.join("/register")),
        revocation_endpoint: url.join("/revoke"),
        scopes_supported: scope_names(exchange),
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: ["authorization_code", "refresh_token"],
        token_endpoint_auth_methods_supported: AUTH_METHODS,
        token_endpoint_auth_signing_alg_values_supported: SIGNING_ALGS,
        revocation_endpoint_auth_methods_supported: AUTH_METHODS,
        revocation_endpoint_auth_signing_alg_values_supported: SIGNING_ALGS,
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
        client_id_metadata_document_supported: exchange.ports.upstream.is_strictly_public(),
    };
    Response::json(200, &document).with("cache-control", CACHE)
}

/// RFC 9728 for the resource at `path` (empty, `/mcp` or `/sse`): `resource` is the URL that the client uses.
pub fn protected_resource(exchange: &Exchange, path: &str) -> Response {
    let url = &exchange.config.public_url;
    let document = ProtectedResource {
        resource: url.join(path),
        resource_name: "Microsoft 365",
        authorization_servers: [&url.origin],
        scopes_supported: scope_names(exchange),
        bearer_methods_supported: ["header"],
    };
    Response::json(200, &document).with("cache-control", CACHE)
}

fn scope_names(exchange: &Exchange) -> Vec<&'static str> {
    scopes::supported(&exchange.config).iter().map(Scope::name).collect()
}

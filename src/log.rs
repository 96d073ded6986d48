//! The log events: one typed JSON line each, with no field that could hold a token, a code or mail text.

use serde::Serialize;

/// What happened. The names are a contract with operators (TECHNICAL.md lists them).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// A request was answered.
    #[serde(rename = "http.request")]
    HttpRequest,
    /// The configuration is incomplete; `names` lists what is missing or wrong.
    #[serde(rename = "config.invalid")]
    ConfigInvalid,
    /// Access let nobody in.
    #[serde(rename = "access.denied")]
    AccessDenied,
    /// A client registered.
    #[serde(rename = "oauth.registered")]
    OauthRegistered,
    /// The user approved a client.
    #[serde(rename = "oauth.approved")]
    OauthApproved,
    /// The user denied a client, at the consent page or at Entra.
    #[serde(rename = "oauth.denied")]
    OauthDenied,
    /// An administrator was sent to Microsoft to consent, or came back; `reason` says which.
    #[serde(rename = "oauth.admin_consent")]
    OauthAdminConsent,
    /// Entra signed the user in.
    #[serde(rename = "oauth.signed_in")]
    OauthSignedIn,
    /// The user was sent to Entra a second time, for what Graph asks for.
    #[serde(rename = "oauth.sent_back")]
    OauthSentBack,
    /// A person signed in to the account page.
    #[serde(rename = "account.signed_in")]
    AccountSignedIn,
    /// A code or refresh token became tokens.
    #[serde(rename = "oauth.token")]
    OauthToken,
    /// An OAuth request was refused; `reason` says by which rule.
    #[serde(rename = "oauth.refused")]
    OauthRefused,
    /// Entra renewed, or failed to renew, the Microsoft tokens.
    #[serde(rename = "entra.refresh")]
    EntraRefresh,
    /// An operator did something; `reason` names it.
    #[serde(rename = "operator.done")]
    OperatorDone,
    /// Somebody came to the operators' paths without their key.
    #[serde(rename = "operator.refused")]
    OperatorRefused,
    /// A grant ended; `reason` says why.
    #[serde(rename = "grant.revoked")]
    GrantRevoked,
    /// A tool ran.
    #[serde(rename = "mcp.tool")]
    McpTool,
    /// A stream on which a client listened has ended.
    #[serde(rename = "mcp.stream")]
    McpStream,
    /// One call through AI Gateway.
    #[serde(rename = "ai-gateway-request")]
    AiGatewayRequest,
    /// The content of a file was fetched from where Graph keeps it, or not.
    #[serde(rename = "file.download")]
    FileDownload,
    /// Graph asked for a pause.
    #[serde(rename = "graph.throttled")]
    GraphThrottled,
    /// The gateway's handler called Graph, or refused to.
    #[serde(rename = "graph-handler")]
    GraphHandler,
    /// Something that should not happen; `reason` names it.
    #[serde(rename = "internal.error")]
    InternalError,
}

/// One event. Absent fields are not written.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the contract; TECHNICAL.md lists them")]
pub struct Event<'a> {
    pub event: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ray_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<&'a str>,
    /// HTTP method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<&'a str>,
    /// The route's name, the Graph path without ids and query, or the domain of a file's host; never the raw URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// Length of what was fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// One word of ours that names the outcome or the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'a str>,
    /// Names of settings or bindings, never values.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub names: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ai_gateway_log_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aig_request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aig_event_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph_request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph_diagnostic: Option<&'a str>,
}

impl Event<'_> {
    /// An event with nothing but its kind.
    pub const fn new(event: Kind) -> Self {
        Self {
            event,
            request_id: None,
            ray_id: None,
            grant_id: None,
            user_id: None,
            user_email: None,
            access_subject: None,
            client_id: None,
            tool: None,
            method: None,
            route: None,
            status: None,
            duration_ms: None,
            bytes: None,
            reason: None,
            names: &[],
            ai_gateway_log_id: None,
            aig_request_id: None,
            aig_event_id: None,
            graph_request_id: None,
            graph_diagnostic: None,
        }
    }
}

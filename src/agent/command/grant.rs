//! The steps of a grant's life, and what they give.

use serde::{Deserialize, Serialize};

use super::Presented;
use crate::crypto::{Digest, Secret};
use crate::identity::{AccessIdentity, GrantId, ScopeSet, UserId};
use crate::oauth::entra::claims::Claims;

/// A step of the grant's life. Each is atomic in the object.
#[derive(Debug, Serialize, Deserialize)]
pub enum GrantCommand {
    /// The user approved the client. Creates the object's storage; nothing else does.
    Open {
        /// This object's own id.
        grant: GrantId,
        /// What was approved.
        request: AuthorizationRequest,
        /// SHA-256 of the `state` sent to Entra.
        state: Digest,
        /// Who approved, by Access.
        access: Option<AccessIdentity>,
        /// Unix seconds after which the sign-in is void.
        expires_at: u64,
    },
    /// The browser came back from Entra. Consumes the state.
    BeginSignIn {
        /// SHA-256 of the `state` that came back.
        state: Digest,
        /// Who came back, by Access; must be the one who approved.
        access: Option<AccessIdentity>,
    },
    /// Entra vouched for the user. Issues the code.
    FinishSignIn {
        /// The user.
        user: UserId,
        /// What to call them.
        profile: Profile,
        /// Entra's tokens.
        tokens: MicrosoftTokens,
    },
    /// The user is known, and has to go to Entra once more, with what Graph asked for. Only once in a sign-in.
    SendBack {
        /// SHA-256 of the next `state` sent to Entra.
        state: Digest,
        /// What Graph asked for.
        claims: Claims,
    },
    /// The sign-in came to nothing; erases the object.
    AbandonSignIn,
    /// `grant_type=authorization_code`.
    Redeem {
        /// The code.
        code: Secret,
        /// The authenticated client.
        client_id: String,
        /// `redirect_uri`, where sent.
        redirect_uri: Option<String>,
        /// `S256(code_verifier)`; the verifier itself goes no further than the token endpoint.
        code_challenge: String,
        /// `resource`, where sent.
        resource: Option<String>,
    },
    /// `grant_type=refresh_token`.
    Refresh {
        /// The refresh token.
        token: Secret,
        /// The authenticated client.
        client_id: String,
        /// `scope`, where sent; may only shrink.
        scopes: Option<ScopeSet>,
        /// `resource`, where sent.
        resource: Option<String>,
        /// Who came through Access with it; must be the one who consented.
        access: Option<AccessIdentity>,
    },
    /// RFC 7009: a refresh token ends the grant, an access token only itself.
    Revoke {
        /// The token.
        token: Secret,
        /// The authenticated client.
        client_id: String,
    },
    /// The signed-in user ends the grant, or signed in anew through the same client.
    RevokeByUser {
        /// Who the perimeter or Entra says it is; must be the grant's user.
        user: UserId,
    },
    /// What the grant is, for its user and for operators.
    Describe {
        /// Must be the grant's user.
        user: UserId,
    },
    /// A step of a client that proved itself by an assertion. The assertion is spent first, whatever the step then says.
    Asserted {
        /// The assertion.
        assertion: AssertionId,
        /// The client that signed it.
        client_id: String,
        /// `Redeem`, `Refresh` or `Revoke`.
        step: Box<GrantCommand>,
    },
    /// Asks whether a token still counts, for an answer that needs nothing else from the object.
    Confirm(Presented),
    /// `DELETE` of a legacy session.
    EndSession(Presented),
}

/// A client's assertion, as much of it as must be remembered so that it counts once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssertionId {
    /// SHA-256 of its `jti`.
    pub jti: Digest,
    /// Unix seconds after which it counts no more.
    pub expires_at: u64,
}

/// What a client asked for at `/authorize`: validated, resolved to defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// Client id.
    pub client_id: String,
    /// The client's name, already clean of control characters.
    pub client_name: Option<String>,
    /// Where the code goes, exactly as asked.
    pub redirect_uri: String,
    /// PKCE challenge, S256.
    pub code_challenge: String,
    /// The client's `state`, returned unchanged.
    pub state: Option<String>,
    /// What was asked for.
    pub scopes: ScopeSet,
    /// RFC 8707 resource, canonical.
    pub resource: String,
}

/// What to call the user; for log lines, gateway metadata and `authenticate`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Display name.
    pub name: Option<String>,
    /// `preferred_username`; shown, never trusted.
    pub email: Option<String>,
}

/// Entra's tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MicrosoftTokens {
    /// For Graph.
    pub access: Secret,
    /// For the next ones.
    pub refresh: Option<Secret>,
    /// Unix seconds.
    pub expires_at: u64,
    /// What Entra granted, which may be less than was asked.
    pub scopes: ScopeSet,
    /// The claims challenge for which `access` was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Claims>,
}

/// What the token endpoint hands out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenSet {
    /// `m365a.…`
    pub access: Secret,
    /// `m365r.…`
    pub refresh: Secret,
    /// Seconds until `access` expires.
    pub expires_in: u64,
    /// What it is good for.
    pub scopes: ScopeSet,
    /// RFC 8707 resource.
    pub resource: String,
    /// For log lines.
    pub user: UserId,
    /// Earlier grants that this sign-in ended.
    pub ended: Vec<GrantId>,
}

/// A grant as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Which.
    pub grant: GrantId,
    /// The client's id.
    pub client_id: String,
    /// The client's name.
    pub client_name: Option<String>,
    /// Where its code went; empty for grants of before this was kept.
    pub redirect_uri: String,
    /// What it may do.
    pub scopes: ScopeSet,
    /// Unix seconds of the sign-in.
    pub created_at: u64,
    /// Unix seconds at which the client last fetched an access token. It lives an hour, so the last call was within
    /// the hour that follows.
    pub last_used_at: u64,
    /// Unix seconds.
    pub ends_at: u64,
    /// Whether Microsoft asks the user to sign in again.
    pub sign_in_needed: bool,
}

/// What a step of the grant's life gives.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GrantReply {
    /// To `Open`, `SendBack`, `AbandonSignIn`, `Revoke`, `RevokeByUser`, `EndSession`, and to what is no step of its life.
    Done,
    /// To `BeginSignIn`.
    Approved(AuthorizationRequest),
    /// To `BeginSignIn`, where the browser was sent back to Entra with these claims.
    Challenged(AuthorizationRequest, Claims),
    /// To `FinishSignIn`.
    Code(Secret),
    /// To `Redeem` and `Refresh`.
    Tokens(TokenSet),
    /// To `Describe`.
    Described(Description),
    /// To `Confirm`: the grant's slot, by which an earlier grant of the same user and client is known.
    Confirmed(Digest),
}

/// Why the grant refused. Causes are many; the token endpoint and the bearer check map them to few codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum GrantError {
    /// No such grant, or the storage was erased.
    #[error("unknown grant")]
    Unknown,
    /// The grant has ended.
    #[error("the grant was revoked")]
    Revoked,
    /// `Open` on a grant that exists.
    #[error("the grant exists already")]
    Exists,
    /// The state is unknown, used or expired.
    #[error("the sign-in is unknown, used or expired")]
    StateInvalid,
    /// Another Access identity than the one that consented.
    #[error("another Access identity than the one that consented")]
    OtherIdentity,
    /// The code or token belongs to another client.
    #[error("issued to another client")]
    OtherClient,
    /// `redirect_uri` differs from the authorization request's.
    #[error("redirect_uri differs from the authorization request")]
    RedirectMismatch,
    /// `code_verifier` does not fit the challenge.
    #[error("code_verifier does not fit the challenge")]
    VerifierMismatch,
    /// `resource` differs from the grant's.
    #[error("resource differs from the grant's")]
    ResourceMismatch,
    /// `scope` asks for more than the grant holds.
    #[error("scope exceeds the grant")]
    ScopeExceeded,
    /// No such code, or too old.
    #[error("the code is unknown or expired")]
    CodeInvalid,
    /// The code was used before; the grant is revoked.
    #[error("the code was used before")]
    CodeReused,
    /// No such token, or too old.
    #[error("the token is unknown or expired")]
    TokenInvalid,
    /// A refresh token from further back came again; the grant is revoked.
    #[error("the refresh token was replaced before")]
    TokenReused,
    /// The client's assertion was used before, or so many came at once that they cannot be remembered.
    #[error("the client's assertion was used before")]
    AssertionReused,
    /// The session was ended by its client.
    #[error("the session has ended")]
    SessionEnded,
    /// Nobody holds the stream on which the answer would go.
    #[error("the stream is not connected")]
    NotConnected,
    /// No such event on a stream of the session, or it was long ago.
    #[error("the event is unknown")]
    EventUnknown,
    /// The token is not good for this, and a sign-in that asks for these scopes would be. The grant is kept.
    #[error("the sign-in does not include all permissions that are needed")]
    InsufficientScope {
        /// What the grant holds and what is needed, together.
        scopes: ScopeSet,
    },
    /// Entra will not renew the tokens: the user must sign in again.
    #[error("the user must sign in to Microsoft again")]
    SignInNeeded,
    /// Entra did not answer, or asked to come back later. The grant is kept.
    #[error("Entra is unavailable")]
    EntraUnavailable,
    /// Entra refuses this server's own credential: the operator must act.
    #[error("Entra refuses this server's credential")]
    EntraRefusesServer,
    /// The object's storage failed. Nothing was decided.
    #[error("the grant's storage failed")]
    Storage,
}

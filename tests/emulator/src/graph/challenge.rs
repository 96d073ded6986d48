//! Claims challenges: continuous access evaluation (`401-claims`) and an authentication context (`401-acrs`).
//!
//! An ordered one is told to every token but one that was issued for its claims, and told in full only to a token
//! whose client declared that it understands (`cp1`); any other is refused without a reason, as an expired one is.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::error::GraphError;
use crate::App;
use crate::call::Call;
use crate::entra::claims::{self, Claims};
use crate::faults::Target;

const NAMES: &[&str] = &["401-claims", "401-acrs"];

/// Whether a challenge is ordered that the request's token answers.
pub fn is_answered(app: &App, call: &Call) -> bool {
    let issued_for = super::claims_of(app, call);
    let world = app.world();
    let subject = (call.method.as_str(), call.path.as_str());
    let ordered = world.faults.find(Target::Graph, NAMES, subject);
    ordered.is_some_and(|fault| claims::answers(&issued_for, &asked(&fault.fault)))
}

/// The refusal of a token that was issued for `claims`.
pub fn refuse(fault: &str, claims: &Claims) -> GraphError {
    if !claims::understands(claims) {
        return super::expired();
    }
    let encoded = STANDARD.encode(asked(fault).to_string());
    let header = format!(
        "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
         client_id=\"00000003-0000-0000-c000-000000000000\", error=\"insufficient_claims\", claims=\"{encoded}\""
    );
    let text = match fault {
        "401-acrs" => "The token does not satisfy the required authentication context.",
        _ => {
            "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp"
        }
    };
    let mut error = GraphError::new(401, "InvalidAuthenticationToken", text);
    error.headers.push(("www-authenticate", header));
    error
}

fn asked(fault: &str) -> Value {
    match fault {
        "401-acrs" => json!({"access_token": {"acrs": {"essential": true, "value": "c1"}}}),
        _ => json!({"access_token": {"nbf": {"essential": true, "value": "1767225600"}}}),
    }
}

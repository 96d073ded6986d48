//! What every client can call first: who is signed in, and what that is good for.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, clean};
use super::call::Call;
use super::{Input, Kind, Outcome, Preset, Tool, catalogue, handle, schema};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::Scope;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "authenticate",
    title: "Sign-in state",
    description: "Who is signed in to Microsoft 365, which permissions were granted, and which tools lack one.",
    kind: Kind::Read,
    preset: Preset::Core,
    needs: &[],
    also: &[Scope::UserRead],
    example: "{}",
    schema: schema::of::<Authenticate>,
    handler: handle::<Authenticate>,
}];

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Authenticate {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct State {
    user: User,
    /// Whether Graph answered just now.
    microsoft_graph: &'static str,
    permissions: Vec<&'static str>,
    locked_tools: Vec<Locked>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct User {
    name: String,
    email: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Locked {
    tool: &'static str,
    missing_scope: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Me {
    display_name: Option<String>,
    mail: Option<String>,
    user_principal_name: Option<String>,
}

#[async_trait(?Send)]
impl Input for Authenticate {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let caller = call.context.caller;
        let (microsoft_graph, user) = ask(call).await?;
        let locked_tools: Vec<_> = catalogue()
            .filter_map(|tool| Some(Locked { tool: tool.name, missing_scope: tool.missing(caller.scopes)?.name() }))
            .collect();
        let hint = "Sign in again and agree to the missing permissions to unlock the locked tools.";
        Ok(Answer::of(&State {
            user: user.unwrap_or_else(|| known(call)),
            microsoft_graph,
            permissions: caller.scopes.iter().map(Scope::name).collect(),
            hint: (!locked_tools.is_empty()).then_some(hint),
            locked_tools,
        }))
    }
}

/// Asks Graph, where that is permitted: an answer proves that the sign-in still counts at Microsoft. A failure is no
/// reason not to say what is known.
async fn ask(call: &Call<'_>) -> Result<(&'static str, Option<User>), super::ToolError> {
    if !call.allows(Scope::UserRead) {
        return Ok(("not asked", None));
    }
    let request =
        GraphRequest::new(Method::Get, &[Segment::Word("me")])?.query("$select", "displayName,mail,userPrincipalName");
    Ok(match call.json::<Me>(&request).await {
        Ok(me) => ("ok", Some(of(&me))),
        Err(_) => ("did not answer", None),
    })
}

fn of(me: &Me) -> User {
    let email = me.mail.as_deref().or(me.user_principal_name.as_deref()).unwrap_or_default();
    User { name: clean(me.display_name.as_deref().unwrap_or_default(), 120), email: clean(email, 320) }
}

/// What the sign-in itself said.
fn known(call: &Call<'_>) -> User {
    let profile = &call.context.caller.profile;
    User {
        name: clean(profile.name.as_deref().unwrap_or_default(), 120),
        email: clean(profile.email.as_deref().unwrap_or_default(), 320),
    }
}

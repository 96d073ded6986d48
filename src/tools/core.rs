//! What every client can call first: who is signed in, and what that is good for.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, clean};
use super::call::Call;
use super::permission::Remedy;
use super::{Input, Kind, Outcome, Preset, Tool, ToolContext, View, catalogue, handle, schema};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::identity::{ConsentBy, Scope};

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "authenticate",
    title: "Sign-in state",
    description: "Who is signed in to Microsoft 365, which permissions were granted, and which tools lack one.",
    kind: Kind::Read,
    preset: Preset::Core,
    needs: &[],
    also: &[Scope::UserRead],
    on_use: &[],
    example: "{}",
    schema: schema::of::<Authenticate>,
    handler: handle::<Authenticate>,
}];

/// A sign-in that asked for it would fail as a whole until then.
const ADMIN_FIRST: &str = "needs an administrator's consent first";

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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<String>,
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
    reason: &'static str,
}

impl Locked {
    fn of(tool: &Tool, context: &ToolContext<'_>) -> Option<(Self, Remedy)> {
        let missing = tool.missing(context.caller.scopes)?;
        // With any one of them the tool is of use, so the way that is open counts.
        let open = tool.needs.iter().copied().find(|scope| context.remedy(*scope) == Remedy::SignIn);
        let scope = open.unwrap_or(missing);
        let remedy = context.remedy(scope);
        let reason = match remedy {
            Remedy::SignIn if context.caller.granted.allows(scope) => "this token was narrowed",
            Remedy::SignIn if scope.consent_by() == ConsentBy::Admin => ADMIN_FIRST,
            Remedy::SignIn => "not asked for at the sign-in",
            Remedy::AdminConsent => "not granted by Microsoft",
            Remedy::Nothing => "not offered by this server",
        };
        Some((Self { tool: tool.name, missing_scope: scope.name(), reason }, remedy))
    }
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
        let view = View { scopes: None, ..call.context.view() };
        let shown = catalogue().filter(|tool| view.shows(tool));
        let (locked_tools, remedies): (Vec<_>, Vec<_>) =
            shown.filter_map(|tool| Locked::of(tool, call.context)).unzip();
        let hints = hints(call.context, &locked_tools, &remedies);
        Ok(Answer::of(&State {
            user: user.unwrap_or_else(|| known(call)),
            microsoft_graph,
            permissions: caller.scopes.iter().map(Scope::name).collect(),
            locked_tools,
            hints,
        }))
    }
}

/// What unlocks the locked tools, once for each way that there is.
fn hints(context: &ToolContext<'_>, locked: &[Locked], remedies: &[Remedy]) -> Vec<String> {
    let sign_in = remedies.contains(&Remedy::SignIn).then(|| {
        "Call a tool that was not asked for and agree to its permission when the client signs in again. If the client \
         only reports a 403, disconnect it and sign in again with every permission."
            .to_owned()
    });
    let first = locked.iter().any(|tool| tool.reason == ADMIN_FIRST).then(|| {
        format!(
            "Where an administrator's consent comes first: it is given for the whole organisation at {}, and only then \
             does signing in for the permission succeed.",
            context.admin_consent_url()
        )
    });
    let consent = remedies.contains(&Remedy::AdminConsent).then(|| {
        format!(
            "What Microsoft did not grant needs an administrator of the organisation, who can consent at {}; after \
             that, disconnect this client and sign in again.",
            context.admin_consent_url()
        )
    });
    sign_in.into_iter().chain(first).chain(consent).collect()
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

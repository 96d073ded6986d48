//! Reading single mails, attachments, folders and the settings of the mailbox.

mod attachment;
mod folders;
mod settings;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, UNTRUSTED};
use super::arguments::{bounded, identifier, several};
use super::call::Call;
use super::mailbox::Mailbox;
use super::message::{self, Email, Message};
use super::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, item, schema};
use crate::graph::GraphRequest;
use crate::graph::request::Segment;
use crate::identity::Scope;

/// The tools of this family.
pub(super) const TOOLS: &[Tool] = &[GET_EMAIL, attachment::TOOL, folders::TOOL, settings::TOOL];

const GET_EMAIL: Tool = Tool {
    name: "getEmail",
    title: "Read emails",
    description: "Read up to 10 emails as text, without the history that replies quote.",
    kind: Kind::Read,
    preset: Preset::Mail,
    needs: &[Scope::MailRead],
    also: &[],
    on_use: &[Scope::MailReadShared],
    example: r#"{"ids":["AAkALgAA="],"maxChars":4000}"#,
    schema: schema::of::<GetEmail>,
    handler: handle::<GetEmail>,
};

/// Mails that one call reads.
const MOST: usize = 10;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetEmail {
    #[schemars(length(min = 1, max = 10))]
    ids: Vec<String>,
    /// Of each body
    #[schemars(range(min = 100, max = 50000), extend("default" = 4000))]
    max_chars: Option<u32>,
    /// true: with the quoted history
    quoted: Option<bool>,
    /// Shared mailbox address
    mailbox: Option<String>,
}

#[async_trait(?Send)]
impl Input for GetEmail {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let most = bounded("maxChars", self.max_chars, 4000, 50_000)?;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mailbox = Mailbox::parse(self.mailbox.as_deref())?;
        let requests = several("ids", &self.ids, MOST)?.iter().map(|id| read(&mailbox, id));
        let requests: Vec<_> = requests.collect::<Result<_, _>>()?;
        mailbox.require(call, Scope::MailRead, Scope::MailReadShared)?;
        let outcomes = call.batch::<Message>(&requests).await?;
        let own = mailbox.address(call);
        let emails = self.ids.iter().zip(outcomes).map(|(id, outcome)| match outcome {
            Ok(message) => Part::Email(Box::new(message.shown(own, (most, self.quoted == Some(true))))),
            Err(error) => Part::Failed { id: id.clone(), error: call.report(&error) },
        });
        Ok(Answer::of(&Emails { untrusted: UNTRUSTED, emails: emails.collect() }))
    }
}

fn read(mailbox: &Mailbox, id: &str) -> Result<GraphRequest, ToolError> {
    let path = mailbox.path(&[Segment::Word("messages"), Segment::Value(identifier("ids", id)?)]);
    Ok(item::get(&path)?.query("$select", message::WHOLE))
}

#[derive(Serialize)]
struct Emails {
    untrusted: &'static str,
    emails: Vec<Part>,
}

/// Each mail has its own outcome.
#[derive(Serialize)]
#[serde(untagged)]
enum Part {
    Email(Box<Email>),
    Failed { id: String, error: serde_json::Value },
}

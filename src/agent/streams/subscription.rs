//! Who wants to be told of changes, by the modern revisions' `subscriptions/listen`: what is said on such a stream, first
//! of all that it was taken, and which change goes to whom.
//!
//! Nothing here is stored: a subscription lives in its socket, which survives the object's sleep, and ends with it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a client wants to be told of, in the form of its request and of the acknowledgement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ChangeFilter {
    /// `notifications/tools/list_changed`
    #[serde(skip_serializing_if = "is_false")]
    pub tools_list_changed: bool,
    /// `notifications/prompts/list_changed`
    #[serde(skip_serializing_if = "is_false")]
    pub prompts_list_changed: bool,
    /// `notifications/resources/list_changed`
    #[serde(skip_serializing_if = "is_false")]
    pub resources_list_changed: bool,
    /// `notifications/resources/updated` of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_subscriptions: Vec<String>,
    /// `notifications/tasks` of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub task_ids: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields so")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Something that clients may want to be told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The list of tools is another.
    Tools,
    /// The list of prompts is another.
    Prompts,
    /// The list of resources is another.
    Resources,
    /// The resource of this URI is another.
    Resource(String),
    /// A task stands otherwise than before.
    Task {
        /// Which.
        id: String,
        /// As `tasks/get` tells it.
        task: Value,
    },
}

impl Change {
    /// The notification.
    const fn method(&self) -> &'static str {
        match self {
            Self::Tools => "notifications/tools/list_changed",
            Self::Prompts => "notifications/prompts/list_changed",
            Self::Resources => "notifications/resources/list_changed",
            Self::Resource(_) => "notifications/resources/updated",
            Self::Task { .. } => "notifications/tasks",
        }
    }
}

/// One `subscriptions/listen`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// JSON text of the request's id, a string or an integer.
    pub id: String,
    /// What is delivered: of what was asked for as much as this server has.
    pub filter: ChangeFilter,
}

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

impl Subscription {
    /// The first message.
    pub fn acknowledgement(&self) -> String {
        let params = json!({ "notifications": self.filter, "_meta": self.meta() });
        json!({ "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": params }).to_string()
    }

    /// The last one, where the server ends the subscription: the answer to the request.
    pub fn answer(&self) -> String {
        let mut meta = self.meta();
        let server = json!({ "name": "m365-mcp", "version": env!("CARGO_PKG_VERSION") });
        if let Some(members) = meta.as_object_mut() {
            members.insert("io.modelcontextprotocol/serverInfo".to_owned(), server);
        }
        let result = json!({ "resultType": "complete", "_meta": meta });
        json!({ "jsonrpc": "2.0", "id": self.id(), "result": result }).to_string()
    }

    /// The notification of a change, if the client asked for it.
    pub(in crate::agent) fn notification(&self, change: &Change) -> Option<String> {
        let wants = match change {
            Change::Tools => self.filter.tools_list_changed,
            Change::Prompts => self.filter.prompts_list_changed,
            Change::Resources => self.filter.resources_list_changed,
            Change::Resource(uri) => self.filter.resource_subscriptions.contains(uri),
            Change::Task { id, .. } => self.filter.task_ids.contains(id),
        };
        let params = match change {
            Change::Tools | Change::Prompts | Change::Resources => json!({ "_meta": self.meta() }),
            Change::Resource(uri) => json!({ "uri": uri, "_meta": self.meta() }),
            Change::Task { task, .. } => {
                let mut params = task.clone();
                if let Some(members) = params.as_object_mut() {
                    members.insert("_meta".to_owned(), self.meta());
                }
                params
            }
        };
        let message = json!({ "jsonrpc": "2.0", "method": change.method(), "params": params });
        wants.then(|| message.to_string())
    }

    fn meta(&self) -> Value {
        json!({ SUBSCRIPTION: self.id() })
    }

    fn id(&self) -> Value {
        serde_json::from_str(&self.id).unwrap_or_default()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    fn subscription() -> Subscription {
        let filter = ChangeFilter {
            prompts_list_changed: true,
            resource_subscriptions: vec!["test://a".to_owned()],
            ..ChangeFilter::default()
        };
        Subscription { id: "\"listen-1\"".to_owned(), filter }
    }

    #[test]
    fn only_what_was_asked_for_is_told_and_every_message_names_its_subscription() {
        let all = [
            (Change::Tools, None),
            (Change::Prompts, Some("notifications/prompts/list_changed")),
            (Change::Resources, None),
            (Change::Resource("test://a".to_owned()), Some("notifications/resources/updated")),
            (Change::Resource("test://b".to_owned()), None),
        ];
        for (change, method) in all {
            let told: Option<Value> =
                subscription().notification(&change).map(|text| serde_json::from_str(&text).unwrap());
            assert_eq!(told.as_ref().map(|message| message["method"].as_str().unwrap()), method, "{change:?}");
            assert!(told.is_none_or(|message| message["params"]["_meta"][SUBSCRIPTION] == "listen-1"));
        }
    }

    #[test]
    fn the_first_message_says_what_was_taken_and_the_last_answers_the_request() {
        let first: Value = serde_json::from_str(&subscription().acknowledgement()).unwrap();
        let taken = json!({ "promptsListChanged": true, "resourceSubscriptions": ["test://a"] });
        assert_eq!(first["params"], json!({ "notifications": taken, "_meta": { SUBSCRIPTION: "listen-1" } }));
        let numbered = Subscription { id: "7".to_owned(), filter: ChangeFilter::default() };
        let last: Value = serde_json::from_str(&numbered.answer()).unwrap();
        assert_eq!((&last["id"], &last["result"]["resultType"]), (&json!(7), &json!("complete")));
        assert_eq!(last["result"]["_meta"][SUBSCRIPTION], 7);
    }
}

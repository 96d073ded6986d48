//! A tool as `tools/list` shows it, made from the tool's own value: what the stored list is written from and held against.

use serde::Serialize;
use serde_json::Value;

use super::{Kind, Schemas, Tool};

impl Tool {
    /// JSON text of its entry.
    pub fn entry(&self) -> String {
        let Schemas { input, output } = (self.schema)();
        let entry = Entry {
            name: self.name,
            title: self.title,
            description: self.description,
            input_schema: input,
            output_schema: output,
            annotations: Annotations::of(self.kind),
        };
        // Structs of ours with string keys always serialise.
        serde_json::to_string(&entry).unwrap_or_default()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    name: &'a str,
    title: &'a str,
    description: &'a str,
    input_schema: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_schema: Option<Value>,
    annotations: Annotations,
}

/// The hints of the protocol, but for those that state its default or, for a tool that only reads, say nothing: each is
/// paid for in every list. A tool always says whether it only reads or, if not, whether it destroys.
#[derive(Serialize)]
struct Annotations {
    #[serde(rename = "readOnlyHint", skip_serializing_if = "Option::is_none")]
    read_only: Option<bool>,
    #[serde(rename = "destructiveHint", skip_serializing_if = "Option::is_none")]
    destructive: Option<bool>,
    #[serde(rename = "openWorldHint", skip_serializing_if = "Option::is_none")]
    open_world: Option<bool>,
}

impl Annotations {
    fn of(kind: Kind) -> Self {
        let (read_only, destructive, open_world) = match kind {
            Kind::Read => (Some(true), None, None),
            Kind::Write => (None, Some(false), Some(false)),
            Kind::Joint => (None, Some(false), None),
            Kind::Destructive => (None, Some(true), Some(false)),
            Kind::Outward => (None, Some(true), None),
        };
        Self { read_only, destructive, open_world }
    }
}

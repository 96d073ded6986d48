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

/// The hints of the protocol. All four are always said: some clients take an absent one for the worst.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the protocol's own shape")]
struct Annotations {
    read_only_hint: bool,
    destructive_hint: bool,
    idempotent_hint: bool,
    open_world_hint: bool,
}

impl Annotations {
    fn of(kind: Kind) -> Self {
        Self {
            read_only_hint: kind == Kind::Read,
            destructive_hint: matches!(kind, Kind::Destructive | Kind::Outward),
            idempotent_hint: kind == Kind::Read,
            open_world_hint: kind == Kind::Outward,
        }
    }
}

//! What the catalogue says of itself, written out: `docs/tools.md` for people, `tests/snapshots/catalogue.json` for the
//! tests outside of this crate. `UPDATE_SNAPSHOTS=1` writes both anew.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::tools_catalogue::WHOLE;
use super::tools_fake::{snapshot, stored};
use crate::config::{Preset, PresetSet};
use crate::identity::{ConsentBy, Scope};
use crate::tools::{self, Kind, Lists, Tool};

const HEAD: &str = "# Tools

Every tool of the server, by preset. Made from the catalogue in `src/tools` by `tests/flows/tools_reference.rs`, which \
also fails when this file is not what the catalogue says; to write it anew: `UPDATE_SNAPSHOTS=1 cargo test --lib \
tools_reference`.

A client sees the tools that the deployment's presets (`TOOL_PRESETS`) offer, its URL leaves (`/mcp?presets=…`) and its \
user's permissions allow; `authenticate` names the others. Permissions are delegated ones of Microsoft Graph. **admin** \
stands where, by Microsoft's defaults, an administrator has to agree for everybody; to all others a user can agree alone.
";

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Read => "reads",
        Kind::Write => "writes; the user can take it back",
        Kind::Joint => "writes; the user can take it back, but others may be told",
        Kind::Destructive => "removes or overwrites",
        Kind::Outward => "reaches other people",
    }
}

fn purpose(preset: Preset) -> &'static str {
    match preset {
        Preset::Core => "Always offered: the everyday things.",
        Preset::Mail => "Reading, answering and sorting mail.",
        Preset::Calendar => "Calendars, invitations, free time.",
        Preset::Teams => "Chats, channels, meetings, presence.",
        Preset::People => "The organisation and the address book.",
        Preset::Files => "OneDrive, shared files, Excel.",
        Preset::Sharepoint => "Sites and lists.",
        Preset::Notes => "OneNote.",
        Preset::Tasks => "To Do and Planner.",
        Preset::Search => "Search over everything, and what changed.",
        Preset::Raw => "Reading any allowed path of Microsoft Graph.",
    }
}

fn scopes(list: &[Scope]) -> Vec<Value> {
    list.iter().map(|scope| json!({"scope": scope.name(), "admin": scope.consent_by() == ConsentBy::Admin})).collect()
}

#[test]
fn the_catalogue_is_written_out_for_other_tests() {
    let tools = tools::catalogue().map(|tool| {
        json!({
            "name": tool.name, "preset": tool.preset.name(), "kind": format!("{:?}", tool.kind).to_lowercase(),
            "needs": scopes(tool.needs), "also": scopes(tool.also), "onUse": scopes(tool.on_use),
        })
    });
    let usual: Vec<_> = PresetSet::usual().iter().map(Preset::name).collect();
    snapshot("catalogue", &json!({"usualPresets": usual, "tools": tools.collect::<Vec<_>>()}));
}

#[test]
fn the_reference_says_what_the_catalogue_says() {
    let entries: Vec<Value> = serde_json::from_str(&Lists::default().json(WHOLE)).unwrap();
    let mut text = HEAD.to_owned();
    for preset in Preset::ALL {
        let tools: Vec<_> = tools::catalogue().filter(|tool| tool.preset == preset).collect();
        if tools.is_empty() {
            continue;
        }
        let usual =
            if PresetSet::usual().contains(preset) { "" } else { " Not offered unless `TOOL_PRESETS` says so." };
        write!(text, "\n## {}\n\n{}{usual}\n", preset.name(), purpose(preset)).unwrap();
        for tool in tools {
            let entry = entries.iter().find(|entry| entry["name"] == tool.name).unwrap();
            describe(&mut text, tool, &entry["inputSchema"]);
        }
    }
    stored("docs/tools.md", &text);
}

fn describe(text: &mut String, tool: &Tool, schema: &Value) {
    let Tool { name, title, description, .. } = tool;
    write!(text, "\n### {name}\n\n**{title}**: {}. {description}\n\n", kind(tool.kind)).unwrap();
    let named = |list: &[Scope]| {
        let one = |scope: &Scope| {
            let admin = if scope.consent_by() == ConsentBy::Admin { " (**admin**)" } else { "" };
            format!("`{}`{admin}", scope.name())
        };
        list.iter().map(one).collect::<Vec<_>>()
    };
    let lines = [
        ("Needs", named(tool.needs).join(" or ")),
        ("Does more with", named(tool.also).join(", ")),
        ("Asks when a call needs it", named(tool.on_use).join(", ")),
    ];
    for (what, scopes) in lines.iter().filter(|(_, scopes)| !scopes.is_empty()) {
        writeln!(text, "- {what}: {scopes}").unwrap();
    }
    let mut rows = Vec::new();
    parameters(schema, "", &mut rows);
    if rows.is_empty() {
        text.push_str("\nTakes no arguments.\n");
        return;
    }
    text.push_str("\n| Argument | Type | Default | Bounds | Meaning |\n|---|---|---|---|---|\n");
    text.extend(rows);
    write!(text, "\nExample: `{}`\n", tool.example).unwrap();
}

/// A row for each argument, and for each member of one that is an object.
fn parameters(schema: &Value, above: &str, rows: &mut Vec<String>) {
    let required = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    for (name, one) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{above}{name}");
        let star = if required(name) { ", required" } else { "" };
        let default = one.get("default").map(|value| format!("`{value}`")).unwrap_or_default();
        let meaning = one["description"].as_str().unwrap_or_default().replace('|', "\\|");
        rows.push(format!("| `{path}` | {}{star} | {default} | {} | {meaning} |\n", type_of(one), bounds(one)));
        let inner = if one["items"]["properties"].is_object() { &one["items"] } else { one };
        parameters(inner, &format!("{path}."), rows);
    }
}

fn type_of(schema: &Value) -> String {
    if let Some(values) = schema["enum"].as_array() {
        return values
            .iter()
            .map(|value| format!("`{}`", value.as_str().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join(" ");
    }
    if let Some(branches) = schema["anyOf"].as_array() {
        return branches.iter().map(type_of).collect::<Vec<_>>().join(" or ");
    }
    match schema["type"].as_str() {
        Some("array") => format!("list of {}", type_of(&schema["items"])),
        Some(name) => name.to_owned(),
        None => "any".to_owned(),
    }
}

fn bounds(schema: &Value) -> String {
    let nothing = Map::new();
    let schema = schema.as_object().unwrap_or(&nothing);
    let span = |least: &str, most: &str, unit: &str| match (schema.get(least), schema.get(most)) {
        (None, None) => String::new(),
        (Some(least), Some(most)) => format!("{least} to {most}{unit}"),
        (Some(least), None) => format!("{least} or more{unit}"),
        (None, Some(most)) => format!("at most {most}{unit}"),
    };
    [
        span("minimum", "maximum", ""),
        span("minItems", "maxItems", " items"),
        span("minLength", "maxLength", " characters"),
    ]
    .concat()
}

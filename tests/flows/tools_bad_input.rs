//! Bad input, over the whole catalogue: every argument of every call in `tests/catalogue` is replaced by what cannot be,
//! by what its schema and its name say of it. Each time the answer names the argument and a call that works, and nothing
//! has left.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::tools_fake::Desk;
use crate::tools;

/// Longer than any text that a tool takes.
const LONG: usize = 520_000;

/// The calls of a tool, with an id in place of what the emulator would give.
fn calls(tool: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/catalogue/{tool}.json"));
    let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let about = ["given", "fails", "varies"];
    let calls = file.as_object().unwrap().iter().filter(|(name, _)| !about.contains(&name.as_str()));
    calls.map(|(_, call)| given(call)).collect()
}

fn given(value: &Value) -> Value {
    match value {
        Value::String(text) if text.starts_with('$') => json!(text.replace('$', "AAk")),
        Value::Array(all) => all.iter().map(given).collect(),
        // No cursor can be made up; what is wrong with one is tried elsewhere.
        Value::Object(all) => {
            let all = all.iter().filter(|(name, _)| *name != "cursor");
            Value::Object(all.map(|(name, one)| (name.clone(), given(one))).collect())
        }
        other => other.clone(),
    }
}

/// The schema of what a pointer leads to.
fn schema<'a>(root: &'a Value, pointer: &str) -> &'a Value {
    pointer.split('/').skip(1).fold(root, |schema, part| {
        let options = schema["anyOf"].as_array().into_iter().flatten().chain([schema]);
        let inner =
            options.map(|one| if part.parse::<u8>().is_ok() { &one["items"] } else { &one["properties"][part] });
        inner.into_iter().find(|inner| !inner.is_null()).unwrap_or(&Value::Null)
    })
}

/// Pointers to all values within, members and elements.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(all) => all.iter().map(|(name, one)| (name.clone(), one)).collect(),
        Value::Array(all) => all.iter().enumerate().map(|(number, one)| (number.to_string(), one)).take(1).collect(),
        _ => Vec::new(),
    };
    for (name, one) in inner {
        let at = format!("{at}/{name}");
        found.push(at.clone());
        places(one, &at, found);
    }
}

/// The name of an argument, without the number of an element.
fn name(pointer: &str) -> &str {
    pointer.rsplit('/').find(|part| part.parse::<u8>().is_err()).unwrap_or_default()
}

const CLIMBING: [&str; 9] = ["..", ".", "../../users", "%2e%2e", "%252e%252e", "a/../b", "..%2f", "a\\..\\b", "a\nb"];
const HIDDEN: [&str; 4] = ["a\u{0}b", "a\u{7}b", "a\u{202E}b", "a\u{1b}[2Jb"];
const NO_ADDRESS: [&str; 5] = ["adele", "a@", "@contoso.example", "a@b@contoso.example", "a b@contoso.example"];
const NO_TIME: [&str; 6] = [
    "tomorrow",
    "2026-02-30T09:00:00Z",
    "2026-13-01",
    "2026-03-02T25:00:00Z",
    "20260302T0900",
    "2026-03-02T09:00:00+1",
];

/// Whether it is what a file holds, which may be anything.
fn is_content(tool: &str, name: &str) -> bool {
    tool == "uploadFile" && ["text", "base64"].contains(&name)
}

/// What cannot stand in this place.
fn bad(tool: &str, pointer: &str, value: &Value, schema: &Value) -> Vec<Value> {
    let name = name(pointer);
    // A column of a list or a cell holds whatever number there is.
    if value.is_number() && (pointer.starts_with("/fields/") || pointer.starts_with("/values/")) {
        return Vec::new();
    }
    let mut all = vec![if value.is_object() { json!("x") } else { json!({"x": 1}) }];
    let texts = |texts: &[&str]| texts.iter().map(|text| json!(text)).collect::<Vec<_>>();
    if value.is_number() {
        all.extend([json!(-1), json!(1.5), json!("many"), json!(1e300)]);
        all.extend(schema["maximum"].as_u64().map(|most| json!(most + 1)));
        all.extend((schema["minimum"] == 1).then(|| json!(0)));
    }
    if !value.is_string() {
        return all;
    }
    if !is_content(tool, name) {
        all.extend(texts(&HIDDEN));
    }
    // As base64 it would be a file of half a megabyte.
    if name != "base64" && !is_content(tool, name) {
        all.push(json!("x".repeat(LONG)));
    }
    if !schema["enum"].is_null() {
        all.push(json!("other"));
    }
    let is_id = ["id", "ids", "moveTo", "folder", "parent", "assignees", "removeAttachments"].contains(&name)
        || name.ends_with("Id");
    if is_id {
        all.extend(texts(&CLIMBING));
    }
    if ["to", "cc", "bcc", "attendees", "optional", "users", "mailbox"].contains(&name) && tool != "getUser" {
        all.extend(texts(&NO_ADDRESS));
    }
    let is_time = ["start", "end", "since", "until", "due", "reminder", "expires", "startTime", "endTime"];
    if is_time.contains(&name) {
        all.extend(texts(&NO_TIME));
    }
    if name == "path" && tool != "graphRequest" {
        all.extend(texts(&["../x", "/a/../b", "/a/./b", "/a//b", "/%2e%2e/x", "/a\\b", "/a:b"]));
    }
    if name == "timezone" {
        all.extend(texts(&["x\", IdType=\"y", "a\r\nb: c", "é"]));
    }
    all
}

/// The argument that a report names.
fn named(report: &Value) -> &str {
    let message = report["message"].as_str().unwrap_or_default();
    message.split([':', '[', '.']).next().unwrap_or_default()
}

#[tokio::test(flavor = "current_thread")]
async fn whatever_stands_in_an_argument_the_answer_names_it_and_nothing_has_left() {
    let mut wrong = BTreeSet::new();
    for tool in tools::catalogue() {
        let entry: Value = serde_json::from_str(&tool.entry()).unwrap();
        let mut seen = BTreeSet::new();
        for call in calls(tool.name) {
            let desk = Desk::new();
            let unknown = {
                let mut call = call.clone();
                call["colour"] = json!("red");
                call
            };
            if entry["inputSchema"]["properties"].as_object().is_some_and(|all| !all.is_empty()) {
                let report = desk.error(tool.name, unknown).await;
                assert_eq!(named(&report), "colour", "{}: {report}", tool.name);
            }
            let mut all = Vec::new();
            places(&call, "", &mut all);
            for pointer in all {
                let argument = pointer.split('/').nth(1).unwrap_or_default();
                let value = call.pointer(&pointer).unwrap();
                // Once for each argument, but in every call for what an id could reach.
                if !seen.insert(pointer.clone()) && !name(&pointer).ends_with("Id") {
                    continue;
                }
                for bad in bad(tool.name, &pointer, value, schema(&entry["inputSchema"], &pointer)) {
                    let mut call = call.clone();
                    *call.pointer_mut(&pointer).unwrap() = bad.clone();
                    let result = desk.outcome(tool.name, call).await;
                    let report: Value =
                        serde_json::from_str(result["content"][0]["text"].as_str().unwrap_or("{}")).unwrap_or_default();
                    let fits = report["code"] == "invalidArgument"
                        && named(&report) == argument
                        && report["hint"].as_str().is_some_and(|hint| hint.contains("Arguments that work: {"))
                        && desk.asked().is_empty();
                    if !fits {
                        let shown: String = bad.to_string().chars().take(30).collect();
                        let said: String = report["message"].as_str().unwrap_or("no error").chars().take(80).collect();
                        wrong.insert(format!("{} {pointer} {shown} → {said} {:?}", tool.name, desk.asked().first()));
                        desk.graph.seen.borrow_mut().clear();
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

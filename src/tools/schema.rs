//! Schemas as the pickiest client takes them: one flat object, nothing referenced, no combinator at the root, no
//! null types, no keyword that some client warns about.
//!
//! They are made natively, by the test that keeps `list.jsonl`. In the Worker nothing makes one, so that neither this
//! code nor `schemars` is in it.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::{Input, Schemas};

/// Keywords that cost tokens or upset a client, and tell a model nothing.
const NOISE: [&str; 4] = ["$schema", "title", "format", "$defs"];

/// The schemas of a tool; empty where the list was made before.
pub(super) fn of<I: Input>() -> Schemas {
    if !cfg!(any(test, feature = "conformance")) {
        return Schemas::default();
    }
    Schemas { input: flat::<I>(SchemaSettings::draft2020_12()), output: I::output() }
}

/// The schema of a tool's structured answers: members that may be left out are not required.
pub(super) fn output<T: JsonSchema>() -> Value {
    flat::<T>(SchemaSettings::draft2020_12().for_serialize())
}

fn flat<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let settings = settings.with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    tidy(&mut schema);
    if let Value::Object(root) = &mut schema {
        root.remove("description");
        root.entry("properties").or_insert_with(|| Value::Object(Map::new()));
    }
    schema
}

fn tidy(schema: &mut Value) {
    let Value::Object(object) = schema else { return };
    for keyword in NOISE {
        object.remove(keyword);
    }
    object.retain(|keyword, value| !(keyword == "default" && value.is_null() || goes_without_saying(keyword, value)));
    if object.get("properties").and_then(Value::as_object).is_some_and(|properties| !properties.is_empty()) {
        closed_by_us(object);
    }
    drop_null_type(object);
    drop_null_branch(object);
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(tidy);
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(keyword) {
            tidy(inner);
        }
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
        if let Some(Value::Array(branches)) = object.get_mut(keyword) {
            branches.iter_mut().for_each(tidy);
        }
    }
}

/// Every tool refuses an argument that it does not know, and names it; to say so in each schema costs some hundred tokens
/// in a list. A schema without arguments says it, as the protocol recommends.
fn closed_by_us(object: &mut Map<String, Value>) {
    if object.get("additionalProperties") == Some(&Value::Bool(false)) {
        object.remove("additionalProperties");
    }
}

/// At least one, or none at all: a model does not ask for less, and a call that does is told.
fn goes_without_saying(keyword: &str, value: &Value) -> bool {
    matches!(keyword, "minimum" | "minItems") && value.as_u64().is_some_and(|least| least <= 1)
}

/// An optional argument is left out, not null: `["string", "null"]` is `"string"`.
fn drop_null_type(object: &mut Map<String, Value>) {
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    let Some(Value::Array(types)) = object.get_mut("type") else { return };
    types.retain(|name| name != "null");
    if let [only] = types.as_slice() {
        let only = only.clone();
        object.insert("type".to_owned(), only);
    }
}

/// The same for `anyOf [X, null]`, whose one branch left takes the place of the whole.
fn drop_null_branch(object: &mut Map<String, Value>) {
    let Some(Value::Array(branches)) = object.get_mut("anyOf") else { return };
    branches.retain(|branch| branch.get("type").is_none_or(|name| name != "null"));
    if let [Value::Object(only)] = branches.as_slice() {
        let only = only.clone();
        object.remove("anyOf");
        for (keyword, value) in only {
            object.entry(keyword).or_insert(value);
        }
    }
}

//! Reading JSON documents by pointer without ever panicking.

use serde_json::Value;

/// The text at a pointer, or nothing.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// The boolean at a pointer; absent is false.
pub fn flag(value: &Value, pointer: &str) -> bool {
    value.pointer(pointer).and_then(Value::as_bool) == Some(true)
}

/// The elements at a pointer; absent is none.
pub fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Sets a member of an object; anything else stays as it is.
pub fn set(value: &mut Value, name: &str, member: impl Into<Value>) {
    if let Some(object) = value.as_object_mut() {
        object.insert(name.to_owned(), member.into());
    }
}

/// Takes a member out of an object.
pub fn remove(value: &mut Value, name: &str) {
    if let Some(object) = value.as_object_mut() {
        object.remove(name);
    }
}

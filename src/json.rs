//! JSON text read into our types.
//!
//! The text becomes a [`Value`] first, by code that knows no type, and the types read from that: what
//! `serde_json::from_slice` compiles for each type, straight from the text, is three times as large and was a third of
//! the Worker. Strings are moved out of the value, not copied. An object is never read from an array, as derived readers
//! would; of a member that is there twice the last counts. A mismatch says where it is.
//!
//! Not for types that borrow from the text (`RawValue`, `&str`), nor for what strangers send, where a member that is there
//! twice is refused.

use std::mem;

use serde::Deserializer;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Number, Value, map};

/// Reads a JSON text.
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Mismatch> {
    T::deserialize(Node(&mut parse(text)?))
}

/// Reads a value that was parsed before.
pub fn read_value<T: DeserializeOwned>(mut value: Value) -> Result<T, Mismatch> {
    T::deserialize(Node(&mut value))
}

fn parse(text: &[u8]) -> Result<Value, Mismatch> {
    serde_json::from_slice(text).map_err(Mismatch::custom)
}

/// Why a text is not of a type. Repeats parts of the text.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub struct Mismatch(Box<Fault>);

#[derive(Debug)]
struct Fault {
    path: String,
    message: String,
}

impl Mismatch {
    /// Where, as in `attendees[0].email`; empty for the whole.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    #[cold]
    fn below(mut self, member: &str) -> Self {
        let dot = if self.0.path.is_empty() || self.0.path.starts_with('[') { "" } else { "." };
        self.0.path = [member, dot, &self.0.path].concat();
        self
    }
}

impl de::Error for Mismatch {
    #[cold]
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(Box::new(Fault { path: String::new(), message: message.to_string() }))
    }

    #[cold]
    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        match found {
            Unexpected::Unit => Self::custom(format_args!("invalid type: null, expected {expected}")),
            found => Self::custom(format_args!("invalid type: {found}, expected {expected}")),
        }
    }
}

/// A value that is being read.
struct Node<'v>(&'v mut Value);

impl Node<'_> {
    #[cold]
    fn mismatch(&self, expected: &dyn de::Expected) -> Mismatch {
        let found = match &*self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(flag) => Unexpected::Bool(*flag),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => Unexpected::Unsigned(number),
                (None, Some(number)) => Unexpected::Signed(number),
                (None, None) => Unexpected::Float(number.as_f64().unwrap_or_default()),
            },
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        Mismatch::invalid_type(found, expected)
    }

    fn number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Number(number) => visit_number(number, visitor),
            _ => Err(self.mismatch(&visitor)),
        }
    }
}

fn visit_number<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Mismatch> {
    match (number.as_u64(), number.as_i64()) {
        (Some(number), _) => visitor.visit_u64(number),
        (None, Some(number)) => visitor.visit_i64(number),
        (None, None) => visitor.visit_f64(number.as_f64().unwrap_or_default()),
    }
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::Number(number) => visit_number(number, visitor),
            Value::String(text) => visitor.visit_string(mem::take(text)),
            Value::Array(items) => visitor.visit_seq(Items { rest: items.iter_mut(), taken: 0 }),
            Value::Object(members) => visitor.visit_map(Members { rest: members.iter_mut(), current: None }),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Bool(flag) => visitor.visit_bool(*flag),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.number(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.number(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.number(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.number(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.number(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_string(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::String(text) => visitor.visit_string(mem::take(text)),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(Items { rest: items.iter_mut(), taken: 0 }),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Object(members) => visitor.visit_map(Members { rest: members.iter_mut(), current: None }),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::String(text) => text.as_str().into_deserializer().deserialize_enum(name, variants, visitor),
            Value::Object(members) => {
                let members = Members { rest: members.iter_mut(), current: None };
                MapAccessDeserializer::new(members).deserialize_enum(name, variants, visitor)
            }
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

struct Items<'v> {
    rest: std::slice::IterMut<'v, Value>,
    taken: usize,
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mismatch> {
        let Some(item) = self.rest.next() else { return Ok(None) };
        let place = self.taken;
        self.taken += 1;
        seed.deserialize(Node(item)).map(Some).map_err(|fault| fault.below(&format!("[{place}]")))
    }
}

struct Members<'v> {
    rest: map::IterMut<'v>,
    current: Option<(&'v str, &'v mut Value)>,
}

impl<'de> de::MapAccess<'de> for Members<'_> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mismatch> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        self.current = Some((name, value));
        seed.deserialize(name.as_str().into_deserializer()).map(Some).map_err(|fault: Mismatch| fault.below(name))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Mismatch> {
        let Some((name, value)) = self.current.take() else { return Err(Mismatch::custom("a value without a name")) };
        seed.deserialize(Node(value)).map_err(|fault| fault.below(name))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Outer {
        name: String,
        count: Option<u32>,
        #[serde(default)]
        parts: Vec<Part>,
        #[serde(default)]
        any: Value,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Part {
        Plain,
        Sized { width: f64 },
        Named(String),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Number(i64),
        Many(Vec<Either>),
    }

    fn outer(value: &Value) -> Result<Outer, (String, String)> {
        read(value.to_string().as_bytes()).map_err(|fault| (fault.path().to_owned(), fault.to_string()))
    }

    #[test]
    fn every_shape_reads_as_serde_json_reads_it() {
        let text = json!({"name": "a", "count": null, "any": {"b": [1, -2, 1.5, "x", null, true]},
            "parts": ["plain", {"sized": {"width": 2}}, {"named": "n"}]})
        .to_string();
        assert_eq!(read::<Outer>(text.as_bytes()).unwrap(), serde_json::from_str::<Outer>(&text).unwrap());
        let text = r#"["a", -1, ["b", 2]]"#;
        assert_eq!(read::<Either>(text.as_bytes()).unwrap(), serde_json::from_str::<Either>(text).unwrap());
    }

    #[test]
    fn a_mismatch_says_where_it_is() {
        let path = |value| outer(&value).unwrap_err().0;
        assert_eq!(path(json!({"name": 1})), "name");
        assert_eq!(path(json!({"name": "a", "parts": ["plain", {"sized": {"width": "x"}}]})), "parts[1].sized.width");
        assert_eq!(path(json!({"name": "a", "colour": 1})), "colour");
        assert_eq!(path(json!({})), "");
    }

    #[test]
    fn an_object_is_not_read_from_an_array() {
        assert_eq!(outer(&json!(["a", 1])).unwrap_err().1, "invalid type: sequence, expected struct Outer");
    }

    #[test]
    fn what_is_no_json_is_of_no_type() {
        for text in ["", "{", r#"{"name":"a"} x"#, "\u{FEFF}{}"] {
            assert!(read::<Value>(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(read::<Value>(b"\"\xFF\"").is_err());
    }
}

//! E-mail addresses: whom a mail, an invitation or a meeting goes to. Syntax is checked before anything leaves; names
//! are never looked up or guessed.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::error::ToolError;

/// Exchange Online's limit for one message.
const MOST: usize = 500;

/// One address or several, in one string (separated by comma or semicolon) or in a list.
#[derive(Clone, Debug, Default)]
pub(super) struct Addresses(Vec<String>);

impl JsonSchema for Addresses {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Addresses".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        generator.subschema_for::<Vec<String>>()
    }
}

/// The schema of the one field for which the reference takes a plain string.
pub(super) fn one_or_many(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
}

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AddressesVisitor)
    }
}

struct AddressesVisitor;

impl<'de> Visitor<'de> for AddressesVisitor {
    type Value = Addresses;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address or a list of addresses")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Addresses, E> {
        Ok(Addresses(vec![text.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Addresses, A::Error> {
        let mut all = Vec::new();
        while let Some(text) = list.next_element()? {
            all.push(text);
        }
        Ok(Addresses(all))
    }
}

impl Addresses {
    /// The addresses, each once, in the order given.
    pub fn checked(&self, name: &str) -> Result<Vec<String>, ToolError> {
        let mut all: Vec<String> = Vec::new();
        let parts = self.0.iter().flat_map(|text| text.split([',', ';'])).map(str::trim);
        for part in parts.filter(|part| !part.is_empty()) {
            let address = bare(part);
            if !is_address(address) {
                let shown: String = part.chars().filter(|character| !character.is_control()).take(80).collect();
                return Err(ToolError::argument(name, format!("{shown:?} is not an e-mail address")));
            }
            if !all.iter().any(|known| known.eq_ignore_ascii_case(address)) {
                all.push(address.to_owned());
            }
        }
        if all.len() > MOST {
            return Err(ToolError::argument(name, format!("{} addresses, at most {MOST} are taken", all.len())));
        }
        Ok(all)
    }

    /// The same, but at least one.
    pub fn required(&self, name: &str) -> Result<Vec<String>, ToolError> {
        let all = self.checked(name)?;
        if all.is_empty() { Err(ToolError::argument(name, "needs at least one e-mail address")) } else { Ok(all) }
    }
}

/// The addresses of an optional argument.
pub(super) fn optional(name: &str, addresses: Option<&Addresses>) -> Result<Vec<String>, ToolError> {
    addresses.map_or_else(|| Ok(Vec::new()), |addresses| addresses.checked(name))
}

/// One address.
pub(super) fn one(name: &str, text: &str) -> Result<String, ToolError> {
    let address = bare(text.trim());
    if is_address(address) {
        Ok(address.to_owned())
    } else {
        Err(ToolError::argument(name, "needs one e-mail address, such as adele@contoso.example"))
    }
}

/// Graph's form of an address.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Recipient {
    email_address: EmailAddress,
}

#[derive(Serialize)]
struct EmailAddress {
    address: String,
}

impl Recipient {
    /// The address.
    pub fn address(&self) -> &str {
        &self.email_address.address
    }

    /// Graph's form of these addresses.
    pub fn all(addresses: &[String]) -> Vec<Self> {
        addresses.iter().map(|address| Self { email_address: EmailAddress { address: address.clone() } }).collect()
    }
}

/// `Adele Vance <adele@contoso.example>` without its name.
fn bare(text: &str) -> &str {
    match text.rsplit_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').unwrap_or(text),
        None => text,
    }
}

/// RFC 5321 mailboxes without quoted local parts and address literals, which no Exchange mailbox uses.
pub(super) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atext);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    local.len() <= 64
        && local.split('.').all(is_atom)
        && domain.len() <= 253
        && domain.contains('.')
        && domain.split('.').all(is_label)
}

const fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'/'
                | b'='
                | b'?'
                | b'^'
                | b'_'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
                | b'~'
        )
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    fn checked(json: &str) -> Result<Vec<String>, String> {
        let addresses: Addresses = serde_json::from_str(json).unwrap();
        addresses.checked("to").map_err(|error| error.to_string())
    }

    #[test]
    fn one_string_may_hold_several_addresses() {
        let expected = ["adele@contoso.example", "b.o'hara+x@sub.contoso.example"];
        for json in [
            r#""adele@contoso.example, b.o'hara+x@sub.contoso.example;ADELE@contoso.example""#,
            r#"["Adele Vance <adele@contoso.example>", "b.o'hara+x@sub.contoso.example"]"#,
        ] {
            assert_eq!(checked(json).unwrap(), expected, "{json}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_by_name() {
        for wrong in [
            "adele",
            "@contoso.example",
            "a@b",
            "a b@c.example",
            "a@b..example",
            "a@-b.example",
            "a.@b.example",
            "a@b.example\\r\\nBcc: x",
        ] {
            let error = checked(&format!("\"{wrong}\"")).unwrap_err();
            assert!(error.starts_with("to: "), "{wrong}: {error}");
        }
    }
}

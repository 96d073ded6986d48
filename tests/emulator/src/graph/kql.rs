//! `$search` on messages: KQL inside one pair of double quotes, as far as people write it.

use serde_json::Value;

use super::error::GraphError;
use crate::json::{flag, items, text};

/// One condition of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    negated: bool,
    property: Option<String>,
    text: String,
}

/// A search: one of the groups must hold, a group holds when all its terms do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search(Vec<Vec<Term>>);

const PROPERTIES: &[&str] = &[
    "from",
    "to",
    "cc",
    "bcc",
    "participants",
    "subject",
    "body",
    "received",
    "sent",
    "hasattachment",
    "hasattachments",
    "importance",
    "isread",
    "attachment",
    "kind",
    "size",
    "recipients",
];

fn bad(detail: &str) -> GraphError {
    GraphError::bad(&format!("Syntax error: {detail}"))
}

impl Search {
    /// Reads the value of `$search`.
    pub fn parse(raw: &str) -> Result<Self, GraphError> {
        let trimmed = raw.trim();
        let inner = trimmed
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .ok_or_else(|| bad("the search text must be in double quotes."))?;
        let mut groups = vec![Vec::new()];
        let mut negated = false;
        for word in words(inner)? {
            match word.as_str() {
                "OR" => groups.push(Vec::new()),
                "AND" => {}
                "NOT" => negated = true,
                _ => {
                    let term = parse_term(&word, negated);
                    if let Some(group) = groups.last_mut() {
                        group.push(term);
                    }
                    negated = false;
                }
            }
        }
        if groups.iter().any(Vec::is_empty) {
            return Err(bad("a search condition is missing."));
        }
        Ok(Self(groups))
    }

    /// Whether a message fits.
    pub fn holds(&self, message: &Value) -> bool {
        self.0.iter().any(|group| group.iter().all(|term| term.holds(message)))
    }
}

/// Splits at spaces outside phrases; a bare quote ends the string early and is refused.
fn words(inner: &str) -> Result<Vec<String>, GraphError> {
    let (mut words, mut word, mut phrase, mut letters) = (Vec::new(), String::new(), false, inner.chars());
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('"') => phrase = !phrase,
                Some(other) => word.push(other),
                None => return Err(bad("the string is not terminated.")),
            },
            '"' => return Err(bad("character '\"' is not valid here.")),
            '(' | ')' if !phrase => {}
            ' ' if !phrase => words.push(std::mem::take(&mut word)),
            other => word.push(other),
        }
    }
    if phrase {
        return Err(bad("a phrase is not terminated."));
    }
    words.push(word);
    Ok(words.into_iter().filter(|word| !word.is_empty()).collect())
}

fn parse_term(word: &str, negated: bool) -> Term {
    let (negated, word) = match word.strip_prefix('-') {
        Some(rest) if !rest.is_empty() => (true, rest),
        _ => (negated, word),
    };
    let at = word.find([':', '>', '<', '=']);
    if let Some((name, rest)) = at.and_then(|at| word.split_at_checked(at)) {
        let name = name.to_lowercase();
        if PROPERTIES.contains(&name.as_str()) {
            let value = rest.strip_prefix(':').unwrap_or(rest).to_lowercase();
            return Term { negated, property: Some(name), text: value };
        }
    }
    Term { negated, property: None, text: word.to_lowercase() }
}

impl Term {
    fn holds(&self, message: &Value) -> bool {
        let found = match self.property.as_deref() {
            None => self.anywhere(message),
            Some("from") => person_has(message.get("from"), &self.text),
            Some("to") => self.anyone(message, &["/toRecipients"]),
            Some("cc") => self.anyone(message, &["/ccRecipients"]),
            Some("bcc") => self.anyone(message, &["/bccRecipients"]),
            Some("recipients") => self.anyone(message, &["/toRecipients", "/ccRecipients", "/bccRecipients"]),
            Some("participants") => {
                person_has(message.get("from"), &self.text) || self.anyone(message, &["/toRecipients", "/ccRecipients"])
            }
            Some("subject") => contains(text(message, "/subject"), &self.text),
            Some("body") => contains(text(message, "/body/content"), &self.text),
            Some("received") => date_holds(text(message, "/receivedDateTime"), &self.text),
            Some("sent") => date_holds(text(message, "/sentDateTime"), &self.text),
            Some("hasattachment" | "hasattachments") => flag(message, "/hasAttachments").to_string() == self.text,
            Some("isread") => flag(message, "/isRead").to_string() == self.text,
            Some("importance") => text(message, "/importance") == self.text,
            Some(_) => true,
        };
        found != self.negated
    }

    fn anywhere(&self, message: &Value) -> bool {
        contains(text(message, "/subject"), &self.text)
            || contains(text(message, "/body/content"), &self.text)
            || person_has(message.get("from"), &self.text)
            || self.anyone(message, &["/toRecipients", "/ccRecipients"])
    }

    fn anyone(&self, message: &Value, pointers: &[&str]) -> bool {
        let people = pointers.iter().flat_map(|pointer| items(message, pointer));
        people.into_iter().any(|person| person_has(Some(person), &self.text))
    }
}

fn contains(haystack: &str, needle: &str) -> bool {
    haystack.to_lowercase().contains(needle.trim_end_matches('*'))
}

fn person_has(person: Option<&Value>, needle: &str) -> bool {
    person.is_some_and(|person| {
        contains(text(person, "/emailAddress/address"), needle) || contains(text(person, "/emailAddress/name"), needle)
    })
}

/// `>=2026-01-01`, `<2026-01-01`, `2026-01-01` or `2026-01-01..2026-01-31`, by day.
fn date_holds(moment: &str, condition: &str) -> bool {
    let day = moment.get(..10).unwrap_or("");
    let cut = |text: &str| text.get(..10).unwrap_or(text).to_owned();
    for sign in [">=", "<=", ">", "<", "="] {
        if let Some(rest) = condition.strip_prefix(sign) {
            let order = day.cmp(cut(rest).as_str());
            return match sign {
                ">=" => order.is_ge(),
                "<=" => order.is_le(),
                ">" => order.is_gt(),
                "<" => order.is_lt(),
                _ => order.is_eq(),
            };
        }
    }
    match condition.split_once("..") {
        Some((from, to)) => day >= cut(from).as_str() && day <= cut(to).as_str(),
        None => day == cut(condition),
    }
}

//! `$filter` in the few forms the tools send: comparisons joined by `and` or by `or`, `startswith`, `any` over a list, and
//! the extended-property look-up. Everything else is refused, as a form nobody has tried should be.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::error::GraphError;

/// One clause.
#[derive(Clone, Debug, PartialEq)]
pub enum Clause {
    /// `property op literal`.
    Compare {
        /// Property, possibly a path.
        property: String,
        /// `eq`, `ne`, `ge`, `gt`, `le` or `lt`.
        operator: String,
        /// What it is compared with.
        literal: Value,
    },
    /// `startswith(property,'text')`.
    StartsWith {
        /// Property, possibly a path.
        property: String,
        /// The text.
        prefix: String,
    },
    /// `singleValueExtendedProperties/Any(ep: ep/id eq '…' and ep/value eq '…')`.
    Extended {
        /// Property id.
        id: String,
        /// Property value.
        value: String,
    },
    /// `list/any(a:a/property eq 'text')`.
    Any {
        /// The list.
        list: String,
        /// Property of its items.
        property: String,
        /// The text.
        value: String,
    },
    /// Clauses joined by `or`.
    Either(Vec<Clause>),
}

fn bad() -> GraphError {
    GraphError::bad("Invalid filter clause")
}

/// What clauses joined by `or` have for a property: nothing that can be sorted by.
const EITHER: &str = "or";

/// Reads a filter into clauses that must all hold.
pub fn parse(text: &str) -> Result<Vec<Clause>, GraphError> {
    let text = text.trim();
    if text.is_empty() || text.matches('\'').count() % 2 == 1 {
        return Err(GraphError::bad("There is an unterminated string literal in the filter."));
    }
    let either = split(text, " or ");
    if either.len() > 1 {
        // Both in one filter need parentheses that nobody sends.
        let clauses = either.iter().map(|part| parse_clause(part.trim())).collect::<Result<_, _>>()?;
        return Ok(vec![Clause::Either(clauses)]);
    }
    split(text, " and ").iter().map(|part| parse_clause(part.trim())).collect()
}

/// Splits at a word outside quotes and parentheses.
fn split<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let (mut parts, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0_i32, false);
    for (at, letter) in text.char_indices() {
        match letter {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ' ' if !quoted && depth == 0 && at >= start => {
                let rest = text.get(at..).unwrap_or("");
                if rest.starts_with(word) {
                    parts.push(text.get(start..at).unwrap_or(""));
                    start = at + word.len();
                }
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or(""));
    parts
}

fn parse_clause(part: &str) -> Result<Clause, GraphError> {
    let inner = |prefix: &str| part.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(')'));
    if let Some(arguments) = inner("startswith(") {
        let (property, text) = arguments.split_once(',').ok_or_else(bad)?;
        let prefix = quoted(text.trim()).ok_or_else(bad)?;
        return Ok(Clause::StartsWith { property: property.trim().to_owned(), prefix });
    }
    let lambda = ["singleValueExtendedProperties/Any(", "singleValueExtendedProperties/any("];
    if let Some(body) = lambda.iter().find_map(|prefix| inner(prefix)) {
        return parse_extended(body);
    }
    if let Some((list, condition)) = part.split_once("/any(") {
        return parse_any(list, condition).ok_or_else(bad);
    }
    let mut words = part.splitn(3, ' ');
    let (Some(property), Some(operator), Some(literal)) = (words.next(), words.next(), words.next()) else {
        return Err(bad());
    };
    let named = property.chars().all(|c| c.is_ascii_alphanumeric() || c == '/' || c == '_');
    if !named || !matches!(operator, "eq" | "ne" | "ge" | "gt" | "le" | "lt") {
        return Err(bad());
    }
    let literal = parse_literal(literal.trim()).ok_or_else(bad)?;
    Ok(Clause::Compare { property: property.to_owned(), operator: operator.to_owned(), literal })
}

fn parse_extended(body: &str) -> Result<Clause, GraphError> {
    let (variable, condition) = body.split_once(':').ok_or_else(bad)?;
    let variable = variable.trim();
    let parts = split(condition.trim(), " and ");
    let find = |name: &str| {
        let prefix = format!("{variable}/{name} eq ");
        parts.iter().find_map(|part| quoted(part.trim().strip_prefix(prefix.as_str())?.trim()))
    };
    match (parts.len(), find("id"), find("value")) {
        (2, Some(id), Some(value)) => Ok(Clause::Extended { id, value }),
        _ => Err(bad()),
    }
}

fn parse_any(list: &str, condition: &str) -> Option<Clause> {
    let (variable, condition) = condition.strip_suffix(')')?.split_once(':')?;
    let (property, value) = condition.trim().strip_prefix(variable.trim())?.strip_prefix('/')?.split_once(" eq ")?;
    Some(Clause::Any { list: list.to_owned(), property: property.to_owned(), value: quoted(value.trim())? })
}

fn quoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let unescaped = inner.replace("''", "\u{0}");
    (!unescaped.contains('\'')).then(|| unescaped.replace('\u{0}', "'"))
}

fn parse_literal(text: &str) -> Option<Value> {
    match text {
        "true" => return Some(Value::Bool(true)),
        "false" => return Some(Value::Bool(false)),
        "null" => return Some(Value::Null),
        _ => {}
    }
    if let Some(text) = quoted(text) {
        return Some(Value::String(text));
    }
    if let Ok(number) = text.parse::<i64>() {
        return Some(number.into());
    }
    let full = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let moment = OffsetDateTime::parse(&full, &Rfc3339).ok()?;
    // Stored times are UTC and whole seconds, so that they compare as text.
    let utc = moment.to_offset(time::UtcOffset::UTC).replace_nanosecond(0).ok()?;
    utc.format(&Rfc3339).ok().map(Value::String)
}

impl Clause {
    /// The property that `$orderby` may follow.
    pub fn property(&self) -> &str {
        match self {
            Self::Compare { property, .. } | Self::StartsWith { property, .. } => property,
            Self::Extended { .. } => "singleValueExtendedProperties",
            Self::Any { list, .. } => list,
            Self::Either(_) => EITHER,
        }
    }

    /// Whether a resource fits.
    pub fn holds(&self, item: &Value) -> bool {
        match self {
            Self::Compare { property, operator, literal } => {
                let found = item.pointer(&format!("/{property}")).unwrap_or(&Value::Null);
                compare(found, operator, literal)
            }
            Self::StartsWith { property, prefix } => {
                let found = crate::json::text(item, &format!("/{property}"));
                found.to_lowercase().starts_with(&prefix.to_lowercase())
            }
            Self::Either(clauses) => clauses.iter().any(|clause| clause.holds(item)),
            Self::Any { list, property, value } => {
                let entries = crate::json::items(item, &format!("/{list}"));
                let found = |entry| crate::json::text(entry, &format!("/{property}")).eq_ignore_ascii_case(value);
                entries.iter().any(found)
            }
            Self::Extended { id, value } => {
                let properties = crate::json::items(item, "/singleValueExtendedProperties");
                properties.iter().any(|p| {
                    crate::json::text(p, "/id").eq_ignore_ascii_case(id) && crate::json::text(p, "/value") == value
                })
            }
        }
    }
}

fn compare(found: &Value, operator: &str, literal: &Value) -> bool {
    let lower = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_lowercase);
    let order = lower(found).cmp(&lower(literal));
    match operator {
        "eq" => order.is_eq(),
        "ne" => order.is_ne(),
        "ge" => order.is_ge(),
        "gt" => order.is_gt(),
        "le" => order.is_le(),
        _ => order.is_lt(),
    }
}

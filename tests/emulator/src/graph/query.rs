//! OData options of a list: `$select`, `$top`, `$skip`, `$skiptoken`, `$orderby`, `$count`, and paging.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::error::GraphError;
use super::request::{Answer, Request};

const KNOWN: &[&str] =
    &["$select", "$top", "$skip", "$skiptoken", "$orderby", "$filter", "$search", "$count", "$expand", "$format"];

/// How a list is to be cut; `$filter` and `$search` stay text, for the family to read.
#[derive(Clone, Debug)]
pub struct ListOptions {
    /// Properties asked for.
    pub select: Option<Vec<String>>,
    /// Page size.
    pub top: usize,
    /// Items to leave out.
    pub skip: usize,
    /// Sort order: property, and whether descending.
    pub orderby: Vec<(String, bool)>,
    /// `$filter`.
    pub filter: Option<String>,
    /// `$search`.
    pub search: Option<String>,
    /// `$count=true`.
    pub count: bool,
}

/// Page sizes of a collection.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Without `$top`.
    pub default: usize,
    /// The largest `$top`.
    pub max: usize,
}

/// An option by name, with or without its dollar sign.
pub fn option<'a>(request: &'a Request<'_>, name: &str) -> Option<&'a str> {
    let bare = name.trim_start_matches('$');
    request.query.get(name).or_else(|| request.query.get(bare))
}

impl ListOptions {
    /// Reads the options; an unknown or repeated one is refused.
    pub fn parse(request: &Request<'_>, sizes: Sizes) -> Result<Self, GraphError> {
        for (name, _) in &request.query.0 {
            if name.starts_with('$') && !KNOWN.contains(&name.as_str()) {
                return Err(GraphError::bad(&format!("The query parameter '{name}' is not supported.")));
            }
        }
        if let Some(name) = request.query.repeated() {
            return Err(GraphError::bad(&format!("Query option '{name}' was specified more than once.")));
        }
        let owned = |name: &str| option(request, name).map(str::to_owned);
        let top = number(request, "$top")?.unwrap_or(sizes.default);
        if top == 0 || top > sizes.max {
            return Err(GraphError::bad(&format!(
                "Invalid value '{top}' for $top. Value must be between 1 and {}.",
                sizes.max
            )));
        }
        let skip = match option(request, "$skiptoken") {
            Some(token) => read_token(token)?,
            None => number(request, "$skip")?.unwrap_or(0),
        };
        Ok(Self {
            select: option(request, "$select").map(|list| list.split(',').map(|one| one.trim().to_owned()).collect()),
            top,
            skip,
            orderby: parse_orderby(option(request, "$orderby"))?,
            filter: owned("$filter"),
            search: owned("$search"),
            count: option(request, "$count") == Some("true"),
        })
    }
}

fn number(request: &Request<'_>, name: &str) -> Result<Option<usize>, GraphError> {
    let Some(text) = option(request, name) else {
        return Ok(None);
    };
    let refuse = |_| {
        GraphError::bad(&format!(
            "Invalid value '{text}' for {name} query option found. The {name} query option requires a non-negative integer value."
        ))
    };
    text.parse().map(Some).map_err(refuse)
}

fn read_token(token: &str) -> Result<usize, GraphError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let number = text.as_deref().and_then(|text| text.strip_prefix("page:"));
    number.and_then(|n| n.parse().ok()).ok_or_else(|| GraphError::bad("The skip token is invalid."))
}

fn parse_orderby(text: Option<&str>) -> Result<Vec<(String, bool)>, GraphError> {
    let parts = text.into_iter().flat_map(|text| text.split(','));
    parts
        .map(|part| {
            let mut words = part.split_whitespace();
            let name = words.next().unwrap_or("").to_owned();
            match (name.is_empty(), words.next(), words.next()) {
                (false, None | Some("asc"), None) => Ok((name, false)),
                (false, Some("desc"), None) => Ok((name, true)),
                _ => Err(GraphError::bad("Syntax error in $orderby.")),
            }
        })
        .collect()
}

/// Sorts by the options' order; properties may be paths.
pub fn sort(items: &mut [Value], orderby: &[(String, bool)]) {
    items.sort_by(|a, b| {
        for (name, descending) in orderby {
            let pointer = format!("/{name}");
            let key = |item: &Value| item.pointer(&pointer).map(sortable).unwrap_or_default();
            let order = key(a).cmp(&key(b));
            if !order.is_eq() {
                return if *descending { order.reverse() } else { order };
            }
        }
        std::cmp::Ordering::Equal
    });
}

fn sortable(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_lowercase)
}

/// Keeps the selected properties; one that the type does not have is refused.
pub fn select(item: Value, chosen: Option<&[String]>, kind: &str) -> Result<Value, GraphError> {
    let (Some(chosen), Value::Object(object)) = (chosen, &item) else {
        return Ok(item);
    };
    let mut kept = serde_json::Map::new();
    for name in chosen {
        let first = name.split('/').next().unwrap_or("");
        if !object.contains_key(first) {
            let message = format!("Could not find a property named '{name}' on type '{kind}'.");
            return Err(GraphError::new(400, "RequestBroker--ParseUri", &message));
        }
    }
    for (name, value) in object {
        let asked = chosen.iter().any(|one| one.split('/').next() == Some(name));
        if asked || name == "id" || name.starts_with('@') {
            kept.insert(name.clone(), value.clone());
        }
    }
    Ok(Value::Object(kept))
}

/// One page of items that are already filtered and sorted, with its `@odata.nextLink`.
pub fn page(request: &Request<'_>, options: &ListOptions, items: Vec<Value>, kind: &str) -> Result<Answer, GraphError> {
    let total = items.len();
    let chosen = options.select.as_deref();
    let shown: Result<Vec<Value>, GraphError> =
        items.into_iter().skip(options.skip).take(options.top).map(|item| select(item, chosen, kind)).collect();
    let path = request.segments.join("/");
    let mut body = json!({
        "@odata.context": request.url(&format!("$metadata#{path}")), "value": shown?,
    });
    // Graph counts on the first page only.
    if options.count && options.skip == 0 {
        crate::json::set(&mut body, "@odata.count", total);
    }
    let next = options.skip + options.top;
    if next < total {
        crate::json::set(&mut body, "@odata.nextLink", next_link(request, options, next));
    }
    Ok(Answer::ok(body))
}

fn next_link(request: &Request<'_>, options: &ListOptions, next: usize) -> String {
    let kept = request.call.query.split('&').filter(|pair| {
        let lower = pair.to_ascii_lowercase().replace("%24", "$");
        !pair.is_empty() && !lower.trim_start_matches('$').starts_with("skip")
    });
    let mut pairs: Vec<String> = kept.map(str::to_owned).collect();
    pairs.push(if options.search.is_some() {
        format!("$skiptoken={}", URL_SAFE_NO_PAD.encode(format!("page:{next}")))
    } else {
        format!("$skip={next}")
    });
    format!("https://graph.microsoft.com{}?{}", request.call.path, pairs.join("&"))
}

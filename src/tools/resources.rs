//! What can be read by URI: fixed resources, and templates that stand for one of many by its id.
//!
//! Owns which there are, how they are listed and how a URI is matched; what is in them is `user_resources` and
//! `item_resources`. Like a tool, one whose preset the caller does not have does not exist for it, and one whose scope its
//! token lacks is not listed.

use futures_util::future::LocalBoxFuture;
use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::call::Call;
use super::content::{Contents, Data};
use super::error::NO_MAILBOX;
use super::icon::Icon;
use super::{ToolContext, ToolError, View, item_resources, local, user_resources};
use crate::config::Preset;
use crate::graph::Failure;
use crate::graph::request::is_segment;
use crate::identity::{Scope, ScopeSet};

/// What reading gives.
pub(super) type Reading<'a> = LocalBoxFuture<'a, Result<Data, ToolError>>;

/// Where a resource is.
pub(super) enum Place {
    /// At one URI.
    Fixed(&'static str),
    /// At as many as there are ids, which stand percent-encoded between two pieces of text.
    Each { before: &'static str, after: &'static str },
}

impl Place {
    /// The id in a URI of this place; empty where there is one URI only. `None` for a URI of another place.
    fn id(&self, uri: &str) -> Option<String> {
        match self {
            Self::Fixed(own) => (*own == uri).then(String::new),
            Self::Each { before, after } => {
                let id = uri.strip_prefix(before)?.strip_suffix(after)?;
                let one = !id.contains('/');
                let id = percent_decode_str(id).decode_utf8().ok()?;
                (one && is_segment(&id)).then(|| id.into_owned())
            }
        }
    }

    /// As logs and cursors name it.
    const fn name(&self) -> &'static str {
        match self {
            Self::Fixed(uri) => uri,
            Self::Each { before, .. } => before,
        }
    }
}

/// A resource, or a template for many.
pub(super) struct Resource {
    pub preset: Preset,
    pub place: Place,
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub mime_type: &'static str,
    pub icon: Option<Icon>,
    pub scope: Option<Scope>,
    /// Reads it; the second argument is the id.
    pub read: for<'a> fn(&'a Call<'a>, &'a str) -> Reading<'a>,
}

const FAMILIES: &[&[Resource]] = &[
    user_resources::RESOURCES,
    item_resources::RESOURCES,
    #[cfg(feature = "conformance")]
    super::fixtures::RESOURCES,
];

fn all() -> impl Iterator<Item = &'static Resource> {
    FAMILIES.iter().copied().flatten()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_template: Option<String>,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    mime_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    icons: Option<[Icon; 1]>,
}

impl Resource {
    fn is_in(&self, view: View) -> bool {
        view.presets.contains(self.preset)
    }

    fn is_listed(&self, view: View) -> bool {
        let usable = |scopes: ScopeSet| self.scope.is_none_or(|scope| scopes.allows(scope));
        self.is_in(view) && view.scopes.is_none_or(usable)
    }

    fn entry(&self) -> Entry {
        let (uri, uri_template) = match self.place {
            Place::Fixed(uri) => (Some(uri), None),
            Place::Each { before, after } => (None, Some(format!("{before}{{id}}{after}"))),
        };
        Entry {
            uri,
            uri_template,
            name: self.name,
            title: self.title,
            description: self.description,
            mime_type: self.mime_type,
            icons: self.icon.map(|icon| [icon]),
        }
    }
}

/// JSON text of the array that `resources/list` answers with.
pub fn resources_json(view: View) -> String {
    listed(view, |place| matches!(place, Place::Fixed(_)))
}

/// JSON text of the array that `resources/templates/list` answers with.
pub fn templates_json(view: View) -> String {
    listed(view, |place| matches!(place, Place::Each { .. }))
}

fn listed(view: View, wanted: fn(&Place) -> bool) -> String {
    let shown = all().filter(|resource| wanted(&resource.place) && resource.is_listed(view));
    let entries: Vec<_> = shown.map(Resource::entry).collect();
    serde_json::to_string(&entries).unwrap_or_else(|_| "[]".to_owned())
}

/// Whether there is a resource of this URI, as far as its form can tell.
pub fn has_resource(view: View, uri: &str) -> bool {
    find(view, uri).is_some()
}

/// Whether there is a template, or a resource, that is written like this in a list.
pub fn is_listed(view: View, uri: &str) -> bool {
    let mut shown = all().filter(|resource| resource.is_listed(view)).map(Resource::entry);
    shown.any(|entry| entry.uri == Some(uri) || entry.uri_template.as_deref() == Some(uri))
}

fn find(view: View, uri: &str) -> Option<(&'static Resource, String)> {
    matching(uri).filter(|(resource, _)| resource.is_in(view))
}

fn matching(uri: &str) -> Option<(&'static Resource, String)> {
    all().find_map(|resource| Some((resource, resource.place.id(uri)?)))
}

/// What the resources of these presets need.
pub(super) fn scopes(view: View) -> ScopeSet {
    let scopes: Vec<_> = all().filter(|resource| resource.is_in(view)).filter_map(|resource| resource.scope).collect();
    ScopeSet::of(&scopes)
}

/// What the resource of this URI needs.
pub(super) fn needs(uri: &str) -> ScopeSet {
    let scope = matching(uri).and_then(|(resource, _)| resource.scope);
    scope.map_or_else(ScopeSet::default, |scope| ScopeSet::of(&[scope]))
}

/// Reads a resource.
pub(super) async fn read(uri: &str, context: &ToolContext<'_>) -> Result<Contents, ToolError> {
    let (resource, id) = find(context.view(), uri).ok_or(ToolError::NoSuchResource)?;
    let call = Call { context, name: resource.place.name() };
    if let Some(scope) = resource.scope {
        call.require(scope)?;
    }
    let data = (resource.read)(&call, &id).await.map_err(|error| match (&resource.place, error) {
        (Place::Each { .. }, ToolError::Graph { failure, .. }) if is_unknown(&failure) => ToolError::NoSuchResource,
        // No id of such a thing can look like this, or it is of another thing.
        (Place::Each { .. }, ToolError::Argument { .. }) => ToolError::NoSuchResource,
        (Place::Fixed(_) | Place::Each { .. }, error) => error,
    })?;
    let data = if resource.mime_type == "application/json" { local::data(&call, data).await } else { data };
    Ok(Contents { uri: uri.to_owned(), mime_type: resource.mime_type.into(), data })
}

/// Whether Graph knows nothing of this id. What cannot be an id at all it refuses with 400.
fn is_unknown(failure: &Failure) -> bool {
    failure.status == Some(404) && failure.code != NO_MAILBOX || failure.code == "ErrorInvalidIdMalformed"
}

/// JSON text.
pub(super) fn json_text(body: &impl Serialize) -> Data {
    Data::Text(serde_json::to_string(body).unwrap_or_default().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_decoded_segment_and_nothing_else_matches() {
        let place = Place::Each { before: "a://b/", after: "/c" };
        for (uri, id) in [
            ("a://b/x%2Fy%3D/c", Some("x/y=")),
            ("a://b/x=/c", Some("x=")),
            ("a://b//c", None),
            ("a://b/../c", None),
            ("a://b/%2E%2E/c", None),
            ("a://b/x/y/c", None),
            ("a://b/%FF/c", None),
            ("a://b/x", None),
            ("A://b/x/c", None),
        ] {
            assert_eq!(place.id(uri).as_deref(), id, "{uri}");
        }
    }
}

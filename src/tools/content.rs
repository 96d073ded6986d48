//! What answers, prompts and resources are made of: content blocks and the contents of a resource.
//!
//! The shapes are those of every revision, save that `audio` came with 2025-03-26 and `resource_link` with 2025-06-18:
//! clients of before cannot read an answer that holds one, so no answer may depend on them.

use std::borrow::Cow;

use serde::Serialize;

/// One block of content.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Block {
    /// Text.
    Text {
        /// As the model reads it.
        text: Cow<'static, str>,
    },
    /// A picture.
    Image {
        /// Base64.
        data: Cow<'static, str>,
        /// Such as `image/png`.
        mime_type: Cow<'static, str>,
    },
    /// Sound.
    Audio {
        /// Base64.
        data: Cow<'static, str>,
        /// Such as `audio/wav`.
        mime_type: Cow<'static, str>,
    },
    /// A resource, with its contents.
    Resource {
        /// Which, and what it holds.
        resource: Contents,
    },
    /// A resource that can be read when it is wanted.
    ResourceLink(Link),
}

impl Block {
    /// A block of text.
    pub fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Text { text: text.into() }
    }
}

/// Where a resource is.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Its URI.
    pub uri: String,
    /// Its name.
    pub name: String,
    /// What its contents are.
    pub mime_type: Cow<'static, str>,
}

/// The contents of a resource.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Contents {
    /// Of the resource.
    pub uri: String,
    /// What they are.
    pub mime_type: Cow<'static, str>,
    /// Themselves.
    #[serde(flatten)]
    pub data: Data,
}

/// The contents themselves.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Data {
    /// Text.
    Text(Cow<'static, str>),
    /// Base64 of bytes.
    Blob(Cow<'static, str>),
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use serde_json::{json, to_value};

    use super::*;

    #[test]
    fn every_block_has_the_shape_of_the_specification() {
        let contents = |data| Contents { uri: "a://b".to_owned(), mime_type: "text/plain".into(), data };
        let link = Link { uri: "a://b".to_owned(), name: "b".to_owned(), mime_type: "text/plain".into() };
        let cases = [
            (Block::text("hi"), json!({"type": "text", "text": "hi"})),
            (
                Block::Image { data: "AA==".into(), mime_type: "image/png".into() },
                json!({"type": "image", "data": "AA==", "mimeType": "image/png"}),
            ),
            (
                Block::Audio { data: "AA==".into(), mime_type: "audio/wav".into() },
                json!({"type": "audio", "data": "AA==", "mimeType": "audio/wav"}),
            ),
            (
                Block::Resource { resource: contents(Data::Text("hi".into())) },
                json!({"type": "resource", "resource": {"uri": "a://b", "mimeType": "text/plain", "text": "hi"}}),
            ),
            (
                Block::Resource { resource: contents(Data::Blob("AA==".into())) },
                json!({"type": "resource", "resource": {"uri": "a://b", "mimeType": "text/plain", "blob": "AA=="}}),
            ),
            (
                Block::ResourceLink(link),
                json!({"type": "resource_link", "uri": "a://b", "name": "b", "mimeType": "text/plain"}),
            ),
        ];
        for (block, expected) in cases {
            assert_eq!(to_value(&block).unwrap(), expected);
        }
    }
}

//! What was said in a meeting: WebVTT (W3C) as lines of `Name: words`. A reader of the few forms that Teams writes; what
//! it does not know is left out, never guessed.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};

use super::{Listing, Stamped, newest_first, of};
use crate::graph::request::{Method, Segment};
use crate::graph::{Failure, GraphRequest, Origin};
use crate::identity::Scope;
use crate::tools::answer::{Answer, UNTRUSTED, clean};
use crate::tools::arguments::{bounded, identifier};
use crate::tools::call::Call;
use crate::tools::{Input, Kind, Outcome, Preset, Tool, ToolError, handle, schema};

/// The tool that reads a transcript.
pub(super) const TOOL: Tool = Tool {
    name: "getMeetingTranscript",
    title: "Read a meeting's transcript",
    description: "What was said in a Teams meeting, as lines of name and words.",
    kind: Kind::Read,
    preset: Preset::Teams,
    needs: &[Scope::OnlineMeetingTranscriptReadAll],
    also: &[],
    on_use: &[],
    example: r#"{"meetingId":"MSoxYWQw","maxChars":12000}"#,
    schema: schema::of::<GetMeetingTranscript>,
    handler: handle::<GetMeetingTranscript>,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetMeetingTranscript {
    meeting_id: String,
    /// Default: latest
    transcript_id: Option<String>,
    offset: Option<u32>,
    #[schemars(range(min = 1, max = 50000), extend("default" = 12000))]
    max_chars: Option<u32>,
}

#[async_trait(?Send)]
impl Input for GetMeetingTranscript {
    async fn run(self, call: &Call<'_>) -> Outcome {
        let most = usize::try_from(bounded("maxChars", self.max_chars, 12_000, 50_000)?).unwrap_or(usize::MAX);
        let offset = usize::try_from(self.offset.unwrap_or_default()).unwrap_or(usize::MAX);
        let meeting = identifier("meetingId", &self.meeting_id)?;
        let given = self.transcript_id.as_deref().map(|id| identifier("transcriptId", id)).transpose()?;
        call.require(Scope::OnlineMeetingTranscriptReadAll)?;
        let id = match given {
            Some(id) => id.to_owned(),
            None => latest(call, meeting).await?,
        };
        let path = of(meeting, &[Segment::Word("transcripts"), Segment::Value(&id), Segment::Word("content")]);
        let request = GraphRequest::new(Method::Get, &path)?.query("$format", "text/vtt").header("accept", "text/vtt");
        let said = spoken(&String::from_utf8_lossy(&call.send(&request).await?.body));
        let length = said.chars().count();
        if offset > 0 && offset >= length {
            return Err(ToolError::argument("offset", format!("the transcript has {length} characters")));
        }
        let text: String = said.chars().skip(offset).take(most).collect();
        let end = offset.saturating_add(most);
        let mut answer = Map::new();
        answer.insert("untrusted".into(), UNTRUSTED.into());
        answer.insert("transcriptId".into(), id.into());
        answer.insert("text".into(), text.into());
        answer.insert("truncated".into(), (end < length).into());
        if end < length {
            answer.insert("nextOffset".into(), json!(end));
        }
        Ok(Answer::of(&answer))
    }
}

async fn latest(call: &Call<'_>, meeting: &str) -> Result<String, ToolError> {
    let request = GraphRequest::new(Method::Get, &of(meeting, &[Segment::Word("transcripts")]))?;
    let found: Listing<Stamped> = call.json(&request).await?;
    let last = newest_first(found.value).into_iter().next();
    last.map(|last| last.id).ok_or_else(|| ToolError::Graph {
        failure: Failure {
            status: Some(404),
            message: Some("the meeting has no transcript".into()),
            ..Failure::of(Origin::Graph, "NotFound")
        },
        repeatable: true,
    })
}

/// The words of a transcript, a line for each time that somebody speaks.
fn spoken(vtt: &str) -> String {
    let mut text = String::with_capacity(vtt.len() / 2);
    let mut last = String::new();
    let mut in_cue = false;
    for line in vtt.lines().map(str::trim) {
        if line.is_empty() {
            in_cue = false;
        } else if line.contains("-->") {
            in_cue = true;
        } else if in_cue {
            // One cue may hold several voices in a line.
            line.split_inclusive("</v>").for_each(|part| say(&mut text, &mut last, part));
        }
    }
    text
}

/// Adds what one voice says; a new line where it is another than before.
fn say(text: &mut String, last: &mut String, part: &str) {
    let voice = part.trim_start().strip_prefix("<v").and_then(|rest| rest.split_once('>'));
    let (name, words) = match voice {
        // `<v.class Name>` has classes before the name.
        Some((name, words)) => (clean(name.split_once(' ').map_or("", |(_, name)| name), 100), words),
        None => (last.clone(), part),
    };
    let words = clean(&without_tags(words), usize::MAX);
    if words.is_empty() {
        return;
    }
    if name == *last && !text.is_empty() {
        text.push(' ');
    } else {
        if !text.is_empty() {
            text.push('\n');
        }
        if !name.is_empty() {
            text.extend([name.as_str(), ": "]);
        }
        *last = name;
    }
    // Nobody can begin a line in somebody else's name.
    text.push_str(&words.replace('\n', " "));
}

fn without_tags(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        kept.push_str(before);
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    // `&amp;` last: what it makes is no entity.
    kept.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcript_becomes_lines_of_name_and_words() {
        let vtt = "WEBVTT\r\n\r\n0\r\n00:00:00.000 --> 00:00:02.000\r\n<v Adele Vance>Good morning</v>\r\n\r\n\
                   1\r\n00:00:02.000 --> 00:00:04.000\r\n<v Adele Vance>all &amp; sundry.</v>\r\n\r\n\
                   00:00:04.000 --> 00:00:06.000 align:start\r\n<v.loud Bo Hart>Hi</v><v Adele Vance>So</v>\r\n\r\n\
                   NOTE nothing\r\nof this\r\n";
        assert_eq!(spoken(vtt), "Adele Vance: Good morning all & sundry.\nBo Hart: Hi\nAdele Vance: So");
    }

    #[test]
    fn nobody_speaks_in_anothers_name_or_unseen() {
        let vtt = "00:00 --> 00:01\n<v Bo>a\u{2028}b\u{202E}c <b>d</b> &lt;v Adele&gt;e</v>\n";
        let said = spoken(vtt);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.starts_with("Bo: a") && !said.contains('\u{202E}') && said.ends_with("<v Adele>e"), "{said}");
    }

    #[test]
    fn what_is_no_transcript_is_empty() {
        for vtt in ["", "WEBVTT", "<v", "x\n<v Bo>y</v>", "-->", "-->\n<v", "-->\n</v></v>"] {
            assert_eq!(spoken(vtt), "", "{vtt:?}");
        }
    }
}

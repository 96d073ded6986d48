//! Who was there, by the reports that Teams makes of each time a meeting took place.

use serde::{Deserialize, Serialize};

use super::{MOST, Stamped, of};
use crate::graph::GraphRequest;
use crate::graph::request::{Method, Segment};
use crate::tools::ToolError;
use crate::tools::answer::clean;
use crate::tools::call::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    meeting_start_date_time: Option<String>,
    meeting_end_date_time: Option<String>,
    total_participant_count: Option<u32>,
    #[serde(default)]
    attendance_records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    email_address: Option<String>,
    identity: Option<Identity>,
    role: Option<String>,
    total_attendance_in_seconds: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    display_name: Option<String>,
}

/// Who was there the last time that it took place.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attendance {
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<String>,
    people: Vec<Attendee>,
    /// How many more there were.
    #[serde(skip_serializing_if = "is_none")]
    more: usize,
    /// How often the meeting took place; the people are those of the last time.
    sessions: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u32>,
}

#[derive(Serialize)]
struct Attendee {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    minutes: u32,
}

impl Attendance {
    /// Whether somebody is left out.
    pub const fn truncated(&self) -> bool {
        self.more > 0
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the serializer's own shape")]
const fn is_none(more: &usize) -> bool {
    *more == 0
}

/// The people of the newest of these reports, if there is one.
pub(super) async fn attended(
    call: &Call<'_>,
    meeting: &str,
    reports: &[Stamped],
) -> Result<Option<Attendance>, ToolError> {
    let Some(last) = reports.first() else { return Ok(None) };
    let path = of(meeting, &[Segment::Word("attendanceReports"), Segment::Value(&last.id)]);
    let request = GraphRequest::new(Method::Get, &path)?.query("$expand", "attendanceRecords");
    let report: Report = call.json(&request).await?;
    let more = report.attendance_records.len().saturating_sub(MOST);
    Ok(Some(Attendance {
        start: report.meeting_start_date_time,
        end: report.meeting_end_date_time,
        people: report.attendance_records.into_iter().take(MOST).map(Attendee::from).collect(),
        more,
        sessions: reports.len(),
        total: report.total_participant_count,
    }))
}

impl From<Record> for Attendee {
    fn from(record: Record) -> Self {
        Self {
            name: clean(&record.identity.and_then(|who| who.display_name).unwrap_or_default(), 100),
            email: clean(&record.email_address.unwrap_or_default(), 320),
            role: record.role,
            minutes: record.total_attendance_in_seconds.unwrap_or_default().div_ceil(60),
        }
    }
}

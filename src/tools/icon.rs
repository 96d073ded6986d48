//! Icons for clients that show them. Each is a small drawing in the address itself: what a client would have to fetch
//! stands behind Access.
//!
//! Tools have none: their list is read by every client and shown with icons by few.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// One icon: a path within 24 by 24, drawn as lines in one colour that shows on light and dark ground.
#[derive(Clone, Copy, Debug)]
pub struct Icon(&'static str);

/// The server.
pub const SERVER: Icon = Icon("M3 3h8v8H3zM13 3h8v8h-8zM3 13h8v8H3zM13 13h8v8h-8z");
/// Mail.
pub const MAIL: Icon = Icon("M3 5h18v14H3zM3 6l9 7 9-7");
/// A calendar.
pub const CALENDAR: Icon = Icon("M3 5h18v16H3zM3 10h18M8 2v5M16 2v5");
/// One person.
pub const PERSON: Icon = Icon("M12 3a4 4 0 1 0 .1 0M4 21c0-9 16-9 16 0");
/// Several people.
pub const PEOPLE: Icon = Icon("M8 5a3 3 0 1 0 .1 0M2 20c0-8 12-8 12 0M16 5a3 3 0 1 1 0 6M18 14c3 1 4 3 4 6");
/// A file.
pub const FILE: Icon = Icon("M5 3h9l5 5v13H5zM14 3v5h5M8 13h8M8 17h8");
/// What is new.
pub const NEWS: Icon = Icon("M12 3a9 9 0 1 0 9 9M12 7v5l4 2");

impl Serialize for Icon {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let src = format!(
            "data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'%20viewBox='0%200%2024%2024'%20fill='none'%20\
             stroke='%230a7cff'%20stroke-width='2'%3E%3Cpath%20d='{}'/%3E%3C/svg%3E",
            self.0.replace(' ', "%20")
        );
        let mut icon = serializer.serialize_struct("Icon", 3)?;
        icon.serialize_field("src", &src)?;
        icon.serialize_field("mimeType", "image/svg+xml")?;
        icon.serialize_field("sizes", &["any"])?;
        icon.end()
    }
}

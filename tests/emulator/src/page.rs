//! The emulator's own page, for people.

use crate::App;
use crate::call::Call;
use crate::reply::{self, Reply, escape};

/// Answers a request to the emulator's own address.
pub async fn handle(_app: &App, call: &Call) -> Reply {
    if call.path == "/" {
        return reply::html(200, layout("Emulator", "<h1>Emulator</h1>"));
    }
    reply::empty(404)
}

/// A whole document around a body that is already HTML.
pub fn layout(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{}</title><body>{body}</body></html>",
        escape(title)
    )
}

//! The document around every page: a title, one style sheet for light and dark, nothing loaded.

use crate::reply::escape;

/// A whole document around a body that is already HTML.
pub fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>",
        escape(title)
    )
}

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#d5d8dd;--soft:#f4f5f7;--good:#17693a;--bad:#a4201c;--link:#0b57d0}\
@media(prefers-color-scheme:dark){:root{--line:#3a3f47;--soft:#1e2228;--good:#6fd19a;--bad:#ff8f87;--link:#8ab4f8}}\
body{margin:0;font:15px/1.5 system-ui,sans-serif;background:Canvas;color:CanvasText}main{max-width:70rem;margin:0 auto;padding:1.5rem 1rem}\
a{color:var(--link)}h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.1rem;margin:2rem 0 .5rem}\
.note{border-left:4px solid var(--bad);background:var(--soft);padding:.6rem .9rem}\
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid var(--line)}\
th{font-weight:600}.good{color:var(--good)}.bad{color:var(--bad)}code,pre{font-family:ui-monospace,monospace;font-size:.85em}\
pre{background:var(--soft);padding:.8rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}\
form{display:inline-block;margin:.15rem .3rem .15rem 0}.fields{display:flex;flex-wrap:wrap;gap:.6rem;align-items:end}.fields label{display:flex;flex-direction:column;font-size:.85em}\
button,input,select{font:inherit;padding:.3rem .6rem;border:1px solid var(--line);border-radius:.3rem;background:var(--soft);color:inherit}button{cursor:pointer}\
:focus-visible{outline:2px solid var(--link);outline-offset:2px}\
.accounts{list-style:none;padding:0;max-width:26rem}.account{display:flex;flex-direction:column;width:100%;text-align:left;margin:.3rem 0;padding:.6rem .9rem}.scopes{overflow-wrap:anywhere;font-size:.9em}\
form:has(.accounts){display:block}";

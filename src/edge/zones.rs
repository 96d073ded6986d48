//! The platform's time zone database, which `Intl` reads.

use wasm_bindgen::prelude::*;

use crate::ports::Zones;

#[wasm_bindgen(inline_js = r#"
const formats = new Map();
export function offset(zone, at) {
  try {
    let format = formats.get(zone);
    if (!format) {
      format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
      if (formats.size >= 64) formats.clear();
      formats.set(zone, format);
    }
    const [, sign, hours = 0, minutes = 0] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(format.format(at * 1000));
    return (sign === "-" ? -60 : 60) * (hours * 60 + Number(minutes));
  } catch {
    // No such zone, or no such time.
    return undefined;
  }
}
"#)]
extern "C" {
    #[wasm_bindgen(js_name = offset)]
    fn offset_js(zone: &str, at: f64) -> Option<i32>;
}

/// Those of this isolate.
pub(crate) struct SystemZones;

impl Zones for SystemZones {
    #[expect(clippy::cast_precision_loss, reason = "a second of the calendar is far below 2^53")]
    fn offset(&self, zone: &str, at: i64) -> Option<i32> {
        offset_js(zone, at as f64)
    }
}

//! Dates of spreadsheets: numbers that a format shows as days.

/// Whether Excel's own format of this number shows a date or a time.
pub(crate) const fn is_builtin_date(format: u32) -> bool {
    matches!(format, 14..=22 | 27..=36 | 45..=47 | 50..=58)
}

/// Whether a format that the document brings shows one: a letter of a date outside quotes and brackets.
pub(crate) fn is_date(format: &str) -> bool {
    let (mut quoted, mut bracket, mut escaped) = (false, false, false);
    for character in format.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' | '_' | '*' => escaped = true,
            '"' => quoted = !quoted,
            '[' if !quoted => bracket = true,
            ']' if !quoted => bracket = false,
            'y' | 'Y' | 'd' | 'D' | 'h' | 'H' | 's' | 'S' | 'm' | 'M' if !quoted && !bracket => return true,
            _ => {}
        }
    }
    false
}

/// A serial number as a date, a time, or both; `None` for what Excel itself would not show as one.
pub(crate) fn shown(serial: f64, since_1904: bool) -> Option<String> {
    if !(0.0..2_958_466.0).contains(&serial) {
        return None;
    }
    let seconds = (serial * 86_400.0).round();
    let (days, rest) = ((seconds / 86_400.0).floor(), seconds % 86_400.0);
    #[expect(clippy::cast_possible_truncation, reason = "bounded above: some millions of days, 86,400 seconds")]
    let (days, rest) = (days as i64, rest as i64);
    let time = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    if days == 0 && !since_1904 {
        return Some(time);
    }
    // Days since 0000-03-01. Excel counts a 29 February 1900 that never was, so its first two months are a day off.
    let date = civil(days + if since_1904 { 695_361 } else { 693_899 + i64::from(days < 60) });
    Some(if rest == 0 { date } else { format!("{date} {time}") })
}

/// The civil date of a count of days since 0000-03-01 (H. Hinnant's algorithm, non-negative eras only).
fn civil(days: i64) -> String {
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_the_day_that_excel_shows() {
        for (serial, since_1904, expected) in [
            (45_000.0, false, Some("2023-03-15")),
            (45_000.5, false, Some("2023-03-15 12:00:00")),
            (1.0, false, Some("1900-01-01")),
            (59.0, false, Some("1900-02-28")),
            (61.0, false, Some("1900-03-01")),
            (0.25, false, Some("06:00:00")),
            (0.0, true, Some("1904-01-01")),
            (43_538.0, true, Some("2023-03-15")),
            (2_958_465.0, false, Some("9999-12-31")),
            (-1.0, false, None),
            (f64::NAN, false, None),
            (1e300, false, None),
        ] {
            assert_eq!(shown(serial, since_1904).as_deref(), expected, "{serial}");
        }
    }

    #[test]
    fn a_format_is_a_date_by_its_letters_not_by_its_words() {
        for (format, expected) in [
            ("dd.mm.yyyy", true),
            ("[$-409]h:mm AM/PM", true),
            ("0.00", false),
            ("#,##0 \"days\"", false),
            ("[Red]0", false),
            ("General", false),
        ] {
            assert_eq!(is_date(format), expected, "{format}");
        }
    }
}

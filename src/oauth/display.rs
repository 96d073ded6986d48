//! Text of strangers, made fit to be shown: what could hide, reorder or imitate is taken out. Escaping is the template's.

/// Longer names are cut.
pub const MAX_NAME: usize = 100;

/// `text` on one line without control, bidirectional and invisible characters, cut to [`MAX_NAME`] characters; `None`
/// where nothing is left.
pub fn clean(text: &str) -> Option<String> {
    let visible: String =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !is_hidden(*c)).collect();
    let line = visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(MAX_NAME).collect();
    (!cut.is_empty()).then_some(cut)
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_or_reorders_is_taken_out() {
        assert_eq!(clean("Inbox\u{202e} \u{200b}Hel\u{7}per\n\t v2").as_deref(), Some("Inbox Helper v2"));
        assert_eq!(clean(" \u{2066}\u{feff}\u{0}"), None);
        assert_eq!(clean(&"é".repeat(500)).map(|name| name.chars().count()), Some(MAX_NAME));
    }
}

//! The text that comes out, and its bound.

/// The text of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// As much as was asked for.
    pub text: String,
    /// Whether the document holds more.
    pub truncated: bool,
}

/// Collects text up to a number of characters.
pub(crate) struct Output {
    text: String,
    left: usize,
    truncated: bool,
}

impl Output {
    pub fn new(most: usize) -> Self {
        Self { text: String::new(), left: most, truncated: false }
    }

    /// Whether nothing more fits, so that reading on is in vain.
    pub fn is_full(&self) -> bool {
        self.truncated
    }

    /// Characters that still fit.
    pub const fn left(&self) -> usize {
        self.left
    }

    /// Says that the document holds more than was read.
    pub const fn cut(&mut self) {
        self.truncated = true;
    }

    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    pub fn push(&mut self, text: &str) {
        match text.char_indices().nth(self.left) {
            None => {
                self.left -= text.chars().count();
                self.text.push_str(text);
            }
            Some((end, _)) => {
                self.text.push_str(text.get(..end).unwrap_or_default());
                (self.left, self.truncated) = (0, true);
            }
        }
    }

    /// A space, unless something sets apart already.
    pub fn space(&mut self) {
        if !self.at_start() && !self.text.ends_with([' ', '\t']) {
            self.push(" ");
        }
    }

    /// Ends the line, if one has begun.
    pub fn line(&mut self) {
        self.trim_end();
        if !self.at_start() {
            self.push("\n");
        }
    }

    /// An empty line, between parts.
    pub fn gap(&mut self) {
        self.line();
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.push("\n");
        }
    }

    /// Whether a line begins here.
    pub fn at_start(&self) -> bool {
        self.text.is_empty() || self.text.ends_with('\n')
    }

    fn trim_end(&mut self) {
        let kept = self.text.trim_end_matches([' ', '\t']).len();
        self.text.truncate(kept);
    }

    pub fn finish(mut self) -> Text {
        let kept = self.text.trim_end().len();
        self.text.truncate(kept);
        Text { text: self.text, truncated: self.truncated }
    }
}

//! What a page's styles say about whether a text is seen: of CSS the few properties by which mails hide things.
//!
//! Hiding is how instructions are smuggled past the reader of a mail to whatever program reads it. Where this knows less
//! than a browser it hides rather than shows, save for what would take the text of honest mail away: a sheet counts by
//! its plain selectors, another one only where it hides a class or id.

use std::collections::HashMap;

/// Depth to which rules are read within rules (`@media`).
const NESTED: u8 = 3;
/// Width of the window, in pixels, in which a mail is taken to be read.
const WINDOW: f32 = 1000.0;
/// Difference of two colours, summed over red, green and blue, that nobody sees.
const ALIKE: u16 = 24;

/// A colour, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colour {
    Known([u8; 3]),
    Clear,
    /// A picture, or a way to write a colour that is not read here.
    Unknown,
}

/// How the text of an element looks.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own, inherited by its own rule")]
pub(super) struct Look {
    gone: bool,
    invisible: bool,
    tiny: bool,
    ink: Colour,
    paper: Colour,
    /// White space stays as it is written.
    pub kept: bool,
}

impl Look {
    /// Black on white.
    pub const PAGE: Self = Self {
        gone: false,
        invisible: false,
        tiny: false,
        ink: Colour::Known([0; 3]),
        paper: Colour::Known([255; 3]),
        kept: false,
    };

    /// Whether somebody who looks at it sees the text.
    pub fn is_seen(&self) -> bool {
        let alike = match (self.ink, self.paper) {
            (Colour::Known(ink), Colour::Known(paper)) => {
                ink.iter().zip(paper).map(|(ink, paper)| u16::from(ink.abs_diff(paper))).sum::<u16>() < ALIKE
            }
            (Colour::Clear, _) => true,
            (Colour::Known(_) | Colour::Unknown, _) => false,
        };
        !(self.gone || self.invisible || self.tiny || alike)
    }

    /// That of an element within this one. What is not displayed stays so; the rest an inner element can change.
    pub fn within(self, style: &Style) -> Self {
        Self {
            gone: self.gone || style.gone || style.undisplayed == Some(true) || (style.small && style.clipped),
            invisible: style.invisible.unwrap_or(self.invisible),
            tiny: style.tiny.unwrap_or(self.tiny),
            ink: style.ink.unwrap_or(self.ink),
            paper: style.paper.filter(|paper| *paper != Colour::Clear).unwrap_or(self.paper),
            kept: style.kept.unwrap_or(self.kept),
        }
    }
}

/// What is declared of an element.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    /// `display`: absent, `none` or something else.
    undisplayed: Option<bool>,
    /// Not to be seen, nor anything within.
    gone: bool,
    small: bool,
    clipped: bool,
    invisible: Option<bool>,
    tiny: Option<bool>,
    ink: Option<Colour>,
    paper: Option<Colour>,
    kept: Option<bool>,
}

impl Style {
    /// Of an element that no browser shows.
    pub fn undisplayed() -> Self {
        Self { undisplayed: Some(true), ..Self::default() }
    }

    /// Of a link, which has a colour of its own.
    pub fn link() -> Self {
        Self { ink: Some(Colour::Known([0, 0, 238])), ..Self::default() }
    }

    pub fn preformatted() -> Self {
        Self { kept: Some(true), ..Self::default() }
    }

    /// Reads declarations over what was declared before. A sheet hides for good: its word may be `!important`.
    pub fn read(&mut self, declarations: &str) {
        let all = || declarations.split(';').filter_map(|one| one.split_once(':'));
        for important in [false, true] {
            for (name, value) in all().filter(|(_, value)| value.contains('!') == important) {
                self.declare(name.trim(), value.split('!').next().unwrap_or_default().trim());
            }
        }
    }

    fn declare(&mut self, name: &str, value: &str) {
        match name {
            "display" => self.undisplayed = Some(value == "none"),
            "visibility" => self.invisible = Some(matches!(value, "hidden" | "collapse")),
            "content-visibility" => self.gone |= value == "hidden",
            "opacity" => self.gone |= number(value).is_some_and(|(number, _)| number < 0.05),
            "font-size" => self.tiny = tiny(value).or(self.tiny),
            // In the shorthand a number without a unit is a weight, unless it is none.
            "font" => {
                let parts = value.split_whitespace().map(|part| part.split('/').next().unwrap_or_default());
                let sized = parts.filter_map(number).find(|(number, unit)| !unit.is_empty() || *number <= 0.0);
                self.tiny = sized.map(is_tiny).or(self.tiny);
            }
            "color" => self.ink = colour(value).or(self.ink),
            "background-color" => self.paper = colour(value).or(self.paper),
            "background" | "background-image" => self.paper = paper(value).or(self.paper),
            "height" | "max-height" | "width" | "max-width" => {
                let small = |(number, unit)| number <= 0.0 || (number < 2.0 && matches!(unit, "" | "px" | "pt"));
                self.small |= number(value).is_some_and(small);
            }
            "overflow" | "overflow-x" | "overflow-y" => self.clipped |= matches!(value, "hidden" | "clip"),
            "text-indent" | "left" | "top" | "right" | "bottom" | "margin-left" | "margin-top" => {
                self.gone |= number(value).is_some_and(|(number, _)| number < -300.0);
            }
            "clip" => self.gone |= value.starts_with("rect(0") || value.starts_with("rect(1px"),
            "clip-path" => self.gone |= ["inset(5", "inset(100", "circle(0"].iter().any(|cut| value.starts_with(cut)),
            "transform" => self.gone |= value.contains("scale(0)") || value.contains("scale(0,"),
            "white-space" => self.kept = Some(value.starts_with("pre") || value == "break-spaces"),
            _ => {}
        }
    }

    /// The old attributes for colours.
    pub fn attribute(&mut self, name: &str, value: &str) {
        match name {
            "hidden" => self.undisplayed = self.undisplayed.or(Some(true)),
            "color" | "text" => self.ink = colour(value).or(self.ink),
            "bgcolor" => self.paper = colour(value).or(self.paper),
            "background" => self.paper = Some(Colour::Unknown),
            _ => {}
        }
    }
}

/// A number and its unit.
fn number(value: &str) -> Option<(f32, &str)> {
    let end = value.find(|letter: char| !matches!(letter, '0'..='9' | '.' | '-' | '+')).unwrap_or(value.len());
    let (number, unit) = value.split_at(end);
    Some((number.parse().ok()?, unit))
}

/// Whether this size of letters is too small to be read; a share of the outer size changes nothing unless it is.
fn tiny(value: &str) -> Option<bool> {
    match number(value) {
        Some(size) => Some(is_tiny(size)).filter(|tiny| *tiny || !matches!(size.1, "em" | "%")),
        None => {
            value.ends_with("small").then_some(false).or_else(|| matches!(value, "medium" | "large").then_some(false))
        }
    }
}

fn is_tiny((number, unit): (f32, &str)) -> bool {
    match unit {
        "em" | "rem" => number < 0.1,
        "%" => number < 10.0,
        _ => number < 2.0,
    }
}

/// A colour; nothing where the value says to keep the outer one.
fn colour(value: &str) -> Option<Colour> {
    let known = |red, green, blue| Some(Colour::Known([red, green, blue]));
    match value {
        "" | "inherit" | "currentcolor" | "initial" | "unset" => return None,
        "transparent" => return Some(Colour::Clear),
        "white" => return known(255, 255, 255),
        "black" => return known(0, 0, 0),
        _ => {}
    }
    if let Some(open) = value.find('(').filter(|_| value.starts_with("rgb")) {
        let inner = value.get(open + 1..).unwrap_or_default().trim_end_matches(')');
        let parts = inner.split([',', ' ', '/']).filter(|part| !part.is_empty());
        let parts: Vec<f32> = parts.filter_map(number).map(|(number, _)| number).collect();
        return Some(match parts.as_slice() {
            [_, _, _, alpha, ..] if *alpha < 0.05 => Colour::Clear,
            [red, green, blue, ..] => Colour::Known([byte(*red), byte(*green), byte(*blue)]),
            _ => Colour::Unknown,
        });
    }
    let hex = value.strip_prefix('#').unwrap_or(value);
    let is_short = matches!(hex.len(), 3 | 4);
    let wide = if is_short { hex.chars().flat_map(|digit| [digit; 2]).collect() } else { hex.to_owned() };
    Some(match (wide.len(), u32::from_str_radix(&wide, 16).map(u32::to_be_bytes)) {
        (8, Ok([_, _, _, 0])) => Colour::Clear,
        (8, Ok([red, green, blue, _])) | (6, Ok([_, red, green, blue])) => Colour::Known([red, green, blue]),
        _ => Colour::Unknown,
    })
}

/// A channel of a colour; what is beyond its bounds is at them.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the value is within the bounds of a byte")]
fn byte(channel: f32) -> u8 {
    channel.clamp(0.0, 255.0) as u8
}

fn paper(value: &str) -> Option<Colour> {
    if value.contains("url(") || value.contains("gradient") {
        return Some(Colour::Unknown);
    }
    let mut colours = value.split_whitespace().filter_map(colour);
    colours.rfind(|colour| *colour != Colour::Unknown)
}

/// What a page's sheets declare, by tag (`p`), class (`.x`) and id (`#x`).
#[derive(Debug, Default)]
pub(super) struct Sheet(HashMap<String, Style>);

impl Sheet {
    /// Reads the content of one `<style>`.
    pub fn read(&mut self, css: &str) {
        self.rules(&plain(css), NESTED);
    }

    fn rules(&mut self, css: &str, depth: u8) {
        let mut rest = css;
        while let Some((head, behind)) = rest.split_once('{') {
            // A declaration without a block may stand before it.
            let head = head.rsplit([';', '}']).next().unwrap_or_default().trim();
            let (block, after) = if head.starts_with('@') { nested(behind) } else { split(behind, '}') };
            if !head.starts_with('@') {
                self.rule(head, block);
            } else if depth > 0 && applies(head) {
                self.rules(block, depth - 1);
            }
            rest = after;
        }
    }

    fn rule(&mut self, selectors: &str, declarations: &str) {
        for selector in selectors.split(',').map(str::trim) {
            let last = selector.rsplit([' ', '>', '+', '~', '\n', '\t']).next().unwrap_or_default();
            let end = last.find(['[', ':']).unwrap_or(last.len());
            let (name, state) = last.split_at(end);
            let is_plain = last.len() == selector.len() && state.is_empty() && name.matches(['.', '#']).count() < 2;
            let key = match name.rfind(['.', '#']) {
                Some(at) => name.get(at..).unwrap_or_default(),
                None => name,
            };
            let at_rest =
                !["::", "hover", "focus", "active", "checked", "target"].iter().any(|word| state.contains(word));
            if is_plain && !key.is_empty() && key != "*" {
                self.0.entry(key.to_owned()).or_default().read_in_sheet(declarations);
            } else if at_rest && key.starts_with(['.', '#']) {
                let mut style = Style::default();
                style.read_in_sheet(declarations);
                if style.gone {
                    self.0.entry(key.to_owned()).or_default().gone = true;
                }
            }
        }
    }

    /// What the sheets say of an element, in the order of their weight.
    pub fn of(&self, name: &str, classes: &str, id: &str) -> Style {
        let mut style = Style::default();
        if self.0.is_empty() {
            return style;
        }
        let classes = classes.split_ascii_whitespace().take(20).map(|class| format!(".{class}"));
        for key in std::iter::once(name.to_owned()).chain(classes).chain([format!("#{id}")]) {
            if let Some(found) = self.0.get(&key) {
                style.merge(found);
            }
        }
        style
    }
}

impl Style {
    /// What a sheet hides is hidden, whatever another rule or the element itself says.
    fn read_in_sheet(&mut self, declarations: &str) {
        self.read(declarations);
        self.gone |= self.undisplayed == Some(true) || (self.small && self.clipped);
        self.undisplayed = None;
    }

    /// What another declares, over this.
    pub fn merge(&mut self, other: &Self) {
        self.gone |= other.gone;
        self.invisible = other.invisible.or(self.invisible);
        self.tiny = other.tiny.or(self.tiny);
        self.ink = other.ink.or(self.ink);
        self.paper = other.paper.or(self.paper);
        self.kept = other.kept.or(self.kept);
    }
}

/// A style as it is read: in lower case, without comments, with escaped letters back.
pub(super) fn plain(css: &str) -> String {
    let lower = css.to_ascii_lowercase();
    let mut plain = String::with_capacity(lower.len());
    let mut rest = lower.as_str();
    while let Some(at) = rest.find(['/', '\\', '<', '-']) {
        let (before, here) = rest.split_at(at);
        plain.push_str(before);
        rest = if let Some(comment) = here.strip_prefix("/*") {
            plain.push(' ');
            comment.split_once("*/").map_or("", |(_, after)| after)
        } else if let Some(after) = here.strip_prefix("<!--").or_else(|| here.strip_prefix("-->")) {
            after
        } else if let Some(escaped) = here.strip_prefix('\\') {
            unescaped(escaped, &mut plain)
        } else {
            let mut letters = here.chars();
            plain.extend(letters.next());
            letters.as_str()
        };
    }
    plain.push_str(rest);
    plain
}

/// Writes the letter that a backslash stands before, or whose number it does; what follows.
fn unescaped<'a>(text: &'a str, into: &mut String) -> &'a str {
    let digits = text.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
    let (number, after) = text.split_at(digits);
    if let Some(letter) = u32::from_str_radix(number, 16).ok().and_then(char::from_u32) {
        into.push(letter.to_ascii_lowercase());
        return after.strip_prefix([' ', '\n', '\t']).unwrap_or(after);
    }
    let mut letters = text.chars();
    into.extend(letters.next());
    letters.as_str()
}

fn split(text: &str, at: char) -> (&str, &str) {
    text.split_once(at).unwrap_or((text, ""))
}

/// What stands before the brace that closes a block of blocks, and what stands behind it.
fn nested(text: &str) -> (&str, &str) {
    let mut open = 1_u32;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
        }
    }
    (text, "")
}

/// Whether the rules of an at-rule count in a window on a screen, in its light colours.
fn applies(head: &str) -> bool {
    let Some(media) = head.strip_prefix("@media") else { return true };
    media.split(',').any(|one| {
        let narrow = one.split("max-").skip(1).filter_map(|rest| number(rest.split_once(':')?.1.trim()));
        let elsewhere = ["print", "speech", "dark", "not "].iter().any(|word| one.contains(word));
        !elsewhere && narrow.into_iter().all(|(most, _)| most >= WINDOW)
    })
}

//! What the content of a page draws: the operators of text (PDF 32000-1, section 9) and of forms.

use std::collections::HashMap;
use std::rc::Rc;

use hayro_syntax::content::UntypedIter;
use hayro_syntax::object::dict::keys::RESOURCES;
use hayro_syntax::object::{Dict, Name, Object};
use hayro_syntax::page::Resources;

use super::font::Font;
use crate::output::Output;

/// Bytes of a page's content.
pub(super) const LARGEST_CONTENT: usize = 16_000_000;
/// Operators of all pages together; a page of print has some hundreds.
const MOST_OPERATORS: usize = 1_000_000;
/// Forms that are drawn, on all pages together.
const MOST_FORMS: usize = 5_000;
/// Forms within each other.
const DEEPEST: usize = 8;
/// Fonts that are remembered.
const MOST_FONTS: usize = 500;

/// What the whole document has cost, and its fonts.
#[derive(Default)]
pub(super) struct Work {
    operators: usize,
    forms: usize,
    fonts: HashMap<(u32, i32), Rc<Font>>,
}

impl Work {
    pub fn is_spent(&self) -> bool {
        self.operators >= MOST_OPERATORS || self.forms >= MOST_FORMS
    }

    fn font(&mut self, font: &Dict<'_>) -> Rc<Font> {
        let Some(id) = font.obj_id() else { return Rc::new(Font::read(font)) };
        let id = (id.obj_number, id.gen_number);
        if let Some(known) = self.fonts.get(&id) {
            return Rc::clone(known);
        }
        let read = Rc::new(Font::read(font));
        if self.fonts.len() < MOST_FONTS {
            self.fonts.insert(id, Rc::clone(&read));
        }
        read
    }
}

/// A place and a scale: of a matrix, what text needs. `[a b c d e f]` as PDF writes it.
type Matrix = [f32; 6];

const IDENTITY: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

/// `first`, then `second`.
fn then(first: Matrix, second: Matrix) -> Matrix {
    // Row and column of a 3 × 3 matrix whose last column is always the same.
    let row = |x: f32, y: f32, z: f32| {
        [x * second[0] + y * second[2] + z * second[4], x * second[1] + y * second[3] + z * second[5]]
    };
    let [across, up, place] =
        [row(first[0], first[1], 0.0), row(first[2], first[3], 0.0), row(first[4], first[5], 1.0)];
    [across[0], across[1], up[0], up[1], place[0], place[1]]
}

/// The state of text that `q` and `Q` save and restore.
#[derive(Clone)]
struct State {
    ctm: Matrix,
    font: Option<Rc<Font>>,
    size: f32,
    leading: f32,
    character_space: f32,
    word_space: f32,
    scale: f32,
}

struct Drawing<'w, 'o> {
    work: &'w mut Work,
    output: &'o mut Output,
    state: State,
    saved: Vec<State>,
    text: Matrix,
    line: Matrix,
    /// Where the last text ended, on the page.
    end: Option<(f32, f32)>,
}

/// Draws `content` of a page.
pub(super) fn write(content: &[u8], resources: &Resources<'_>, work: &mut Work, output: &mut Output) {
    let state =
        State { ctm: IDENTITY, font: None, size: 1.0, leading: 0.0, character_space: 0.0, word_space: 0.0, scale: 1.0 };
    let mut drawing = Drawing { work, output, state, saved: Vec::new(), text: IDENTITY, line: IDENTITY, end: None };
    drawing.draw(content, resources, 0);
}

impl Drawing<'_, '_> {
    fn draw(&mut self, content: &[u8], resources: &Resources<'_>, depth: usize) {
        let mut operators = UntypedIter::new(content);
        let saved = self.saved.len();
        while let Some(instruction) = operators.next() {
            self.work.operators += 1;
            if self.work.is_spent() || self.output.is_full() {
                break;
            }
            let operands: Vec<&Object<'_>> = instruction.operands().collect();
            match (instruction.operator.as_ref(), operands.as_slice()) {
                (b"Tf", [Object::Name(name), size]) => {
                    self.state.font = resources.get_font(name).map(|font| self.work.font(&font));
                    self.state.size = number(size);
                }
                (b"Do", [Object::Name(name)]) if depth < DEEPEST => self.form(name, resources, depth),
                (operator, operands) => self.operate(operator, operands, saved),
            }
        }
        // A form restores what it saved, whether it says so or not.
        self.saved.truncate(saved);
    }

    fn operate(&mut self, operator: &[u8], operands: &[&Object<'_>], saved: usize) {
        match (operator, operands) {
            (b"q", _) if self.saved.len() < 256 => self.saved.push(self.state.clone()),
            (b"Q", _) if self.saved.len() > saved => {
                if let Some(state) = self.saved.pop() {
                    self.state = state;
                }
            }
            (b"cm", _) => self.state.ctm = then(matrix(operands), self.state.ctm),
            (b"BT", _) => (self.text, self.line) = (IDENTITY, IDENTITY),
            (b"Tm", _) => {
                self.line = matrix(operands);
                self.text = self.line;
            }
            (b"Td", [x, y]) => self.next_line(number(x), number(y)),
            (b"TD", [x, y]) => {
                self.state.leading = -number(y);
                self.next_line(number(x), number(y));
            }
            (b"T*", _) => self.next_line(0.0, -self.state.leading),
            (b"TL", [leading]) => self.state.leading = number(leading),
            (b"Tc", [space]) => self.state.character_space = number(space),
            (b"Tw", [space]) => self.state.word_space = number(space),
            (b"Tz", [scale]) => self.state.scale = number(scale) / 100.0,
            (b"Tj", [Object::String(text)]) => self.show(text.as_bytes()),
            (b"'", [Object::String(text)]) => {
                self.next_line(0.0, -self.state.leading);
                self.show(text.as_bytes());
            }
            (b"\"", [word, character, Object::String(text)]) => {
                (self.state.word_space, self.state.character_space) = (number(word), number(character));
                self.next_line(0.0, -self.state.leading);
                self.show(text.as_bytes());
            }
            (b"TJ", [Object::Array(parts)]) => {
                for part in parts.iter::<Object<'_>>() {
                    match &part {
                        Object::String(text) => self.show(text.as_bytes()),
                        Object::Number(by) => self.advance(-by.as_f32() / 1000.0 * self.state.size),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn next_line(&mut self, x: f32, y: f32) {
        self.line = then([1.0, 0.0, 0.0, 1.0, x, y], self.line);
        self.text = self.line;
    }

    /// Moves to the right, in units of the text.
    fn advance(&mut self, by: f32) {
        self.text = then([1.0, 0.0, 0.0, 1.0, by * self.state.scale, 0.0], self.text);
    }

    fn show(&mut self, bytes: &[u8]) {
        let Some(font) = self.state.font.clone() else { return };
        let mut text = String::new();
        self.set_apart();
        for glyph in font.glyphs(bytes) {
            text.push_str(&glyph.text);
            let word = if glyph.is_space { self.state.word_space } else { 0.0 };
            self.advance(glyph.width * self.state.size + self.state.character_space + word);
        }
        self.output.push(&text);
        let place = then(self.text, self.state.ctm);
        self.end = Some((place[4], place[5]));
    }

    /// A line break or a space between the last text and the next, by the distance between them.
    fn set_apart(&mut self) {
        let place = then(self.text, self.state.ctm);
        let Some((x, y)) = self.end else { return };
        // The height of the letters on the page, whichever way they are turned.
        let size = (place[2].hypot(place[3]) * self.state.size).abs().max(0.1);
        let (across, down) = (place[4] - x, (place[5] - y).abs());
        if down > size * 0.5 {
            if down > size * 2.2 {
                self.output.gap();
            } else {
                self.output.line();
            }
        } else if across > size * 0.15 || across < -size {
            self.output.space();
        }
    }

    /// A form is content with resources of its own.
    fn form(&mut self, name: &Name<'_>, resources: &Resources<'_>, depth: usize) {
        let Some(form) = resources.get_x_object(name) else { return };
        let dict = form.dict();
        if dict.get::<Name<'_>>(b"Subtype").is_none_or(|subtype| subtype.as_ref() != b"Form") {
            return;
        }
        self.work.forms += 1;
        let Ok(content) = form.decoded_data() else { return };
        if content.len() > LARGEST_CONTENT {
            return;
        }
        let own = dict.get::<Dict<'_>>(RESOURCES).map(Resources::new);
        let before = self.state.clone();
        if let Some(placed) = dict.get::<hayro_syntax::object::Array<'_>>(b"Matrix") {
            let numbers: Vec<_> = placed.iter::<Object<'_>>().take(6).collect();
            self.state.ctm = then(matrix(&numbers.iter().collect::<Vec<_>>()), self.state.ctm);
        }
        self.draw(&content, own.as_ref().unwrap_or(resources), depth + 1);
        self.state = before;
    }
}

fn number(object: &Object<'_>) -> f32 {
    match object {
        Object::Number(number) => number.as_f32(),
        _ => 0.0,
    }
}

fn matrix(operands: &[&Object<'_>]) -> Matrix {
    let mut matrix = IDENTITY;
    if operands.len() == matrix.len() {
        matrix.iter_mut().zip(operands).for_each(|(field, operand)| *field = number(operand));
    }
    matrix
}

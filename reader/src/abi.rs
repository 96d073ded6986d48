//! What the Wasm module exports: plain numbers and the module's own memory, nothing is imported. One document an instance:
//! `reserve` room for its bytes, write them there, `read`, and take the text from `text_at` of `text_length` bytes.
#![expect(unsafe_code, reason = "naming an export counts as unsafe; there is no other unsafe code")]

use std::sync::Mutex;

static INPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static TEXT: Mutex<String> = Mutex::new(String::new());

/// Where the document is to be written.
#[unsafe(no_mangle)]
pub extern "C" fn reserve(length: usize) -> *mut u8 {
    INPUT.lock().map_or(std::ptr::null_mut(), |mut input| {
        input.resize(length, 0);
        input.as_mut_ptr()
    })
}

/// Reads it; what the number means is told at `answer`.
#[unsafe(no_mangle)]
pub extern "C" fn read(most: u32) -> u32 {
    let input = INPUT.lock().map(|mut input| std::mem::take(&mut *input)).unwrap_or_default();
    let (status, text) = crate::answer(&input, most);
    TEXT.lock().map_or(crate::Unreadable::Damaged as u32, |mut place| {
        *place = text;
        status
    })
}

/// Where the text is.
#[unsafe(no_mangle)]
pub extern "C" fn text_at() -> *const u8 {
    TEXT.lock().map_or(std::ptr::null(), |text| text.as_ptr())
}

/// Its bytes.
#[unsafe(no_mangle)]
pub extern "C" fn text_length() -> usize {
    TEXT.lock().map_or(0, |text| text.len())
}

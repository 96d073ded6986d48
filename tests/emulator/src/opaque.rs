//! Ids as long and as random to look at as Exchange's, so that what they cost a model is what they cost in truth. The
//! same thing has the same id in every run.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Bytes of the part that all ids of one mailbox share, at most.
const SHARED: usize = 24;

/// `count` bytes in base64: some of the owner's, then those of the thing itself.
pub fn id(owner: &str, thing: &str, count: usize) -> String {
    let shared = SHARED.min(count / 2);
    let mut bytes = noise(owner, shared);
    bytes.extend(noise(&[owner, "|", thing].concat(), count - shared));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// FNV-1a of the text, drawn out by `SplitMix64`. Nobody is to be kept from guessing it.
fn noise(text: &str, count: usize) -> Vec<u8> {
    let mut state = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut bytes = Vec::with_capacity(count + 8);
    while bytes.len() < count {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend((mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

//! A ZIP package, unpacked part by part within bounds. What its directory says of sizes is never believed.

use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_with_limit};
use rawzip::{CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder};
use std::collections::HashMap;

use crate::Unreadable;

/// Parts that a package may hold; a presentation of 500 slides has some 3,000.
const MOST_PARTS: usize = 10_000;
/// Bytes of one part once unpacked: the table of 100,000 rows has some 20 MB.
const LARGEST_PART: usize = 24_000_000;
/// Bytes of all parts that are read, together.
const LARGEST: usize = 40_000_000;

pub(crate) struct Package<'a> {
    archive: rawzip::ZipSliceArchive<&'a [u8]>,
    parts: HashMap<Vec<u8>, (ZipArchiveEntryWayfinder, CompressionMethod, bool)>,
    left: usize,
}

impl<'a> Package<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let archive = ZipArchive::from_slice(bytes).map_err(|_| Unreadable::Damaged)?;
        let mut parts = HashMap::new();
        let mut entries = archive.entries();
        while let Some(entry) = entries.next_entry().map_err(|_| Unreadable::Damaged)? {
            if parts.len() == MOST_PARTS {
                return Err(Unreadable::TooLarge);
            }
            let part = (entry.wayfinder(), entry.compression_method(), entry.flags().is_encrypted());
            parts.insert(entry.file_path().as_bytes().to_vec(), part);
        }
        Ok(Self { archive, parts, left: LARGEST })
    }

    pub fn has(&self, name: &str) -> bool {
        self.parts.contains_key(name.as_bytes())
    }

    /// The content of a part; `None` where there is none of this name.
    pub fn part(&mut self, name: &str) -> Result<Option<String>, Unreadable> {
        let Some((place, method, encrypted)) = self.parts.get(name.as_bytes()) else { return Ok(None) };
        if *encrypted {
            return Err(Unreadable::Encrypted);
        }
        let entry = self.archive.get_entry(*place).map_err(|_| Unreadable::Damaged)?;
        let most = LARGEST_PART.min(self.left);
        let bytes = match *method {
            CompressionMethod::STORE if entry.data().len() > most => return Err(Unreadable::TooLarge),
            CompressionMethod::STORE => entry.data().to_vec(),
            CompressionMethod::DEFLATE => inflate(entry.data(), most)?,
            _ => return Err(Unreadable::Damaged),
        };
        self.left -= bytes.len();
        let mut text = String::from_utf8(bytes).map_err(|_| Unreadable::Damaged)?;
        if text.starts_with('\u{FEFF}') {
            text.remove(0);
        }
        Ok(Some(text))
    }

    /// The content of a part without which there is no document.
    pub fn needed(&mut self, name: &str) -> Result<String, Unreadable> {
        self.part(name)?.ok_or(Unreadable::Damaged)
    }
}

fn inflate(data: &[u8], most: usize) -> Result<Vec<u8>, Unreadable> {
    decompress_to_vec_with_limit(data, most).map_err(|error| match error.status {
        TINFLStatus::HasMoreOutput => Unreadable::TooLarge,
        _ => Unreadable::Damaged,
    })
}

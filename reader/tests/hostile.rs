//! Documents that were made to harm their reader. In the Worker a trap ends the document alone, so what counts here is
//! that nothing runs for ever or fills the memory, and that nothing is fetched: there is nothing to fetch with.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "../../tests/support/documents.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod documents;

use documents::{Part, pack, pdf, pdf_page, stream, word, zip};
use m365_reader::{Unreadable, read};
use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

const MOST: usize = 1_000_000;

fn deflated<'a>(name: &'a str, packed: &'a [u8], says: u32) -> Part<'a> {
    Part { name, data: packed, method: 8, flags: 0, size: says, crc: 0 }
}

#[test]
fn a_part_that_unpacks_to_too_much_is_refused_whatever_its_directory_says() {
    let bomb = compress_to_vec(&vec![b' '; 25_000_000], 6);
    assert!(bomb.len() < 30_000);
    for says in [0, 10, 25_000_000, u32::MAX] {
        assert_eq!(read(&pack(&[deflated("word/document.xml", &bomb, says)]), MOST), Err(Unreadable::TooLarge));
    }
    let stored = vec![b' '; 24_000_001];
    assert_eq!(read(&pack(&[Part::stored("word/document.xml", &stored)]), MOST), Err(Unreadable::TooLarge));
}

#[test]
fn many_parts_are_bounded_together_even_where_they_are_the_same_bytes() {
    let notes = compress_to_vec(format!("<n>{}</n>", " ".repeat(20_000_000)).as_bytes(), 6);
    let names = ["word/document.xml", "word/styles.xml", "word/footnotes.xml", "word/endnotes.xml"];
    let parts = names.map(|name| deflated(name, &notes, 100));
    assert_eq!(read(&pack(&parts), MOST), Err(Unreadable::TooLarge));

    // Directory entries that all point at the first part's bytes: what is unpacked counts, not what is stored.
    let mut overlapping = pack(&parts);
    let first: Vec<u8> = 0_u32.to_le_bytes().to_vec();
    let mut from = 0;
    while let Some(at) =
        overlapping.windows(4).skip(from).position(|window| window == b"PK\x01\x02").map(|at| at + from)
    {
        overlapping.splice(at + 42..at + 46, first.clone());
        from = at + 4;
    }
    assert!(read(&overlapping, MOST).is_err());
}

#[test]
fn a_directory_of_too_many_parts_is_refused() {
    let names: Vec<String> = (0..10_001).map(|number| format!("p{number}")).collect();
    let parts: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    assert_eq!(read(&zip(&parts), MOST), Err(Unreadable::TooLarge));
}

#[test]
fn an_archive_in_an_archive_is_not_opened() {
    let inner = word("<w:p><w:r><w:t>inner</w:t></w:r></w:p>");
    assert_eq!(read(&zip(&[("word/inner.docx", &inner)]), MOST), Err(Unreadable::NotText));
}

#[test]
fn entities_of_a_dtd_neither_expand_nor_are_fetched() {
    let body = "<!DOCTYPE x [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;\"><!ENTITY c SYSTEM \"file:///etc/passwd\">]>\
        <w:document><w:p><w:r><w:t>[&b;&c;&amp;&#65;]</w:t></w:r></w:p></w:document>";
    assert_eq!(read(&zip(&[("word/document.xml", body.as_bytes())]), MOST).unwrap().text, "[&A]");
}

#[test]
fn elements_nested_too_deep_are_refused() {
    let deep = |levels: usize| {
        let body = format!("{}<w:t>x</w:t>{}", "<w:r>".repeat(levels), "</w:r>".repeat(levels));
        read(&word(&body), MOST)
    };
    assert!(deep(100).unwrap().text.starts_with("x\n"));
    assert_eq!(deep(100_000), Err(Unreadable::Damaged));
}

#[test]
fn targets_outside_the_package_are_not_followed() {
    let relations = b"<Relationships><Relationship Id=\"rId1\" Type=\"x/slide\" TargetMode=\"External\" \
        Target=\"ppt/slides/slide1.xml\"/><Relationship Id=\"rId2\" Type=\"x/slide\" Target=\"../../../../etc/passwd\"/></Relationships>";
    let deck = b"<p xmlns:r=\"r\"><sldId r:id=\"rId1\"/><sldId r:id=\"rId2\"/></p>";
    let slide = b"<sld><a:t>outside</a:t></sld>";
    let parts: [(&str, &[u8]); 4] = [
        ("ppt/presentation.xml", deck),
        ("ppt/_rels/presentation.xml.rels", relations),
        ("ppt/slides/slide1.xml", slide),
        ("ppt/ppt/slides/slide1.xml", slide),
    ];
    assert_eq!(read(&zip(&parts), MOST).unwrap().text, "");
}

#[test]
fn cells_at_the_end_of_the_sheet_do_not_fill_it() {
    let cells: String = (0..1000).map(|_| "<row><c r=\"XFD1\"><v>1</v></c></row>").collect();
    assert!(read(&documents::workbook(&cells), MOST).unwrap().text.len() < 20_000);
    for reference in ["ZZZZZZZZZZZZZZZZ1", "", "1", "\u{FC}1"] {
        let cell = format!("<row><c r=\"{reference}\" s=\"99999999999\" t=\"s\"><v>-1</v></c></row>");
        assert_eq!(read(&documents::workbook(&cell), MOST).unwrap().text, "# Prices");
    }
}

/// A catalogue and a page tree, with more objects from number 3.
fn tree(pages: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let first = [b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(), pages.as_bytes().to_vec()];
    pdf(&[&first[..], more].concat())
}

#[test]
fn a_page_tree_that_holds_itself_ends() {
    let page = b"<< /Type /Page /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_vec();
    let content = stream("", b"BT /F1 12 Tf (once) Tj ET");
    let font = b"<< /Type /Font /Subtype /Type1 >>".to_vec();
    let file = tree("<< /Type /Pages /Kids [2 0 R 3 0 R 2 0 R] /Parent 2 0 R >>", &[page, content, font]);
    assert_eq!(read(&file, MOST).unwrap().text, "# Page 1\nonce");
}

#[test]
fn a_form_that_draws_itself_twice_ends() {
    let page = b"<< /Type /Page /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >> >>".to_vec();
    let form = stream("/Subtype /Form /Resources << /XObject << /X 5 0 R >> >>", "/X Do ".repeat(100).as_bytes());
    let file = tree("<< /Type /Pages /Kids [3 0 R] >>", &[page, stream("", b"/X Do"), form]);
    assert_eq!(read(&file, MOST), Err(Unreadable::Pictures));
}

const FONT: &str = "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>";

/// Forms of which each draws an `x`, and the next one so many times; the first is drawn by the page.
fn forms(many: usize, times: usize) -> Vec<u8> {
    let resources = |next: usize| {
        let font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>";
        format!("/Resources << /Font << /F1 {font} >> /XObject << /X {next} 0 R >> >>")
    };
    let page = format!("<< /Type /Page /Contents 4 0 R {} >>", resources(5)).into_bytes();
    let draws = format!("BT /F1 9 Tf (x) Tj ET {}", "/X Do ".repeat(times));
    let form = |at: usize| stream(&format!("/Subtype /Form {}", resources(at + 6)), draws.as_bytes());
    let objects = [vec![page, stream("", b"/X Do")], (0..many).map(form).collect()].concat();
    tree("<< /Type /Pages /Kids [3 0 R] >>", &objects)
}

#[test]
fn forms_within_each_other_are_bounded_in_depth_and_in_number() {
    let drawn = |file: &[u8]| read(file, MOST).unwrap().text.matches('x').count();
    assert_eq!(drawn(&forms(7, 1)), 7);
    assert_eq!(drawn(&forms(20, 1)), 8);
    let many = drawn(&forms(8, 10));
    assert!((4_000..=5_000).contains(&many), "{many}");
}

#[test]
fn pages_beyond_the_bound_are_not_read() {
    let page = format!("<< /Type /Page /Contents 2004 0 R {FONT} >>").into_bytes();
    let drawn = stream("", b"BT /F1 9 Tf (x) Tj ET");
    let kids = (3..2_004).map(|number| format!("{number} 0 R")).collect::<Vec<_>>().join(" ");
    let file = tree(&format!("<< /Type /Pages /Kids [{kids}] >>"), &[vec![page; 2_001], vec![drawn]].concat());
    let read = read(&file, MOST).unwrap();
    assert!(read.truncated && read.text.contains("# Page 2000") && !read.text.contains("# Page 2001"));
}

#[test]
fn content_that_unpacks_to_too_much_is_not_drawn() {
    let half = |text: &str| {
        let drawn = format!("{}BT /F1 9 Tf ({text}) Tj ET", " ".repeat(9_000_000));
        stream("/Filter /FlateDecode", &compress_to_vec_zlib(drawn.as_bytes(), 1))
    };
    let page = format!("<< /Type /Page /Contents [4 0 R 5 0 R] {FONT} >>").into_bytes();
    let file = tree("<< /Type /Pages /Kids [3 0 R] >>", &[page, half("before"), half("after")]);
    assert_eq!(read(&file, MOST).unwrap().text, "# Page 1\nbefore");
}

#[test]
fn tables_and_lengths_that_lead_back_to_themselves_end() {
    let looped = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 1 0 R >>\nendobj\nxref\n0 1\n0000000000 65535 f \n\
        trailer\n<< /Root 1 0 R /Prev 58 /Size 2 >>\nstartxref\n58\n%%EOF";
    assert!(read(looped, MOST).is_err());
    let length = tree(
        "<< /Type /Pages /Kids [3 0 R] >>",
        &[b"<< /Type /Page /Contents 4 0 R >>".to_vec(), b"<< /Length 4 0 R >>\nstream\nBT ET\nendstream".to_vec()],
    );
    assert!(read(&length, MOST).is_err());
    let filter = pdf_page(stream("/Filter 4 0 R /DecodeParms [4 0 R]", b"BT ET"));
    assert!(read(&filter, MOST).is_err());
}

#[test]
fn filters_that_are_unknown_or_of_pictures_give_no_text() {
    for filter in
        ["/Nonsense", "[/FlateDecode /FlateDecode]", "/JBIG2Decode", "/DCTDecode", "/JPXDecode", "/CCITTFaxDecode"]
    {
        assert!(read(&pdf_page(stream(&format!("/Filter {filter}"), b"BT (x) Tj ET")), MOST).is_err(), "{filter}");
    }
}

#[test]
fn operators_without_end_are_counted() {
    let drawn = format!("BT /F1 9 Tf (before) Tj {} (after) Tj ET", "Q ".repeat(1_000_000));
    let packed = compress_to_vec_zlib(drawn.as_bytes(), 6);
    let cut = read(&pdf_page(stream("/Filter /FlateDecode", &packed)), MOST).unwrap();
    assert_eq!((cut.text.as_str(), cut.truncated), ("# Page 1\nbefore", true));
}

#[test]
fn fonts_that_lie_about_themselves_are_survived() {
    let map = b"begincmap 1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfrange <0000> <FFFFFFFF> <0041> endbfrange \
        1 begincidrange <0000> <FFFFFFFF> 0 endcidrange endcmap";
    for font in [
        "<< /Subtype /Type0 /ToUnicode 4 0 R /DescendantFonts [<< /W [0 999999999 1 5 [1 2 3] 6 7] /DW 1e38 >>] >>",
        "<< /Subtype /Type0 /DescendantFonts [6 0 R] >>",
        "<< /Subtype /Type1 /FirstChar -5 /Widths [1e38 -1e38 6 0 R] /Encoding << /Differences [-1 /A 4294967295 /B /C] >> >>",
        "<< /Subtype /Type3 /FontMatrix [0 0 0 0 0 0] /ToUnicode 4 0 R >>",
        "6 0 R",
    ] {
        let page = b"<< /Type /Page /Contents 5 0 R /Resources << /Font << /F1 6 0 R >> >> >>".to_vec();
        let content =
            stream("", b"BT /F1 1e30 Tf 1e38 0 0 1e38 0 0 Tm (abc) Tj [(a) 1e38 (b) -1e38 (c)] TJ <41> ' Q Q Q ET");
        let all = [page, stream("", map), content, font.as_bytes().to_vec()];
        let _either: Result<_, _> = read(&tree("<< /Type /Pages /Kids [3 0 R] >>", &all), MOST);
    }
}

#[test]
fn a_file_that_breaks_off_anywhere_ends_in_text_or_in_a_reason() {
    for document in [documents::offer(), documents::prices(), documents::presentation(), documents::contract()] {
        for end in (0..document.len()).step_by(7) {
            let _either: Result<_, _> = read(document.get(..end).unwrap(), 10_000);
        }
    }
}

#[test]
fn a_file_with_a_wrong_byte_anywhere_ends_in_text_or_in_a_reason() {
    for document in [documents::offer(), documents::prices(), documents::presentation(), documents::contract()] {
        for at in (0..document.len()).step_by(5) {
            for byte in [0, b'0', b'9', b'<', 0xFF] {
                let mut damaged = document.clone();
                damaged.splice(at..=at, [byte]);
                let _either: Result<_, _> = read(&damaged, 10_000);
            }
        }
    }
}

#[test]
fn groups_of_rtf_without_end_are_bounded() {
    for rtf in ["{".repeat(1_000_000), "\\'".repeat(100_000), "\\u-1".repeat(100_000), "\\bin999999999 x".repeat(1000)]
    {
        assert!(read(format!("{{\\rtf1 {rtf}").as_bytes(), 1000).is_ok());
    }
    let within = |depth: usize| read(format!("{{\\rtf1 {} x", "{".repeat(depth)).as_bytes(), 1000).unwrap().text;
    assert_eq!((within(999).trim(), within(1000).trim()), ("x", ""));
}

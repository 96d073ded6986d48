//! What comes out of each format.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "../../tests/support/documents.rs"]
#[expect(dead_code, reason = "shared with other tests")]
mod documents;

use m365_reader::{Text, Unreadable, read};

fn text(bytes: &[u8]) -> String {
    let Text { text, truncated } = read(bytes, 10_000).unwrap();
    assert!(!truncated);
    text
}

#[test]
fn word_becomes_headings_lists_tables_and_notes() {
    assert_eq!(
        text(&documents::offer()),
        "# Offer 2026-17\nDear Megan, the chairs cost < 50 €[^2]\n- delivered in May\nItem | Price\nChair | 49.90\n\
         Regards,\nBo\n\n[^2]: Without VAT."
    );
}

#[test]
fn what_word_does_not_show_is_not_read() {
    let body = "<w:p><w:pPr><w:tabs><w:tab w:val=\"left\"/></w:tabs></w:pPr><w:r><w:t>seen</w:t></w:r>\
        <w:r><w:rPr><w:vanish/></w:rPr><w:t> HIDDEN</w:t></w:r><w:r><w:rPr><w:vanish w:val=\"0\"/></w:rPr><w:t> too</w:t></w:r>\
        <w:del><w:r><w:delText>DELETED</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>MOVED</w:t></w:r></w:moveFrom>\
        <w:r><w:instrText>HYPERLINK</w:instrText></w:r><mc:AlternateContent><mc:Fallback><w:r><w:t>TWICE</w:t></w:r></mc:Fallback>\
        </mc:AlternateContent></w:p>";
    assert_eq!(text(&documents::word(body)), "seen too\n\n[^2]: Without VAT.");
}

#[test]
fn a_workbook_becomes_rows_with_its_gaps_and_dates() {
    assert_eq!(
        text(&documents::prices()),
        "# Prices\nItem,Price,,Since\n\"Chair, blue\",49.9,,2026-03-02\nTable,120,TRUE"
    );
    let wide = "<row><c r=\"A1\"><v>1</v></c><c r=\"XFD1\"><v>2</v></c></row><row><c><v>3</v></c><c><v>4</v></c></row>";
    assert_eq!(text(&documents::workbook(wide)), "# Prices\n1,XFD1: 2\n3,4");
}

#[test]
fn slides_come_in_their_order_with_their_notes() {
    assert_eq!(
        text(&documents::presentation()),
        "# Slide 1\nTrade fair\nStand 12\nNotes: Bring the keys.\n\n# Slide 2\nThanks\nQuestions?"
    );
}

#[test]
fn a_pdf_becomes_pages_lines_and_words() {
    assert_eq!(text(&documents::contract()), "# Page 1\nContract 42\n\nBetween Ann and Bo\nFee: 1.250 €");
}

#[test]
fn open_document_and_rtf_become_lines() {
    let content = b"<office:document-content><office:body><office:text><text:h text:outline-level=\"2\">Head</text:h>\
        <text:list><text:list-item><text:p>one<text:s/>two<text:tab/>three</text:p></text:list-item></text:list>\
        <table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell><text:p>b</text:p>\
        </table:table-cell></table:table-row></table:table></office:text></office:body></office:document-content>";
    assert_eq!(text(&documents::zip(&[("content.xml", content)])), "## Head\n- one two\tthree\na | b");
    let rtf = b"{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}{\\*\\generator Riched;}Gr\\'fc\\'dfe \\u8364?\\par\nBye{\\pict 00ff}\\par}";
    assert_eq!(text(rtf), "Grüße €\nBye");
}

#[test]
fn a_cut_is_said_wherever_it_falls() {
    for document in [documents::offer(), documents::prices(), documents::presentation(), documents::contract()] {
        let whole = text(&document);
        for most in 0..whole.chars().count() {
            let cut = read(&document, most).unwrap();
            assert!(cut.truncated && cut.text.chars().count() <= most, "{most} {cut:?}");
            assert!(whole.starts_with(cut.text.trim_end()), "{most} {cut:?}");
        }
    }
}

#[test]
fn what_has_no_text_says_why() {
    let compound = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    let encrypted: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let manifest: &[u8] = b"<manifest><encryption-data/></manifest>";
    let locked = documents::zip(&[("content.xml", b"noise"), ("META-INF/manifest.xml", manifest)]);
    let encrypted_part = documents::Part { flags: 1, ..documents::Part::stored("word/document.xml", b"noise") };
    for (bytes, expected) in [
        (b"".to_vec(), Unreadable::NotText),
        (b"MZ\x90\0".to_vec(), Unreadable::NotText),
        (documents::zip(&[("a.txt", b"x")]), Unreadable::NotText),
        (compound.to_vec(), Unreadable::Outdated),
        ([&compound[..], &encrypted].concat(), Unreadable::Encrypted),
        (locked, Unreadable::Encrypted),
        (documents::pack(&[encrypted_part]), Unreadable::Encrypted),
        (documents::pdf_page(documents::stream("", b"0 0 100 100 re f")), Unreadable::Pictures),
    ] {
        assert_eq!(read(&bytes, 100), Err(expected));
    }
}

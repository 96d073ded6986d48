//! Documents for tests and for the emulator, written as Office writes them, as far as a reader can tell. Plain functions
//! without a dependency: the emulator and the reader's own tests include this file.

/// A ZIP file of these parts, stored as they are.
pub fn zip(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let stored: Vec<Part<'_>> = parts.iter().map(|(name, data)| Part::stored(name, data)).collect();
    pack(&stored)
}

/// One part of a ZIP file, which may lie about itself.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    pub name: &'a str,
    pub data: &'a [u8],
    /// 0 as it is, 8 deflated.
    pub method: u16,
    /// 1 encrypted.
    pub flags: u16,
    /// Bytes that it says it unpacks to.
    pub size: u32,
    pub crc: u32,
}

impl<'a> Part<'a> {
    pub fn stored(name: &'a str, data: &'a [u8]) -> Self {
        Self { name, data, method: 0, flags: 0, size: length(data.len()), crc: crc32(data) }
    }
}

/// A ZIP file of these parts.
pub fn pack(parts: &[Part<'_>]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for part in parts {
        let offset = length(file.len());
        let mut common = Vec::new();
        for field in [20, part.flags, part.method, 0, 0x5C62] {
            common.extend(field.to_le_bytes());
        }
        for field in [part.crc, length(part.data.len()), part.size] {
            common.extend(field.to_le_bytes());
        }
        common.extend(short(part.name.len()).to_le_bytes());
        common.extend([0, 0]);
        file.extend(b"PK\x03\x04");
        file.extend(&common);
        file.extend(part.name.bytes());
        file.extend(part.data);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(part.name.bytes());
    }
    let start = length(file.len());
    let count = short(parts.len()).to_le_bytes();
    file.extend(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([count, count].concat());
    file.extend(length(directory.len()).to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0, 0]);
    file
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

fn short(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1)))
    })
}

/// A Word document with this body; footnote 2 and the styles of a German Word are there.
pub fn word(body: &str) -> Vec<u8> {
    let namespace = "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"";
    let document = format!("<?xml version=\"1.0\"?><w:document {namespace}><w:body>{body}</w:body></w:document>");
    let styles = format!(
        "<w:styles {namespace}><w:style w:styleId=\"berschrift1\"><w:name w:val=\"heading 1\"/></w:style>\
         <w:style w:styleId=\"Aufzhlungszeichen\"><w:name w:val=\"List Bullet\"/></w:style></w:styles>"
    );
    let notes = format!(
        "<w:footnotes {namespace}><w:footnote w:type=\"separator\" w:id=\"-1\"><w:p/></w:footnote>\
         <w:footnote w:id=\"2\"><w:p><w:r><w:t>Without VAT.</w:t></w:r></w:p></w:footnote></w:footnotes>"
    );
    zip(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", document.as_bytes()),
        ("word/styles.xml", styles.as_bytes()),
        ("word/footnotes.xml", notes.as_bytes()),
    ])
}

/// An offer: a heading, a list, a table, a footnote.
pub fn offer() -> Vec<u8> {
    word(
        "<w:p><w:pPr><w:pStyle w:val=\"berschrift1\"/></w:pPr><w:r><w:t>Offer 2026-17</w:t></w:r></w:p>\
         <w:p><w:r><w:t xml:space=\"preserve\">Dear Megan, the </w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>chairs</w:t></w:r>\
         <w:r><w:t xml:space=\"preserve\"> cost &lt; 50 \u{20AC}</w:t></w:r><w:r><w:footnoteReference w:id=\"2\"/></w:r></w:p>\
         <w:p><w:pPr><w:pStyle w:val=\"Aufzhlungszeichen\"/></w:pPr><w:r><w:t>delivered in May</w:t></w:r></w:p>\
         <w:tbl><w:tr><w:tc><w:p><w:r><w:t>Item</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>Price</w:t></w:r></w:p></w:tc></w:tr>\
         <w:tr><w:tc><w:p><w:r><w:t>Chair</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>49.90</w:t></w:r></w:p></w:tc></w:tr></w:tbl>\
         <w:p><w:r><w:t>Regards,</w:t><w:br/><w:t>Bo</w:t></w:r></w:p>",
    )
}

const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

fn relations(list: &[(&str, &str, &str)]) -> String {
    let each = list.iter().map(|(id, kind, target)| {
        format!("<Relationship Id=\"{id}\" Type=\"{RELATIONS}/{kind}\" Target=\"{target}\"/>")
    });
    format!("<Relationships>{}</Relationships>", each.collect::<String>())
}

/// A workbook of one sheet with these rows; string 0 is `Chair, blue`, style 1 is a date.
pub fn workbook(rows: &str) -> Vec<u8> {
    let relations = relations(&[
        ("rId1", "worksheet", "worksheets/sheet1.xml"),
        ("rId2", "sharedStrings", "sharedStrings.xml"),
        ("rId3", "styles", "styles.xml"),
    ]);
    let book = format!(
        "<workbook xmlns:r=\"{RELATIONS}\"><sheets><sheet name=\"Prices\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    );
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    let strings: &[u8] = b"<sst><si><t>Chair, blue</t></si><si><r><t>Ta</t></r><r><t>ble</t></r></si></sst>";
    let styles: &[u8] = b"<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"dd.mm.yyyy\"/></numFmts>\
        <cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"164\"/></cellXfs></styleSheet>";
    zip(&[
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relations.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ("xl/sharedStrings.xml", strings),
        ("xl/styles.xml", styles),
    ])
}

/// Prices since a day.
pub fn prices() -> Vec<u8> {
    workbook(
        "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>Item</t></is></c><c r=\"B1\" t=\"str\"><v>Price</v></c><c r=\"D1\" t=\"str\"><v>Since</v></c></row>\
         <row r=\"2\"><c r=\"A2\" t=\"s\"><v>0</v></c><c r=\"B2\"><f>40+9.9</f><v>49.9</v></c><c r=\"D2\" s=\"1\"><v>46083</v></c></row>\
         <row r=\"3\"><c r=\"A3\" t=\"s\"><v>1</v></c><c r=\"B3\"><v>120</v></c><c r=\"C3\" t=\"b\"><v>1</v></c></row>",
    )
}

/// Two slides, the second first, with notes.
pub fn presentation() -> Vec<u8> {
    let slide = |title: &str, text: &str| {
        format!(
            "<p:sld><p:sp><p:txBody><a:p><a:r><a:t>{title}</a:t></a:r></a:p></p:txBody></p:sp>\
             <p:sp><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp></p:sld>"
        )
    };
    let deck = format!(
        "<p:presentation xmlns:r=\"{RELATIONS}\"><p:sldIdLst><p:sldId id=\"257\" r:id=\"rId8\"/><p:sldId id=\"256\" r:id=\"rId7\"/></p:sldIdLst></p:presentation>"
    );
    let order = relations(&[("rId7", "slide", "slides/slide1.xml"), ("rId8", "slide", "/ppt/slides/slide2.xml")]);
    let notes = relations(&[("rId1", "notesSlide", "../notesSlides/notesSlide1.xml")]);
    zip(&[
        ("ppt/presentation.xml", deck.as_bytes()),
        ("ppt/_rels/presentation.xml.rels", order.as_bytes()),
        ("ppt/slides/slide1.xml", slide("Thanks", "Questions?").as_bytes()),
        ("ppt/slides/slide2.xml", slide("Trade fair", "Stand 12").as_bytes()),
        ("ppt/slides/_rels/slide2.xml.rels", notes.as_bytes()),
        (
            "ppt/notesSlides/notesSlide1.xml",
            b"<p:notes><a:p><a:r><a:t>Bring the keys.</a:t></a:r></a:p><a:p><a:fld><a:t>1</a:t></a:fld></a:p></p:notes>",
        ),
    ])
}

/// A PDF of these objects, numbered from 1; the first is the catalogue.
pub fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(file.len());
        file.extend(format!("{} 0 obj\n", number + 1).bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let table = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for place in &places {
        file.extend(format!("{place:010} 00000 n \n").bytes());
    }
    let trailer = format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1);
    file.extend(trailer.bytes());
    file
}

/// A stream with this dictionary.
pub fn stream(dictionary: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("<< {dictionary} /Length {} >>\nstream\n", content.len());
    [head.as_bytes(), content, b"\nendstream"].concat()
}

/// A PDF of one page that draws `content`, a stream, in Helvetica.
pub fn pdf_page(content: Vec<u8>) -> Vec<u8> {
    pdf(&[
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_vec(),
        content,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec(),
    ])
}

/// A contract of one page.
pub fn contract() -> Vec<u8> {
    pdf_page(stream(
        "",
        b"BT /F1 18 Tf 72 760 Td (Contract 42) Tj /F1 12 Tf 0 -40 Td [(Bet)20(ween Ann)-600(and Bo)] TJ \
          0 -14 Td (Fee: 1.250 \x80) Tj ET",
    ))
}

/// A PDF that unpacks to half a gigabyte out of some bytes: a run of runs of runs. Each pair of 129 is 128 more of them;
/// the rest ends each of the four runs.
pub fn pdf_bomb() -> Vec<u8> {
    let filters = "/Filter [/RunLengthDecode /RunLengthDecode /RunLengthDecode /RunLengthDecode]";
    let content = [&[129; 32][..], &[4, 2, 0, 127, 127, 127, 127]].concat();
    pdf_page(stream(filters, &content))
}

//! Carla's mail: newsletters, threads as Outlook and Gmail quote them, notices by machines, several languages.

use serde_json::{Value, json};
use time::Date;

use super::newsletter::ISSUES;
use crate::json::set;
use crate::reply::escape;
use crate::sample::directory::User;
use crate::sample::mail::{Draft, recipient};

type Person = (&'static str, &'static str);

const NORA: Person = ("Nora Lind", "nora.lind@fabrikam.example");
const JAN: Person = ("Jan Kowalski", "jan.kowalski@adatum.example");
const AIKO: Person = ("田中 愛子", "aiko@tailspin.example");
const MATEO: Person = ("Mateo García", "mateo@southridge.example");
const MEGAN: Person = ("Megan Bowen", "megan@contoso.example");
const DIEGO: Person = ("Diego Siciliani", "diego@contoso.example");

/// What people write, with the words in which their program introduces what it quotes: "From", "Sent", "To", "Subject".
struct Voice {
    person: Person,
    subject: &'static str,
    says: &'static [&'static str],
    signature: &'static str,
    labels: [&'static str; 4],
    /// Gmail's line above what it quotes; without it Outlook's block is written.
    wrote: Option<&'static str>,
}

const EN: [&str; 4] = ["From", "Sent", "To", "Subject"];
const DE: [&str; 4] = ["Von", "Gesendet", "An", "Betreff"];
const ES: [&str; 4] = ["De", "Enviado", "Para", "Asunto"];
const PL: [&str; 4] = ["Od", "Wysłane", "Do", "Temat"];
const JA: [&str; 4] = ["差出人", "送信日時", "宛先", "件名"];

const VOICES: &[Voice] = &[
    Voice {
        person: NORA,
        subject: "RE: RE: Frame contract 2026, second round",
        says: &[
            "Hi Carla,",
            "We can live with clause 7 if the notice period stays at three months. I marked two places in the draft where our lawyers still see a risk; both are about late deliveries by sea.",
            "Could you tell me by Thursday whether the volumes of last year are still right? Then I can send you a clean version on Friday.",
        ],
        signature: "Nora Lind<br>Key Account Manager<br>Fabrikam Ltd · 14 Canal Street · Manchester<br>T +44 161 555 0142",
        labels: EN,
        wrote: None,
    },
    Voice {
        person: DIEGO,
        subject: "AW: Urlaubsplanung Einkauf",
        says: &[
            "Hallo Carla,",
            "passt für mich. Ich übernehme die Freigaben vom 9. bis zum 13. März; bitte trag mich noch als Vertretung im System ein, sonst bleiben die Bestellungen über 10.000 € liegen.",
        ],
        signature: "Viele Grüße<br>Diego Siciliani<br>Personalabteilung",
        labels: DE,
        wrote: None,
    },
    Voice {
        person: MATEO,
        subject: "Re: Muestras de tela",
        says: &[
            "Hola Carla:",
            "Las muestras salieron ayer por la tarde; te paso el número de seguimiento en cuanto lo tenga. El tono azul ha quedado un poco más oscuro que el del catálogo, dime si te vale.",
        ],
        signature: "Un abrazo,<br>Mateo",
        labels: ES,
        wrote: Some(
            "El lun, 2 mar 2026 a las 8:14, Carla Brunner (&lt;<a href=\"mailto:carla@contoso.example\">carla@contoso.example</a>&gt;) escribió:",
        ),
    },
    Voice {
        person: JAN,
        subject: "Odp: Zamówienie 4711/2026",
        says: &[
            "Dzień dobry,",
            "potwierdzamy odbiór zamówienia. Dostawa palet 1–12 nastąpi w czwartek, pozostałych w przyszłym tygodniu. Faktura w załączniku.",
        ],
        signature: "Z poważaniem<br>Jan Kowalski<br>Adatum Sp. z o.o.",
        labels: PL,
        wrote: None,
    },
    Voice {
        person: AIKO,
        subject: "RE: 見積書の件",
        says: &[
            "カルラ様",
            "いつもお世話になっております。お見積書をお送りします。納期は四週間ですが、三月中にご注文いただければ三週間で発送できます。",
            "ご不明な点がございましたら、お気軽にお知らせください。",
        ],
        signature: "田中 愛子<br>テイルスピン株式会社 営業部",
        labels: JA,
        wrote: None,
    },
    Voice {
        person: MEGAN,
        subject: "Re: Budget for Project Wren",
        says: &["Approved up to 48k. Please split the racks into two orders so that the second falls into Q3.", "M."],
        signature: "",
        labels: EN,
        wrote: Some(
            "On Mon, Mar 2, 2026 at 7:52 AM Carla Brunner &lt;<a href=\"mailto:carla@contoso.example\">carla@contoso.example</a>&gt; wrote:",
        ),
    },
];

/// Carla's side of every thread, over and over.
const ASKED: &[&str] = &[
    "Good morning, could we settle the open points this week? I listed them below, with the numbers that I have.",
    "Thank you. The terms look fine to me; only the dates of the second delivery are still missing.",
    "Please see the attached draft. I would like to have it signed before the trade fair.",
    "One more thing: the invoice of January names the old cost centre, 4410. It should be 4470 from now on.",
];

/// All messages with their folders, newest first.
pub fn messages(user: &User, today: Date) -> Vec<(&'static str, Value)> {
    let inbox = (0..40).map(|at| ("inbox", received(user, today, at)));
    let sent = VOICES.iter().enumerate().map(|(at, voice)| ("sentitems", answered(user, today, (voice, 500 + at))));
    inbox.chain(sent).collect()
}

/// Of ten mails three are newsletters, one is a machine's, the others are people's.
fn received(user: &User, today: Date, at: usize) -> Value {
    let minutes_ago = i64::try_from(9 + at * 83 + (at * at * 13) % 71).unwrap_or(0);
    let read = !at.is_multiple_of(3);
    let base = |from: Person, subject: String, (html, unique): (String, String), thread: String| Draft {
        folder: "inbox",
        from,
        to: (user.name, user.email),
        subject,
        html,
        unique,
        minutes_ago,
        read,
        thread,
    };
    if let (1 | 4 | 8, Some(issue)) = (at % 10, ISSUES.iter().cycle().nth(at)) {
        let html = issue.html(user.marker);
        let from = (issue.brand, "news@tailspin.example");
        return base(from, issue.preheader.to_owned(), (html.clone(), html), format!("news-{at}"))
            .into_json(user, today, at);
    }
    if at % 10 == 6 {
        let html = notice(user, at);
        let from = ("Purchasing System", "no-reply@contoso.example");
        let subject = format!("Order 45-{at:05} waits for your approval");
        return base(from, subject, (html.clone(), html), format!("order-{at}")).into_json(user, today, at);
    }
    let Some(voice) = VOICES.iter().cycle().nth(at) else { return Value::Null };
    let (own, html) = voice.letter(user, 2 + at % 5);
    let draft = base(voice.person, voice.subject.to_owned(), (html, own), format!("thread-{}", at % VOICES.len()));
    let mut value = draft.into_json(user, today, at);
    let copies: Vec<Value> = [MEGAN, DIEGO, NORA].into_iter().take(at % 4).map(recipient).collect();
    set(&mut value, "ccRecipients", copies);
    set(&mut value, "hasAttachments", at % 10 == 3 || at.is_multiple_of(10));
    value
}

fn answered(user: &User, today: Date, (voice, at): (&Voice, usize)) -> Value {
    let html = format!("<html><body><p>{}</p><p>Ref: {}</p></body></html>", ASKED.concat(), user.marker);
    let draft = Draft {
        folder: "sentitems",
        from: (user.name, user.email),
        to: voice.person,
        subject: voice.subject.to_owned(),
        html: html.clone(),
        unique: html,
        minutes_ago: i64::try_from(at).unwrap_or(0) * 7,
        read: true,
        thread: format!("thread-{}", at - 500),
    };
    draft.into_json(user, today, at)
}

impl Voice {
    /// What is new in the mail, and the whole with a history of some mails below it.
    fn letter(&self, user: &User, quoted: usize) -> (String, String) {
        let says: Vec<String> =
            self.says.iter().map(|text| format!("<p class=\"MsoNormal\">{}<o:p></o:p></p>", escape(text))).collect();
        let own = format!("{}<p>{}</p><p>Ref: {}</p>", says.concat(), self.signature, user.marker);
        let history = (0..quoted).rev().fold(String::new(), |inner, at| self.quote(user, at, &inner));
        let start = "<html xmlns:o=\"urn:schemas-microsoft-com:office:office\"><head><style>p.MsoNormal{margin:0cm;font-size:11.0pt;font-family:\"Calibri\",sans-serif}</style></head>";
        (
            format!("<html><body>{own}</body></html>"),
            format!("{start}<body lang=\"EN-GB\">{own}{history}</body></html>"),
        )
    }

    /// One earlier mail, with those before it inside or below, by turns Carla's and the other's.
    fn quote(&self, user: &User, at: usize, inner: &str) -> String {
        let hers = at.is_multiple_of(2);
        let text = if hers {
            ASKED.get(at % ASKED.len()).copied().unwrap_or_default()
        } else {
            self.says.last().copied().unwrap_or_default()
        };
        let (name, address) = if hers { (user.name, user.email) } else { self.person };
        if let Some(wrote) = self.wrote {
            return format!(
                "<br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">{wrote}<br></div><blockquote class=\"gmail_quote\" \
                 style=\"margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex\"><div dir=\"ltr\">{}</div>{inner}</blockquote></div>",
                escape(text)
            );
        }
        let [from, sent, to, subject] = self.labels;
        format!(
            "<hr style=\"display:inline-block;width:98%\" tabindex=\"-1\"><div id=\"divRplyFwdMsg\" dir=\"ltr\"><font face=\"Calibri, sans-serif\" style=\"font-size:11pt\" color=\"#000000\">\
             <b>{from}:</b> {name} &lt;{address}&gt;<br><b>{sent}:</b> 2026-03-0{day} 0{hour}:12<br><b>{to}:</b> {whom}<br><b>{subject}:</b> {line}</font><div>&nbsp;</div></div><div><p>{text}</p></div>{inner}",
            name = escape(name),
            day = 1 + at % 2,
            hour = 9 - at % 9,
            whom = escape(if hers { self.person.0 } else { user.name }),
            line = escape(self.subject),
            text = escape(text),
        )
    }
}

/// A mail by a machine: a table, a button, words of law.
fn notice(user: &User, at: usize) -> String {
    let rows: Vec<String> = (0..12)
        .map(|row| format!("<tr><td>{:04}</td><td>Shelf, galvanised, type {row}</td><td align=\"right\">{}</td><td align=\"right\">{}.00 EUR</td></tr>", 1000 + row, row + 2, (row + 3) * 37))
        .collect();
    let json = json!({"@type": "OrderApproval", "order": at});
    format!(
        "<html><head><script type=\"application/ld+json\">{json}</script></head><body><p>Dear {},</p><p>order 45-{at:05} needs your approval before Thursday, 17:00.</p>\
         <table border=\"1\"><tr><th>Item</th><th>What</th><th>Count</th><th>Price</th></tr>{}</table>\
         <p><a href=\"https://orders.contoso.example/approve?id=45-{at:05}\">Open the order</a></p><p>This mail was made by a machine; nobody reads answers. Ref: {}</p></body></html>",
        user.name,
        rows.concat(),
        user.marker
    )
}

//! A newsletter as shops and editors send them: a style sheet, a hidden preheader with its padding, nested tables, links
//! that count who follows them, and a pixel that counts who reads.

use std::fmt::Write;

use crate::opaque;

/// What differs between two newsletters.
pub struct Issue {
    /// Who sends it.
    pub brand: &'static str,
    /// Host of its links and pictures.
    pub host: &'static str,
    /// What the list of mails shows first and nobody sees.
    pub preheader: &'static str,
    /// Headings and first sentences.
    pub articles: &'static [(&'static str, &'static str)],
    /// The words below everything.
    pub footer: &'static str,
}

const STYLE: &str = "body,table,td,a{-webkit-text-size-adjust:100%;-ms-text-size-adjust:100%}table,td{mso-table-lspace:0pt;mso-table-rspace:0pt}\
img{-ms-interpolation-mode:bicubic;border:0;height:auto;line-height:100%;outline:none;text-decoration:none}body{height:100%!important;margin:0!important;\
padding:0!important;width:100%!important}@media screen and (max-width:525px){.wrapper{width:100%!important;max-width:100%!important}.logo img{margin:0 auto!important}\
.mobile-hide{display:none!important}.img-max{max-width:100%!important;width:100%!important;height:auto!important}.responsive-table{width:100%!important}\
.padding{padding:10px 5% 15px 5%!important}.mobile-button{padding:15px!important;border:0!important;font-size:16px!important;display:block!important}}";
/// Readers show the preheader and then the first words of the mail; this pushes them out of sight.
const PADDING: &str = "&#847;&zwnj;&nbsp;&#8199;&shy;";

impl Issue {
    /// The mail, whose last words are `marker`.
    pub fn html(&self, marker: &str) -> String {
        let mut html = format!(
            "<!DOCTYPE html><html lang=\"en\" xmlns:o=\"urn:schemas-microsoft-com:office:office\"><head><meta charset=\"utf-8\"><title>{}</title>\
             <!--[if mso]><xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml><![endif]-->\
             <style type=\"text/css\">{}</style></head><body style=\"margin:0;padding:0;background-color:#f4f4f4\">\
             <div style=\"display:none;font-size:1px;color:#fefefe;line-height:1px;max-height:0px;max-width:0px;opacity:0;overflow:hidden\">{}{}</div>\
             <table border=\"0\" cellpadding=\"0\" cellspacing=\"0\" width=\"100%\" role=\"presentation\"><tr><td align=\"center\">",
            self.brand,
            STYLE.repeat(3),
            self.preheader,
            PADDING.repeat(120),
        );
        let link = |html: &mut String, what: &str, words: &str| {
            let token = opaque::id(self.host, what, 150);
            let _written = write!(
                html,
                "<a href=\"https://{host}/ls/click?upn={token}&amp;utm_source=newsletter&amp;utm_medium=email&amp;utm_campaign=2026-03\" \
                 target=\"_blank\" style=\"color:#0b6fb8;text-decoration:none;font-family:Helvetica,Arial,sans-serif\">{words}</a>",
                host = self.host
            );
        };
        html.push_str("<p style=\"font-size:11px\">");
        link(&mut html, "browser", "View in browser");
        html.push_str("</p>");
        for (at, (heading, text)) in self.articles.iter().cycle().take(self.articles.len() * 3).enumerate() {
            let _written = write!(
                html,
                "<table border=\"0\" cellpadding=\"0\" cellspacing=\"0\" width=\"600\" class=\"responsive-table wrapper\" style=\"max-width:600px\">\
                 <tr><td bgcolor=\"#ffffff\" style=\"padding:30px 20px;border-radius:4px\" class=\"padding\"><img src=\"https://{host}/img/{at}.jpg\" width=\"560\" \
                 height=\"280\" alt=\"{heading}\" class=\"img-max\" style=\"display:block;color:#666666;font-family:Helvetica,Arial,sans-serif\">\
                 <h2 style=\"font-size:22px;font-family:Helvetica,Arial,sans-serif;color:#333333;margin:0;padding-top:24px\">{heading}</h2>\
                 <p style=\"font-size:16px;line-height:25px;font-family:Helvetica,Arial,sans-serif;color:#666666\">{text} {text}</p>",
                host = self.host
            );
            link(&mut html, &format!("article{at}"), "Read more &rarr;");
            html.push_str("</td></tr></table>");
        }
        let _written = write!(html, "<p style=\"font-size:10px;color:#999999\">{} Ref: {marker}<br>", self.footer);
        link(&mut html, "out", "Unsubscribe");
        html.push_str(" | ");
        link(&mut html, "settings", "Preferences");
        let token = opaque::id(self.host, "pixel", 120);
        let _written = write!(
            html,
            "</p></td></tr></table><img src=\"https://{}/wf/open?upn={token}\" alt=\"\" width=\"1\" height=\"1\" border=\"0\" \
             style=\"height:1px!important;width:1px!important;border-width:0!important\"></body></html>",
            self.host
        );
        html
    }
}

/// Those in Carla's inbox.
pub const ISSUES: &[Issue] = &[
    Issue {
        brand: "Tailspin Weekly",
        host: "click.news.tailspin.example",
        preheader: "Spring is here: three new toys, one old favourite and 20% off until Sunday",
        articles: &[
            (
                "The wooden train is back",
                "After two years the wooden train returns, with rails of beech and a driver who keeps his hat on.",
            ),
            ("Meet the people who paint", "In the small hall behind the river eleven people paint every face by hand."),
            (
                "20% off until Sunday",
                "Everything that rolls is cheaper this week, and delivery is free from 40 euros on.",
            ),
            ("Your questions", "Why do the wheels squeak? Our engineer answers the five questions that you ask most."),
        ],
        footer: "You receive this mail because you bought something at Tailspin Toys, 12 Harbour Road, Springfield.",
    },
    Issue {
        brand: "Einkaufsbrief",
        host: "links.einkaufsbrief.example",
        preheader: "Stahl wird teurer, Frachten fallen: was das für Ihre Verträge heißt",
        articles: &[
            (
                "Stahlpreise steigen im zweiten Quartal",
                "Die großen Werke haben Aufschläge von vier bis sechs Prozent angekündigt; wer jetzt abschließt, spart.",
            ),
            (
                "Containerfrachten so günstig wie 2019",
                "Von Shanghai nach Hamburg kostet ein Container wieder unter 1.500 Dollar, und die Schiffe fahren pünktlicher.",
            ),
            (
                "Lieferkettengesetz: drei Muster",
                "Wir haben drei Musterverträge prüfen lassen, die Sie sofort verwenden können.",
            ),
        ],
        footer: "Einkaufsbrief, Lindenallee 4, 10115 Berlin. Sie erhalten diesen Brief, weil Sie ihn bestellt haben.",
    },
    Issue {
        brand: "Fourth Coffee",
        host: "e.fourthcoffee.example",
        preheader: "Une nouvelle torréfaction, et votre dixième café est pour nous",
        articles: &[
            (
                "La torréfaction d'hiver",
                "Noisette, cacao, un peu d'orange : elle restera à la carte jusqu'à la fin du mois.",
            ),
            ("Votre dixième café offert", "Présentez cette page au comptoir ; l'offre vaut dans toutes nos maisons."),
            ("Atelier du samedi", "Apprenez à dessiner un cœur dans le lait ; il reste quatre places."),
        ],
        footer: "Fourth Coffee, 8 rue du Marché, Genève. Vous recevez ce message parce que vous avez une carte.",
    },
];

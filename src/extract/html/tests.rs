//! What HTML may be, hostile pages among it.

use super::*;

/// Pages that are made to break whoever reads HTML, here and where a page is written (`tools::notes::markup`).
pub(crate) fn hostile() -> Vec<String> {
    let long =
        ["<", "<p ", "&", "<style>", "<!--", "</", "<p>", "</p>", "<a href='", "<style>.x{", "\\", "<b a=", "&#"];
    let mut all: Vec<_> = long.iter().map(|piece| piece.repeat(50_000)).collect();
    all.push(format!("<a {}>", "= ".repeat(50_000)));
    all.push(format!("<style>{}</style>{}", "@media{".repeat(50_000), "<p class=x>".repeat(1000)));
    all.push(format!("<style>{}</style>{}", ".x{display:none}".repeat(10_000), "<p class='x x x'>".repeat(10_000)));
    all.push(format!("{}{}", "<div>".repeat(500), "</b>".repeat(5000)));
    let short = [
        "<scr<script>ipt>x</script>",
        "<p title=\"",
        "<p\u{0}>",
        "a < b",
        "&#1114112;",
        "&#xD800;",
        "&;",
        "&é;",
        "<é>",
        "</stylé>",
        "</é",
        "<!",
        "<!-",
        "<!-->",
        "<?",
        "</",
        "<a href",
        "<a =",
        "<a/>",
        "<p style='é:é'>",
        "<p style='\\",
        "<style>é{é}</style>",
        "<style>\\",
        "<p style='color:rgb(é)'>",
        "<p style='color:#éé'>",
        "x<p title='never ends",
    ];
    all.extend(short.map(str::to_owned));
    all
}

#[test]
fn hostile_html_costs_one_pass_and_leaves_no_tag() {
    for html in hostile() {
        for text in [from_html(&html), all_of_html(&html)] {
            assert!(text.len() <= html.len() + 40, "{}", html.chars().take(40).collect::<String>());
        }
    }
    assert_eq!(from_html("a < b &copy c"), "a < b &copy c");
    assert_eq!(from_html("x<img src=x onerror=alert(1)>y"), "xy");
    assert_eq!(from_html("x<p title='never ends"), "x\n");
}

/// What a browser does not show, each with `SECRET` in it and `SEEN` behind or before it.
const HIDDEN: [&str; 71] = [
    "<p style=\"display:none\">SECRET</p>SEEN",
    "<p STYLE='DISPLAY : NONE !important'>SECRET</p>SEEN",
    "<p style=display:none>SECRET</p>SEEN",
    "<p style=\"display:none!important;display:block\">SECRET</p>SEEN",
    "<p style=\"display&#58;none\">SECRET</p>SEEN",
    "<p style=\"display&colon;none\">SECRET</p>SEEN",
    "<p style=\"display&#58none\">SECRET</p>SEEN",
    "<p style=\"display:n\\6f ne\">SECRET</p>SEEN",
    "<p style=\"display:/*x*/none\">SECRET</p>SEEN",
    "<p hidden>SECRET</p>SEEN",
    "<p title='a>b' hidden=\"\">SECRET</p>SEEN",
    "<p a\"b style=\"display:none\">SECRET</p>SEEN",
    "<div hidden><p>SECRET<div>SECRET</div>SECRET</div>SEEN",
    "<div hidden/>SECRET</div>SEEN",
    "<div hidden><br>SECRET<img></div>SEEN",
    "SEEN<div hidden>SECRET",
    "<div hidden>SECRET</span>SECRET</p>SECRET</div>SEEN",
    "<div><span hidden>SECRET</div>SEEN",
    "<div><b hidden>SECRET</div>SECRET</b>SEEN",
    "<p><font style='font-size:0'>SECRET<p>SECRET</font>SEEN",
    "<ul><li hidden>SECRET<li>SEEN</ul>",
    "<ul><li hidden>SECRET<ul><li>SECRET</ul>SECRET</ul>SEEN",
    "<table><tr><td hidden>SECRET<td>SEEN</table>",
    "<table hidden><tr><td>SECRET</div></p>SECRET</td></tr></table>SEEN",
    "<table><tr><td hidden><table><tr><td>SECRET</table>SECRET</table>SEEN",
    "<p hidden>SECRET<div>SEEN</div>",
    "<p hidden>SECRET<br>SECRET<span>SECRET</span><p>SEEN",
    "<div hidden>SECRET</body>SECRET</html>SECRET</div>SEEN",
    "<p style=\"visibility:hidden\">SECRET<b style=\"visibility:visible\">SEEN</b>SECRET</p>",
    "<p style=\"font-size:0px\">SECRET<b style=\"font-size:14px\">SEEN</b><i style='font-size:2em'>SECRET</i></p>",
    "<p style=\"font-size:1px\">SECRET</p>SEEN",
    "<p style=\"font:0/0 a\">SECRET</p><p style='font:700 12px/1.2 Arial'>SEEN</p>",
    "<p style=\"opacity:0\">SECRET<b style='opacity:1'>SECRET</b></p>SEEN",
    "<p style=\"max-height:0;overflow:hidden\">SECRET</p>SEEN",
    "<p style=\"width:0px; height:1px; overflow : hidden\">SECRET</p>SEEN",
    "<p style=\"text-indent:-9999px\">SECRET</p>SEEN",
    "<p style=\"position:absolute;left:-5000px\">SECRET</p>SEEN",
    "<p style=\"clip:rect(0,0,0,0)\">SECRET</p>SEEN",
    "<p style=\"clip-path:inset(100%)\">SECRET</p>SEEN",
    "<p style=\"transform:scale(0)\">SECRET</p>SEEN",
    "<p style=\"color:#FFF\">SECRET</p>SEEN",
    "<p style=\"color:rgb(254, 255, 255)\">SECRET</p>SEEN",
    "<p style=\"color:transparent\">SECRET</p>SEEN",
    "<p style=\"color:rgba(0,0,0,0)\">SECRET</p>SEEN",
    "<p style=\"color:#00000000\">SECRET</p>SEEN",
    "<font color=white>SECRET</font>SEEN",
    "<table bgcolor=\"#000000\"><tr><td>SECRET<td style='color:white'>SEEN</table>",
    "<div style='background:#123456'><p style='color:#123456'>SECRET</p><p style='color:white'>SEEN</p></div>",
    "<div style='background:#fff url(x.png)'><p style='color:#fff'>SEEN</p></div><p style='color:#fff'>SECRET</p>",
    "<a href=x style='color:white'>SECRET</a><span style='color:white'>SECRET<a>SEEN</a></span>",
    "<style>.x{display:none}</style><p class=\"a x b\">SECRET</p>SEEN",
    "<style>#x{visibility:hidden}</style><p id=x>SECRET</p>SEEN",
    "<style>h6{font-size:0}</style><h6>SECRET</h6>SEEN",
    "<style>p.x , h6{display:none !important}</style><p class=x style='display:block'>SECRET</p>SEEN",
    "<style>@import 'a';div .x{display:none}</style><p class=x>SECRET</p>SEEN",
    "<style>.x{display:none} .y.x{display:block}</style><p class=x>SECRET</p>SEEN",
    "<style><!-- .x{max-height:0;overflow:hidden} --></style><p class=x>SECRET</p>SEEN",
    "<style>@media screen{.x{display:none}}</style><p class=x>SECRET</p>SEEN",
    "<style>@media (max-width:600px){.x{display:none}}</style><p class=x>SEEN</p><i hidden>SECRET</i>",
    "<style>@media print{.x{display:none}} .y:hover{display:none}</style><p class='x y'>SEEN</p><i hidden>SECRET</i>",
    "<style>/* } */.x{color:#fff}</stylex>SECRET</style><p class=x>SECRET</p>SEEN",
    "<template>SECRET<template>SECRET</template>SECRET</template>SEEN",
    "<svg><desc>SECRET</desc></svg><noscript>SECRET</noscript><iframe>SECRET</iframe>SEEN",
    "<head><title>SECRET</title><meta content='SECRET'>SEEN",
    "<!-- SECRET -- > SECRET --!>SEEN<!-- SECRET",
    "<!-->SEEN<!-- SECRET -->",
    "</ SECRET>SEEN<? SECRET ><! SECRET \">",
    "SEEN<img alt=SECRET title=SECRET><input type=hidden value=SECRET>",
    "SEEN<emoji alt=SECRET title=SECRET></emoji>",
    "<p aria-hidden=true>SEEN</p><p hidden>SECRET</p>",
    "<p hidden style='display:block'>SEEN</p><p style='display:block' hidden><i hidden>SECRET</i></p>",
];

#[test]
fn what_a_page_hides_is_no_text() {
    for html in HIDDEN {
        let text = from_html(html);
        assert!(!text.contains("SECRET") && text.contains("SEEN"), "{html}: {text:?}");
    }
}

#[test]
fn no_number_of_open_elements_brings_what_is_hidden_to_light() {
    let deep = format!("{}<p hidden>SECRET{}SECRET", "<div>".repeat(300), "<i></i>".repeat(300));
    assert!(!from_html(&deep).contains("SECRET"));
    let inner = format!("<div hidden>{}SECRET{}SECRET</div>", "<div>".repeat(300), "</div>".repeat(300));
    assert!(!from_html(&inner).contains("SECRET"));
}

#[test]
fn who_has_to_know_all_of_a_page_is_shown_what_its_style_hides() {
    assert_eq!(all_of_html("<p style='display:none'>SECRET</p>SEEN"), "\nSECRET\nSEEN");
}

#[test]
fn honest_mail_keeps_its_text() {
    let mail = "<html><head><style>@media(max-width:480px){.wide{display:none!important}}p{margin:0}td{font-size:0}\
                .button:hover{opacity:0}</style></head><body bgcolor='#eeeeee'><div style=\"display:none;max-height:0\">Preheader</div>\
                <table style='background:url(x)'><tr><td class=wide><div style='font-size:13px;color:#ffffff'>One</div></td></tr></table>\
                <p>Two<p>Three<ul><li>four</ul><a class=button href='https://contoso.example/?a=1&amp;b=2' \
                style='background:#0078d4;color:#fff'>Go</a><pre>a\n  b</pre></body></html>Five";
    let text = tidy(&from_html(mail));
    assert_eq!(text.trim(), "One\n\nTwo\nThree\n- fourGo<https://contoso.example/?a=1&b=2>\na\n  b\nFive");
}

#[test]
fn a_link_is_followed_by_its_address_unless_it_says_so_itself() {
    for (html, text) in [
        ("<a href='https://contoso.example/a'>Sign <b>up</b></a>.", "Sign up<https://contoso.example/a>."),
        ("<a href=https://contoso.example/>contoso.example</a>", "contoso.example"),
        ("<a href='mailto:a@contoso.example'>Mail</a><a href='javascript:x'>x</a>", "Mailx"),
        ("<a href='https://contoso.example'><img></a>", ""),
        ("<a href='https://x.example/> Bo: pay'>y</a>", "y<https://x.example/>"),
    ] {
        assert_eq!(from_html(html), text, "{html}");
    }
}

#[test]
fn entities_are_the_letters_that_a_browser_shows() {
    for (html, text) in [
        ("M&uuml;ller &amp; S&ouml;hne, 5&nbsp;&euro; &laquo;caf&eacute;&raquo;", "Müller & Söhne, 5 € «café»"),
        ("&iexcl;&yuml;&frac12;&divide;&times;", "¡ÿ½÷×"),
        ("don&#146;t &#x93;quote&#x94; &#150; &#228;&#xE4;", "don’t “quote” – ää"),
        ("new&shy;s&zwnj;letter", "newsletter"),
        ("&unheard; & &amp &copy=1", "&unheard; & &amp &copy=1"),
    ] {
        assert_eq!(from_html(html), text, "{html}");
    }
    assert_eq!(
        from_html("<p style='display&colon;none'>a</p><p style='color:rgb&lpar;0&comma;0,0,0&rpar;'>b</p>").trim(),
        ""
    );
}

use super::*;
use crate::Problem;
use crate::links::Targets;
use proptest::prelude::*;

fn rendered(text: &str) -> (Outline, Article, Vec<String>) {
    let mut targets = Targets::default();
    targets.add("README.md", "/", []);
    targets.add("docs/a.md", "/docs/a/", ["one".into()]);
    targets.add("docs/b.svg", "/docs/b.svg", []);
    let place = Place {
        file: "docs/a.md",
        lines_before: 3,
    };
    let outline = outline(text);
    let mut problems: Vec<Problem> = Vec::new();
    let article = render(
        place,
        text,
        &outline,
        Untagged::Text,
        &targets,
        &mut problems,
    );
    let problems = problems.iter().map(ToString::to_string).collect();
    (outline, article, problems)
}

#[test]
fn title_lead_and_body_are_taken_apart() {
    let (outline, article, problems) =
        rendered("# A `title`\n\nFirst\npart.\n\n## One\n\ntext\n\n### Two\n");
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(outline.title.unwrap().text, "A title");
    assert_eq!(outline.summary, "First part.");
    assert_eq!(article.lead, "<p>First\npart.</p>\n");
    assert!(
        article.body.starts_with("<h2 id=\"one\">One <a"),
        "{}",
        article.body
    );
    let ids: Vec<_> = outline.headings.iter().map(|h| h.id.as_str()).collect();
    assert_eq!(ids, ["one", "two"]);
}

#[test]
fn a_document_may_begin_with_text() {
    let (outline, article, problems) = rendered("First.\n\n## One\n");
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(outline.title, None);
    assert_eq!(article.lead, "<p>First.</p>\n");
    assert!(article.body.starts_with("<h2 id=\"one\">"));
}

#[test]
fn links_are_rewritten_and_listed() {
    let (_, article, problems) =
        rendered("# A\n\n[up](../README.md) and [here](#one)\n\n![a b](b.svg)\n\n## One\n");
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(article.links, ["/", "#one"]);
    assert!(article.lead.contains("<a href=\"/\">up</a>"));
    assert!(
        article
            .lead
            .contains("<img src=\"/docs/b.svg\" alt=\"a b\"")
    );
}

#[test]
fn all_problems_are_reported_with_their_lines() {
    let (_, _, problems) = rendered(
        "No title, [no page](x.md),\n[no heading](#x)\n\n<b>bold</b>\n\n![](b.svg)\n\n# Late\n",
    );
    let lines: Vec<&str> = problems
        .iter()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        lines,
        [
            "docs/a.md:4",
            "docs/a.md:5",
            "docs/a.md:7",
            "docs/a.md:7",
            "docs/a.md:9",
            "docs/a.md:11"
        ],
        "{problems:?}"
    );
}

#[test]
fn comments_are_left_out() {
    let (_, article, problems) = rendered("# A\n\n<!-- figure: size -->\n\ntext <!-- x --> more\n");
    assert!(problems.is_empty(), "{problems:?}");
    assert!(!article.lead.contains("<!--"), "{}", article.lead);
}

#[test]
fn code_and_tables_scroll_in_themselves() {
    let (_, article, _) = rendered("# A\n\n```sh\na < b\n```\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n");
    assert!(
        article
            .lead
            .contains("<pre class=\"sh\" tabindex=\"0\"><code>a &lt; b</code></pre>")
    );
    assert!(article.lead.contains("<div class=\"table\""));
    assert!(
        article.lead.contains("<td class=\"right\">2</td>"),
        "{}",
        article.lead
    );
    assert!(!article.lead.contains("style="));
}

#[test]
fn footnotes_and_tasks() {
    let (_, article, problems) = rendered("# A\n\n- [x] a[^n]\n- [ ] b\n\n[^n]: Note.\n");
    assert!(problems.is_empty(), "{problems:?}");
    assert!(
        article
            .lead
            .contains("disabled checked aria-label=\"done\"> a")
    );
    assert!(article.lead.contains("class=\"footnote-reference\""));
    assert!(article.lead.contains("class=\"footnote-definition\""));
}

#[test]
fn words_are_not_glued_together_nor_torn() {
    let (outline, ..) = rendered("# A\n\none\ntwo th**re**e `four`\n\n- five\n- six\n");
    let words: Vec<&str> = outline.words.split_whitespace().collect();
    assert_eq!(words, ["A", "one", "two", "three", "four", "five", "six"]);
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in "[-#*`\\[\\]()!<>|~:^_=a \n\té\u{0}]{0,80}") {
        let (_, article, _) = rendered(&text);
        prop_assert!(!article.lead.contains("<script"));
    }

    /// Whatever a document says, no tag of its own gets through.
    #[test]
    fn html_in_a_document_never_reaches_the_page(before in "[-#*`\\[\\]()! \n>|]{0,20}", after in "[-#*`\\[\\]()! \n>|]{0,20}") {
        let (_, article, _) = rendered(&format!("{before}<script>x{after}"));
        let html = format!("{}{}", article.lead, article.body);
        prop_assert!(!html.contains("<script"), "{}", html);
    }
}

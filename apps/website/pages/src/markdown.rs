//! From Markdown to the HTML of an article.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use crate::Problem;
use crate::escape::escape;
use crate::highlight::highlight;
use crate::links::Targets;
use crate::slug::Slugs;

/// A document that is rendered.
#[derive(Clone, Default, Debug)]
pub(crate) struct Article {
    /// The heading of level 1, as text.
    pub(crate) title: String,
    /// The first paragraph, as text.
    pub(crate) summary: String,
    /// Everything before the first heading of level 2, without the title.
    pub(crate) lead: String,
    /// Everything from the first heading of level 2 on.
    pub(crate) body: String,
    /// The headings, without the title.
    pub(crate) headings: Vec<Heading>,
    /// The pages that are linked to, in the order of the text.
    pub(crate) links: Vec<String>,
}

/// A heading.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Heading {
    pub(crate) level: HeadingLevel,
    pub(crate) id: String,
    pub(crate) text: String,
}

/// What a code block is written in if it does not say so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Untagged {
    /// Plain text.
    Text,
    /// Rust, as rustdoc takes it.
    Rust,
}

/// The headings of `text`, the title too, with their ids.
pub(crate) fn headings(text: &str) -> Vec<Heading> {
    let mut slugs = Slugs::default();
    let mut headings = Vec::new();
    let mut open: Option<(HeadingLevel, String)> = None;
    for event in parser(text) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => open = Some((level, String::new())),
            Event::Text(piece) | Event::Code(piece) => {
                if let Some((_, heading)) = &mut open {
                    heading.push_str(&piece);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some((level, text)) = open.take() {
                    let id = slugs.next(&text);
                    headings.push(Heading { level, id, text });
                }
            }
            _ => {}
        }
    }
    headings
}

/// Renders the document `file`, whose Markdown is `text`. What is wrong with it goes to `problems`.
pub(crate) fn render(
    file: &str,
    text: &str,
    untagged: Untagged,
    targets: &Targets,
    problems: &mut Vec<Problem>,
) -> Article {
    let all = headings(text);
    let mut article = Article {
        summary: summary(text),
        ..Article::default()
    };
    match all.split_first() {
        Some((title, rest)) if title.level == HeadingLevel::H1 => {
            article.title.clone_from(&title.text);
            article.headings = rest.to_vec();
        }
        _ => problems.push(Problem::NoTitle(file.into())),
    }
    let mut ids = all.iter();
    let mut events: Vec<Event<'_>> = Vec::new();
    let mut code: Option<(String, String)> = None;
    let mut heading = String::new();
    let mut in_title = false;
    let mut body_starts = None;
    for event in parser(text) {
        match event {
            Event::Start(Tag::Heading {
                level: HeadingLevel::H1,
                ..
            }) => {
                ids.next();
                in_title = true;
            }
            Event::End(TagEnd::Heading(HeadingLevel::H1)) => in_title = false,
            _ if in_title => {}
            Event::Start(Tag::Heading { level, .. }) => {
                if level == HeadingLevel::H2 && body_starts.is_none() {
                    body_starts = Some(events.len());
                }
                heading = ids
                    .next()
                    .map_or(String::new(), |heading| escape(&heading.id));
                events.push(Event::Html(format!("<{level} id=\"{heading}\">").into()));
            }
            Event::End(TagEnd::Heading(level)) => {
                let anchor = format!(
                    " <a class=\"anchor\" href=\"#{heading}\" aria-label=\"Link to this section\">#</a></{level}>\n"
                );
                events.push(Event::Html(anchor.into()));
            }
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            }) => {
                let dest_url = match targets.resolve(file, &dest_url) {
                    Ok(url) => url,
                    Err(problem) => {
                        problems.push(problem);
                        String::new()
                    }
                };
                article.links.push(dest_url.clone());
                events.push(Event::Start(Tag::Link {
                    link_type,
                    dest_url: dest_url.into(),
                    title,
                    id,
                }));
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                code = Some((language(&kind, untagged), String::new()));
            }
            Event::End(TagEnd::CodeBlock) => {
                if let Some((language, mut text)) = code.take() {
                    if language == "rust" {
                        text = shown(&text);
                    }
                    let block = format!(
                        "<pre class=\"{}\" tabindex=\"0\"><code>{}</code></pre>\n",
                        escape(&language),
                        highlight(&language, text.trim_end())
                    );
                    events.push(Event::Html(block.into()));
                }
            }
            Event::Text(piece) if code.is_some() => {
                if let Some((_, text)) = &mut code {
                    text.push_str(&piece);
                }
            }
            Event::Start(Tag::Table(_)) => {
                events.push(Event::Html(TABLE_OPENS.into()));
                events.push(event);
            }
            Event::End(TagEnd::Table) => {
                events.push(event);
                events.push(Event::Html("</div>\n".into()));
            }
            Event::Html(markup) | Event::InlineHtml(markup) => {
                if !markup.trim_start().starts_with("<!--") {
                    problems.push(Problem::Html {
                        file: file.into(),
                        html: markup.into_string(),
                    });
                }
            }
            Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => {}
            event => events.push(event),
        }
    }
    let body = events.split_off(body_starts.unwrap_or(events.len()));
    article.lead = to_html(events);
    article.body = to_html(body);
    article
}

const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH);

const TABLE_OPENS: &str =
    "<div class=\"table\" role=\"region\" aria-label=\"Table\" tabindex=\"0\">\n";

fn parser(text: &str) -> Parser<'_> {
    Parser::new_ext(text, OPTIONS)
}

fn to_html(events: Vec<Event<'_>>) -> String {
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    // The page's security policy allows no style attribute; these strings cannot come from text, where `<` is escaped.
    for cell in ["th", "td"] {
        for side in ["left", "center", "right"] {
            out = out.replace(
                &format!("<{cell} style=\"text-align: {side}\">"),
                &format!("<{cell} class=\"{side}\">"),
            );
        }
    }
    out
}

/// The first paragraph, as text.
fn summary(text: &str) -> String {
    let mut summary = String::new();
    let mut inside = false;
    for event in parser(text) {
        match event {
            Event::Start(Tag::Paragraph) => inside = true,
            Event::End(TagEnd::Paragraph) => break,
            Event::Text(piece) | Event::Code(piece) if inside => summary.push_str(&piece),
            Event::SoftBreak | Event::HardBreak if inside => summary.push(' '),
            _ => {}
        }
    }
    summary
}

/// The language of a code block, in rustdoc's or the usual notation.
fn language(kind: &CodeBlockKind<'_>, untagged: Untagged) -> String {
    let tag = match kind {
        CodeBlockKind::Fenced(tag) => tag.split(',').next().unwrap_or("").trim(),
        CodeBlockKind::Indented => "",
    };
    match (tag, untagged) {
        ("", Untagged::Text) => "text",
        ("" | "no_run" | "ignore" | "should_panic" | "compile_fail", _) => "rust",
        (tag, _) => tag,
    }
    .into()
}

/// What rustdoc shows of an example: not the lines that begin with a lone `#`.
fn shown(code: &str) -> String {
    let hidden = |line: &str| line == "#" || line.starts_with("# ");
    let lines: Vec<&str> = code
        .lines()
        .filter(|line| !hidden(line.trim_start()))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str) -> (Article, Vec<Problem>) {
        let mut targets = Targets::default();
        targets.add("README.md", "/", []);
        targets.add("docs/a.md", "/docs/a/", ["one".into()]);
        let mut problems = Vec::new();
        let article = render("docs/a.md", text, Untagged::Text, &targets, &mut problems);
        (article, problems)
    }

    #[test]
    fn title_lead_and_body_are_taken_apart() {
        let (article, problems) =
            rendered("# A `title`\n\nFirst\npart.\n\n## One\n\ntext\n\n### Two\n");
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(article.title, "A title");
        assert_eq!(article.summary, "First part.");
        assert_eq!(article.lead, "<p>First\npart.</p>\n");
        assert!(
            article.body.starts_with("<h2 id=\"one\">One <a"),
            "{}",
            article.body
        );
        let ids: Vec<_> = article.headings.iter().map(|h| h.id.as_str()).collect();
        assert_eq!(ids, ["one", "two"]);
    }

    #[test]
    fn links_are_rewritten_and_listed() {
        let (article, problems) =
            rendered("# A\n\n[up](../README.md) and [here](#one)\n\n## One\n");
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(article.links, ["/", "#one"]);
        assert!(article.lead.contains("<a href=\"/\">up</a>"));
    }

    #[test]
    fn all_problems_are_reported() {
        let (_, problems) =
            rendered("No title, [no page](x.md), [no heading](#x)\n\n<b>bold</b>\n");
        let text: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(text.len(), 4 + 1, "{text:?}");
        assert!(
            text.iter().all(|line| line.starts_with("docs/a.md: ")),
            "{text:?}"
        );
    }

    #[test]
    fn comments_are_left_out() {
        let (article, problems) =
            rendered("# A\n\n<!-- figure: size -->\n\ntext <!-- x --> more\n");
        assert!(problems.is_empty(), "{problems:?}");
        assert!(!article.lead.contains("<!--"), "{}", article.lead);
    }

    #[test]
    fn code_and_tables_scroll_in_themselves() {
        let (article, _) =
            rendered("# A\n\n```sh\na < b\n```\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n");
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
    fn hidden_lines_of_an_example_stay_hidden() {
        assert_eq!(
            shown("use a;\n# fn main() {\n#\n#[b]\n  c();\n# }"),
            "use a;\n#[b]\n  c();"
        );
    }

    #[test]
    fn a_code_block_without_a_language_is_rust_in_a_crate() {
        let kind = CodeBlockKind::Fenced("".into());
        assert_eq!(language(&kind, Untagged::Text), "text");
        assert_eq!(language(&kind, Untagged::Rust), "rust");
        let kind = CodeBlockKind::Fenced("rust,ignore".into());
        assert_eq!(language(&kind, Untagged::Text), "rust");
    }
}

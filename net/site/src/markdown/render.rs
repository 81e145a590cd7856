//! The HTML of an article.

use pulldown_cmark::{Event, HeadingLevel, Tag, TagEnd, html};

use super::code::{self, Untagged};
use super::{Article, Outline, parser};
use crate::Problem;
use crate::escape::escape;
use crate::links::Targets;
use crate::problem::Fault;

/// Where a text comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The document, relative to the root.
    pub(crate) file: &'a str,
    /// How many lines there are before the text.
    pub(crate) lines_before: usize,
}

/// Renders `text`, whose outline is `outline`. What is wrong with it goes to `problems`.
pub(crate) fn render(
    place: Place<'_>,
    text: &str,
    outline: &Outline,
    untagged: Untagged,
    targets: &Targets,
    problems: &mut Vec<Problem>,
) -> Article {
    let mut renderer = Renderer {
        file: place.file,
        outline,
        next_heading: 0,
        untagged,
        targets,
        links: Vec::new(),
        events: Vec::new(),
        body_starts: None,
        code: None,
    };
    let mut in_title = outline.title.is_some();
    // Where in the text the line was counted last, and which it was.
    let (mut counted, mut line) = (0, place.lines_before + 1);
    for (event, range) in parser(text).into_offset_iter() {
        if in_title {
            in_title = !matches!(event, Event::End(TagEnd::Heading(HeadingLevel::H1)));
            // Only a comment stands before the title or in it.
            continue;
        }
        if let Err(fault) = renderer.event(event) {
            if range.start >= counted {
                line += newlines(&text[counted..range.start]);
            } else {
                line -= newlines(&text[range.start..counted]);
            }
            counted = range.start;
            problems.push(Problem::in_line(place.file, line, fault));
        }
    }
    let body = match renderer.body_starts {
        Some(at) => renderer.events.split_off(at),
        None => Vec::new(),
    };
    Article {
        lead: to_html(renderer.events),
        body: to_html(body),
        links: renderer.links,
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

struct Renderer<'a> {
    file: &'a str,
    outline: &'a Outline,
    next_heading: usize,
    untagged: Untagged,
    targets: &'a Targets,
    links: Vec<String>,
    events: Vec<Event<'a>>,
    /// Where in `events` the first heading of level 2 is.
    body_starts: Option<usize>,
    /// The language and the text of the code block that is being read.
    code: Option<(String, String)>,
}

const TABLE_OPENS: &str =
    "<div class=\"table\" role=\"region\" aria-label=\"Table\" tabindex=\"0\">\n";

impl<'a> Renderer<'a> {
    fn event(&mut self, event: Event<'a>) -> Result<(), Fault> {
        match event {
            Event::Start(Tag::Heading { level, .. }) => return self.open_heading(level),
            Event::End(TagEnd::Heading(level)) => self.close_heading(level),
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            }) => {
                let dest_url = self.targets.resolve(self.file, &dest_url)?;
                self.links.push(dest_url.clone());
                self.events.push(Event::Start(Tag::Link {
                    link_type,
                    dest_url: dest_url.into(),
                    title,
                    id,
                }));
            }
            Event::Start(Tag::Image {
                link_type,
                dest_url,
                title,
                id,
            }) => {
                let dest_url = self.targets.resolve(self.file, &dest_url)?;
                self.events.push(Event::Start(Tag::Image {
                    link_type,
                    dest_url: dest_url.into(),
                    title,
                    id,
                }));
            }
            Event::End(TagEnd::Image) => {
                let wordless = matches!(self.events.last(), Some(Event::Start(Tag::Image { .. })));
                if let (true, Some(Event::Start(Tag::Image { dest_url, .. }))) =
                    (wordless, self.events.last())
                {
                    return Err(Fault::NoAlternative(dest_url.to_string()));
                }
                self.events.push(event);
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                self.code = Some((code::language(&kind, self.untagged), String::new()));
            }
            Event::End(TagEnd::CodeBlock) => {
                if let Some((language, text)) = self.code.take() {
                    self.html(code::block(&language, &text));
                }
            }
            Event::Text(piece) if self.code.is_some() => {
                if let Some((_, text)) = &mut self.code {
                    text.push_str(&piece);
                }
            }
            Event::Start(Tag::Table(_)) => {
                self.html(TABLE_OPENS.into());
                self.events.push(event);
            }
            Event::End(TagEnd::Table) => {
                self.events.push(event);
                self.html("</div>\n".into());
            }
            Event::TaskListMarker(done) => {
                let state = if done { " checked" } else { "" };
                let words = if done { "done" } else { "to do" };
                self.html(format!(
                    "<input type=\"checkbox\" disabled{state} aria-label=\"{words}\"> "
                ));
            }
            Event::Html(markup) | Event::InlineHtml(markup) => {
                if !markup.trim_start().starts_with("<!--") {
                    return Err(Fault::Html(markup.into_string()));
                }
            }
            Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => {}
            event => self.events.push(event),
        }
        Ok(())
    }

    fn html(&mut self, markup: String) {
        self.events.push(Event::Html(markup.into()));
    }

    fn open_heading(&mut self, level: HeadingLevel) -> Result<(), Fault> {
        if level == HeadingLevel::H2 && self.body_starts.is_none() {
            self.body_starts = Some(self.events.len());
        }
        let id = self.heading_id();
        self.html(format!("<{level} id=\"{id}\">"));
        match level {
            HeadingLevel::H1 => Err(Fault::LateTitle),
            _ => Ok(()),
        }
    }

    fn close_heading(&mut self, level: HeadingLevel) {
        let id = self.heading_id();
        self.next_heading += 1;
        self.html(format!(
            " <a class=\"anchor\" href=\"#{id}\" aria-label=\"Link to this section\">#</a></{level}>\n"
        ));
    }

    fn heading_id(&self) -> String {
        let heading = self.outline.headings.get(self.next_heading);
        heading.map_or(String::new(), |heading| escape(&heading.id))
    }
}

fn to_html(events: Vec<Event<'_>>) -> String {
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    // A strict security policy allows no style attribute. These strings cannot come from text, where `<` is escaped.
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

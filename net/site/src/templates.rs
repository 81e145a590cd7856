//! From templates and values to pages.

use std::collections::BTreeMap;

use minijinja::value::Value;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, escape_formatter,
};

use crate::escape::escape;
use crate::problem::Fault;
use crate::{Problem, Theme, minimise};

/// Templates that were read.
pub(crate) struct Templates<'a> {
    environment: Environment<'a>,
}

impl<'a> Templates<'a> {
    /// Reads the templates of `theme`. `assets` are the addresses of its files by name, for the function `asset`.
    pub(crate) fn read(
        theme: &'a Theme,
        assets: BTreeMap<String, String>,
    ) -> Result<Self, Vec<Problem>> {
        let mut environment = Environment::new();
        // A name that is misspelt is an error, not an empty place in a page.
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_debug(true);
        environment.set_formatter(put);
        environment.add_function("asset", move |name: String| {
            assets.get(&name).cloned().ok_or_else(|| {
                let detail = format!("the theme has no file {name}");
                Error::new(ErrorKind::InvalidOperation, detail)
            })
        });
        let mut problems = Vec::new();
        for (name, text) in theme.templates() {
            if let Err(error) = environment.add_template(name, text) {
                problems.push(problem(name, &error));
            }
        }
        if problems.is_empty() {
            Ok(Self { environment })
        } else {
            Err(problems)
        }
    }

    /// The template `name` with `values` in it.
    pub(crate) fn fill(&self, name: &str, values: Value) -> Result<String, Problem> {
        let filled = self
            .environment
            .get_template(name)
            .and_then(|template| template.render(values))
            .map_err(|error| problem(name, &error))?;
        Ok(if name.ends_with(".html") {
            minimise::page(&filled)
        } else {
            filled
        })
    }
}

/// Puts a value in a page. As everywhere here, `/` is no character that has to be escaped.
fn put(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if !value.is_safe() && *state.auto_escape() == AutoEscape::Html => {
            out.write_str(&escape(text)).map_err(Error::from)
        }
        _ => escape_formatter(out, state, value),
    }
}

/// What is wrong with a template. An error in a part is told with the part's name and line.
fn problem(name: &str, error: &Error) -> Problem {
    let mut inner = error;
    while let Some(cause) = std::error::Error::source(inner)
        .and_then(|cause| cause.downcast_ref::<Error>())
        .filter(|cause| cause.line().is_some())
    {
        inner = cause;
    }
    let kind = inner.kind();
    let told = match inner.detail() {
        Some(detail) => format!("{kind}: {detail}"),
        None => kind.to_string(),
    };
    Problem {
        file: format!("theme/{}", inner.name().unwrap_or(name)),
        line: inner.line(),
        fault: Fault::Template(told),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;

    fn filled(files: &[(&str, &str)], values: Value) -> Result<String, Vec<Problem>> {
        let mut theme = Theme::default();
        for (name, text) in files {
            theme = theme.with(name, text);
        }
        let assets = [("a.css".into(), "/a.css?1".into())].into();
        let templates = Templates::read(&theme, assets)?;
        templates
            .fill(files[0].0, values)
            .map_err(|problem| vec![problem])
    }

    #[test]
    fn values_are_escaped_and_are_no_templates() {
        let filled = filled(
            &[("x.html", "{{ a }} {{ asset('a.css') }}")],
            context! { a => "<{{ b }}>" },
        );
        assert_eq!(filled.unwrap(), "&lt;{{ b }}&gt; /a.css?1");
    }

    #[test]
    fn errors_name_the_template_and_the_line() {
        for (files, expected) in [
            (vec![("x.html", "a\n{{ b }}")], "theme/x.html:2: "),
            (vec![("x.html", "a\n\n{% if %}")], "theme/x.html:3: "),
            (vec![("x.html", "{{ asset('b') }}")], "theme/x.html:1: "),
            (
                vec![
                    ("x.html", "a\n{% include 'y.html' %}"),
                    ("y.html", "\n\n{{ b }}"),
                ],
                "theme/y.html:3: ",
            ),
            (
                vec![
                    (
                        "x.html",
                        "{% extends 'y.html' %}\n{% block z %}\n{{ b.c }}{% endblock %}",
                    ),
                    ("y.html", "{% block z %}{% endblock %}"),
                ],
                "theme/x.html:3: ",
            ),
        ] {
            let problems = filled(&files, context! { a => 1 }).unwrap_err();
            let said = problems[0].to_string();
            assert!(said.starts_with(expected), "{said}");
        }
    }
}

//! A table of routes: which target answers a method and a path.

use crate::wire::{Method, Methods};

/// Parameters of a pattern at the most.
const PARAMETERS: usize = 4;

/// Methods, a pattern of paths, and what of the app's answers them: mostly a value of an enum that the handler matches on.
///
/// A pattern is a path. A segment `:name` of it stands for any segment that is not empty, and a last segment `*name` for all that follows, which may be nothing.
#[derive(Clone, Copy, Debug)]
pub struct Route<T> {
    methods: Methods,
    pattern: &'static str,
    target: T,
}

impl<T> Route<T> {
    /// A route for GET, and so for HEAD and OPTIONS.
    pub const fn get(pattern: &'static str, target: T) -> Self {
        Self::new(Methods::READ_ONLY, pattern, target)
    }

    /// A route for these methods, and OPTIONS.
    pub const fn new(methods: Methods, pattern: &'static str, target: T) -> Self {
        Self {
            methods: methods.with(Method::Options),
            pattern,
            target,
        }
    }
}

/// Routes in the order in which they are tried: of those that match, the first one answers.
#[derive(Clone, Copy, Debug)]
pub struct Router<T: 'static> {
    routes: &'static [Route<T>],
}

/// A route that matches.
#[derive(Clone, Copy, Debug)]
pub struct Match<'p, T: 'static> {
    /// What answers.
    pub target: &'static T,
    /// What stands in the path for the pattern's parameters.
    pub parameters: Parameters<'p>,
}

impl<T> Router<T> {
    /// A router over these routes.
    ///
    /// # Panics
    ///
    /// If a pattern does not begin with a slash, has a `*` before its last segment, or more than four parameters. In a `static` that is an error of the compiler.
    pub const fn new(routes: &'static [Route<T>]) -> Self {
        let mut index = 0;
        while index < routes.len() {
            check(routes[index].pattern.as_bytes());
            index += 1;
        }
        Self { routes }
    }

    /// The route that answers this method at this path, which is one of [`Request::path`](crate::Request::path).
    pub fn find<'p>(&self, method: Method, path: &'p str) -> Option<Match<'p, T>> {
        self.routes.iter().find_map(|route| {
            let parameters = match_path(route.pattern, path)?;
            route.methods.contains(method).then_some(Match {
                target: &route.target,
                parameters,
            })
        })
    }

    /// The methods that some route answers at this path: none where no route leads. What [`Handler::methods`](crate::Handler::methods) needs for 405 and OPTIONS.
    pub fn methods(&self, path: &str) -> Methods {
        let leading = self
            .routes
            .iter()
            .filter(|route| path == "*" || match_path(route.pattern, path).is_some());
        leading.fold(Methods::NONE, |methods, route| methods | route.methods)
    }
}

/// What stands in a path for the parameters of a pattern. The path is decoded already, so a value may have any character but a slash, a backslash and controls; that of a
/// `*` may have slashes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parameters<'p> {
    named: [(&'static str, &'p str); PARAMETERS],
    count: usize,
}

impl<'p> Parameters<'p> {
    /// The value of the parameter of this name.
    pub fn value(&self, name: &str) -> Option<&'p str> {
        let named = self.named.get(..self.count)?;
        named
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, value)| *value)
    }

    fn push(&mut self, name: &'static str, value: &'p str) {
        // `check` has counted them.
        if let Some(place) = self.named.get_mut(self.count) {
            *place = (name, value);
            self.count += 1;
        }
    }
}

fn match_path<'p>(pattern: &'static str, path: &'p str) -> Option<Parameters<'p>> {
    let mut parameters = Parameters::default();
    let (mut pattern, mut path) = (pattern.strip_prefix('/')?, path.strip_prefix('/')?);
    loop {
        let (expected, more_expected) = first_segment(pattern);
        if let Some(name) = expected.strip_prefix('*') {
            parameters.push(name, path);
            return Some(parameters);
        }
        let (segment, more) = first_segment(path);
        match expected.strip_prefix(':') {
            Some(name) if !segment.is_empty() => parameters.push(name, segment),
            None if expected == segment => {}
            _ => return None,
        }
        (pattern, path) = match (more_expected, more) {
            (None, None) => return Some(parameters),
            (Some(pattern), Some(path)) => (pattern, path),
            _ => return None,
        };
    }
}

fn first_segment(path: &str) -> (&str, Option<&str>) {
    match path.split_once('/') {
        Some((segment, more)) => (segment, Some(more)),
        None => (path, None),
    }
}

const fn check(pattern: &[u8]) {
    assert!(
        !pattern.is_empty() && pattern[0] == b'/',
        "a pattern begins with a slash"
    );
    let (mut index, mut parameters, mut tail) = (1, 0, false);
    while index < pattern.len() {
        if pattern[index - 1] == b'/' && matches!(pattern[index], b':' | b'*') {
            parameters += 1;
            tail = pattern[index] == b'*';
        }
        assert!(
            !(tail && pattern[index] == b'/'),
            "nothing follows the segment with the star"
        );
        index += 1;
    }
    assert!(parameters <= PARAMETERS, "too many parameters");
}

#[cfg(test)]
mod tests {
    use super::*;

    static ROUTES: Router<u8> = Router::new(&[
        Route::get("/", 0),
        Route::get("/posts/new", 1),
        Route::get("/posts/:name", 2),
        Route::new(
            Methods::NONE.with(Method::Put).with(Method::Delete),
            "/posts/:name",
            3,
        ),
        Route::get("/:a/:b/of/:c", 4),
        Route::new(Methods::READ_ONLY.with(Method::Post), "/files/*path", 5),
    ]);

    fn found(method: Method, path: &str) -> Option<u8> {
        ROUTES.find(method, path).map(|found| *found.target)
    }

    #[test]
    fn the_first_route_that_fits_answers() {
        use Method::{Delete, Get, Head, Post, Put};
        for (method, path, target) in [
            (Get, "/", Some(0)),
            (Head, "/", Some(0)),
            (Post, "/", None),
            (Get, "/posts/new", Some(1)),
            (Put, "/posts/new", Some(3)),
            (Get, "/posts/old", Some(2)),
            (Delete, "/posts/old", Some(3)),
            (Get, "/posts/", None),
            (Get, "/posts", None),
            (Get, "/posts/old/", None),
            (Get, "/posts/a/b", None),
            (Get, "/x/y/of/z", Some(4)),
            (Get, "/x/y/off/z", None),
            (Get, "/files/", Some(5)),
            (Get, "/files", None),
            (Post, "/files/a/b/", Some(5)),
            (Get, "*", None),
            (Get, "", None),
        ] {
            assert_eq!(found(method, path), target, "{method:?} {path}");
        }
    }

    #[test]
    fn parameters_are_named() {
        let values = |path: &'static str, names: [&str; 3]| {
            let found = ROUTES.find(Method::Get, path).unwrap();
            names.map(|name| found.parameters.value(name))
        };
        assert_eq!(
            values("/x/y z/of/\u{e9}", ["a", "b", "c"]),
            [Some("x"), Some("y z"), Some("\u{e9}")]
        );
        assert_eq!(
            values("/files/a/b/", ["path", "a", ""]),
            [Some("a/b/"), None, None]
        );
        assert_eq!(values("/files/", ["path", "a", ""]), [Some(""), None, None]);
    }

    #[test]
    fn methods_are_those_of_all_routes_that_lead_there() {
        assert_eq!(
            ROUTES.methods("/posts/new"),
            Methods::READ_ONLY.with(Method::Put).with(Method::Delete)
        );
        assert_eq!(ROUTES.methods("/"), Methods::READ_ONLY);
        assert!(ROUTES.methods("/none").is_empty());
        assert!(ROUTES.methods("*").contains(Method::Post));
    }

    #[test]
    #[should_panic = "nothing follows"]
    fn a_star_in_the_middle_is_refused() {
        static WRONG: [Route<()>; 1] = [Route::get("/*a/b", ())];
        Router::new(&WRONG);
    }

    #[test]
    #[should_panic = "too many parameters"]
    fn too_many_parameters_are_refused() {
        static WRONG: [Route<()>; 1] = [Route::get("/:a/:b/:c/:d/:e", ())];
        Router::new(&WRONG);
    }
}

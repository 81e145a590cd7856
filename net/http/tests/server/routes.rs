//! A handler with a table of routes.

use morgana_http::{
    BodyError, Handler, Limits, Method, Methods, Read, Request, Response, Route, Router, Status,
    read_to_end,
};

use crate::support::Rig;

#[derive(Clone, Copy, Debug)]
enum Page {
    Front,
    Post,
    NewPost,
}

static ROUTES: Router<Page> = Router::new(&[
    Route::get("/", Page::Front),
    Route::get("/posts/:name", Page::Post),
    Route::new(
        Methods::NONE.with(Method::Put),
        "/posts/:name",
        Page::NewPost,
    ),
]);

struct Blog;

impl Handler for Blog {
    fn methods(&self, request: &Request<'_>) -> Methods {
        ROUTES.methods(request.path())
    }

    async fn handle<'h>(
        &'h self,
        request: &Request<'_>,
        body: &mut impl Read<Error = BodyError>,
    ) -> Response<'h> {
        let Some(found) = ROUTES.find(request.method(), request.path()) else {
            return Response::ok("text/plain", b"no such page").status(Status::NOT_FOUND);
        };
        let name = found.parameters.value("name").unwrap_or("none");
        match found.target {
            Page::Front => Response::ok("text/plain", b"front"),
            Page::Post => Response::ok("text/plain", format!("post {name}").into_bytes()),
            Page::NewPost => match read_to_end(body, 100).await {
                Ok(text) => Response::ok("text/plain", text).status(Status::CREATED),
                Err(_) => Response::text(Status::BAD_REQUEST),
            },
        }
    }
}

#[test]
fn the_table_decides() {
    let mut rig = Rig::new(|_| Blog, Limits::DEFAULT);
    for (line, status, says) in [
        ("GET /", "200 OK", "\r\n\r\nfront"),
        ("GET /posts/a%20b", "200 OK", "\r\n\r\npost a b"),
        ("GET /posts/../posts/./c?x", "200 OK", "\r\n\r\npost c"),
        ("HEAD /posts/c", "200 OK", "Content-Length: 6\r\n\r\n"),
        ("PUT /posts/c", "201 Created", "\r\n\r\n"),
        (
            "PUT /",
            "405 Method Not Allowed",
            "Allow: GET, HEAD, OPTIONS\r\n",
        ),
        (
            "DELETE /posts/c",
            "405 Method Not Allowed",
            "Allow: GET, HEAD, PUT, OPTIONS\r\n",
        ),
        (
            "OPTIONS /posts/c",
            "204 No Content",
            "Allow: GET, HEAD, PUT, OPTIONS\r\n",
        ),
        (
            "OPTIONS *",
            "204 No Content",
            "Allow: GET, HEAD, PUT, OPTIONS\r\n",
        ),
        ("GET /posts/", "404 Not Found", "no such page"),
        ("DELETE /none", "404 Not Found", "no such page"),
        ("OPTIONS /none", "404 Not Found", "no such page"),
    ] {
        let answer = rig.answer(format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{line}: {answer}"
        );
        assert!(answer.contains(says), "{line}: {answer}");
    }
}

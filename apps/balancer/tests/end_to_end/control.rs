//! The control interface.

use balancer::Settings;
use morgana_http::Method;

use crate::world::run;

#[test]
fn back_ends_are_added_seen_and_removed() {
    use Method::{Delete, Get, Post, Put};
    run(&["a"], Settings::default(), |world| async move {
        for (method, target, content, code, part) in [
            (
                Get,
                "/backends",
                "",
                200,
                "\"name\":\"a\",\"address\":\"10.0.0.2:80\",\"state\":\"healthy\"",
            ),
            (
                Put,
                "/backends/b",
                "{\"address\":\"10.0.0.9:80\"}",
                201,
                "\"state\":\"joining\"",
            ),
            (
                Put,
                "/backends/b",
                "{\"address\":\"10.0.0.9:80\"}",
                200,
                "\"name\":\"b\"",
            ),
            (
                Put,
                "/backends/b",
                "{\"address\":\"10.0.0.9:81\"}",
                409,
                "another back end has this name",
            ),
            (
                Put,
                "/backends/c",
                "{\"address\":\"10.0.0.9\"}",
                400,
                "an address is",
            ),
            (
                Put,
                "/backends/c",
                "{\"address\":\"10.0.0.9:0\"}",
                400,
                "an address is",
            ),
            (
                Put,
                "/backends/c",
                "{\"adress\":\"10.0.0.9:80\"}",
                400,
                "the only key",
            ),
            (
                Put,
                "/backends/c",
                "{\"address\":1}",
                400,
                "not a JSON object",
            ),
            (Put, "/backends/c", "", 400, "not a JSON object"),
            (
                Put,
                "/backends/c%20d",
                "{\"address\":\"10.0.0.9:80\"}",
                400,
                "a name has",
            ),
            (Get, "/backends/b", "", 200, "\"connect_failures\":0"),
            (Get, "/backends/c", "", 404, "no such back end"),
            (Post, "/backends/c/drain", "", 404, "no such back end"),
            (Delete, "/backends/c", "", 404, "no such back end"),
            (Delete, "/backends/b", "", 204, ""),
            (Get, "/backends/b", "", 404, ""),
            (Post, "/backends/a/drain", "", 204, ""),
            (Get, "/backends", "", 200, "[]"),
            (Post, "/backends", "", 405, ""),
            (Get, "/other", "", 404, "no such resource"),
            (Get, "/healthz", "", 200, "ok"),
        ] {
            let got = world.control(method, target, content).await;
            assert_eq!(got.code, code, "{method:?} {target}: {}", got.text());
            assert!(
                got.text().contains(part),
                "{method:?} {target}: {}",
                got.text()
            );
            if content.len() > 500 {
                assert_eq!(code, 413);
            }
        }
        let long = "x".repeat(2000);
        assert_eq!(world.control(Put, "/backends/c", &long).await.code, 413);
    });
}

#[test]
fn figures_are_shown() {
    run(&["a", "b"], Settings::default(), |world| async move {
        for _ in 0..10 {
            assert_eq!(world.get("/page?2").await.code, 200);
        }
        let text = world.control(Method::Get, "/metrics", "").await.text();
        for line in [
            "balancer_requests_total{end=\"answered\"} 10",
            "balancer_request_seconds_bucket{le=\"0.001\"} 0",
            "balancer_request_seconds_bucket{le=\"0.005\"} 10",
            "balancer_request_seconds_count 10",
            "balancer_request_seconds_sum 0.020000000",
            "balancer_backend_healthy{backend=\"a\"} 1",
            "balancer_backend_requests_total{backend=\"b\"} 5",
        ] {
            assert!(text.contains(&format!("\n{line}\n")), "{line}\n{text}");
        }
        let text = world.control(Method::Get, "/stats", "").await.text();
        for part in [
            "\"requests\":10,\"in_flight\":0,\"waiting\":0,\"answered\":10,",
            "\"recent\":{\"span_ms\":",
            "\"p50_us\":2000,",
            "\"backends\":[{\"name\":\"a\",",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    });
}

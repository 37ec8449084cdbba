//! The browser is headless Chromium; the accessibility checker is axe-core from npm, installed under the build directory.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;
use support::World;

use crate::{all_run, run_at, world};

/// The name, width and height of a window.
type Window = (&'static str, u32, u32);

const WINDOWS: [Window; 2] = [("phone", 390, 844), ("desktop", 1280, 900)];

/// The page of a world at a moment.
fn page(world: &World, time: &str) -> String {
    let path = world.path("status.html");
    run_at(world, "job-status", time, &["--html", path.to_str().unwrap()]).run();
    assert_eq!(world.mode(&path), 0o644, "a web server is another user");
    world.read_text(&path)
}

/// Thirty days of runs every half hour and every five minutes; a day of them failed, and a run was killed.
fn with_history(world: &World, runs: i64) {
    all_run(world, "12:00");
    let database = rusqlite::Connection::open(world.state().join("state.db")).unwrap();
    let end: DateTime<Utc> = "2026-05-13T11:30:00Z".parse().unwrap();
    let stamp = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
    database.execute_batch("BEGIN").unwrap();
    for number in 0..runs {
        let started = end - TimeDelta::seconds(number * 30 * 24 * 3600 / runs);
        let job = if number % 7 == 0 { "port-sheet-sync" } else { "token-check" };
        let outcome = match number {
            1400..1500 => "failed",
            2000 => "running",
            2100..2104 => "skipped",
            _ => "ok",
        };
        let message =
            (outcome == "failed").then(|| format!("sheet \"port-sheet\": <Google> said \"no\" & {number}"));
        let exit = [("failed", 69), ("ok", 0), ("skipped", 75)]
            .iter()
            .find(|(word, _)| *word == outcome)
            .map(|(_, exit)| exit);
        let finished = exit.map(|_| stamp(started + TimeDelta::milliseconds(900 + number % 4000)));
        let result = format!(r#"{{"sheets":[{{"added":{},"updated":1,"removed":0}}]}}"#, number % 9);
        let insert =
            "INSERT INTO run (run, job, pid, started, finished, outcome, exit, message, hint, result)
                      VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, 'nothing if it passes', ?8)";
        let values = rusqlite::params![
            format!("old-{number}"),
            job,
            stamp(started),
            finished,
            outcome,
            exit,
            message,
            result
        ];
        database.execute(insert, values).unwrap();
    }
    database.execute_batch("COMMIT").unwrap();
}

#[test]
fn the_page_needs_nothing_but_itself_and_says_in_words_what_colours_say() {
    let world = world().build();
    all_run(&world, "12:00");
    let html = page(&world, "12:01");
    for part in [
        "<h1 class=\"good\">",
        "Everything is fresh and healthy",
        "port-sheet-sync <span class=\"good\">",
        "fresh</span>",
    ] {
        assert!(html.contains(part), "{part} in {html}");
    }
    for part in ["<script", "http://", "https://", "url(", "@import", "src="] {
        assert!(!html.contains(part), "{part} would need more than the page");
    }
}

#[test]
fn an_unhealthy_page_names_each_thing_with_the_command_to_type_and_no_booking() {
    let world = world().csv(&["booking_id,vessel", "B-SECRET,Alma", "B-SECRET,Borea"]).build();
    run_at(&world, "port-sheet-sync", "12:00", &[]).run().exit(65);
    let html = page(&world, "12:01");
    for part in
        ["<h1 class=\"bad\">", "things need a look", "job-status -v, on the machine itself", "it never ran"]
    {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(!html.contains("B-SECRET"), "{html}");
}

#[test]
fn five_thousand_runs_make_a_small_page() {
    let world = world().build();
    with_history(&world, 5_000);
    let html = page(&world, "12:01");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(html.as_bytes()).unwrap();
    let bytes = packed.finish().unwrap().len();
    assert!(bytes < 200 * 1024, "{bytes} bytes");
    assert!(html.contains("&lt;Google&gt; said &quot;no&quot; &amp; "), "what Google says is text");
    assert!(
        html.matches("<li class=\"bad\"").count() >= 1 && html.matches("<li class=\"good\"").count() > 40
    );
}

#[test]
fn a_browser_shows_it_on_a_phone_and_a_desk_by_day_and_by_night() {
    let world = world().build();
    with_history(&world, 5_000);
    world.remove(&world.credential());
    run_at(&world, "port-sheet-sync", "12:02", &[]).run().exit(77);
    let html = page(&world, "12:03");
    for window in WINDOWS {
        for dark in [false, true] {
            let seen = browse(&world, &html, window, dark);
            let name = format!("{} {}", window.0, if dark { "dark" } else { "light" });
            assert_eq!(seen["width"], window.1, "{name}");
            assert_eq!(seen["dark"], dark, "{name}");
            assert!(seen["scroll"].as_u64() <= seen["width"].as_u64(), "{name} scrolls sideways: {seen:#}");
            assert_eq!(seen["violations"], Value::Array(Vec::new()), "{name}: {seen:#}");
        }
    }
}

/// What the page is when a browser shows it. It is framed at the window's width, since a browser's window is never as
/// narrow as a phone.
fn browse(world: &World, html: &str, (name, width, height): Window, dark: bool) -> Value {
    let checker = axe();
    let look = "
        const seen = { width: innerWidth, scroll: document.documentElement.scrollWidth,
            dark: matchMedia('(prefers-color-scheme: dark)').matches, violations: [] };
        const tell = () => parent.postMessage(JSON.stringify(seen), '*');
        document.querySelectorAll('details').forEach((part) => { part.open = true; });
        axe.run(document).then((found) => {
            seen.violations = found.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html).join(' '));
            tell();
        });";
    let framed =
        html.replace("</body>", &format!("<script>{checker}</script><script>{look}</script></body>"));
    world.write("framed.html", framed.as_bytes());
    let outer = format!(
        "<!DOCTYPE html><meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\">
         <body style=\"margin:0\"><script>addEventListener('message', (m) => {{
           const pre = document.createElement('pre'); pre.id = 'seen'; pre.textContent = btoa(unescape(encodeURIComponent(m.data)));
           document.body.append(pre); }})</script>
         <iframe src=\"framed.html\" style=\"border:0;width:{width}px;height:{height}px\"></iframe></body>"
    );
    world.write("outer.html", outer.as_bytes());
    let url = format!("file://{}", world.path("outer.html").display());
    let dumped = chromium(world, dark, &["--dump-dom", "--virtual-time-budget=20000", &url]);
    let shot = screenshots().join(format!("{name}-{}.png", if dark { "dark" } else { "light" }));
    world.write("picture.html", html.as_bytes());
    let frame = format!(
        "<!DOCTYPE html><meta name=\"color-scheme\" content=\"light dark\"><body style=\"margin:0\">\
        <iframe src=\"picture.html\" style=\"border:0;width:{width}px;height:2400px\"></iframe></body>"
    );
    world.write("shot.html", frame.as_bytes());
    let url = format!("file://{}", world.path("shot.html").display());
    chromium(
        world,
        dark,
        &[
            &format!("--screenshot={}", shot.display()),
            &format!("--window-size={},2400", width.max(600)),
            &url,
        ],
    );
    let encoded = dumped.split_once("<pre id=\"seen\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (encoded, _) = encoded.unwrap_or_else(|| panic!("the page was not looked at: {dumped}"));
    let told = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap();
    serde_json::from_slice(&told).unwrap()
}

/// The pictures of the last test, for people to look at.
fn screenshots() -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("status-page");
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// Runs Chromium and returns what it printed; it must complain of nothing.
fn chromium(world: &World, dark: bool, arguments: &[&str]) -> String {
    let profile = tempfile::Builder::new().prefix("chromium-").tempdir_in(world.dir()).unwrap();
    let quiet = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--hide-scrollbars",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-logging=stderr",
    ];
    let scheme = if dark {
        "--blink-settings=preferredColorScheme=0"
    } else {
        "--blink-settings=preferredColorScheme=1"
    };
    let run = Command::new(support::program("chromium"))
        .args(quiet)
        .arg(scheme)
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success(), "{said}");
    let console: Vec<&str> = said.lines().filter(|line| line.contains(":CONSOLE")).collect();
    assert!(console.is_empty(), "{console:#?}");
    String::from_utf8(run.stdout).unwrap()
}

/// axe-core's script.
fn axe() -> String {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/page");
    let installed = support::packages(&sources, Path::new(env!("CARGO_TARGET_TMPDIR")));
    std::fs::read_to_string(installed.join("node_modules/axe-core/axe.min.js")).unwrap()
}

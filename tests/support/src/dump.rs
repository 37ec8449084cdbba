//! Everything about a world whose test fails: runs, directory, config, requests. Secrets are blotted out.

use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt;

use crate::files::each_path;
use crate::world::World;

/// Longer texts are cut in the middle.
const SHOWN_CHARS: usize = 12_000;

/// Prints it on the test's standard error.
#[expect(clippy::print_stderr, reason = "a failing test tells what happened")]
pub(crate) fn print(world: &World) {
    let text = text(world);
    eprintln!("{}", world.known().secrets.blot(&text));
}

fn text(world: &World) -> String {
    let mut text = String::from("\n==== the world of this test ====\n");
    for run in &world.known().runs {
        let _ = writeln!(
            text,
            "\n---- {}\nexit code {:?}, signal {:?}\n-- stdout\n{}-- stderr\n{}",
            run.command,
            run.code,
            run.signal,
            shortened(&run.stdout),
            shortened(&run.stderr)
        );
    }
    let _ = writeln!(text, "---- {}", world.dir().display());
    each_path(world.dir(), &mut |path| {
        let Ok(metadata) = std::fs::symlink_metadata(path) else { return };
        let shown = path.strip_prefix(world.dir()).unwrap_or(path).display();
        let (mode, uid) = (metadata.mode() & 0o7777, metadata.uid());
        let _ = writeln!(text, "{mode:04o} {uid:5} {:10} {shown}", metadata.len());
    });
    let config = std::fs::read_to_string(world.config()).unwrap_or_default();
    let _ = writeln!(text, "\n---- config.toml\n{}", shortened(&config));
    let _ = writeln!(text, "---- requests since the last clear");
    for request in world.requests() {
        let body = shortened(&request.body.to_string());
        let (method, path, query) = (&request.method, &request.path, &request.query);
        let _ = writeln!(text, "{method} {path}?{query} → {:?}\n     {body}", request.status);
    }
    text
}

fn shortened(text: &str) -> String {
    let count = text.chars().count();
    if count <= SHOWN_CHARS {
        return text.to_owned();
    }
    let start: String = text.chars().take(SHOWN_CHARS / 2).collect();
    let end: String = text.chars().skip(count - SHOWN_CHARS / 2).collect();
    format!("{start}\n… {} characters left out …\n{end}", count - SHOWN_CHARS)
}

//! The modules of a crate as its sources name them: in which order `lib.rs` lists them, and which imports which.
//!
//! It reads text, no syntax tree. Comments and what follows `#[cfg(test)]` are left out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

/// What a file names that opens a connection itself, or through a module of `shared` that does.
const SOCKETS: [&str; 11] = [
    "tokio::net",
    "std::net::Tcp",
    "hyper",
    "google_sheets4",
    "tokio_postgres",
    "mysql_async",
    "AsyncSmtpTransport",
    "shared::sys::http",
    "shared::google",
    "shared::oauth",
    "shared::notify",
];

/// The sources of one crate. A file's name is its module's path, such as `sys::http`.
#[derive(Debug)]
pub struct Modules {
    /// The modules of `lib.rs`, from the top of the list.
    order: Vec<String>,
    code: BTreeMap<String, String>,
    imports: BTreeMap<String, BTreeSet<String>>,
}

impl Modules {
    /// Reads the crate with this `src`.
    pub fn read(src: &Path) -> Self {
        let lib = code_of(&src.join("lib.rs"));
        let mut code = BTreeMap::new();
        collect(src, "", &mut code);
        let reexports = reexports(&lib);
        let imports = code.iter().map(|(name, text)| (name.clone(), imports(name, text, &code, &reexports)));
        Self { order: declared(&lib), imports: imports.collect(), code }
    }

    /// The modules of `lib.rs`, from the top of the list.
    pub fn order(&self) -> &[String] {
        &self.order
    }

    /// Every import of a module that `lib.rs` lists below the importing one.
    pub fn against_the_order(&self) -> Vec<String> {
        let place = |file: &str| self.order.iter().position(|name| name == top(file));
        let arrows =
            self.imports.iter().flat_map(|(file, imports)| imports.iter().map(move |name| (file, name)));
        arrows
            .filter(|(file, import)| place(import) > place(file))
            .map(|(file, import)| format!("{file} imports {import}"))
            .collect()
    }

    /// How the files of these modules reach a file that opens a socket, one chain of imports for each such file.
    pub fn sockets_reached_from(&self, modules: &[&str]) -> Vec<String> {
        let is_start = |file: &&String| modules.iter().any(|module| is_within(file, module));
        let mut chains: BTreeMap<&str, String> = BTreeMap::new();
        let mut queue: VecDeque<&str> = self.code.keys().filter(is_start).map(String::as_str).collect();
        chains.extend(queue.iter().map(|file| (*file, (*file).to_owned())));
        let mut found = Vec::new();
        while let Some(file) = queue.pop_front() {
            let chain = chains[file].clone();
            if SOCKETS.iter().any(|socket| self.code[file].contains(socket)) {
                found.push(chain.clone());
            }
            for import in &self.imports[file] {
                if !chains.contains_key(import.as_str()) {
                    chains.insert(import, format!("{chain} → {import}"));
                    queue.push_back(import);
                }
            }
        }
        found
    }
}

fn top(file: &str) -> &str {
    file.split("::").next().unwrap_or(file)
}

fn is_within(file: &str, module: &str) -> bool {
    file.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn collect(dir: &Path, module: &str, code: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(dir).expect("a folder of sources").flatten() {
        let path = entry.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let within = if module.is_empty() { name.clone() } else { format!("{module}::{name}") };
        match name.as_str() {
            _ if path.is_dir() => collect(&path, &within, code),
            "lib" | "main" | "tests" => {}
            "mod" => drop(code.insert(module.to_owned(), code_of(&path))),
            _ if path.extension().is_some_and(|extension| extension == "rs") => {
                code.insert(within, code_of(&path));
            }
            _ => {}
        }
    }
}

fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source");
    let (code, _) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
    code.lines().filter(|line| !line.trim_start().starts_with("//")).fold(String::new(), |code, line| {
        let line = line.split(" // ").next().unwrap_or_default();
        code + line + "\n"
    })
}

/// The names behind `mod`, in order.
fn declared(code: &str) -> Vec<String> {
    let names = code.lines().filter_map(|line| line.split_once("mod ")?.1.split_once(';'));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// The module of each name that `lib.rs` exports again.
fn reexports(lib: &str) -> BTreeMap<String, String> {
    let mut paths = Vec::new();
    for text in lib.split("pub use ").skip(1) {
        tree(text.trim_start_matches("crate::"), "", &mut paths);
    }
    paths.into_iter().filter_map(|path| Some((path.rsplit("::").next()?.to_owned(), path.clone()))).collect()
}

/// The files of this crate that a file names: through `crate::`, through `super::`, or, for its own children, by name.
fn imports(
    file: &str,
    text: &str,
    code: &BTreeMap<String, String>,
    reexports: &BTreeMap<String, String>,
) -> BTreeSet<String> {
    let mut paths = Vec::new();
    for (at, found) in text.match_indices("crate::") {
        tree(&text[at + found.len()..], "", &mut paths);
    }
    let mut above = file;
    let mut prefix = String::new();
    while let Some((parent, _)) = above.rsplit_once("::") {
        prefix.push_str("super::");
        for (at, found) in text.match_indices(&prefix) {
            tree(&text[at + found.len()..], parent, &mut paths);
        }
        above = parent;
    }
    prefix.push_str("super::");
    for (at, found) in text.match_indices(&prefix) {
        tree(&text[at + found.len()..], "", &mut paths);
    }
    let children = declared(text).into_iter().filter(|child| text.contains(&format!("{child}::")));
    paths.extend(children.map(|child| format!("{file}::{child}")));
    let known = paths.iter().map(|path| reexports.get(path).unwrap_or(path));
    known.filter_map(|path| longest_file(path, code)).filter(|import| import != file).collect()
}

/// The file in which a path ends.
fn longest_file(path: &str, code: &BTreeMap<String, String>) -> Option<String> {
    let mut path = path;
    loop {
        if code.contains_key(path) {
            return Some(path.to_owned());
        }
        path = path.rsplit_once("::")?.0;
    }
}

/// Reads one path or one tree of a `use`, such as `sys::{http, url::is_loopback}`, and returns what follows it.
fn tree<'a>(text: &'a str, base: &str, paths: &mut Vec<String>) -> &'a str {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let end = text.find(|c| !is_path(c)).unwrap_or(text.len());
    let path = text[..end].trim_matches(':');
    let full = [base, path].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("::");
    let Some(mut rest) = text[end..].strip_prefix('{').filter(|_| end == 0 || text[..end].ends_with("::"))
    else {
        paths.push(full);
        return &text[end..];
    };
    loop {
        rest = rest.trim_start_matches([' ', '\n', ',']);
        if rest.is_empty() || rest.starts_with('}') {
            return rest.strip_prefix('}').unwrap_or(rest);
        }
        rest = tree(rest, &full, paths);
        rest = &rest[rest.find([',', '}']).unwrap_or(rest.len())..];
    }
}

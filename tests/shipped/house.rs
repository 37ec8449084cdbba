//! The layers of the sources: each module imports only those above it in `lib.rs`, and what decides opens no socket.

use std::fs;

use support::house::Modules;

use crate::shipped;

const CRATES: [&str; 2] = ["shared/src", "bins/port-sheet-sync/src"];

#[test]
fn a_module_imports_only_those_above_it_in_the_list_of_its_crate() {
    for src in CRATES {
        assert_eq!(Modules::read(&shipped(src)).against_the_order(), Vec::<String>::new(), "{src}");
    }
}

#[test]
fn the_list_has_every_module_of_the_crate() {
    for src in CRATES {
        let entries = fs::read_dir(shipped(src)).unwrap().map(|entry| entry.unwrap().path());
        let mut names: Vec<String> =
            entries.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
        names.retain(|name| name != "lib" && name != "main");
        names.sort();
        let mut listed = Modules::read(&shipped(src)).order().to_vec();
        listed.sort();
        assert_eq!(listed, names, "{src}");
    }
}

#[test]
fn what_decides_reaches_no_module_that_opens_a_socket() {
    let deciding: [(&str, &[&str]); 2] = [
        ("shared/src", &["alert", "quota", "credential::health"]),
        ("bins/port-sheet-sync/src", &["plan", "sheet", "model"]),
    ];
    for (src, modules) in deciding {
        assert_eq!(Modules::read(&shipped(src)).sockets_reached_from(modules), Vec::<String>::new(), "{src}");
    }
}

#[test]
fn what_asks_is_known_to_open_a_socket() {
    let modules = Modules::read(&shipped("bins/port-sheet-sync/src"));
    assert!(!modules.sockets_reached_from(&["snapshot"]).is_empty());
    assert!(!modules.sockets_reached_from(&["source"]).is_empty());
    assert!(!Modules::read(&shipped("shared/src")).sockets_reached_from(&["notify"]).is_empty());
}

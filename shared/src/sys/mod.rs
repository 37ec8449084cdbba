//! This machine: files, directories, locks, processes, logs and the network below any API.

pub mod atomic_file;
pub mod command;
pub mod counters;
pub mod dirs;
pub mod http;
pub mod lock;
pub mod logging;
pub mod payload;
pub mod process_tree;
pub mod retry;
pub mod secret_file;
pub mod url;

//! A local stand-in for the Sheets v4 API, the Drive calls around it and Google's OAuth endpoints.
//!
//! [`Server::start`] runs one inside a test; the executable of the same name serves foreign clients. It listens on
//! loopback only, and what a spreadsheet does is not decided here but in `sheets-model`.

mod admin;
mod auth;
mod clock;
mod connection;
mod drive;
mod fault;
mod oauth;
mod pace;
mod quota;
mod random;
mod reply;
mod request;
mod requests;
mod route;
mod server;
mod sheets;
mod state;
mod world;

pub use admin::{Admin, Client, Person};
pub use fault::{Act, Fault, Stall};
pub use requests::LoggedRequest;
pub use server::{Options, Server};
pub use sheets_model::Tab;

/// The number of the project that all clients and service accounts belong to.
pub(crate) const PROJECT_NUMBER: &str = "123456789012";
/// The id of that project.
pub(crate) const PROJECT_ID: &str = "stand-in-project";
/// Who owns the spreadsheets that tests make.
pub const OWNER: &str = "owner@example.com";

//! Builds the world a test runs in: directories, config, credentials, servers; runs one executable; reports all on failure.
//!
//! ```text
//! let world = World::of(env!("CARGO_BIN_EXE_port-sheet-sync")).csv(&["booking_id,vessel", "B-1,Alma"]).build();
//! world.run(&["--json"]).exit(0);
//! assert_eq!(world.rows(), [["booking_id", "vessel"], ["B-1", "Alma"]]);
//! ```
//!
//! Every process started here ends in one function, which searches everything it said and left on disk for every
//! secret that the world knows. A test that fails prints the whole world, secrets blotted out.

mod builder;
mod database;
mod dump;
mod files;
pub mod house;
mod npm;
mod process;
mod program;
mod receiver;
mod run;
mod running;
mod secrets;
mod sheet;
mod source;
mod store;
mod terminal;
mod web;
mod world;

pub use builder::{BOOKINGS, Builder};
pub use database::{Database, PASSWORD};
pub use files::{Content, Snapshot};
pub use npm::packages;
pub use process::Process;
pub use program::program;
pub use receiver::{Answer, Received, Receiver};
pub use run::Run;
pub use running::Running;
pub use sheet::{Counts, PERSON, TAB};
pub use store::{Record, Told};
pub use web::{WebServer, answer, unmeasured};
pub use world::{World, noon};

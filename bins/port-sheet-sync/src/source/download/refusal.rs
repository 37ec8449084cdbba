//! The failure of a web server that returns no bookings. The address is shown without its query.

use http::StatusCode;
use shared::config::Web;
use shared::{Failure, Kind};

use crate::source::web::PageKind;

/// The server did not respond as it should; the next run may succeed.
pub fn unusable(web: &Web, why: &str) -> Failure {
    let hint = format!("the next run tries again; open {} in a browser to see what it answers", web.address);
    Failure::new(Kind::Unavailable, format!("the source {} {why}", web.address), hint)
}

/// The server wants another key, or any.
pub fn refused(web: &Web, status: StatusCode) -> Failure {
    let hint = match &web.secret {
        Some(secret) => {
            format!("ask whoever runs it for a new key, and put it into {}", secret.file.display())
        }
        None => "name the file with the key that it asks for in secret-file of the source".to_owned(),
    };
    Failure::new(Kind::Credential, format!("the source {} answered {status}", web.address), hint)
}

/// A web page.
pub fn page(web: &Web, page: PageKind) -> Failure {
    let shown = &web.address;
    match page {
        PageKind::Login => Failure::new(
            Kind::Credential,
            format!("the source {shown} shows a login page instead of bookings"),
            "it lets only people in: for an Apps Script, Deploy, Manage deployments, Who has access: Anyone; otherwise name a key in secret-file of the source",
        ),
        PageKind::Other => Failure::new(
            Kind::Unavailable,
            format!("the source {shown} shows a web page instead of bookings"),
            format!("read what it says: open {shown} in a browser"),
        ),
    }
}

/// More than allowed.
pub fn too_large(web: &Web) -> Failure {
    // The smallest unit of the configuration.
    let kib = web.max_size / 1024;
    let limit = if kib.is_multiple_of(1024) { format!("{} MiB", kib / 1024) } else { format!("{kib} KiB") };
    Failure::new(
        Kind::Data,
        format!("the source {} is larger than max-size allows, {limit}", web.address),
        "is it the right address? otherwise raise max-size of the source",
    )
}

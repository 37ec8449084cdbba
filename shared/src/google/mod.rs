//! Google's API as every job meets it.

pub mod access_check;
pub mod api_error;
pub mod rate_limit;

//! A local stand-in for the Sheets v4 API, the Drive calls around it and Google's OAuth endpoints.

//! Builds the world a test runs in: directories, config, credentials, servers; runs one executable; tells all on failure.

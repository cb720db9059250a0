//! Connections of clients: accept, serve, end.

//! The bytes of a request and its response, both ways.

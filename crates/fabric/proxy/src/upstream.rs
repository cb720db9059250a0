//! Connections to upstream endpoints, and which of them can be used again.

//! The engine's vocabulary and its durable encoding.

//! What may pass: the rules that every message is held to before anything else looks at it.

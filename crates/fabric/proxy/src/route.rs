//! Which route a request takes, and what it does to the request.

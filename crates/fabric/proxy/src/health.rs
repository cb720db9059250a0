//! Which endpoints are fit to take requests.

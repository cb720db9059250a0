//! Runs any machine on a log.

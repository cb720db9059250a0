//! What is done to requests and responses on the way, as decisions; carrying them out is the work of `forward`.

mod cors;

pub(crate) use cors::check_origin;

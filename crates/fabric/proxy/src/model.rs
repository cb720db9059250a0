//! What an operator describes: listeners, routes, clusters, filters.

//! Keys of `[[route]]`.

use coreto_proxy::model::{
    Action, FieldMatch, Forward, Mirror, PathMatch, PathRewrite, Redirect, Respond, Route, Split, SplitBy,
    ValueMatch,
};

use super::filter::filters;
use crate::visit::Keys;

pub(super) fn route<K: Keys>(keys: &mut K, route: &mut Route) {
    keys.value("name", &mut route.name);
    keys.list("listeners", &mut route.listeners);
    keys.list("hosts", &mut route.hosts);
    path(keys, &mut route.path);
    keys.list("methods", &mut route.methods);
    keys.tables("header", &mut route.headers, field);
    keys.tables("query", &mut route.query, field);
    if !keys.writes() || matches!(route.path, PathMatch::Regex(_)) {
        keys.value("priority", &mut route.priority);
    }
    keys.value("path-mode", &mut route.path_mode);
    keys.value("encoded-slash", &mut route.encoded_slash);
    action(keys, &mut route.action);
    filters(keys, &mut route.filters);
    let timeouts = &mut route.timeouts;
    keys.table("timeouts", |keys| {
        keys.value("total", &mut timeouts.total);
        keys.optional("per-try", &mut timeouts.per_try);
        keys.value("idle", &mut timeouts.idle);
        keys.value("upgrade-idle", &mut timeouts.upgrade_idle);
    });
    let retry = &mut route.retry;
    keys.table("retry", |keys| {
        keys.value("attempts", &mut retry.attempts);
        keys.list("on", &mut retry.on);
        keys.value("unsafe-methods", &mut retry.unsafe_methods);
        keys.size("body-bytes", &mut retry.body_bytes);
    });
    keys.list("upgrades", &mut route.upgrades);
    let mut body = route.body_bytes.map(crate::value::Size);
    keys.optional("body-bytes", &mut body);
    route.body_bytes = body.map(|size| size.0);
}

fn path<K: Keys>(keys: &mut K, path: &mut PathMatch) {
    let (key, text) = match path {
        PathMatch::Exact(text) => ("path", text),
        PathMatch::Template(text) => ("template", text),
        PathMatch::Prefix(text) => ("prefix", text),
        PathMatch::Regex(text) => ("regex", text),
    };
    let now = Some((key, text.clone()));
    let Some((key, text)) = keys.one_of(&["path", "template", "prefix", "regex"], now) else { return };
    *path = match key {
        "path" => PathMatch::Exact(text),
        "template" => PathMatch::Template(text),
        "regex" => PathMatch::Regex(text),
        _ => PathMatch::Prefix(text),
    };
}

fn field<K: Keys>(keys: &mut K, field: &mut FieldMatch) {
    keys.value("name", &mut field.name);
    let now = match &field.value {
        ValueMatch::Present => None,
        ValueMatch::Exact(text) => Some(("exact", text.clone())),
        ValueMatch::Regex(text) => Some(("regex", text.clone())),
    };
    field.value = match keys.one_of(&["exact", "regex"], now) {
        None => ValueMatch::Present,
        Some(("exact", text)) => ValueMatch::Exact(text),
        Some((_, text)) => ValueMatch::Regex(text),
    };
}

fn rewrite<K: Keys>(keys: &mut K, path: &mut Option<PathRewrite>) {
    let now = match path {
        None => None,
        Some(PathRewrite::Prefix(text)) => Some(("prefix", text.clone())),
        Some(PathRewrite::Template(text)) => Some(("path", text.clone())),
    };
    *path = keys.one_of(&["prefix", "path"], now).map(|(key, text)| match key {
        "prefix" => PathRewrite::Prefix(text),
        _ => PathRewrite::Template(text),
    });
}

/// A route does one of three things.
fn action<K: Keys>(keys: &mut K, action: &mut Action) {
    if keys.writes() {
        match action {
            Action::Forward(to) => forward(keys, to),
            Action::Redirect(to) => keys.table("redirect", |keys| redirect(keys, to)),
            Action::Respond(with) => keys.table("respond", |keys| respond(keys, with)),
        }
        return;
    }
    let mut to = Forward::default();
    forward(keys, &mut to);
    let (mut elsewhere, mut answer) = (None, None);
    keys.switch("redirect", &mut elsewhere, redirect);
    keys.switch("respond", &mut answer, respond);
    let forwards = to != Forward::default();
    if to.to.len() == 1 && to.split_by != SplitBy::default() {
        keys.fault("split-by", "it has no effect without several clusters in `split`");
    }
    if usize::from(forwards) + usize::from(elsewhere.is_some()) + usize::from(answer.is_some()) > 1 {
        let key = if answer.is_some() { "respond" } else { "redirect" };
        keys.fault(key, "a route does one thing: it forwards (`to`, `split`), redirects or responds");
    }
    *action = match (answer, elsewhere) {
        // Where it is to do several things, the names of clusters are looked at all the same.
        _ if forwards => Action::Forward(to),
        (Some(answer), _) => Action::Respond(answer),
        (None, Some(elsewhere)) => Action::Redirect(elsewhere),
        (None, None) => Action::Forward(to),
    };
}

fn forward<K: Keys>(keys: &mut K, forward: &mut Forward) {
    let single = match forward.to.as_slice() {
        [only] if only.weight == 1 => Some(("to", only.cluster.clone())),
        _ => None,
    };
    let to = keys.one_of(&["to"], single).map(|(_, cluster)| cluster);
    if !(keys.writes() && to.is_some()) {
        keys.tables("split", &mut forward.to, split);
    }
    if let Some(cluster) = to {
        if !keys.writes() && !forward.to.is_empty() {
            keys.fault("to", "one cluster is named by `to`, several with their shares by `split`; not both");
        }
        forward.to = vec![Split { cluster, weight: 1 }];
    }
    keys.value("split-by", &mut forward.split_by);
    keys.table("rewrite", |keys| {
        rewrite(keys, &mut forward.path);
        keys.optional("host", &mut forward.host);
    });
    keys.switch("mirror", &mut forward.mirror, mirror);
}

fn split<K: Keys>(keys: &mut K, split: &mut Split) {
    keys.value("cluster", &mut split.cluster);
    keys.value("weight", &mut split.weight);
}

fn mirror<K: Keys>(keys: &mut K, mirror: &mut Mirror) {
    keys.value("cluster", &mut mirror.cluster);
    keys.value("percent", &mut mirror.percent);
    keys.size("body-bytes", &mut mirror.body_bytes);
    keys.value("unsafe-methods", &mut mirror.unsafe_methods);
    keys.value("shadow-host", &mut mirror.shadow_host);
}

fn redirect<K: Keys>(keys: &mut K, redirect: &mut Redirect) {
    keys.value("status", &mut redirect.status);
    keys.optional("scheme", &mut redirect.scheme);
    keys.optional("host", &mut redirect.host);
    keys.optional("port", &mut redirect.port);
    rewrite(keys, &mut redirect.path);
}

fn respond<K: Keys>(keys: &mut K, respond: &mut Respond) {
    keys.value("status", &mut respond.status);
    keys.value("content-type", &mut respond.content_type);
    keys.value("body", &mut respond.body);
}

//! Which pages of other origins may read responses.

/// An origin of a configuration: `https://app.example`, `https://*.example`, `*`, `null`.
pub(crate) fn check_origin(text: &str) -> Result<(), String> {
    if matches!(text, "*" | "null") {
        return Ok(());
    }
    let named = text.split_once("://").is_some_and(|(scheme, rest)| {
        let (host, port) =
            rest.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).unwrap_or((rest, "1"));
        matches!(scheme, "http" | "https")
            && host != "*"
            && crate::route::HostPattern::read(host).is_ok()
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    if named && lower {
        Ok(())
    } else {
        Err(format!("`{text}` is no origin: write `https://app.example`, in lower case, without a path"))
    }
}

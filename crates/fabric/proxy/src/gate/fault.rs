//! All that can be wrong with a message.

use http::StatusCode;

/// What is wrong with a message. Its text names the part and the rule; it is for logs and for the answer's detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Fault {
    /// RFC 9112 §3: method, target and version with one blank between.
    #[error("the request line is not `METHOD TARGET VERSION`")]
    RequestLine,
    /// RFC 9112 §4.
    #[error("the status line is not `VERSION STATUS REASON`")]
    StatusLine,
    /// RFC 9110 §15: 100 to 599.
    #[error("the status is not between 100 and 599")]
    Status,
    /// RFC 9110 §2.5.
    #[error("the version of HTTP is not 1.0 or 1.1")]
    Version,
    /// RFC 9110 §9.1: a token; of some length.
    #[error("the method is no token of at most 32 bytes")]
    Method,
    /// RFC 9110 §15.5.6.
    #[error("the method is not listed")]
    MethodNotListed,
    /// RFC 9112 §3.
    #[error("the target is longer than allowed")]
    TargetLong,
    /// RFC 9112 §3.2.
    #[error("the target is neither a path nor a URL of this connection's scheme")]
    TargetForm,
    /// RFC 3986 §2.
    #[error("the target has a byte that a URL cannot have")]
    TargetByte,
    /// RFC 3986 §2.1; a zero byte ends names in some programs.
    #[error("the path has a `%` without two hexadecimal digits, or `%00`")]
    TargetEscape,
    /// RFC 3986 §5.2.4.
    #[error("the path leads above the root")]
    AboveRoot,
    /// RFC 9112 §3.2.
    #[error("there is no host")]
    HostMissing,
    /// RFC 9112 §3.2.
    #[error("there is more than one host")]
    HostRepeated,
    /// RFC 9110 §7.2.
    #[error("the host is not `name` or `name:port`")]
    HostInvalid,
    /// RFC 9113 §8.3.1.
    #[error("`host` and `:authority` differ")]
    HostDiffers,
    /// RFC 9110 §5.1, §5.5; RFC 9112 §5.
    #[error("a field is not `name: value`")]
    Field,
    /// RFC 9113 §8.2.1.
    #[error("a field's value begins or ends with a blank")]
    FieldBlank,
    /// RFC 9110 §7.6.1.
    #[error("`connection` names more than 32 fields")]
    OptionsMany,
    /// RFC 6585 §5.
    #[error("the head is larger than allowed")]
    HeadLarge,
    /// RFC 6585 §5.
    #[error("there are more fields than allowed")]
    FieldsMany,
    /// RFC 9110 §8.6.
    #[error("`content-length` is not one decimal number below 2^63")]
    LengthInvalid,
    /// RFC 9112 §6.3.
    #[error("`content-length` is there more than once")]
    LengthRepeated,
    /// RFC 9112 §6.1.
    #[error("`content-length` and `transfer-encoding` are both there")]
    LengthAndCoding,
    /// RFC 9112 §6.3.
    #[error("`transfer-encoding` does not end in one `chunked`")]
    CodingInvalid,
    /// RFC 9112 §6.1.
    #[error("`transfer-encoding` has a coding other than `chunked`")]
    CodingUnknown,
    /// RFC 9112 §6.1.
    #[error("`transfer-encoding` is in a message of HTTP/1.0")]
    CodingOld,
    /// RFC 9110 §10.1.1.
    #[error("`expect` is not `100-continue`")]
    Expectation,
    /// RFC 9112 §7.1.
    #[error("a chunk's size is not 1 to 16 hexadecimal digits")]
    ChunkSize,
    /// RFC 9112 §7.1.1.
    #[error("a chunk's extensions are not text, or longer than allowed")]
    ChunkExtension,
    /// RFC 9112 §7.1.
    #[error("a chunk does not end where it says")]
    ChunkEnd,
    /// RFC 9112 §8.
    #[error("the connection ended inside the body")]
    BodyShort,
    /// RFC 9112 §7.1.2.
    #[error("the trailers are not fields, or larger than allowed")]
    Trailers,
    /// RFC 9110 §15.2.2.
    #[error("the protocol was switched to one that was not asked for")]
    SwitchUnasked,
    /// RFC 9110 §15.2: any number, of which nobody needs so many.
    #[error("there are more than 100 informational responses")]
    InterimMany,
}

impl Fault {
    /// How a client is told of its fault.
    pub fn status(self) -> StatusCode {
        match self {
            Fault::MethodNotListed => StatusCode::METHOD_NOT_ALLOWED,
            Fault::TargetLong => StatusCode::URI_TOO_LONG,
            Fault::Expectation => StatusCode::EXPECTATION_FAILED,
            Fault::HeadLarge | Fault::FieldsMany => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Fault::CodingUnknown => StatusCode::NOT_IMPLEMENTED,
            Fault::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Fault::RequestLine
            | Fault::StatusLine
            | Fault::Status
            | Fault::Method
            | Fault::TargetForm
            | Fault::TargetByte
            | Fault::TargetEscape
            | Fault::AboveRoot
            | Fault::HostMissing
            | Fault::HostRepeated
            | Fault::HostInvalid
            | Fault::HostDiffers
            | Fault::Field
            | Fault::FieldBlank
            | Fault::OptionsMany
            | Fault::LengthInvalid
            | Fault::LengthRepeated
            | Fault::LengthAndCoding
            | Fault::CodingInvalid
            | Fault::CodingOld
            | Fault::ChunkSize
            | Fault::ChunkExtension
            | Fault::ChunkEnd
            | Fault::BodyShort
            | Fault::Trailers
            | Fault::SwitchUnasked
            | Fault::InterimMany => StatusCode::BAD_REQUEST,
        }
    }
}

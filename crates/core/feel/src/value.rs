//! What an expression works with: every type of FEEL.

mod compare;
mod context;
mod function;
pub(crate) mod json;
mod list;
mod number;
mod range;
pub mod temporal;
mod text;

pub use compare::equal;
pub(crate) use compare::{by_utf16, equal_in, order, same};
pub use context::Context;
pub use function::{Callable, Function};
pub(crate) use function::{Closure, Kind as FunctionKind};
pub use json::JsonError;
pub use list::List;
pub use number::{DIGITS_MAX, Number, NumberError, Rounding};
pub use range::{Bound, Range};
pub use temporal::{Date, DateTime, DaysTimeDuration, Time, YearsMonthsDuration};
pub use text::Text;

/// How deep lists and contexts may be nested inside each other.
pub const VALUE_DEPTH_MAX: u16 = 256;

/// A value of FEEL; cheap to clone.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Nothing, or the result of what could not be computed.
    #[default]
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A decimal number.
    Number(Number),
    /// A string.
    String(Text),
    /// A list of values of any types.
    List(List),
    /// Named values, in the order in which they were written.
    Context(Context),
    /// A day of the calendar.
    Date(Date),
    /// A time of day, with or without offset or zone.
    Time(Time),
    /// A day and a time of day, with or without offset or zone.
    DateTime(DateTime),
    /// A span of days, hours, minutes, seconds.
    DaysTimeDuration(DaysTimeDuration),
    /// A span of years and months.
    YearsMonthsDuration(YearsMonthsDuration),
    /// The values between two bounds.
    Range(Range),
    /// A function to call.
    Function(Function),
}

impl Value {
    /// The name of the type, as `instance of` and messages call it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::List(_) => "list",
            Self::Context(_) => "context",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::DateTime(_) => "date and time",
            Self::DaysTimeDuration(_) => "days and time duration",
            Self::YearsMonthsDuration(_) => "years and months duration",
            Self::Range(_) => "range",
            Self::Function(_) => "function",
        }
    }

    /// Becomes a clone of another value. Numbers, which loops are mostly about, are written where they stay: a value
    /// that is made first and moved then is written in parts and read as a whole while the parts are still on their
    /// way to memory, and waiting for them takes longer than everything else.
    #[inline]
    pub(crate) fn assign(&mut self, other: &Self) {
        match (self, other) {
            (Self::Number(place), Self::Number(number)) => *place = *number,
            (place, other) => *place = other.clone(),
        }
    }

    /// Adds a clone to a list that is being made, with the same care for numbers. Were both ways in one function,
    /// they would share one push, from a copy.
    #[inline]
    pub(crate) fn clone_onto(&self, items: &mut Vec<Self>) {
        match self {
            Self::Number(number) => items.push(Self::Number(*number)),
            _ => self.clone_onto_slowly(items),
        }
    }

    #[inline(never)]
    fn clone_onto_slowly(&self, items: &mut Vec<Self>) {
        items.push(self.clone());
    }

    /// Whether this is null.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The boolean, if it is one.
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Boolean(boolean) = self { Some(*boolean) } else { None }
    }

    /// The number, if it is one.
    pub const fn as_number(&self) -> Option<Number> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text.as_str()) } else { None }
    }

    /// The items of the list, if it is one.
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(list) = self { Some(list.as_slice()) } else { None }
    }

    /// The context, if it is one.
    pub const fn as_context(&self) -> Option<&Context> {
        if let Self::Context(context) = self { Some(context) } else { None }
    }

    /// The weight of a value that holds no others.
    pub(crate) const WEIGHT_MIN: u64 = 8;

    /// About how many bytes of text the value stands for; counted once per place where a part is used, however the
    /// part is shared.
    pub(crate) fn weight(&self) -> u64 {
        match self {
            Self::List(list) => list.weight(),
            Self::Context(context) => context.weight(),
            Self::String(text) => Self::WEIGHT_MIN + text.as_bytes().len() as u64,
            Self::Null
            | Self::Boolean(_)
            | Self::Number(_)
            | Self::Date(_)
            | Self::Time(_)
            | Self::DateTime(_)
            | Self::DaysTimeDuration(_)
            | Self::YearsMonthsDuration(_)
            | Self::Range(_)
            | Self::Function(_) => Self::WEIGHT_MIN,
        }
    }

    /// How many levels of lists and contexts there are; 0 for all others.
    pub(crate) fn depth(&self) -> u16 {
        match self {
            Self::List(list) => list.depth(),
            Self::Context(context) => context.depth(),
            Self::Range(range) => range.depth(),
            Self::Function(function) => function.depth(),
            Self::Null
            | Self::Boolean(_)
            | Self::Number(_)
            | Self::String(_)
            | Self::Date(_)
            | Self::Time(_)
            | Self::DateTime(_)
            | Self::DaysTimeDuration(_)
            | Self::YearsMonthsDuration(_) => 0,
        }
    }
}

impl From<bool> for Value {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Number(Number::from_i64(integer))
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::String(text)
    }
}

impl From<List> for Value {
    fn from(list: List) -> Self {
        Self::List(list)
    }
}

impl From<Context> for Value {
    fn from(context: Context) -> Self {
        Self::Context(context)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        match value {
            Some(value) => value.into(),
            None => Self::Null,
        }
    }
}

//! How an object declares its keys, and an enumeration its words.

/// Reads and prints a struct that has a field `extra`.
///
/// ```text
/// json_object! { TypeName, "NameInMessages" {       // or: entry TypeName as "name": String, "NameInMessages" {
///     required name;                                // must be there; always printed
///     optional comment;                             // Option; absent without a value
///     nullable check;                               // Option; printed as null without a value
///     default columns;                              // its Default when absent; not printed then
///     hidden timeout (30);                          // the given value when absent; not printed then
///     shown retries (0);                            // the given value when absent; always printed
///     name custom_name;                             // Option<String>, a GraphQL name
///     entries permissions ("permissions");          // entries, printed in order of their names
///     ordered fields ("fields");                    // entries, printed in the order given
///     required_entries fields ("fields");           // the same, must be there and are always printed
///     required type_name: "type";                   // a key that is not called like the field
/// } }
/// ```
///
/// The order of the keys is the order of print, an entry's name first; with `in alphabet` after the name for
/// messages, an entry's keys are printed in alphabetical order.
macro_rules! json_object {
    ($type:ty, $label:literal { $($kind:ident $field:ident $(: $key:literal)? $(($argument:expr))?;)* }) => {
        impl $crate::json::Json for $type {
            fn read(
                value: &serde_json::Value,
                reader: &mut $crate::json::Reader,
            ) -> Result<Self, $crate::json::ParseError> {
                const KEYS: &[&str] = &[$($crate::json::json_object!(@key $field $($key)?)),*];
                let mut object = $crate::json::ObjectReader::open(value, $label, KEYS, reader)?;
                $(let $field = $crate::json::json_object!(
                    @read $kind object, $crate::json::json_object!(@key $field $($key)?) $(, $argument)?
                );)*
                Ok(Self { $($field,)* extra: object.finish() })
            }

            fn print(&self) -> serde_json::Value {
                let mut printer = $crate::json::ObjectPrinter::default();
                $($crate::json::json_object!(
                    @print $kind printer, $crate::json::json_object!(@key $field $($key)?), &self.$field
                    $(, $argument)?
                );)*
                printer.finish(&self.extra)
            }

            fn content() -> $crate::json::Content {
                $crate::json::Content::Object($crate::json::Shape { name: $label, keys: vec![$((
                    $crate::json::json_object!(@key $field $($key)?),
                    $crate::json::json_object!(@content $kind $type, $field),
                )),*] })
            }
        }
    };

    (entry $type:ty as $name:literal: $name_type:ty, $label:literal $(in $order:ident)? {
        $($kind:ident $field:ident $(: $key:literal)? $(($argument:expr))?;)*
    }) => {
        impl $crate::json::Entry for $type {
            type Name = $name_type;

            fn read_entry(
                value: &serde_json::Value,
                reader: &mut $crate::json::Reader,
            ) -> Result<($name_type, Self), $crate::json::ParseError> {
                const KEYS: &[&str] = &[$name, $($crate::json::json_object!(@key $field $($key)?)),*];
                let mut object = $crate::json::ObjectReader::open(value, $label, KEYS, reader)?;
                let entry_name = object.entry_name::<$name_type>($name)?;
                $(let $field = $crate::json::json_object!(
                    @read $kind object, $crate::json::json_object!(@key $field $($key)?) $(, $argument)?
                );)*
                Ok((entry_name, Self { $($field,)* extra: object.finish() }))
            }

            fn print_entry(&self, entry_name: &$name_type) -> serde_json::Value {
                let mut printer = $crate::json::ObjectPrinter::default();
                printer.put($name, entry_name);
                $($crate::json::json_object!(
                    @print $kind printer, $crate::json::json_object!(@key $field $($key)?), &self.$field
                    $(, $argument)?
                );)*
                printer.finish_in(&[$(stringify!($order))?], &self.extra)
            }

            fn shape() -> $crate::json::Shape {
                $crate::json::Shape { name: $label, keys: vec![($name, $crate::json::Content::Leaf), $((
                    $crate::json::json_object!(@key $field $($key)?),
                    $crate::json::json_object!(@content $kind $type, $field),
                )),*] }
            }
        }
    };

    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };

    (@read required $object:ident, $key:expr) => { $object.required($key)? };
    (@read optional $object:ident, $key:expr) => { $object.optional($key)? };
    (@read nullable $object:ident, $key:expr) => { $object.optional($key)? };
    (@read default $object:ident, $key:expr) => { $object.optional($key)?.unwrap_or_default() };
    (@read hidden $object:ident, $key:expr, $default:expr) => { $object.optional($key)?.unwrap_or($default) };
    (@read shown $object:ident, $key:expr, $default:expr) => { $object.optional($key)?.unwrap_or($default) };
    (@read name $object:ident, $key:expr) => { $object.graphql_name($key)? };
    (@read entries $object:ident, $key:expr, $things:expr) => { $object.entries($key, $things)? };
    (@read required_entries $object:ident, $key:expr, $things:expr) => {
        $object.required_with($key, |value, reader| $crate::json::read_entries(value, $things, reader))?
    };
    (@read ordered $object:ident, $key:expr, $things:expr) => { $object.entries($key, $things)? };

    (@print required $printer:ident, $key:expr, $value:expr) => { $printer.put($key, $value) };
    (@print optional $printer:ident, $key:expr, $value:expr) => { $printer.put_some($key, $value.as_ref()) };
    (@print nullable $printer:ident, $key:expr, $value:expr) => { $printer.put($key, $value) };
    (@print default $printer:ident, $key:expr, $value:expr) => {
        $printer.put_unless($key, $value, &Default::default())
    };
    (@print hidden $printer:ident, $key:expr, $value:expr, $default:expr) => {
        $printer.put_unless($key, $value, &$default)
    };
    (@print shown $printer:ident, $key:expr, $value:expr, $default:expr) => { $printer.put($key, $value) };
    (@print name $printer:ident, $key:expr, $value:expr) => { $printer.put_some($key, $value.as_ref()) };
    (@print entries $printer:ident, $key:expr, $value:expr, $things:expr) => {
        $printer.put_entries($key, $value, true)
    };
    (@print ordered $printer:ident, $key:expr, $value:expr, $things:expr) => {
        $printer.put_entries($key, $value, false)
    };

    (@print required_entries $printer:ident, $key:expr, $value:expr, $things:expr) => {
        $printer.put_value($key, $crate::json::print_entries($value, false))
    };

    (@content required_entries $type:ty, $field:ident) => {
        $crate::json::entries_content(|whole: &$type| &whole.$field)
    };
    (@content entries $type:ty, $field:ident) => {
        $crate::json::entries_content(|whole: &$type| &whole.$field)
    };
    (@content ordered $type:ty, $field:ident) => {
        $crate::json::entries_content(|whole: &$type| &whole.$field)
    };
    (@content $kind:ident $type:ty, $field:ident) => {
        $crate::json::field_content(|whole: &$type| &whole.$field)
    };
}

/// Reads and prints an enumeration of words, and gives it `as_str`.
macro_rules! json_words {
    ($type:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $type {
            /// The word in the document.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl $crate::json::Json for $type {
            fn read(
                value: &serde_json::Value,
                reader: &mut $crate::json::Reader,
            ) -> Result<Self, $crate::json::ParseError> {
                let word: String = $crate::json::Json::read(value, reader)?;
                match word.as_str() {
                    $($word => Ok(Self::$variant),)+
                    other => Err(reader.error(format!(
                        "unexpected value {other:?}, expected one of {}", [$($word),+].join(", ")
                    ))),
                }
            }

            fn print(&self) -> serde_json::Value {
                serde_json::Value::String(self.as_str().to_owned())
            }
        }
    };
}

pub(crate) use json_object;
pub(crate) use json_words;

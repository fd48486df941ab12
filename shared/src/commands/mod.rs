//! What clients ask of the relay over the socket.
//!
//! On the wire every command is `{"id": …, "type": …, "body": {…}}`; every body is a closed struct,
//! even an empty one, and an unknown field is refused. `id` is made by the client and names the
//! command for ever (see [`crate::ids::ClientId`]). Decoding is in two steps so that a refusal can
//! still be answered under its id: first the envelope, then the body of the named type.

pub mod staff;
pub mod visitor;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error_code::ErrorCode;
use crate::ids::ClientId;

pub use staff::StaffCommand;
pub use visitor::VisitorCommand;

/// The envelope of a frame from a client, its body not yet read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope<'a> {
    /// The client's name for the command.
    pub id: ClientId,
    /// Which command.
    #[serde(rename = "type", borrow)]
    pub name: std::borrow::Cow<'a, str>,
    /// Its body as it stands in the frame.
    #[serde(borrow)]
    pub body: &'a RawValue,
}

impl<'a> Envelope<'a> {
    /// Reads the envelope; anything else than `{id, type, body}` is a bad frame.
    pub fn decode(frame: &'a str) -> Result<Self, ErrorCode> {
        serde_json::from_str(frame).map_err(|_| ErrorCode::BadFrame)
    }
}

/// The commands of one side of the protocol.
pub trait Command: Sized {
    /// Reads `body` as the command called `name`.
    fn decode(name: &str, body: &str) -> Result<Self, ErrorCode>;
    /// The command's name on the wire.
    fn name(&self) -> &'static str;
}

/// Declares the commands of one side: the enum, its names on the wire and its decoding stand in one
/// list, so that they cannot disagree.
macro_rules! commands {
    ($(#[$doc:meta])* $side:ident { $($(#[$cdoc:meta])* $wire:literal => $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, ts_rs::TS)]
        #[serde(tag = "type", content = "body")]
        #[ts(export)]
        pub enum $side {
            $($(#[$cdoc])* #[serde(rename = $wire)] $variant($variant),)*
        }

        impl $side {
            /// Every command's name, for tests that must cover all of them.
            pub const NAMES: &'static [&'static str] = &[$($wire),*];
        }

        impl $crate::commands::Command for $side {
            fn decode(
                name: &str,
                body: &str,
            ) -> Result<Self, $crate::error_code::ErrorCode> {
                match name {
                    $($wire => serde_json::from_str(body)
                        .map(Self::$variant)
                        .map_err(|_| $crate::error_code::ErrorCode::BadBody),)*
                    _ => Err($crate::error_code::ErrorCode::UnknownCommand),
                }
            }

            fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $wire,)* }
            }
        }
    };
}
pub(crate) use commands;

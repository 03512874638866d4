//! What a server said when it refused, and what it means to us.

use longshore_model::FaultClass;

/// A server's refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Five characters that say what kind of refusal it is.
    pub sqlstate: String,
    /// The sentence for a person.
    pub message: String,
    /// More of it.
    pub detail: Option<String>,
    /// What the server would do about it.
    pub hint: Option<String>,
}

impl Answer {
    /// The fields of an ErrorResponse's body.
    pub(crate) fn parse(body: &[u8]) -> Self {
        let mut answer = Self::default();
        for field in body.split(|byte| *byte == 0) {
            let Some((kind, text)) = field.split_first() else {
                continue;
            };
            let text = String::from_utf8_lossy(text).into_owned();
            match kind {
                b'C' => answer.sqlstate = text,
                b'M' => answer.message = text,
                b'D' => answer.detail = Some(text),
                b'H' => answer.hint = Some(text),
                _ => {}
            }
        }
        answer
    }

    /// A setting's name stands in the message in every language.
    fn names(&self, setting: &str) -> bool {
        [
            Some(&self.message),
            self.detail.as_ref(),
            self.hint.as_ref(),
        ]
        .into_iter()
        .flatten()
        .any(|text| text.contains(setting))
    }

    /// The process that holds a slot: the last number of "replication slot "s" is active for PID 7".
    pub(crate) fn pid(&self) -> Option<u32> {
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        let mut words = self.message.split(|c: char| !c.is_ascii_alphanumeric());
        words
            .rfind(|word| !word.is_empty() && digits(word))?
            .parse()
            .ok()
    }
}

impl From<&tokio_postgres::error::DbError> for Answer {
    fn from(error: &tokio_postgres::error::DbError) -> Self {
        Self {
            sqlstate: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
            hint: error.hint().map(str::to_owned),
        }
    }
}

/// What was going on when the server refused. One SQLSTATE means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Login,
    ReplicationLogin,
    Statement,
    /// The first command of a session in replication mode.
    Identify,
    Slot,
    Stream,
}

/// What a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The password is wrong.
    WrongPassword,
    /// The role does not exist, may not log in, or not from here, or not without encryption.
    LoginRefused,
    /// The database does not exist.
    DatabaseMissing,
    /// All connections are in use.
    TooManyConnections,
    /// All processes that send WAL are in use.
    SendersInUse,
    /// All replication slots are in use.
    SlotsInUse,
    /// `wal_level` is not `logical`.
    WalLevel,
    /// The role lacks a right.
    NotPermitted,
    /// What answers is not PostgreSQL itself but a pooler.
    Pooler,
    /// Somebody else reads the slot.
    SlotActive,
    /// The slot does not exist.
    SlotMissing,
    /// The slot exists already.
    SlotExists,
    /// The slot belongs to another database.
    SlotElsewhere,
    /// The server removed WAL that the slot needs.
    SlotLost,
    /// The publication does not exist where the slot stands.
    PublicationMissing,
    /// A text that is none in the database's encoding.
    InvalidText,
    /// The server stops or starts.
    Stopping,
    /// The server or another session gave up; it may go well next time.
    Passing,
    /// The statement was cancelled.
    Cancelled,
    /// Anything else.
    Refused,
}

impl Meaning {
    pub(crate) fn of(answer: &Answer, stage: Stage) -> Self {
        let login = matches!(stage, Stage::Login | Stage::ReplicationLogin);
        let slot = stage == Stage::Slot;
        match answer.sqlstate.as_str() {
            "28P01" => Self::WrongPassword,
            "28000" => Self::LoginRefused,
            "3D000" => Self::DatabaseMissing,
            "53300" if answer.names("max_wal_senders") => Self::SendersInUse,
            "53300" => Self::TooManyConnections,
            "53400" if answer.names("max_replication_slots") => Self::SlotsInUse,
            "55000" if answer.names("wal_level") => Self::WalLevel,
            "55000" if slot && answer.names("was not created in this database") => {
                Self::SlotElsewhere
            }
            "55000" if slot => Self::SlotLost,
            "58P01" if slot || stage == Stage::Stream => Self::SlotLost,
            "55006" if slot => Self::SlotActive,
            "42704" if slot => Self::SlotMissing,
            "42704" if stage == Stage::Stream => Self::PublicationMissing,
            "42710" if slot => Self::SlotExists,
            "42501" => Self::NotPermitted,
            "22021" => Self::InvalidText,
            // A pooler refuses start-up parameters that it does not know, or takes `replication`
            // for none and hands the replication commands to an ordinary session.
            "08P01" if login => Self::Pooler,
            "42601" if stage == Stage::Identify => Self::Pooler,
            "57P01" | "57P02" | "57P03" | "57P05" => Self::Stopping,
            "57014" => Self::Cancelled,
            "25P03" | "40001" | "40P01" | "55P03" => Self::Passing,
            state if state.starts_with("08") || state.starts_with("53") => Self::Passing,
            _ => Self::Refused,
        }
    }

    pub(crate) fn class(self) -> FaultClass {
        match self {
            Self::WrongPassword
            | Self::LoginRefused
            | Self::DatabaseMissing
            | Self::SendersInUse
            | Self::SlotsInUse
            | Self::WalLevel
            | Self::NotPermitted
            | Self::Pooler
            | Self::SlotElsewhere => FaultClass::Config,
            Self::TooManyConnections
            | Self::SlotActive
            | Self::Stopping
            | Self::Passing
            | Self::Cancelled => FaultClass::Retriable,
            Self::SlotMissing
            | Self::SlotExists
            | Self::SlotLost
            | Self::PublicationMissing
            | Self::InvalidText
            | Self::Refused => FaultClass::Fatal,
        }
    }

    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::WrongPassword => "postgres-wrong-password",
            Self::LoginRefused => "postgres-login-refused",
            Self::DatabaseMissing => "postgres-database-missing",
            Self::TooManyConnections => "postgres-too-many-connections",
            Self::SendersInUse => "postgres-senders-in-use",
            Self::SlotsInUse => "postgres-slots-in-use",
            Self::WalLevel => "postgres-wal-level",
            Self::NotPermitted => "postgres-not-permitted",
            Self::Pooler => "postgres-pooler",
            Self::SlotActive => "postgres-slot-active",
            Self::SlotMissing => "postgres-slot-missing",
            Self::SlotExists => "postgres-slot-exists",
            Self::SlotElsewhere => "postgres-slot-elsewhere",
            Self::SlotLost => "postgres-slot-lost",
            Self::PublicationMissing => "postgres-publication-missing",
            Self::InvalidText => "postgres-invalid-text",
            Self::Stopping => "postgres-stopping",
            Self::Passing => "postgres-passing",
            Self::Cancelled => "postgres-cancelled",
            Self::Refused => "postgres-refused",
        }
    }

    /// The server's setting that decides it.
    pub(crate) fn setting(self) -> Option<&'static str> {
        match self {
            Self::TooManyConnections => Some("max_connections"),
            Self::SendersInUse => Some("max_wal_senders"),
            Self::SlotsInUse => Some("max_replication_slots"),
            Self::WalLevel => Some("wal_level"),
            Self::SlotLost => Some("max_slot_wal_keep_size"),
            _ => None,
        }
    }

    /// What to do about it, where the server's own words do not say so.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::SendersInUse => "; raise max_wal_senders, or end what is connected",
            Self::SlotsInUse => "; drop a slot, or raise max_replication_slots",
            Self::WalLevel => "; set wal_level = logical and restart the server",
            Self::Pooler => "; a pooler cannot carry this: connect to the server itself",
            Self::SlotLost => "; what it would have sent is gone: take a new snapshot",
            Self::PublicationMissing => {
                "; a publication made after the slot is not seen by it: make the slot again"
            }
            Self::InvalidText => {
                "; a stored text is none in the database's encoding, and the server cannot send it"
            }
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(sqlstate: &str, message: &str) -> Answer {
        Answer {
            sqlstate: sqlstate.to_owned(),
            message: message.to_owned(),
            ..Answer::default()
        }
    }

    fn check(sqlstate: &str, message: &str, stage: Stage, meaning: Meaning) {
        assert_eq!(Meaning::of(&answer(sqlstate, message), stage), meaning);
    }

    #[test]
    fn fields_are_read_and_unknown_ones_passed_over() {
        let found = Answer::parse(b"SFATAL\0VFATAL\0C28P01\0Mno\0Hask\0Zwhat\0\0");
        let expected = Answer {
            hint: Some("ask".to_owned()),
            ..answer("28P01", "no")
        };
        assert_eq!(found, expected);
        assert_eq!(Answer::parse(b"C"), Answer::default());
        assert_eq!(Answer::parse(b""), Answer::default());
    }

    #[test]
    fn a_sqlstate_means_what_the_stage_makes_of_it() {
        use Stage::{Identify, Login, ReplicationLogin, Slot, Statement, Stream};
        let senders = "number of requested standby connections exceeds max_wal_senders (10)";
        check("53300", senders, ReplicationLogin, Meaning::SendersInUse);
        check(
            "53300",
            "sorry, too many",
            Login,
            Meaning::TooManyConnections,
        );
        check("42704", "no such slot", Slot, Meaning::SlotMissing);
        check(
            "42704",
            "no such publication",
            Stream,
            Meaning::PublicationMissing,
        );
        check("42704", "no such type", Statement, Meaning::Refused);
        check(
            "55000",
            "requires wal_level >= logical",
            Slot,
            Meaning::WalLevel,
        );
        check("55000", "cannot read from slot", Slot, Meaning::SlotLost);
        check("55000", "cannot do it now", Statement, Meaning::Refused);
        check(
            "08P01",
            "unsupported startup parameter",
            Login,
            Meaning::Pooler,
        );
        check("08P01", "invalid message", Stream, Meaning::Passing);
        check("57P01", "terminating", Stream, Meaning::Stopping);
        check("42601", "syntax error", Statement, Meaning::Refused);
        check("42601", "syntax error", Identify, Meaning::Pooler);
    }

    #[test]
    fn the_process_that_holds_a_slot_is_found() {
        let text = "replication slot \"s_15\" is active for PID 4711";
        assert_eq!(answer("55006", text).pid(), Some(4711));
        assert_eq!(answer("55006", "in use").pid(), None);
    }
}

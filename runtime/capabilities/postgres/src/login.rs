//! Logging in to a session in replication mode.

use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{
    ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256,
};
use postgres_protocol::message::frontend;

use crate::answer::{Answer, Stage};
use crate::socket::Socket;
use crate::wire::{Received, Wire};
use crate::{Error, PostgresGrant};

/// What the server wants to see of whoever cancels a command.
#[derive(Clone, Copy)]
pub(crate) struct CancelKey {
    pub(crate) process: i32,
    pub(crate) secret: i32,
}

/// Starts a session and logs in.
pub(crate) async fn log_in(
    grant: &PostgresGrant,
    socket: Socket,
    parameters: &[(String, String)],
) -> Result<(Wire, CancelKey), Error> {
    let ours = [
        ("user", grant.user.as_str()),
        ("database", grant.database.as_str()),
        ("replication", "database"),
        ("client_encoding", "UTF8"),
    ];
    let theirs = parameters.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    let mut login = Login {
        grant,
        wire: Wire::new(socket),
    };
    login
        .wire
        .write(|out| frontend::startup_message(ours.into_iter().chain(theirs), out))
        .await?;
    login.authenticate().await?;
    let key = login.ready().await?;
    Ok((login.wire, key))
}

struct Login<'a> {
    grant: &'a PostgresGrant,
    wire: Wire,
}

impl<'a> Login<'a> {
    async fn message(&mut self) -> Result<Received, Error> {
        let message = self.wire.message().await?;
        if message.tag == b'E' {
            let answer = Answer::parse(&message.body);
            return Err(Error::server(answer, Stage::ReplicationLogin));
        }
        Ok(message)
    }

    /// The next demand of the authentication, and what belongs to it.
    async fn demand(&mut self) -> Result<(u32, Vec<u8>), Error> {
        let message = self.message().await?;
        match message.body.split_first_chunk::<4>() {
            Some((demand, rest)) if message.tag == b'R' => {
                Ok((u32::from_be_bytes(*demand), rest.to_vec()))
            }
            _ => Err(Error::Protocol("a login that goes its own way")),
        }
    }

    async fn authenticate(&mut self) -> Result<(), Error> {
        let (demand, data) = self.demand().await?;
        match demand {
            0 => return Ok(()),
            3 if !self.wire.socket().is_encrypted() => {
                let reason = "the server wants the password in plain text; set sslmode=require";
                return Err(refused(reason));
            }
            3 => self.say_password(self.password()?.as_bytes()).await?,
            5 => {
                let salt = data.as_slice().try_into();
                let salt = salt.map_err(|_| Error::Protocol("a salt of another length"))?;
                let user = self.grant.user.as_bytes();
                let hash = md5_hash(user, self.password()?.as_bytes(), salt);
                self.say_password(hash.as_bytes()).await?;
            }
            10 => self.scram(&data).await?,
            7 => return Err(refused("the server wants GSSAPI")),
            9 => return Err(refused("the server wants SSPI")),
            _ => return Err(refused("the server wants an authentication we do not know")),
        }
        match self.demand().await? {
            (0, _) => Ok(()),
            _ => Err(Error::Protocol("a login that does not end")),
        }
    }

    fn password(&self) -> Result<&'a str, Error> {
        self.grant
            .password()
            .ok_or_else(|| refused("the server wants a password, and the config has none"))
    }

    async fn say_password(&mut self, password: &[u8]) -> Result<(), Error> {
        self.wire
            .write(|out| frontend::password_message(password, out))
            .await
    }

    async fn scram(&mut self, mechanisms: &[u8]) -> Result<(), Error> {
        let offers = |name: &str| mechanisms.split(|b| *b == 0).any(|m| m == name.as_bytes());
        let (mechanism, binding) = match self.wire.socket().end_point() {
            Some(end_point) if offers(SCRAM_SHA_256_PLUS) => (
                SCRAM_SHA_256_PLUS,
                ChannelBinding::tls_server_end_point(end_point),
            ),
            // Says that we could bind: whoever took the offer out on the way is found out.
            Some(_) if offers(SCRAM_SHA_256) => (SCRAM_SHA_256, ChannelBinding::unrequested()),
            None if offers(SCRAM_SHA_256) => (SCRAM_SHA_256, ChannelBinding::unsupported()),
            _ => return Err(refused("the server offers no SCRAM that we can do")),
        };
        let mut scram = ScramSha256::new(self.password()?.as_bytes(), binding);
        self.wire
            .write(|out| frontend::sasl_initial_response(mechanism, scram.message(), out))
            .await?;
        let (11, challenge) = self.demand().await? else {
            return Err(Error::Protocol("a login without a challenge"));
        };
        scram
            .update(&challenge)
            .map_err(|e| refused(&e.to_string()))?;
        self.wire
            .write(|out| frontend::sasl_response(scram.message(), out))
            .await?;
        let (12, proof) = self.demand().await? else {
            return Err(Error::Protocol(
                "a login in which the server proves nothing",
            ));
        };
        scram.finish(&proof).map_err(|e| refused(&e.to_string()))
    }

    async fn ready(&mut self) -> Result<CancelKey, Error> {
        let mut key = CancelKey {
            process: 0,
            secret: 0,
        };
        loop {
            let message = self.message().await?;
            match (message.tag, message.body.as_slice()) {
                (b'K', [p0, p1, p2, p3, s0, s1, s2, s3]) => {
                    key = CancelKey {
                        process: i32::from_be_bytes([*p0, *p1, *p2, *p3]),
                        secret: i32::from_be_bytes([*s0, *s1, *s2, *s3]),
                    };
                }
                (b'Z', _) => return Ok(key),
                _ => return Err(Error::Protocol("a message that no login has")),
            }
        }
    }
}

fn refused(reason: &str) -> Error {
    Error::Authentication {
        reason: reason.to_owned(),
    }
}

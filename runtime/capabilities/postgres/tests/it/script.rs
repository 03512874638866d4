//! A server that says what a test wants it to say.

use longshore_cap_postgres::{Replication, WalStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::client;

/// Where a scripted server waits for its one client.
pub(crate) struct Door(TcpListener);

/// The server's side of a session.
pub(crate) struct Script {
    pub(crate) ears: Ears,
    pub(crate) mouth: Mouth,
}

pub(crate) struct Ears(OwnedReadHalf);
pub(crate) struct Mouth(OwnedWriteHalf);

/// A standby status update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Feedback {
    pub(crate) received: u64,
    pub(crate) flushed: u64,
    pub(crate) applied: u64,
    pub(crate) clock: i64,
    pub(crate) asks: bool,
}

impl Door {
    pub(crate) async fn open() -> Self {
        Self(TcpListener::bind(("127.0.0.1", 0)).await.expect("a port"))
    }

    /// A session of a client who comes here in plain text.
    pub(crate) async fn replication(
        &self,
        more: &[(&str, &str)],
    ) -> Result<Replication, longshore_cap_postgres::Error> {
        let port = self.0.local_addr().expect("it is bound").port().to_string();
        let ours = [
            ("hostname", "127.0.0.1"),
            ("port", port.as_str()),
            ("user", "me"),
            ("password", "secret"),
            ("dbname", "db"),
            ("sslmode", "disable"),
        ];
        let client = client(&[more, &ours].concat());
        client.connect_replication(&[]).await
    }

    /// The client's socket and its first words.
    pub(crate) async fn knock(&self) -> (Script, Vec<u8>) {
        let (socket, _) = self.0.accept().await.expect("a client");
        let mut script = Script::new(socket);
        let len = script.ears.0.read_u32().await.expect("a length");
        let mut said = vec![0; usize::try_from(len).expect("it is small") - 4];
        script.ears.0.read_exact(&mut said).await.expect("a body");
        (script, said)
    }

    /// Lets a client in.
    pub(crate) async fn let_in(&self) -> Script {
        let (mut script, _) = self.knock().await;
        script.mouth.say(b'R', &[0; 4]).await;
        script.mouth.ready_with_key().await;
        script
    }

    /// Lets a client in and starts its stream.
    pub(crate) async fn stream(&self, sender_timeout_ms: u32) -> (WalStream, Script) {
        let start = async {
            let replication = self.replication(&[]).await.expect("it is let in");
            let stream = replication.start("s", 0, &[]).await;
            stream.expect("it is started")
        };
        let answer = async {
            let mut script = self.let_in().await;
            script.ears.query("SELECT").await;
            let setting = sender_timeout_ms.to_string();
            let mut row = vec![0, 1, 0, 0, 0, u8::try_from(setting.len()).expect("short")];
            row.extend_from_slice(setting.as_bytes());
            script.mouth.say(b'D', &row).await;
            script.mouth.say(b'Z', b"I").await;
            script
                .ears
                .query("START_REPLICATION SLOT \"s\" LOGICAL 0/0")
                .await;
            script.mouth.say(b'W', &[0, 0, 0]).await;
            script
        };
        tokio::join!(start, answer)
    }
}

impl Script {
    fn new(socket: TcpStream) -> Self {
        let (ears, mouth) = socket.into_split();
        Self {
            ears: Ears(ears),
            mouth: Mouth(mouth),
        }
    }
}

impl Ears {
    /// The client's next message; `None` when it has gone.
    pub(crate) async fn hear(&mut self) -> Option<(u8, Vec<u8>)> {
        let tag = self.0.read_u8().await.ok()?;
        let len = self.0.read_u32().await.expect("a length");
        let mut body = vec![0; usize::try_from(len).expect("it is small") - 4];
        self.0.read_exact(&mut body).await.expect("a body");
        Some((tag, body))
    }

    pub(crate) async fn query(&mut self, beginning: &str) {
        let (tag, body) = self.hear().await.expect("a command");
        assert_eq!(tag, b'Q');
        let sql = String::from_utf8(body).expect("text");
        assert!(sql.starts_with(beginning), "{sql}");
    }

    pub(crate) async fn feedback(&mut self) -> Feedback {
        let (tag, body) = self.hear().await.expect("feedback");
        assert_eq!((tag, body.len(), body[0]), (b'd', 34, b'r'));
        let number = |at: usize| u64::from_be_bytes(body[at..at + 8].try_into().expect("eight"));
        Feedback {
            received: number(1),
            flushed: number(9),
            applied: number(17),
            clock: number(25).cast_signed(),
            asks: body[33] == 1,
        }
    }
}

impl Mouth {
    pub(crate) async fn say(&mut self, tag: u8, body: &[u8]) {
        self.raw(&message(tag, body)).await;
    }

    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("it listens");
    }

    pub(crate) async fn ready_with_key(&mut self) {
        self.say(b'K', &[0, 0, 0, 7, 0, 0, 0, 8]).await;
        self.say(b'Z', b"I").await;
    }

    pub(crate) async fn refuse(&mut self, sqlstate: &str, text: &str) {
        let body = format!("SERROR\0C{sqlstate}\0M{text}\0\0");
        self.say(b'E', body.as_bytes()).await;
    }

    pub(crate) async fn wal(&mut self, lsn: u64, body: &[u8]) {
        self.raw(&wal(lsn, body)).await;
    }

    pub(crate) async fn keepalive(&mut self, lsn: u64, asks: bool) {
        let mut inner = vec![b'k'];
        inner.extend_from_slice(&lsn.to_be_bytes());
        inner.extend_from_slice(&5_i64.to_be_bytes());
        inner.push(u8::from(asks));
        self.say(b'd', &inner).await;
    }
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len() + 4).expect("it is small");
    [&[tag][..], &len.to_be_bytes(), body].concat()
}

pub(crate) fn wal(lsn: u64, body: &[u8]) -> Vec<u8> {
    let clock = 5_i64.to_be_bytes();
    let lsn = lsn.to_be_bytes();
    message(b'd', &[b"w", &lsn[..], &lsn, &clock, body].concat())
}

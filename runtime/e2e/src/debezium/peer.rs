//! Kafka on one node and a worker of Kafka Connect with Debezium.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::java::{self, Service};
use crate::program;
use crate::rest::Rest;

const KAFKA_HEAP: &str = "1g";

/// A Kafka and a worker of Kafka Connect, on free ports. Dropping it kills both.
#[derive(Debug)]
pub struct Peer {
    connect: Service,
    _kafka: Service,
    /// Kafka's address.
    pub broker: String,
    /// The worker's REST API.
    pub rest: Rest,
}

impl Peer {
    /// Starts both in this folder, the worker with a heap of at most so much, such as `1g`.
    ///
    /// # Errors
    /// When Maven, Java or a server fails, with what it said.
    pub fn start(folder: &Path, heap: &str) -> Result<Self> {
        let libraries = java::libraries("connect.xml", "kafka-connect-4.1.0")?;
        let plugins = plugins()?;
        let [kafka_port, controller_port, rest_port] = free_ports()?;
        let broker = format!("127.0.0.1:{kafka_port}");
        let server = folder.join("server.properties");
        let text = format!(
            "process.roles=broker,controller\nnode.id=1\n\
             controller.quorum.voters=1@127.0.0.1:{controller_port}\n\
             listeners=PLAINTEXT://{broker},CONTROLLER://127.0.0.1:{controller_port}\n\
             advertised.listeners=PLAINTEXT://{broker}\n\
             controller.listener.names=CONTROLLER\n\
             log.dirs={}\n\
             offsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\n\
             transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
             share.coordinator.state.topic.replication.factor=1\nshare.coordinator.state.topic.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\n",
            folder.join("kafka").display()
        );
        std::fs::write(&server, text)?;
        let id = said(storage_tool(&libraries).arg("random-uuid"))?;
        let mut format = storage_tool(&libraries);
        format.args(["format", "-t", id.trim(), "-c"]).arg(&server);
        said(&mut format)?;
        let mut kafka = java::command(&libraries, KAFKA_HEAP, "kafka.Kafka");
        kafka.arg(&server);
        let kafka = Service::start(kafka, folder, "kafka", &["Kafka Server started"])?;
        let worker = folder.join("connect.properties");
        let text = format!(
            "bootstrap.servers={broker}\ngroup.id=connect\n\
             key.converter=org.apache.kafka.connect.json.JsonConverter\n\
             value.converter=org.apache.kafka.connect.json.JsonConverter\n\
             offset.storage.topic=connect-offsets\noffset.storage.replication.factor=1\n\
             offset.storage.partitions=1\n\
             config.storage.topic=connect-configs\nconfig.storage.replication.factor=1\n\
             status.storage.topic=connect-status\nstatus.storage.replication.factor=1\n\
             status.storage.partitions=1\n\
             offset.flush.interval.ms=1000\n\
             listeners=http://127.0.0.1:{rest_port}\nplugin.path={}\n\
             plugin.discovery=service_load\n",
            plugins.display()
        );
        std::fs::write(&worker, text)?;
        let main_class = "org.apache.kafka.connect.cli.ConnectDistributed";
        let mut connect = java::command(&libraries, heap, main_class);
        connect.arg(&worker);
        let ready = [
            "Kafka Connect started",
            "Finished starting connectors and tasks",
        ];
        Ok(Self {
            connect: Service::start(connect, folder, "connect", &ready)?,
            _kafka: kafka,
            broker,
            rest: Rest::new(&format!("http://127.0.0.1:{rest_port}"))?,
        })
    }

    /// The process of the worker, without Kafka.
    #[must_use]
    pub fn worker_id(&self) -> u32 {
        self.connect.id()
    }

    /// What the worker has logged.
    #[must_use]
    pub fn read_log(&self) -> String {
        self.connect.read_log()
    }
}

/// The folder whose folders are plugins.
fn plugins() -> Result<PathBuf> {
    let folder = "debezium-3.3.1";
    std::fs::create_dir_all(program::target_dir()?.join(folder))?;
    let postgres = java::libraries("debezium.xml", &format!("{folder}/postgres"))?;
    let plugins = postgres.parent().context("a plugin lies in a folder")?;
    Ok(plugins.to_owned())
}

fn storage_tool(libraries: &Path) -> Command {
    java::command(libraries, "256m", "kafka.tools.StorageTool")
}

fn said(command: &mut Command) -> Result<String> {
    let output = command.output().context("start java")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {errors}");
    Ok(String::from_utf8(output.stdout)?)
}

/// Held together until all are known, so that no two are the same.
fn free_ports() -> Result<[u16; 3]> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port");
    let held = [bind()?, bind()?, bind()?];
    let mut ports = [0; 3];
    for (port, listener) in ports.iter_mut().zip(&held) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

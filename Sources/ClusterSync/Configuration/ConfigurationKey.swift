/// One key of the sidecar's configuration: its place in the YAML file, and what a value must look like.
///
/// The same key is `CLUSTER_SYNC_` and its path in capitals in the environment, and `--set path=value` on the command line.
struct ConfigurationKey: Sendable {
    /// What a value must look like.
    enum Kind: Sendable, Equatable {
        case text
        case secret
        case path
        case hosts
        case tables
        case address
        case integer(ClosedRange<Int>)
        case percentage
        case mode
        case choice([String])
    }

    /// The path in the YAML file, with dots.
    let path: String
    /// What a value must look like.
    let kind: Kind
    /// The value where none is given; nil where the key may be absent.
    let fallback: String?
    /// One sentence for `--help` and error messages.
    let help: String
    /// Flat names from older files and scripts that mean the same.
    var aliases: [String] = []
    /// Environment variables besides the one that is made from the path.
    var variables: [String] = []

    /// The variable that is made from the path.
    var variable: String {
        "CLUSTER_SYNC_" + self.path.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
    }
}

extension ConfigurationKey {
    private static func milliseconds(_ path: String, _ fallback: String, _ help: String, aliases: [String] = []) -> Self
    {
        Self(path: path, kind: .integer(1...600_000), fallback: fallback, help: help, aliases: aliases)
    }

    private static func limit(_ path: String, _ range: ClosedRange<Int>, _ fallback: Int, _ help: String) -> Self {
        Self(path: "limits." + path, kind: .integer(range), fallback: String(fallback), help: help)
    }

    private static func cluster(_ name: String, hosts alias: String) -> [Self] {
        [
            Self(
                path: "\(name).hosts",
                kind: .hosts,
                fallback: nil,
                help: "Contact points of the \(name) cluster: names or addresses, each with an optional port.",
                aliases: [alias],
                variables: [alias.uppercased()]
            ),
            Self(
                path: "\(name).driver",
                kind: .choice(["cassandra", "scylla"]),
                fallback: "cassandra",
                help: "What the \(name) cluster is."
            ),
            Self(
                path: "\(name).port",
                kind: .integer(1...65_535),
                fallback: "9042",
                help: "The port of contact points that name none, and of the nodes that the \(name) cluster reports."
            ),
            Self(
                path: "\(name).local_dc",
                kind: .text,
                fallback: nil,
                help: "The datacenter whose nodes get requests; without it the contact points' own."
            ),
            Self(
                path: "\(name).local_rack",
                kind: .text,
                fallback: nil,
                help: "The rack whose nodes come first where one of them will do; without it all racks are alike."
            ),
            Self(
                path: "\(name).username",
                kind: .text,
                fallback: nil,
                help: "The role of the sidecar's own connections."
            ),
            Self(path: "\(name).password", kind: .secret, fallback: nil, help: "Its password."),
            Self(
                path: "\(name).password_file",
                kind: .path,
                fallback: nil,
                help: "A file that holds the password, instead of password."
            ),
            Self(
                path: "\(name).credentials",
                kind: .choice(["forward", "configured"]),
                fallback: "forward",
                help: "Under whose name applications' requests run there: their own, or the sidecar's."
            ),
            Self(
                path: "\(name).connections_per_node",
                kind: .integer(1...64),
                fallback: "1",
                help: "Connections per event loop and node."
            ),
            Self(
                path: "\(name).compression",
                kind: .choice(["none", "lz4", "snappy"]),
                fallback: "none",
                help: "How bodies are packed toward the \(name) cluster, whatever applications do."
            ),
        ]
    }

    private static func file(_ path: String, _ help: String) -> Self {
        Self(path: path, kind: .path, fallback: nil, help: help)
    }

    private static func clusterTLS(_ name: String) -> [Self] {
        [
            Self(
                path: "\(name).tls.enabled",
                kind: .choice(["false", "true"]),
                fallback: "false",
                help: "Whether the nodes of the \(name) cluster are spoken to over TLS."
            ),
            Self.file(
                "\(name).tls.ca",
                "The authorities that the nodes' certificates come from; else those of the system."
            ),
            Self.file(
                "\(name).tls.certificate",
                "The sidecar's certificate toward the \(name) cluster, with its chain."
            ),
            Self.file("\(name).tls.key", "Its key."),
            Self(
                path: "\(name).tls.verify",
                kind: .choice(["full", "certificate", "none"]),
                fallback: "full",
                help: "What is checked: the certificate and its host name, the certificate, nothing."
            ),
            Self(
                path: "\(name).tls.server_name",
                kind: .text,
                fallback: nil,
                help: "The name that the nodes' certificates are made for, where it is not their address."
            ),
        ]
    }

    /// Every key of the sidecar, in the order of the documentation.
    static let all: [ConfigurationKey] =
        [
            Self(path: "listen", kind: .address, fallback: "127.0.0.1:9042", help: "Where applications connect."),
            Self(
                path: "advertised",
                kind: .address,
                fallback: nil,
                help: "The address that applications are told, where it is not the one that they connect to."
            ),
            Self(
                path: "sidecars",
                kind: .hosts,
                fallback: nil,
                help: "All sidecars that applications may use, by their advertised addresses, with ports."
            ),
            Self.file(
                "tls.certificate",
                "The certificate toward applications, with its chain; with it they must use TLS."
            ),
            Self.file("tls.key", "Its key."),
            Self.file("tls.client_ca", "The authorities of applications' certificates; with it each needs one."),
            Self(
                path: "reload_ms",
                kind: .integer(100...600_000),
                fallback: "5000",
                help: "How often the files of certificates, passwords and tokens are read."
            ),
            Self(path: "admin.listen", kind: .address, fallback: "127.0.0.1:8080", help: "Where the admin port is."),
            Self(path: "admin.token", kind: .secret, fallback: nil, help: "The token that changing something needs."),
            Self(
                path: "admin.token_file",
                kind: .path,
                fallback: nil,
                help: "A file that holds the token, instead of token."
            ),
            Self(
                path: "state_dir",
                kind: .path,
                fallback: "cluster-sync-state",
                help: "The folder of the write mode and its history; one process at a time."
            ),
            Self(
                path: "journal.enabled",
                kind: .choice(["true", "false"]),
                fallback: "true",
                help: "Whether what a cluster is owed is kept on disk; if not, it is in memory alone."
            ),
            Self(
                path: "journal.dir",
                kind: .path,
                fallback: nil,
                help: "The folder of the journal; without it the folder journal in state_dir."
            ),
            Self(
                path: "journal.sync",
                kind: .choice(["interval", "never", "always"]),
                fallback: "interval",
                help: "When what was journalled must be on the disk; it survives the death of the process in any case."
            ),
            Self.milliseconds(
                "journal.sync_interval_ms",
                "10",
                "With journal.sync: interval, the time after which the disk is asked for what is still owed."
            ),
            Self(
                path: "journal.bytes",
                kind: .integer(1 << 20...(1 << 50)),
                fallback: String(1 << 30),
                help: "What the journal of one event loop may take for one cluster."
            ),
            Self(
                path: "journal.segment_bytes",
                kind: .integer(65_536...(1 << 30)),
                fallback: String(16 << 20),
                help: "The greatest length of one of its files; they begin at 1 MiB and grow with the backlog."
            ),
            Self(
                path: "journal.full",
                kind: .choice(["mark_dirty", "refuse"]),
                fallback: "mark_dirty",
                help: "What happens to a write for which the journal has no room."
            ),
            Self(
                path: "write_mode",
                kind: .mode,
                fallback: "PrimaryOnly",
                help: "The write mode of the first start. Later starts take it from the state folder.",
                variables: ["WRITE_MODE"]
            ),
            Self(
                path: "validation_percentage",
                kind: .percentage,
                fallback: "0",
                help: "The share of reads to compare, in per cent.",
                variables: ["VALIDATION_PERCENTAGE"]
            ),
            Self.milliseconds(
                "comparison.settle_ms",
                "2000",
                "How long a difference may take to go away by itself before both clusters are read again."
            ),
            Self(path: "loops", kind: .integer(0...64), fallback: "0", help: "Event loops; 0 chooses."),
            Self(
                path: "log.level",
                kind: .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]),
                fallback: "info",
                help: "The least severe level that is written."
            ),
            Self(
                path: "log.format",
                kind: .choice(["text", "json"]),
                fallback: "text",
                help: "The form of a log line."
            ),
        ] + Self.cluster("source", hosts: "cassandra_hosts") + Self.clusterTLS("source")
        + Self.cluster("target", hosts: "scylla_hosts") + Self.clusterTLS("target")
        + [
            Self.milliseconds("timeouts.connect_ms", "5000", "How long opening a connection to a node may take."),
            Self.milliseconds("timeouts.read_ms", "10000", "How long a read may wait for its answer."),
            Self.milliseconds(
                "timeouts.primary_write_ms",
                "10000",
                "How long a write may wait for the primary.",
                aliases: ["primary_write_timeout_ms"]
            ),
            Self.milliseconds(
                "timeouts.shadow_write_ms",
                "5000",
                "How long one attempt on the shadow may take.",
                aliases: ["shadow_write_timeout_ms"]
            ),
            Self.milliseconds("timeouts.drain_ms", "30000", "How long a graceful stop may take."),
            Self(
                path: "statements.ddl",
                kind: .choice(["both", "primary", "refuse"]),
                fallback: "both",
                help: "Where schema changes go."
            ),
            Self(
                path: "statements.roles",
                kind: .choice(["both", "primary", "refuse"]),
                fallback: "primary",
                help: "Where changes of roles and permissions go."
            ),
            Self(
                path: "tables.include",
                kind: .tables,
                fallback: nil,
                help: "The keyspaces and tables of which the shadow gets copies; without it all."
            ),
            Self(
                path: "tables.exclude",
                kind: .tables,
                fallback: nil,
                help: "Of these the ones of which it gets none."
            ),
            Self(
                path: "sync_failure",
                kind: .choice(["fail", "degrade"]),
                fallback: "fail",
                help: "What a client gets in DualWriteSync when only the shadow fails."
            ),
            Self.limit("frame_bytes", 1_024...(1 << 30), 256 << 20, "The longest request body that is read."),
            Self.limit("client_connections", 1...1_000_000, 4_096, "Client connections at a time."),
            Self.limit("in_flight_per_client", 1...32_768, 4_096, "Requests of one client that wait for an answer."),
            Self.limit("client_queued_bytes", 65_536...(1 << 30), 64 << 20, "Bytes queued for one client."),
            Self.limit(
                "client_bytes_in_flight",
                65_536...(64 << 30),
                8 << 20,
                "Bytes of requests that clients wait for, per loop."
            ),
            Self.limit("requests_per_loop", 1_024...4_194_304, 131_072, "Requests that one loop holds in all."),
            Self.limit("request_bytes_per_loop", 1 << 20...(64 << 30), 512 << 20, "Their bytes."),
            Self.limit(
                "unfinished_frame_bytes",
                1 << 20...(64 << 30),
                512 << 20,
                "Bytes of requests that have begun to come in, per loop."
            ),
            Self.limit("shadow_queue_writes", 1...100_000_000, 8_192, "Shadow writes in the memory of one loop."),
            Self.limit("shadow_queue_bytes", 65_536...(64 << 30), 16 << 20, "Their bytes."),
            Self.limit("shadow_in_flight", 1...32_768, 2_048, "Shadow writes on their way at a time, per loop."),
            Self.limit("shadow_attempts", 1...1_000, 10, "Attempts to deliver one shadow write."),
            Self.limit("pools", 1...65_536, 1_024, "Combinations of credentials and keyspace, per loop and cluster."),
            Self.limit(
                "idle_pool_ms",
                100...86_400_000,
                60_000,
                "How long one that no client uses keeps its connections."
            ),
            Self.limit("prepared_statements", 64...10_000_000, 16_384, "Prepared statements that are remembered."),
            Self.limit("comparisons", 1...4_096, 32, "Reads that are compared at a time, per loop."),
            Self.limit("comparison_bytes", 1_024...(64 << 20), 128 << 10, "The longest rows that are compared."),
        ]

    /// The key with this path or alias.
    static func named(_ path: String) -> ConfigurationKey? {
        self.all.first { $0.path == path || $0.aliases.contains(path) }
    }

    /// Every path and alias, for suggestions.
    static var names: [String] { self.all.flatMap { [$0.path] + $0.aliases } }
}

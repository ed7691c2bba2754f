extension ConfigurationSchema {
    /// What `cluster-sync dual-writer` is configured with.
    static let sidecar = ConfigurationSchema(service: "dual-writer", keys: sidecarKeys)

    private typealias Key = ConfigurationKey

    /// Every key of the sidecar, in the order of the documentation.
    private static let sidecarKeys: [Key] =
        [
            Key(path: "listen", kind: .address, fallback: "127.0.0.1:9042", help: "Where applications connect."),
            Key(
                path: "advertised",
                kind: .address,
                fallback: nil,
                help: "The address that applications are told, where it is not the one that they connect to."
            ),
            Key(
                path: "sidecars",
                kind: .hosts,
                fallback: nil,
                help: "All sidecars that applications may use, by their advertised addresses, with ports."
            ),
            Key.file(
                "tls.certificate",
                "The certificate toward applications, with its chain; with it they must use TLS."
            ),
            Key.file("tls.key", "Its key."),
            Key.file("tls.client_ca", "The authorities of applications' certificates; with it each needs one."),
            Key.reload,
        ] + Key.admin(listen: "127.0.0.1:8080") + [
            Key(
                path: "state_dir",
                kind: .path,
                fallback: "cluster-sync-state",
                help: "The folder of the write mode and its history; one process at a time."
            )
        ] + Key.replica + [
            Key(
                path: "journal.enabled",
                kind: .choice(["true", "false"]),
                fallback: "true",
                help: "Whether what a cluster is owed is kept on disk; if not, it is in memory alone."
            ),
            Key(
                path: "journal.dir",
                kind: .path,
                fallback: nil,
                help: "The folder of the journal; without it the folder journal in state_dir."
            ),
            Key(
                path: "journal.sync",
                kind: .choice(["interval", "never", "always"]),
                fallback: "interval",
                help: "When what was journalled must be on the disk; it survives the death of the process in any case."
            ),
            Key.milliseconds(
                "journal.sync_interval_ms",
                "10",
                "With journal.sync: interval, the time after which the disk is asked for what is still owed."
            ),
            Key(
                path: "journal.bytes",
                kind: .integer(1 << 20...(1 << 50)),
                fallback: String(1 << 30),
                help: "What the journal of one event loop may take for one cluster."
            ),
            Key(
                path: "journal.segment_bytes",
                kind: .integer(65_536...(1 << 30)),
                fallback: String(16 << 20),
                help: "The greatest length of one of its files; they begin at 1 MiB and grow with the backlog."
            ),
            Key(
                path: "journal.full",
                kind: .choice(["mark_dirty", "refuse"]),
                fallback: "mark_dirty",
                help: "What happens to a write for which the journal has no room."
            ),
            Key(
                path: "write_mode",
                kind: .mode,
                fallback: "PrimaryOnly",
                help: "The write mode of the first start. Later starts take it from the state folder.",
                variables: ["WRITE_MODE"]
            ),
            Key(
                path: "overrides",
                kind: .texts,
                fallback: nil,
                help: "Tables with a write mode of their own at the first start, each as keyspace.table=Mode."
            ),
            Key(
                path: "validation_percentage",
                kind: .percentage,
                fallback: "0",
                help: "The share of reads to compare, in per cent.",
                variables: ["VALIDATION_PERCENTAGE"]
            ),
            Key.milliseconds(
                "comparison.settle_ms",
                "2000",
                "How long a difference may take to go away by itself before both clusters are read again."
            ),
            Key(path: "loops", kind: .integer(0...64), fallback: "0", help: "Event loops; 0 chooses."),
        ] + Key.log + Key.logRequests + Key.cluster("source", hosts: "cassandra_hosts") + Key.clusterTLS("source")
        + Key.cluster("target", hosts: "scylla_hosts") + Key.clusterTLS("target")
        + [
            Key.milliseconds("timeouts.connect_ms", "5000", "How long opening a connection to a node may take."),
            Key.milliseconds("timeouts.read_ms", "10000", "How long a read may wait for its answer."),
            Key.milliseconds(
                "timeouts.primary_write_ms",
                "10000",
                "How long a write may wait for the primary.",
                aliases: ["primary_write_timeout_ms"]
            ),
            Key.milliseconds(
                "timeouts.shadow_write_ms",
                "5000",
                "How long one attempt on the shadow may take.",
                aliases: ["shadow_write_timeout_ms"]
            ),
            Key.milliseconds("timeouts.drain_ms", "30000", "How long a graceful stop may take."),
            Key(
                path: "statements.ddl",
                kind: .choice(["both", "primary", "refuse"]),
                fallback: "both",
                help: "Where schema changes go."
            ),
            Key(
                path: "statements.roles",
                kind: .choice(["both", "primary", "refuse"]),
                fallback: "primary",
                help: "Where changes of roles and permissions go."
            ),
            Key(
                path: "filter_file",
                kind: .path,
                fallback: nil,
                help: "A file with the tables and tenants of which the shadow gets copies; followed while it changes."
            ),
        ] + Key.shadowFilter + [
            Key(
                path: "sync_failure",
                kind: .choice(["fail", "degrade"]),
                fallback: "fail",
                help: "What a client gets in DualWriteSync when only the shadow fails."
            ),
            Key.limit("frame_bytes", 1_024...(1 << 30), 256 << 20, "The longest request body that is read."),
            Key.limit("client_connections", 1...1_000_000, 4_096, "Client connections at a time."),
            Key.limit("in_flight_per_client", 1...32_768, 4_096, "Requests of one client that wait for an answer."),
            Key.limit("client_queued_bytes", 65_536...(1 << 30), 64 << 20, "Bytes queued for one client."),
            Key.limit(
                "client_bytes_in_flight",
                65_536...(64 << 30),
                8 << 20,
                "Bytes of requests that clients wait for, per loop."
            ),
            Key.limit("requests_per_loop", 1_024...4_194_304, 131_072, "Requests that one loop holds in all."),
            Key.limit("request_bytes_per_loop", 1 << 20...(64 << 30), 512 << 20, "Their bytes."),
            Key.limit(
                "unfinished_frame_bytes",
                1 << 20...(64 << 30),
                512 << 20,
                "Bytes of requests that have begun to come in, per loop."
            ),
            Key.limit("shadow_queue_writes", 1...100_000_000, 8_192, "Shadow writes in the memory of one loop."),
            Key.limit("shadow_queue_bytes", 65_536...(64 << 30), 16 << 20, "Their bytes."),
            Key.limit("shadow_in_flight", 1...32_768, 2_048, "Shadow writes on their way at a time, per loop."),
            Key.limit("shadow_attempts", 1...1_000, 10, "Attempts to deliver one shadow write."),
            Key.limit("pools", 1...65_536, 1_024, "Combinations of credentials and keyspace, per loop and cluster."),
            Key.limit(
                "idle_pool_ms",
                100...86_400_000,
                60_000,
                "How long one that no client uses keeps its connections."
            ),
            Key.limit("prepared_statements", 64...10_000_000, 16_384, "Prepared statements that are remembered."),
            Key.limit("comparisons", 1...4_096, 32, "Reads that are compared at a time, per loop."),
            Key.limit("comparison_bytes", 1_024...(64 << 20), 128 << 10, "The longest rows that are compared."),
        ] + Key.gates
}

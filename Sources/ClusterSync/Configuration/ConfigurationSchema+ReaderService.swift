extension ConfigurationSchema {
    private typealias Key = ConfigurationKey

    /// What may be repaired, and how.
    static let repairKeys: [ConfigurationKey] = [
        Key(
            path: "repair.policy",
            kind: .choice(["source_wins", "newest_wins", "manual"]),
            fallback: "manual",
            help: "Who is right where the clusters differ; manual repairs nothing.",
            aliases: ["reader.reconciliation_mode"]
        ),
        Key.flag("repair.delete_extras", false, "Whether what the target alone has is deleted there."),
        Key.flag(
            "repair.align_source",
            false,
            "Whether a cell whose timestamp had to be raised on the target is written so on the source, too."
        ),
        Key.flag(
            "repair.counters",
            false,
            "Whether counters are added to by what they lack; right only while nobody writes them."
        ),
        Key.flag("repair.automatically", false, "Whether the service repairs what it finds, each time it compares."),
        Key(
            path: "repair.file_bytes",
            kind: .integer(1 << 16...(1 << 40)),
            fallback: String(64 << 20),
            help: "The length at which the report of repairs is put aside and a new one begun."
        ),
        Key(
            path: "repair.files",
            kind: .integer(1...1_000),
            fallback: "10",
            help: "Reports that were put aside and are kept, the newest."
        ),
        Key(
            path: "consistency.write",
            kind: .choice(["one", "local_one", "local_quorum", "quorum", "each_quorum", "all"]),
            fallback: "local_quorum",
            help: "How many replicas must confirm a repair."
        ),
    ]

    /// Whom it asks, and how it serves.
    static let readerServiceKeys: [ConfigurationKey] =
        [
            Key(
                path: "dual_writer.admin",
                kind: .texts,
                fallback: nil,
                help: "The admin ports of all sidecars, which say what they still owe and what is in doubt."
            ),
            Key(path: "dual_writer.token", kind: .secret, fallback: nil, help: "The token of their admin ports."),
            Key.file("dual_writer.token_file", "A file that holds the token, instead of token."),
        ] + Key.reportTLS + [
            Key.milliseconds("dual_writer.timeout_ms", "10000", "How long a sidecar's answer is waited for."),
            Key(
                path: "connect.wait_ms",
                kind: .integer(0...86_400_000),
                fallback: "30000",
                help: "How long a comparison waits for a cluster that is away at its start. The service waits forever."
            ),
            Key(
                path: "service.interval_seconds",
                kind: .integer(0...31_536_000),
                fallback: "0",
                help: "How often the service compares by itself, from one start to the next; 0 when it is told to.",
                aliases: ["reader.validation_interval_secs"]
            ),
            Key(
                path: "service.history",
                kind: .integer(1...10_000),
                fallback: "100",
                help: "Verdicts that are remembered."
            ),
            Key(
                path: "service.discrepancies_max",
                kind: .integer(1...100_000),
                fallback: "10000",
                help: "Differences that are remembered, of all tables.",
                aliases: ["reader.max_discrepancies_to_report"]
            ),
        ] + Key.admin(listen: "127.0.0.1:9091")
}

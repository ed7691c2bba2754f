/// The keys that jobs between two clusters have in common.
extension ConfigurationKey {
    /// Which tables a job takes.
    ///
    /// - Parameters:
    ///   - verb: what is done to them, as in "to load".
    ///   - participle: the same, as in "is loaded".
    static func tablesOfJob(to verb: String, _ participle: String) -> [Self] {
        [
            Self(
                path: "tables.include",
                kind: .tables,
                fallback: nil,
                help: "The tables to \(verb); without it and keyspaces.include all."
            ),
            Self(
                path: "tables.exclude",
                kind: .tables,
                fallback: nil,
                help: "Of these the ones that are not \(participle)."
            ),
            Self(path: "keyspaces.include", kind: .texts, fallback: nil, help: "The keyspaces to \(verb)."),
            Self(
                path: "keyspaces.exclude",
                kind: .texts,
                fallback: nil,
                help: "Of these the ones that are not \(participle)."
            ),
        ]
    }

    /// How long and how large the ranges are that a job takes.
    static func rangesOfJob(lease: String, _ help: String) -> [Self] {
        [
            Self(path: "job.lease_ms", kind: .integer(5_000...3_600_000), fallback: lease, help: help),
            Self(
                path: "job.range_bytes",
                kind: .integer(1 << 20...(1 << 40)),
                fallback: String(64 << 20),
                help: "About how much of the source is one range."
            ),
        ]
    }

    /// How much of a job goes on at a time and in a second, and how often it is tried.
    ///
    /// - Parameters:
    ///   - what: what is done to a range, as in "Ranges that … at a time".
    ///   - whose: of what the rows and bytes are, as in "Rows per second …".
    static func paceOfJob(concurrency: String, _ what: String, whose: String, attempts: String) -> [Self] {
        [
            Self(
                path: "concurrency",
                kind: .integer(1...1_024),
                fallback: concurrency,
                help: "Ranges that \(what) at a time."
            ),
            Self(
                path: "limits.rows_per_second",
                kind: .integer(1...1_000_000_000),
                fallback: nil,
                help: "Rows per second \(whose)."
            ),
            Self(
                path: "limits.bytes_per_second",
                kind: .integer(1_024...(1 << 40)),
                fallback: nil,
                help: "Bytes per second \(whose)."
            ),
            Self(
                path: "retries.ranges",
                kind: .integer(1...1_000),
                fallback: attempts,
                help: "How often a range is begun without any progress before it is given up."
            ),
        ]
    }

    /// How a job reads a live cluster.
    static func pagesOfJob(of clusters: String) -> [Self] {
        [
            Self(
                path: "retries.pages",
                kind: .integer(1...1_000),
                fallback: "12",
                help: "Pages of \(clusters) that fail one after the other before their range is split."
            ),
            Self(
                path: "retries.page_pause_ms",
                kind: .integer(1...600_000),
                fallback: "50",
                help: "The pause after a page that failed."
            ),
            Self(
                path: "consistency.read",
                kind: .choice(["local_one", "local_quorum"]),
                fallback: "local_quorum",
                help: "How many replicas of \(clusters) are asked."
            ),
            Self(
                path: "page_bytes",
                kind: .integer(4_096...(256 << 20)),
                fallback: String(1 << 20),
                help: "About how long a page of \(clusters) is."
            ),
            Self(path: "page_rows", kind: .integer(1...1_000_000), fallback: "5000", help: "The most rows of a page."),
        ]
    }
}

extension [ConfigurationKey] {
    /// The same keys, one of them with more names of older files.
    func adding(alias: String, to path: String) -> Self {
        self.map { $0.path == path ? $0.adding(aliases: [alias]) : $0 }
    }
}

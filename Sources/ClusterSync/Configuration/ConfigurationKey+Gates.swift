import DualWriteCore

/// What is asked before a step of the write mode.
extension ConfigurationKey {
    static var gates: [Self] {
        Gate.Name.allCases.map { name in
            Self(
                path: "gates.\(name.rawValue)",
                kind: .choice(Gate.Action.allCases.map(\.rawValue)),
                fallback: GateSettings.fallback(name).rawValue,
                help:
                    "What this gate does where it does not hold: it stands against the step, is named, or is not asked."
            )
        } + Self.gateLimits
    }

    private static var gateLimits: [Self] {
        let limits = GateSettings.Limits()
        func limit(_ name: String, _ range: ClosedRange<Int>, _ fallback: Int, _ help: String) -> Self {
            Self(path: "gates.limits.\(name)", kind: .integer(range), fallback: "\(fallback)", help: help)
        }
        return [
            limit(
                "answer_ms",
                50...30_000,
                limits.answerMilliseconds,
                "How long a node may take to answer when a step is judged."
            ),
            limit("silent_nodes", 0...1_000, limits.silentNodes, "Connected nodes that may give no answer."),
            limit(
                "window_seconds",
                10...86_400,
                limits.windowSeconds,
                "How far back failed writes and compared reads are looked at."
            ),
            limit("lag_seconds", 0...86_400, limits.lagSeconds, "The oldest write that is owed before DualWriteSync."),
            limit("lag_records", 0...100_000_000, limits.lagRecords, "Writes that are owed before DualWriteSync."),
            Self(
                path: "gates.limits.error_percentage",
                kind: .percentage,
                fallback: "1",
                help: "The share of the writes to the target that may have failed."
            ),
            limit("mismatches", 0...1_000_000, limits.mismatches, "Live reads that may have had other rows."),
            limit(
                "compared_reads",
                0...1_000_000_000,
                limits.comparedReads,
                "Live reads that must have been compared."
            ),
            limit(
                "comparison_hours",
                1...8_760,
                limits.comparisonHours,
                "How old a comparison of whole tables may be."
            ),
            limit(
                "clock_skew_ms",
                0...600_000,
                limits.clockSkewMilliseconds,
                "How far clocks may be apart, where that is known."
            ),
        ]
    }
}

extension GateSettings {
    /// Reads what `gates` holds.
    init(_ values: inout ConfigurationValues) {
        self.init()
        for name in Gate.Name.allCases {
            self[name] = Gate.Action(rawValue: values.choice("gates.\(name.rawValue)")) ?? Self.fallback(name)
        }
        self.limits.answerMilliseconds = values.integer("gates.limits.answer_ms")
        self.limits.silentNodes = values.integer("gates.limits.silent_nodes")
        self.limits.windowSeconds = values.integer("gates.limits.window_seconds")
        self.limits.lagSeconds = values.integer("gates.limits.lag_seconds")
        self.limits.lagRecords = values.integer("gates.limits.lag_records")
        self.limits.errorPercentage = values.percentage("gates.limits.error_percentage")
        self.limits.mismatches = values.integer("gates.limits.mismatches")
        self.limits.comparedReads = values.integer("gates.limits.compared_reads")
        self.limits.comparisonHours = values.integer("gates.limits.comparison_hours")
        self.limits.clockSkewMilliseconds = values.integer("gates.limits.clock_skew_ms")
    }
}

/// Whether a step is safe: every gate that counts for it, judged by figures.
public struct GateVerdict: Sendable {
    /// The step.
    public let step: ModeStep
    /// The gates that count for it, those that are off left out.
    public let gates: [Gate]
    /// What the step costs; nil where it costs nothing.
    public let cost: String?

    /// Judges a step.
    public init(_ step: ModeStep, _ figures: GateFigures, _ settings: GateSettings) {
        self.step = step
        self.gates = step.gates.compactMap { name in
            settings[name] == .off ? nil : GateJudge(step: step, figures: figures, settings: settings).gate(name)
        }
        self.cost = step.cost(figures)
    }

    /// The gates that stand against the step.
    public var vetoes: [Gate] { self.gates.filter(\.vetoes) }

    /// Whether the step is taken without force.
    public var isAllowed: Bool { self.vetoes.isEmpty }
}

/// Judges one gate after the other.
private struct GateJudge {
    let step: ModeStep
    let figures: GateFigures
    let settings: GateSettings

    private var cluster: Cluster { self.step.subject }
    private var leg: GateFigures.Leg { self.figures.legs[self.cluster] }
    private var limits: GateSettings.Limits { self.settings.limits }

    /// Nil where there is nothing to judge by.
    func gate(_ name: Gate.Name) -> Gate? {
        switch name {
        case .connected: self.connected
        case .backlog: self.backlog
        case .errorRate: self.errorRate
        case .deadLetters: self.deadLetters
        case .losses: self.losses
        case .mismatches: self.mismatches
        case .comparedReads: self.comparedReads
        case .bulkLoad: self.bulkLoad
        case .comparison: self.comparison
        case .clockSkew: self.clockSkew
        case .overrides: self.overrides
        }
    }

    private func make(_ name: Gate.Name, _ holds: Bool, _ figure: String, _ threshold: String, _ words: String) -> Gate
    {
        Gate(name, holds: holds, action: self.settings[name], figure: figure, threshold: threshold, words: words)
    }

    // MARK: What the sidecar sees itself

    private var connected: Gate {
        let cluster = self.step.needed ?? self.cluster
        let leg = self.figures.legs[cluster]
        guard leg.isConnected else {
            let reason = leg.lastError.map { ": \($0)" } ?? ""
            return self.make(
                .connected,
                false,
                "away",
                "connected",
                "The \(cluster) cluster cannot be reached\(reason)."
            )
        }
        guard let answers = leg.answers else {
            return self.make(.connected, true, "connected", "connected", "The \(cluster) cluster can be reached.")
        }
        return self.answering(cluster, answers)
    }

    /// A connection that stands says little: it does so for long after a node was frozen or its path was cut.
    private func answering(_ cluster: Cluster, _ answers: GateFigures.Answers) -> Gate {
        let (asked, silent) = (answers.answered + answers.missing.count, answers.missing.count)
        let holds = answers.answered > 0 && silent <= self.limits.silentNodes
        let slowest = answers.answered == 0 ? "" : ", the slowest after \(answers.slowestMilliseconds) ms"
        let allowed = self.limits.silentNodes == 0 ? "" : " but \(self.limits.silentNodes)"
        let named = answers.missing.prefix(Self.nodesNamedMax).joined(separator: ", ")
        let more = silent > Self.nodesNamedMax ? " and \(silent - Self.nodesNamedMax) more" : ""
        let words =
            if silent == 0 {
                holds ? "The \(cluster) cluster answers." : "No connection to the \(cluster) cluster stands."
            } else {
                "Connected nodes of the \(cluster) cluster do not answer: \(named)\(more)."
                    + (holds ? "" : " What is sent to them times out. Bring them back, or stop them.")
            }
        return self.make(
            .connected,
            holds,
            "\(answers.answered) of \(asked) connected nodes answer\(slowest)",
            "all\(allowed), within \(Self.seconds(self.limits.answerMilliseconds)) s",
            words
        )
    }

    /// Nodes that are told by name.
    private static var nodesNamedMax: Int { 3 }

    private var backlog: Gate {
        let leg = self.leg
        let age = Self.seconds(leg.oldestMilliseconds)
        let figure = "\(leg.records) writes, the oldest \(age) s"
        guard self.step.changesPrimary || self.step.to == .targetOnly else {
            let holds =
                leg.records <= self.limits.lagRecords && leg.oldestMilliseconds <= self.limits.lagSeconds * 1_000
            return self.make(
                .backlog,
                holds,
                figure,
                "at most \(self.limits.lagRecords) writes, the oldest at most \(self.limits.lagSeconds) s",
                holds
                    ? "The \(self.cluster) cluster keeps up."
                    : "The \(self.cluster) cluster is behind: clients would wait for it. Let it catch up."
            )
        }
        // Under traffic something is always on its way: the step itself waits until nothing is, and is refused otherwise.
        let isOnItsWay = leg.oldestMilliseconds <= GateSettings.Limits.momentMilliseconds
        return self.make(
            .backlog,
            leg.records == 0 || isOnItsWay,
            figure,
            "none older than \(Self.seconds(GateSettings.Limits.momentMilliseconds)) s; the step waits for the rest",
            leg.records == 0
                ? "The \(self.cluster) cluster has every write that it is owed."
                : isOnItsWay
                    ? "\(leg.records) writes are on their way to the \(self.cluster) cluster; the step waits for them."
                    : "\(leg.records) writes have not reached the \(self.cluster) cluster yet. Let it catch up."
        )
    }

    private var errorRate: Gate {
        let leg = self.leg
        let share = leg.writes == 0 ? 0 : Double(leg.failures) / Double(leg.writes) * 100
        let holds = share <= self.limits.errorPercentage
        return self.make(
            .errorRate,
            holds,
            "\(Self.rounded(share)) % of \(leg.writes) writes",
            "at most \(Self.rounded(self.limits.errorPercentage)) % in \(self.limits.windowSeconds) s",
            holds
                ? "The \(self.cluster) cluster takes the writes that it is sent."
                : "\(leg.failures) of \(leg.writes) writes to the \(self.cluster) cluster failed; clients would see that."
        )
    }

    private var deadLetters: Gate {
        let count = self.leg.deadLetters
        return self.make(
            .deadLetters,
            count == 0,
            "\(count)",
            "0",
            count == 0
                ? "The \(self.cluster) cluster has refused no write for good."
                : "The \(self.cluster) cluster has refused \(count) writes for good; retry or discard them: cluster-sync "
                    + "journal dead-letters."
        )
    }

    private var losses: Gate {
        let count = self.leg.losses
        return self.make(
            .losses,
            count == 0,
            "\(count)",
            "0",
            count == 0
                ? "No partition on the \(self.cluster) cluster is known to lack a write."
                : "The \(self.cluster) cluster may lack acknowledged writes in \(count) places; compare and repair them, then "
                    + "cluster-sync journal dirty clear."
        )
    }

    private var mismatches: Gate {
        let count = self.figures.mismatches
        let holds = count <= UInt64(self.limits.mismatches)
        return self.make(
            .mismatches,
            holds,
            "\(count) of \(self.figures.comparedReads) reads",
            "at most \(self.limits.mismatches) in \(self.limits.windowSeconds) s",
            holds
                ? "No more live reads than that had other rows on the other cluster."
                : "\(count) live reads had other rows on the other cluster; cluster-sync journal dirty names the partitions."
        )
    }

    private var comparedReads: Gate {
        let count = self.figures.comparedReads
        let holds = count >= UInt64(self.limits.comparedReads)
        return self.make(
            .comparedReads,
            holds,
            "\(count) reads",
            "at least \(self.limits.comparedReads) in \(self.limits.windowSeconds) s",
            holds
                ? "Enough live reads were compared."
                : "Too few live reads were compared to say much; raise validation_percentage and wait."
        )
    }

    private var clockSkew: Gate? {
        guard let skew = self.figures.clockSkewMilliseconds else { return nil }
        let holds = skew <= self.limits.clockSkewMilliseconds
        return self.make(
            .clockSkew,
            holds,
            "\(skew) ms",
            "at most \(self.limits.clockSkewMilliseconds) ms",
            holds
                ? "The clocks are close together."
                : "The clocks of sidecar and clusters are \(skew) ms apart; mend NTP first."
        )
    }

    /// In TargetOnly operators take the source away.
    private var overrides: Gate? {
        guard self.step.to == .targetOnly, !self.figures.overrides.isEmpty else { return nil }
        let tables = self.figures.overrides.filter { $0.tenants == nil && $0.stage.mode.needs(.source) }.map(
            \.tables.description
        )
        let shown = tables.prefix(3).joined(separator: ", ") + (tables.count > 3 ? " and \(tables.count - 3) more" : "")
        return self.make(
            .overrides,
            tables.isEmpty,
            "\(tables.count)",
            "0",
            tables.isEmpty
                ? "No table needs the source by a mode of its own."
                : "\(shown) need the source by a mode of their own (cluster-sync phase override list): it must stay."
        )
    }

    // MARK: What others report

    private var bulkLoad: Gate {
        let loads = self.figures.loads
        let covered = loads.reduce(1.0) { min($0, $1.covered) }
        let figure =
            loads.isEmpty
            ? "no report" : "\(Self.rounded(covered * 100)) % of \(loads.count) \(loads.count == 1 ? "load" : "loads")"
        func gate(_ holds: Bool, _ words: String) -> Gate {
            self.make(.bulkLoad, holds, figure, "100 %, no dead letters, begun after dual writing", words)
        }
        guard !loads.isEmpty else {
            return gate(
                false,
                "No loader has reported a load of what was there before dual writing. Where there was nothing, set "
                    + "gates.bulk_load: off."
            )
        }
        if let load = loads.first(where: { !$0.isWhole }) {
            let letters = load.deadLetters > 0 ? ", with \(load.deadLetters) dead letters" : ""
            return gate(
                false,
                "The load '\(load.job)' is \(load.state.rawValue) at \(Self.rounded(load.covered * 100)) %\(letters)."
            )
        }
        if let since = self.figures.legs[.target].completeSince, let load = loads.first(where: { $0.beganAt < since }) {
            return gate(
                false,
                "The load '\(load.job)' began before the target got every write for the last time, so what was written in "
                    + "between is missing. Load anew, under another job.name."
            )
        }
        return gate(true, "Everything that was there before dual writing has been loaded.")
    }

    private var comparison: Gate? {
        // On the way back the source needs one only where it was without writes for a while.
        if self.step.isBack, self.leg.completeSince == nil { return nil }
        let report = self.figures.comparison
        let figure = report.map {
            "\($0.verdict.rawValue), \(Self.rounded($0.covered * $0.sampledPercentage)) %, "
                + "\(Self.hours(self.figures.now - $0.at)) h ago"
        }
        let fault = self.comparisonFault(report)
        return self.make(
            .comparison,
            fault == nil,
            figure ?? "no report",
            "in_sync, 100 %, at most \(self.limits.comparisonHours) h ago",
            fault ?? "A comparison of whole tables has found both clusters in sync."
        )
    }

    /// Why the comparison is not enough; nil where it is.
    private func comparisonFault(_ report: ComparisonEvidence?) -> String? {
        let command = "cluster-sync dual-reader compare"
        guard let report else { return "No comparison of whole tables was reported. Run \(command)." }
        switch report.verdict {
        case .inSync: break
        case .differs:
            return "The last comparison found \(report.differences) differences; repair them and compare again."
        case .incomplete: return "The last comparison does not know of everything. Run \(command) again."
        }
        guard report.covered >= 1, report.sampledPercentage >= 100 else {
            return "The last comparison looked at a part of the data only. Run \(command) for all of it."
        }
        guard self.figures.now - report.at <= Int64(self.limits.comparisonHours) * 3_600_000 else {
            return "The last comparison is too old. Run \(command) again."
        }
        if let since = self.leg.completeSince, report.beganAt < since {
            return
                "The last comparison began before the \(self.cluster) cluster got every write again. Run \(command) again."
        }
        guard !self.step.isBack else { return nil }
        if let end = self.figures.loads.map(\.at).max(), report.beganAt < end {
            return "The last comparison began before the load had ended. Run \(command) again."
        }
        // A list that was cut may lack any table.
        let compared = report.tables
        guard let missing = self.figures.loads.flatMap(\.tables).filter({ !compared.contains($0) }).min(),
            !compared.isEmpty, compared.count < Self.tablesMax
        else { return nil }
        return "The last comparison did not look at \(missing), which was loaded. Run \(command) for all tables."
    }

    /// Tables that a report names, at most.
    private static var tablesMax: Int { 1_000 }

    // MARK: Words

    private static func seconds(_ milliseconds: Int) -> String { self.rounded(Double(milliseconds) / 1_000) }

    private static func hours(_ milliseconds: Int64) -> String {
        self.rounded(Double(max(0, milliseconds)) / 3_600_000)
    }

    /// Two places, cut: 99.999 is not 100.
    private static func rounded(_ value: Double) -> String {
        let hundredths = Int((value * 100 + 1e-9).rounded(.down))
        let (whole, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
        if rest == 0 { return "\(whole)" }
        return "\(whole)." + (rest < 10 ? "0\(rest)" : rest.isMultiple(of: 10) ? "\(rest / 10)" : "\(rest)")
    }
}

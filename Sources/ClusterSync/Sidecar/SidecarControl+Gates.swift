import CQLClient
import DualWriteCore
import DualWriter
import Logging
import Operations

/// Whether a step is safe, and the way back.
extension SidecarControl {
    /// What the gates have come to before a change of mode.
    struct Judgement: Sendable {
        /// Gates that did not hold and were overruled.
        var overruled: [Gate.Name] = []
        /// Gates that did not hold and were not asked.
        var notAsked: [Gate.Name] = []
        /// Whether the proxy must not ask its own gates, because the operator has decided about them.
        var overrulesProxy = false

        /// Takes what was decided about another part of the same change.
        mutating func add(_ other: Judgement) {
            self.overruled += other.overruled.filter { !self.overruled.contains($0) }
            self.notAsked += other.notAsked.filter { !self.notAsked.contains($0) }
            if other.overrulesProxy { self.overrulesProxy = true }
        }
    }

    /// What nodes said, and when.
    struct KeptAnswers: Sendable {
        var at: ContinuousClock.Instant
        var answers: GateFigures.Answers
    }

    /// The gates that the proxy asks once more by itself.
    private static var proxyGates: Set<Gate.Name> { [.connected, .backlog, .deadLetters, .losses] }

    /// The gates that rest on what other services report.
    static var gatesOfReports: Set<Gate.Name> { Set(Gate.Name.allCases.filter(\.needsReport)) }

    // MARK: Figures

    /// Notes what counters say now, so that the gates can look back.
    func sample() async { self.note(await self.proxy.currentStatus()) }

    @discardableResult
    private func note(_ status: DualWriterStatus) -> GateWindow.Sample {
        let sample = GateWindow.Sample(status.counters)
        self.window.record(sample, at: Int64((ContinuousClock.now - self.started) / .milliseconds(1)))
        return sample
    }

    /// Asks the cluster that a step needs whether it answers; nil where the step, or the configuration, does not want to know.
    ///
    /// - Parameter age: how old an answer may be; before a step is taken it is a new one.
    private func answers(for step: ModeStep, notOlderThan age: Duration = .zero) async -> GateFigures.Answers? {
        guard let cluster = step.needed, self.gates[.connected] != .off else { return nil }
        if let kept = self.answersKept[cluster], ContinuousClock.now - kept.at < age { return kept.answers }
        let limit = Duration.milliseconds(self.gates.limits.answerMilliseconds)
        let answers = GateFigures.Answers(await self.proxy.askNodes(of: cluster, within: limit))
        self.answersKept[cluster] = KeptAnswers(at: .now, answers: answers)
        return answers
    }

    /// - Parameters:
    ///   - step: the step that they are for.
    ///   - answers: what the nodes said that it needs.
    ///   - tables: what the step is about, where it is about single tables.
    private func figures(
        for step: ModeStep,
        _ answers: GateFigures.Answers?,
        about tables: [TableFilter.Pattern]? = nil
    ) async -> GateFigures {
        let status = await self.proxy.currentStatus()
        let growth = self.window.growth(to: self.note(status))
        var figures = GateFigures(now: Timestamp.milliseconds())
        for leg in status.legs {
            var figure = GateFigures.Leg()
            figure.isConnected = leg.isConnected
            figure.lastError = leg.lastError
            figure.records = leg.shadowWritesQueued
            figure.oldestMilliseconds = leg.shadowOldestMilliseconds
            figure.deadLetters = leg.deadLetters
            let counters = status.counters[leg.cluster]
            // Without a journal what a cluster lacks is counted, and nobody knows where.
            figure.losses =
                status.hasJournal ? leg.dirtyWithLoss : Int(clamping: counters.shadowDead + counters.shadowOverflowed)
            figure.writes = growth.writes[leg.cluster]
            figure.failures = growth.failures[leg.cluster]
            figure.completeSince = self.completeSince(leg.cluster, about: tables)
            figures.legs[leg.cluster] = figure
        }
        figures.clockSkewMilliseconds = status.clockSkewMilliseconds.map { Int(clamping: $0) }
        figures.comparedReads = growth.comparedReads
        figures.mismatches = growth.mismatches
        figures.overrides = self.phaseState.overrides.map(\.override)
        figures.loads = self.reportsKept.loadEvidence.compactMap { load in
            tables.map { load.about($0) } ?? load
        }
        figures.comparison = self.reportsKept.comparisonEvidence
        if let cluster = step.needed { figures.legs[cluster].answers = answers }
        return figures
    }

    // MARK: Judging

    /// The verdict on a step as things are now.
    ///
    /// - Parameters:
    ///   - tables: what it is about, where it is about single tables.
    ///   - age: how old the nodes' answers may be.
    func judge(
        _ step: ModeStep,
        about tables: [TableFilter.Pattern]? = nil,
        answersNotOlderThan age: Duration = .zero
    ) async -> GateVerdict {
        let answers = await self.answers(for: step, notOlderThan: age)
        return GateVerdict(step, await self.figures(for: step, answers, about: tables), self.gates)
    }

    /// The step to a mode. While reads are ahead, the way back to DualWriteSync undoes what the step forward has done.
    func modeStep(to mode: WriteMode) -> ModeStep {
        let from = self.readsAreAhead && mode.rawValue <= self.phaseState.mode.rawValue
        return ModeStep(from: from ? .shadowPrimary : self.phaseState.mode, to: mode)
    }

    /// The verdict on the next step forward, for metrics; nil in the last mode.
    func nextVerdict() async -> GateVerdict? {
        guard let step = ModeStep.forward(from: self.phaseState.mode) else { return nil }
        return await self.judge(step, answersNotOlderThan: Self.answersLast)
    }

    /// Whoever looks at metrics has the nodes asked no oftener than this.
    private static var answersLast: Duration { .seconds(5) }

    /// Judges a step that is about to be taken, and refuses it where a gate stands against it.
    ///
    /// Under traffic something is always on its way: what is owed gets as long as an attempt on the shadow to arrive.
    ///
    /// - Parameters:
    ///   - tables: what the step is about, where it is about single tables.
    ///   - leavingOut: gates that are not asked, because whoever asks cannot know of them.
    func pass(
        _ step: ModeStep,
        about tables: [TableFilter.Pattern]? = nil,
        force: Bool,
        reason: String?,
        leavingOut: Set<Gate.Name> = []
    ) async throws(AdminError) -> Judgement {
        let overrules = force && reason?.contains { !$0.isWhitespace } == true
        let began = ContinuousClock.now
        let deadline = began + .milliseconds(self.timeouts.shadowWriteMilliseconds)
        let answers = await self.answers(for: step)
        while true {
            var figures = await self.figures(for: step, answers, about: tables)
            if self.shared != nil { figures.forgiveWhatIsOnItsWay(step, since: began, self.gates.limits) }
            let verdict = GateVerdict(step, figures, self.gates)
            let vetoes = verdict.vetoes.filter { !leavingOut.contains($0.name) }
            let waits = vetoes.map(\.name) == [.backlog] && !overrules && ContinuousClock.now < deadline
            if waits, (try? await Task.sleep(for: .milliseconds(20))) != nil { continue }
            guard vetoes.isEmpty || overrules else { throw Self.refusal(step, tables, vetoes) }
            var judgement = Judgement()
            judgement.overruled = vetoes.map(\.name)
            judgement.notAsked = verdict.vetoes.map(\.name).filter { leavingOut.contains($0) }
            let strict = GateVerdict(step, figures, GateSettings()).vetoes.map(\.name)
            judgement.overrulesProxy =
                overrules || strict.contains { Self.proxyGates.contains($0) && self.gates[$0] != .veto }
            return judgement
        }
    }

    private static func refusal(_ step: ModeStep, _ tables: [TableFilter.Pattern]?, _ vetoes: [Gate]) -> AdminError {
        let whose = tables.map { "\($0.prefix(3).map(\.description).joined(separator: ", ")): " } ?? ""
        return AdminError(
            .gatesVeto,
            whose + "\(step.to) is not entered from \(step.from): " + vetoes.map(\.words).joined(separator: " "),
            hint: "force with a reason overrules \(vetoes.map(\.name.rawValue).joined(separator: ", ")). Nothing was "
                + "changed.",
            gates: vetoes.map { GateDocument($0) }
        )
    }

    private func document(_ verdict: GateVerdict) async -> VerdictDocument {
        let step = verdict.step
        let back = ModeStep.back(from: step.to)
        let gates = verdict.gates.merging(await self.gatesOfCanaries(step))
        let distance = abs(Int(step.from.rawValue) - Int(step.to.rawValue))
        var document = VerdictDocument(
            from: self.stage.name,
            to: step.to.name,
            allowed: !gates.contains(where: \.vetoes) && distance <= 1,
            gates: gates.map { GateDocument($0) },
            cost: verdict.cost,
            wayBack: back?.to.name,
            wayBackCost: back?.cost(GateFigures.untroubled)
        )
        let overrides = self.firstOverrides.filter { $0.tenants == nil }
        if !overrides.isEmpty { document.overrides = overrides }
        return document
    }
}

extension SidecarControl: GateControl {
    func verdict(to mode: String?) async throws(AdminError) -> VerdictDocument {
        let from = self.phaseState.mode
        var step = ModeStep.forward(from: from)
        if let mode { step = self.modeStep(to: try self.parsed(mode)) }
        guard let step else {
            throw AdminError(
                .transitionRefused,
                "\(from) is the last mode.",
                hint: "Ask about a mode: ?to=ShadowPrimary."
            )
        }
        return await self.document(await self.judge(step))
    }

    func rollBack(_ rollback: Rollback) async throws(AdminError) -> RollbackDocument {
        try self.begin()
        defer { self.end() }
        let from = self.phaseState.mode
        guard let step = self.readsAreAhead ? self.modeStep(to: from) : ModeStep.back(from: from) else {
            throw AdminError(.transitionRefused, "\(from) is where a migration begins: there is no step to undo.")
        }
        let verdict = await self.document(await self.judge(step))
        if rollback.isDryRun { return RollbackDocument(verdict, dryRun: true, epoch: self.phaseState.epoch) }
        if let missing = Self.missing(step.to, self.phaseState.modes.overrides, self.hosts) {
            throw AdminError(.clusterUnreachable, missing, hint: "POST /config can give it. Nothing was changed.")
        }
        let judgement = try await self.pass(step, force: rollback.force, reason: rollback.reason)
        let change = PhaseChange(mode: step.to.name, reason: rollback.reason, force: rollback.force, by: rollback.by)
        try await self.move(to: step.to, change, forced: false, judgement, as: .rollback)
        return RollbackDocument(verdict, dryRun: false, epoch: self.phaseState.epoch)
    }
}

extension DualWriterStatus {
    /// How far the clocks of this machine and of the clusters that tell their time are apart at least, in milliseconds; nil where
    /// none does. Of each cluster one node is asked.
    var clockSkewMilliseconds: Int64? {
        let clocks = self.legs.compactMap(\.clock)
        let between = clocks.count == 2 ? clocks[0].apartMin(from: clocks[1]) : 0
        return clocks.map(\.apartMin).max().map { max($0, between) }
    }
}

extension GateFigures {
    /// Several replicas go by two stages, so that less has to hold before the first one.
    ///
    /// Forward, clients wait for both clusters already: nothing is acknowledged that the target lacks, but what it was owed
    /// when the question came. Back, reads stay with the target at first: what is on its way to the source may come later, and
    /// is asked for by each proxy before they move.
    mutating func forgiveWhatIsOnItsWay(
        _ step: ModeStep,
        since began: ContinuousClock.Instant,
        _ limits: GateSettings.Limits
    ) {
        guard step.changesPrimary else { return }
        let leg = self.legs[step.to.primary]
        let age = Duration.milliseconds(leg.oldestMilliseconds)
        let isFine =
            step.isBack
            ? leg.records <= limits.lagRecords && age <= .seconds(limits.lagSeconds)
            : age < ContinuousClock.now - began - .milliseconds(20)
        if isFine { self.legs[step.to.primary].records = 0 }
    }

    /// Figures of clusters that are well: what a step costs at any time.
    static var untroubled: GateFigures {
        var figures = GateFigures(now: 0)
        for cluster in Cluster.allCases { figures.legs[cluster].isConnected = true }
        return figures
    }
}

extension GateFigures.Answers {
    init(_ signs: [NodeID: SignOfLife]) {
        self.init()
        for (node, sign) in signs.sorted(by: { "\($0.key)" < "\($1.key)" }) {
            switch sign {
            case .answered(let time):
                self.answered += 1
                self.slowestMilliseconds = max(self.slowestMilliseconds, Int(time / .milliseconds(1)))
            case .refused(let words): self.missing.append("\(node) (\(words))")
            case .silent(let time): self.missing.append("\(node) (silent for \(Int(time / .seconds(1))) s)")
            case .lost: self.missing.append("\(node) (the connection has ended)")
            }
        }
    }
}

extension GateWindow.Sample {
    init(_ counters: DualWriterCounters) {
        self.init()
        for cluster in Cluster.allCases {
            self.failures[cluster] = counters[cluster].writesFailed
            self.writes[cluster] = counters[cluster].writesSucceeded + counters[cluster].writesFailed
        }
        self.comparedReads = ComparisonCounters.Result.allCases.filter(\.isVerdict)
            .reduce(0) { $0 + counters.comparison[$1] }
        self.mismatches = counters.comparison.mismatches
    }
}

extension GateDocument {
    init(_ gate: Gate) {
        self.init(
            gate: gate.name.rawValue,
            holds: gate.holds,
            action: gate.action.rawValue,
            figure: gate.figure,
            threshold: gate.threshold,
            words: gate.words
        )
    }
}

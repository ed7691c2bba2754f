import DualWriteCore
import Operations

/// The live view as lines of text: a pure function of what is known and of the terminal's size.
struct WatchView {
    /// The smallest terminal that is drawn for; of a smaller one the rest is cut off.
    static var heightMin: Int { 4 }

    let model: WatchModel
    let width: Int
    let height: Int
    let style: Style

    private var documents: [LiveDocument] { self.model.replicas.compactMap(\.live) }
    private var several: Bool { self.model.replicas.count > 1 }

    /// At most ``height`` lines of at most ``width`` visible characters.
    func lines() -> [String] {
        var lines = self.head() + self.way()
        lines += self.legs()
        let replicas = self.replicas(rowsMax: max(2, (self.height - lines.count) / 3))
        let reports = self.reports()
        lines += replicas + reports
        lines += self.tables(rowsMax: self.height - lines.count - 2)
        let shown = lines.count > self.height ? Array(lines.prefix(max(1, self.height - 1))) : lines
        let cut = shown.map { TerminalLine.cut($0, to: self.width) }
        guard lines.count > self.height else { return cut }
        let more = self.style.dim("… \(lines.count - shown.count) more lines: a higher terminal shows them")
        return cut + [TerminalLine.cut(more, to: self.width)]
    }

    // MARK: Head and way

    private func head() -> [String] {
        let title = self.style.bold("cluster-sync")
        let name =
            self.several
            ? "\(self.model.replicas.count(where: { $0.trouble == nil })) of \(self.model.replicas.count) replicas"
            : Human.line(self.model.replicas.first?.name ?? "")
        return ["\(title) \(name), \(self.model.at)  \(self.style.dim("q leaves"))"]
    }

    /// The five modes with the one in force marked, and whether the next step is safe.
    private func way() -> [String] {
        let modes = self.documents.map(\.phase.mode)
        guard !modes.isEmpty else { return ["", self.style.yellow("no replica has answered yet")] + self.troubles() }
        let steps = WriteMode.allCases.map { mode in
            let count = modes.count { $0 == mode.name }
            guard count > 0 else { return self.style.dim(mode.name) }
            let mark = count == modes.count ? "[\(mode.name)]" : "[\(mode.name) ×\(count)]"
            return count == modes.count
                ? self.style.bold(self.style.green(mark)) : self.style.bold(self.style.red(mark))
        }
        let wide = steps.joined(separator: " → ")
        let isNarrow = WriteMode.allCases.reduce(12) { $0 + $1.name.count } > self.width - 8
        let epochs = Set(self.documents.map(\.phase.epoch)).sorted().map(String.init).joined(separator: ", ")
        let line =
            isNarrow
            ? Set(modes).sorted().map { self.style.bold(Human.line($0)) }.joined(separator: ", ") + ", epoch \(epochs)"
            : "\(wide)  epoch \(epochs)"
        var lines = ["", line]
        if Set(modes).count > 1 { lines.append(self.style.red("The replicas are not in one write mode.")) }
        return lines + self.verdict() + self.troubles()
    }

    private func verdict() -> [String] {
        let verdicts = self.model.replicas.compactMap(\.verdict)
        guard let first = verdicts.first else { return [] }
        let allowed = verdicts.count(where: \.allowed)
        let word =
            allowed == verdicts.count
            ? self.style.green("allowed")
            : self.style.yellow(self.several ? "allowed on \(allowed) of \(verdicts.count)" : "not allowed")
        var lines = ["next: \(self.style.bold(Human.line(first.to))) \(word)"]
        var told: [String] = []
        for gate in verdicts.flatMap(\.gates) where !gate.holds && !told.contains(gate.gate) {
            told.append(gate.gate)
            let text = "  \(gate.gate): \(Human.line(gate.figure)), asked for is \(Human.line(gate.threshold))"
            lines.append(gate.action == "veto" ? self.style.red(text) : self.style.yellow(text))
        }
        return lines
    }

    private func troubles() -> [String] {
        self.model.replicas.compactMap { replica in
            replica.trouble.map { self.style.red("\(Human.line(replica.name)): \(Human.line($0))") }
        }
    }

    // MARK: Both clusters

    private func legs() -> [String] {
        let documents = self.documents
        guard !documents.isEmpty else { return [] }
        var table = NarrowTable([
            .init("CLUSTER"), .init("ROLE", expendable: 3), .init("STATE", expendable: 1),
            .init("WRITES/S", .right), .init("FAILED/S", .right, expendable: 5), .init("P50", .right, expendable: 8),
            .init("P99", .right, expendable: 2), .init("READS/S", .right, expendable: 4),
            .init("FAILED/S", .right, expendable: 9), .init("P50", .right, expendable: 10),
            .init("P99", .right, expendable: 7), .init("OWED", .right), .init("OLDEST", .right, expendable: 6),
            .init("DEAD", .right, expendable: 1), .init("DOUBT", .right, expendable: 1),
        ])
        for cluster in ["source", "target"] {
            let leg = WatchLeg(cluster, of: documents)
            guard leg.count > 0 else { continue }
            table.add([
                .init(leg.cluster, self.style.bold), .init(leg.roles.joined(separator: "/")), self.state(leg),
                .init(Self.rate(leg.writesPerSecond)), self.failing(leg.writeErrorsPerSecond),
                .init(Self.milliseconds(leg.writeP50)), .init(Self.milliseconds(leg.writeP99)),
                .init(Self.rate(leg.readsPerSecond)), self.failing(leg.readErrorsPerSecond),
                .init(Self.milliseconds(leg.readP50)), .init(Self.milliseconds(leg.readP99)),
                .init(Human.count(leg.owed)) { leg.owed > 0 ? self.style.yellow($0) : $0 },
                .init(leg.owed > 0 ? Human.duration(seconds: Double(leg.oldestMilliseconds) / 1_000) : "-"),
                StatusCommand.alarming(leg.deadLetters, self.style), StatusCommand.alarming(leg.doubtful, self.style),
            ])
        }
        var remarks: [String] = []
        for document in documents {
            for remark in StatusCommand.remarks(document.status, self.style) where !remarks.contains(remark) {
                remarks.append(remark)
            }
        }
        return [""] + table.lines(width: self.width, self.style) + remarks.prefix(6) + self.comparison(documents)
    }

    private func state(_ leg: WatchLeg) -> TextTable.Cell {
        guard leg.connected < leg.count else { return .init("connected", self.style.green) }
        let isNeeded = leg.roles != ["unused"]
        let text = leg.connected == 0 ? "away" : "\(leg.connected) of \(leg.count)"
        return .init(text) { isNeeded ? self.style.red($0) : self.style.dim($0) }
    }

    private func failing(_ rate: Double) -> TextTable.Cell {
        .init(Self.rate(rate)) { rate > 0 ? self.style.red($0) : $0 }
    }

    private func comparison(_ documents: [LiveDocument]) -> [String] {
        let compared = documents.reduce(0) { $0 + $1.comparison.compared }
        let mismatches = documents.reduce(0) { $0 + $1.comparison.mismatches }
        let percentages = Set(documents.map(\.comparison.percentage)).sorted().map { "\($0) %" }
        let found = "\(Human.count(mismatches)) mismatches in \(Human.many(compared, "compared read"))"
        return [
            "reads compared: \(percentages.joined(separator: ", ")); "
                + (mismatches > 0 ? self.style.red(found) : found)
        ]
    }

    static func rate(_ perSecond: Double) -> String {
        perSecond >= 100 ? Human.count(Int(perSecond.rounded())) : "\((perSecond * 10).rounded() / 10)"
    }

    static func milliseconds(_ value: Double?) -> String {
        guard let value else { return "-" }
        return value >= 1_000
            ? Human.duration(seconds: value / 1_000)
            : value >= 10 ? "\(Int(value.rounded())) ms" : "\((value * 10).rounded() / 10) ms"
    }

    // MARK: Replicas, reports, tables

    private func replicas(rowsMax: Int) -> [String] {
        guard self.several else { return [] }
        var table = NarrowTable([
            .init("REPLICA"), .init("STATE"), .init("MODE", expendable: 1), .init("EPOCH", .right, expendable: 4),
            .init("CLIENTS", .right, expendable: 3), .init("WRITES/S", .right, expendable: 2), .init("OWED", .right),
            .init("UP", .right, expendable: 5),
        ])
        // What is wrong must not be what there is no room for.
        let sorted =
            self.model.replicas.filter { self.isTroubled($0) } + self.model.replicas.filter { !self.isTroubled($0) }
        for replica in sorted {
            let name = TextTable.Cell(Human.line(replica.name), self.style.bold)
            guard let live = replica.live else {
                table.add([name, .init("no answer", self.style.red), "-", "-", "-", "-", "-", "-"])
                continue
            }
            let state: TextTable.Cell =
                replica.trouble != nil
                ? .init("silent", self.style.red)
                : live.status.draining
                    ? .init("draining", self.style.yellow)
                    : live.status.ready ? .init("ready", self.style.green) : .init("not ready", self.style.red)
            let primary = live.traffic.legs.first { $0.cluster == live.phase.primary }
            table.add([
                name, state, .init(Human.line(live.phase.mode)), .init("\(live.phase.epoch)"),
                .init(Human.count(live.status.clients)), .init(Self.rate(primary?.writesPerSecond ?? 0)),
                .init(Human.count(live.status.legs.reduce(0) { $0 + $1.shadowQueued })),
                .init(Human.duration(seconds: live.status.uptimeSeconds)),
            ])
        }
        return [""] + table.lines(width: self.width, rowsMax: rowsMax, self.style)
    }

    private func isTroubled(_ replica: WatchModel.Replica) -> Bool {
        replica.trouble != nil || replica.live?.status.ready != true || replica.live?.status.draining == true
    }

    /// How far loader and reader are, as the sidecar that was told last has it.
    private func reports() -> [String] {
        let all = self.model.replicas.compactMap(\.reports)
        var loads: [LoadReport] = []
        for load in all.flatMap(\.loads).sorted(by: { $0.at > $1.at })
        where !loads.contains(where: { $0.job == load.job && $0.source == load.source }) {
            loads.append(load)
        }
        var lines = loads.prefix(3).map { load in
            let letters = load.deadLetters > 0 ? self.style.red(", \(Human.many(load.deadLetters, "dead letter"))") : ""
            let word = Human.line(load.state)
            let state = load.state == "incomplete" ? self.style.red(word) : word
            return "load \(self.style.bold(Human.line(load.job, max: 40))): \(Self.bar(load.tokensCoveredRatio)) "
                + "\(Human.percent(load.tokensCoveredRatio)) \(state)\(letters), \(Human.line(load.at))"
        }
        if let comparison = all.compactMap(\.comparison).max(by: { $0.at < $1.at }) {
            let verdict =
                comparison.verdict == "in_sync"
                ? self.style.green(comparison.verdict) : self.style.red(Human.line(comparison.verdict))
            lines.append(
                "comparison \(self.style.bold(Human.line(comparison.job, max: 40))): "
                    + "\(Self.bar(comparison.tokensCoveredRatio)) \(Human.percent(comparison.tokensCoveredRatio)) \(verdict), "
                    + "\(Human.many(comparison.differences, "difference")), \(Human.line(comparison.at))"
            )
        }
        return lines.isEmpty ? [] : [""] + lines
    }

    /// Twenty characters of a share from 0 to 1.
    static func bar(_ share: Double) -> String {
        let full = Int((min(max(share, 0), 1) * 20).rounded(.down))
        return String(repeating: "█", count: full) + String(repeating: "░", count: 20 - full)
    }

    private func tables(rowsMax: Int) -> [String] {
        guard rowsMax > 0 else { return [] }
        var table = NarrowTable([
            .init("TABLE"), .init("OWED", .right), .init("OLDEST", .right, expendable: 4),
            .init("DOUBT", .right, expendable: 2), .init("COMPARED", .right, expendable: 5),
            .init("MISMATCHES", .right),
            .init("LOADED", .right, expendable: 1), .init("VERDICT", expendable: 3),
        ])
        let sums = TablesCommand.sum(self.model.replicas.compactMap { $0.tables?.tables })
        for one in sums.filter(\.needsCare) + sums.filter({ !$0.needsCare }) {
            let owed = one.owedSource + one.owedTarget
            table.add([
                .init(Human.line(one.table, max: 60), self.style.bold), .init(Human.count(owed)),
                .init(owed > 0 ? Human.duration(seconds: Double(one.oldestOwedMs) / 1_000) : "-"),
                StatusCommand.alarming(one.dirtyPartitions, self.style), .init(Human.count(one.compared)),
                StatusCommand.alarming(one.mismatches, self.style),
                .init(one.loadedRatio.map { Human.percent($0) } ?? "-"), .init(Human.line(one.verdict ?? "-")),
            ])
        }
        return table.isEmpty ? [] : [""] + table.lines(width: self.width, rowsMax: rowsMax, self.style)
    }
}

/// The view where nobody looks at a terminal: a line for each replica, for a log or a pipe.
enum WatchLines {
    static func line(_ replica: WatchModel.Replica, at: String) -> String {
        let name = Human.line(replica.name)
        guard replica.trouble == nil, let live = replica.live else {
            return "\(at) \(name) no answer: \(Human.line(replica.trouble ?? ""))"
        }
        let legs = live.status.legs.map { leg in
            let traffic = live.traffic.legs.first { $0.cluster == leg.cluster }
            return "\(leg.cluster) \(leg.connected ? "connected" : "away") "
                + "\(WatchView.rate(traffic?.writesPerSecond ?? 0)) writes/s p99 \(WatchView.milliseconds(traffic?.writeP99Ms)) "
                + "\(WatchView.rate(traffic?.readsPerSecond ?? 0)) reads/s owed \(leg.shadowQueued) dead \(leg.deadLetters) "
                + "doubt \(leg.dirtyPartitions)"
        }
        let state = live.status.draining ? "draining" : live.status.ready ? "ready" : "not ready"
        return
            "\(at) \(name) \(state) \(Human.line(live.phase.mode)) epoch \(live.phase.epoch) clients \(live.status.clients), "
            + legs.joined(separator: ", ") + ", mismatches \(live.comparison.mismatches)"
    }
}

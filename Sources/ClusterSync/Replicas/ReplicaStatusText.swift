import Operations

/// The status of several replicas: a line for each, and below it what is wrong with them.
enum ReplicaStatusText {
    static func text(_ answers: [ReplicaAnswer<StatusDocument>], _ style: Style) -> String {
        var table = TextTable([
            .init("REPLICA"), .init("STATE"), .init("MODE"), .init("EPOCH", .right), .init("CLIENTS", .right),
            .init("UP", .right), .init("SOURCE"), .init("TARGET"), .init("WRITES", .right), .init("FAILED", .right),
            .init("OWED", .right), .init("DEAD", .right), .init("DOUBT", .right),
        ])
        for answer in answers { table.add(self.cells(answer, style)) }
        var lines = [table.render(style)]
        for answer in answers {
            guard let status = answer.document else { continue }
            var remarks = StatusCommand.remarks(status, style)
            if !status.ready { remarks.insert(style.red("  not ready: \(status.reason ?? "unknown why")"), at: 0) }
            if !remarks.isEmpty { lines += ["\(style.bold(answer.replica.name)):"] + remarks }
        }
        if let words = ReplicaPhaseText.disagreement(answers.compactMap { $0.document?.mode }) {
            lines.append(style.red("  \(words)"))
        }
        return lines.joined(separator: "\n")
    }

    private static func cells(_ answer: ReplicaAnswer<StatusDocument>, _ style: Style) -> [TextTable.Cell] {
        let name = TextTable.Cell(answer.replica.name, style.bold)
        guard let status = answer.document else {
            return [name, .init("no answer", style.red)] + Array(repeating: "-", count: 11)
        }
        let state: TextTable.Cell =
            status.draining
            ? .init("draining", style.yellow)
            : status.ready ? .init("ready", style.green) : .init("not ready", style.red)
        func sum<Number: BinaryInteger>(_ path: KeyPath<StatusDocument.Leg, Number>) -> Number {
            status.legs.reduce(0) { $0 + $1[keyPath: path] }
        }
        func leg(_ cluster: String) -> TextTable.Cell {
            status.legs.first { $0.cluster == cluster }.map { StatusCommand.state(of: $0, style) } ?? "-"
        }
        return [
            name, state, .init(status.mode, style.bold), .init("\(status.epoch)"), .init(Human.count(status.clients)),
            .init(Human.duration(seconds: status.uptimeSeconds)), leg("source"), leg("target"),
            .init(Human.count(sum(\.writesSucceeded))), StatusCommand.alarming(sum(\.writesFailed), style),
            .init(Human.count(sum(\.shadowQueued))), StatusCommand.alarming(sum(\.deadLetters), style),
            StatusCommand.alarming(sum(\.dirtyPartitions), style),
        ]
    }
}

/// The write modes of several replicas, and whether a step is safe for them.
enum ReplicaPhaseText {
    /// What to say where replicas are in different modes; nil where they are in one.
    static func disagreement(_ modes: [String]) -> String? {
        guard Set(modes).count > 1 else { return nil }
        let counts = Dictionary(grouping: modes) { $0 }.map { "\($0.value.count) in \($0.key)" }.sorted()
        return "The replicas are not in one write mode: \(counts.joined(separator: ", ")). "
            + "cluster-sync phase set MODE brings them together."
    }

    static func text(_ answers: [ReplicaAnswer<PhaseDocument>], _ style: Style) -> String {
        var lines = [self.table(answers, style)]
        if let words = self.disagreement(answers.compactMap { $0.document?.mode }) {
            lines.append(style.red("  \(words)"))
        }
        return lines.joined(separator: "\n")
    }

    /// Where each replica stands, and what was its last change.
    static func table(_ answers: [ReplicaAnswer<PhaseDocument>], _ style: Style) -> String {
        var table = TextTable([
            .init("REPLICA"), .init("MODE"), .init("EPOCH", .right), .init("ANSWERS"), .init("COPIES"),
            .init("SINCE"), .init("BY"), .init("REASON"),
        ])
        for answer in answers {
            let name = TextTable.Cell(answer.replica.name, style.bold)
            guard let phase = answer.document else {
                table.add([name, .init("no answer", style.red)] + Array(repeating: "-", count: 6))
                continue
            }
            let last = phase.history.first
            table.add([
                name, .init("\(phase.mode) (\(phase.number))", style.bold), .init("\(phase.epoch)"),
                .init(phase.primary), .init(phase.shadow ?? "none"), .init(last?.at ?? "-"),
                .init(Human.line(last?.by ?? "-")), .init(Human.line(last?.reason ?? "", max: 60)),
            ])
        }
        return table.render(style)
    }

    static func verdicts(_ answers: [ReplicaAnswer<VerdictDocument>], _ style: Style) -> String {
        var table = TextTable([.init("REPLICA"), .init("STEP"), .init("VERDICT"), .init("GATES THAT DO NOT HOLD")])
        for answer in answers {
            let name = TextTable.Cell(answer.replica.name, style.bold)
            guard let verdict = answer.document else {
                table.add([name, "-", .init("no answer", style.red), "-"])
                continue
            }
            let open = verdict.gates.filter { !$0.holds }.map(\.gate)
            table.add([
                name, .init("\(verdict.from) → \(verdict.to)"),
                verdict.allowed ? .init("allowed", style.green) : .init("not allowed", style.red),
                .init(open.isEmpty ? "none" : open.joined(separator: ", ")),
            ])
        }
        var lines = [table.render(style)]
        for answer in answers {
            guard let verdict = answer.document else { continue }
            let open = verdict.gates.filter { !$0.holds }
            guard !open.isEmpty else { continue }
            lines.append("\(style.bold(answer.replica.name)):")
            lines += open.map { gate in
                let text = "  \(gate.gate): \(gate.figure), asked for is \(gate.threshold). \(Human.line(gate.words))"
                return gate.action == "veto" ? style.red(text) : style.yellow(text)
            }
        }
        let costs = Set(answers.compactMap { $0.document?.cost }).sorted()
        return (lines + costs.map { style.yellow("Cost: \($0)") }).joined(separator: "\n")
    }
}

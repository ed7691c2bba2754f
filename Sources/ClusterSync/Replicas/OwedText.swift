import Operations

/// What the clusters of running sidecars are owed.
enum OwedText {
    /// A line for each cluster of one sidecar.
    static func list(_ document: JournalDocument, _ style: Style) -> String {
        var table = TextTable(self.columns)
        for cluster in document.clusters { table.add(self.cells(cluster, style)) }
        let isKept = document.enabled ? "in a journal" : style.yellow("in memory alone: the journal is off")
        return "owed writes are \(isKept)\n\n" + table.render(style)
    }

    /// A line for each cluster of each sidecar.
    static func list(_ answers: [ReplicaAnswer<JournalDocument>], _ style: Style) -> String {
        var table = TextTable([.init("REPLICA")] + self.columns)
        var remarks: [String] = []
        for answer in answers {
            let name = TextTable.Cell(answer.replica.name, style.bold)
            guard let document = answer.document else {
                table.add([name, .init("no answer", style.red)] + Array(repeating: "-", count: self.columns.count - 1))
                continue
            }
            for cluster in document.clusters { table.add([name] + self.cells(cluster, style)) }
            if !document.enabled {
                remarks.append(style.yellow("  \(answer.replica.name): in memory alone, the journal is off"))
            }
        }
        return ([table.render(style)] + remarks).joined(separator: "\n")
    }

    /// Whose writes one sidecar owes.
    ///
    /// - Parameter cluster: what they are owed to; nil for both.
    static func tables(_ document: JournalDocument, of cluster: String?, _ style: Style) -> String {
        var lines: [String] = []
        for one in document.clusters where cluster == nil || one.cluster == cluster {
            lines.append(
                "\(style.bold(one.cluster)) is owed \(Human.many(one.records, "write")), \(self.state(one).text)"
            )
            guard !one.tables.isEmpty else { continue }
            var table = TextTable([.init("TABLE"), .init("OWED", .right), .init("OLDEST", .right)])
            for share in one.tables {
                table.add([
                    .init(Human.line(share.table), style.bold), .init(Human.count(share.records)),
                    .init(self.age(share.oldestAgeMs)),
                ])
            }
            lines.append(table.render(style))
            if one.recordsLookedAt < one.records {
                lines.append(style.dim("  of the \(Human.count(one.recordsLookedAt)) oldest"))
            }
        }
        return lines.joined(separator: "\n")
    }

    private static let columns: [TextTable.Column] = [
        .init("CLUSTER"), .init("OWED", .right), .init("BYTES", .right), .init("ON DISK", .right),
        .init("OLDEST", .right), .init("STATE"), .init("DEAD", .right), .init("DOUBT", .right),
    ]

    private static func cells(_ cluster: JournalDocument.Cluster, _ style: Style) -> [TextTable.Cell] {
        let state = self.state(cluster)
        return [
            .init(cluster.cluster, style.bold), .init(Human.count(cluster.records)), .init(Human.bytes(cluster.bytes)),
            .init(Human.bytes(cluster.diskBytes)), .init(cluster.records == 0 ? "-" : self.age(cluster.oldestAgeMs)),
            .init(state.text) { state.isFine ? style.green($0) : style.yellow($0) },
            StatusCommand.alarming(cluster.deadLetters, style),
            StatusCommand.alarming(cluster.dirtyPartitions, style),
        ]
    }

    private static func age(_ milliseconds: Int) -> String { Human.duration(seconds: Double(milliseconds) / 1_000) }

    /// What holds up the writes, in a few words.
    private static func state(_ cluster: JournalDocument.Cluster) -> (text: String, isFine: Bool) {
        if cluster.breakerOpen { return ("fails or is silent", false) }
        if cluster.waitsForLogins > 0 { return ("waits for \(Human.many(cluster.waitsForLogins, "login"))", false) }
        if cluster.heldBack { return ("held back", false) }
        return cluster.behind ? ("behind", false) : ("keeps up", true)
    }
}

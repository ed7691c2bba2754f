import Operations

/// The status of several loaders: a line for each, and below it what is wrong with them.
enum LoaderStatusText {
    static func text(_ answers: [ReplicaAnswer<LoaderStatusDocument>], _ style: Style) -> String {
        var table = TextTable([
            .init("LOADER"), .init("JOB"), .init("STATE"), .init("TOKENS", .right), .init("ROWS", .right),
            .init("ROWS/S", .right), .init("LEFT", .right), .init("DEAD", .right),
        ])
        var remarks: [String] = []
        for answer in answers {
            let name = TextTable.Cell(answer.replica.name, style.bold)
            guard let job = answer.document?.job else {
                table.add([name, .init("no answer", style.red)] + Array(repeating: "-", count: 6))
                continue
            }
            let hasFailed = job.state == LoaderRun.State.failed.rawValue
            table.add([
                name, .init(Human.line(job.name, max: 48)), .init(job.state) { hasFailed ? style.red($0) : $0 },
                .init(job.tokensCovered.map { Human.percent($0) } ?? "-"), .init(Human.count(job.rows)),
                .init(job.rowsPerSecond.map { Human.count(Int($0)) } ?? "-"),
                .init(job.etaSeconds.map { Human.duration(seconds: $0) } ?? "-"),
                StatusCommand.alarming(job.deadLetters, style),
            ])
            if let reason = job.reason { remarks.append(style.yellow("  \(answer.replica.name): \(reason)")) }
        }
        return ([table.render(style)] + remarks).joined(separator: "\n")
    }
}

/// The status of several readers: a line for each, and below it what is wrong with them.
enum ReaderStatusText {
    static func text(_ answers: [ReplicaAnswer<ReaderStatusDocument>], _ style: Style) -> String {
        var table = TextTable([
            .init("READER"), .init("STATE"), .init("NOW", .right), .init("ROWS/S", .right), .init("LEFT", .right),
            .init("LAST OF EVERYTHING"), .init("ENDED"), .init("DIFFERENT", .right), .init("UNDECIDED", .right),
        ])
        var remarks: [String] = []
        for answer in answers {
            let name = TextTable.Cell(answer.replica.name, style.bold)
            guard let status = answer.document else {
                table.add([name, .init("no answer", style.red)] + Array(repeating: "-", count: 7))
                continue
            }
            let whole = status.lastWhole
            let isInSync = whole?.verdict == "in_sync"
            table.add([
                name, .init(status.state) { status.state == "failed" ? style.red($0) : $0 },
                .init(status.current.map { Human.percent($0.tokensCoveredRatio) } ?? "-"),
                .init(status.rowsPerSecond.map { Human.count(Int($0)) } ?? "-"),
                .init(status.etaSeconds.map { Human.duration(seconds: $0) } ?? "-"),
                .init(whole?.verdict ?? "none") { isInSync ? style.green($0) : style.red($0) },
                .init(whole?.at ?? "-"), whole.map { StatusCommand.alarming($0.counts.rowsDifferent, style) } ?? "-",
                whole.map { StatusCommand.alarming($0.counts.rowsUndecided, style) } ?? "-",
            ])
            for reason in [status.reason, whole?.reason].compactMap(\.self) {
                remarks.append(style.yellow("  \(answer.replica.name): \(reason)"))
            }
        }
        return ([table.render(style)] + remarks).joined(separator: "\n")
    }
}

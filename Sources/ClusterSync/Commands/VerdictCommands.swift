import ArgumentParser
import FoundationEssentials
import Operations

/// `phase verdict`: whether a step is safe.
struct VerdictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verdict",
        abstract: "Say whether a step is safe: each gate with its figure and what it asks for.",
        discussion:
            "Exit codes: 0 the step is allowed, 1 a gate stands against it, 64 wrong mode, 69 something does not answer."
    )

    @Argument(
        help: "The mode's name or number; the next one forward without it.",
        completion: .list(WriteModeNames.all)
    )
    var mode: String?

    @OptionGroup var admin: AdminOptions

    func run() async throws {
        try await self.admin.replicas().show(
            Self.path(self.mode),
            as: VerdictDocument.self,
            one: Self.text,
            several: ReplicaPhaseText.verdicts,
            holds: \.allowed
        )
    }

    /// A mode is a name or a number; what else stands there is told as a wrong one.
    static func path(_ mode: String?) -> String {
        let query = mode.map { "?to=" + String($0.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }) }
        return "/v1/phase/verdict" + (query ?? "")
    }

    static func text(_ verdict: VerdictDocument, _ style: Style) -> String {
        let word = verdict.allowed ? style.green("allowed") : style.red("not allowed without --force and --reason")
        var lines = ["\(verdict.from) → \(style.bold(verdict.to)): \(word)"]
        lines += Self.gates(verdict.gates, style)
        if let cost = verdict.cost { lines.append(style.yellow("Cost: \(cost)")) }
        if let overrides = verdict.overrides {
            lines.append("The step does not touch " + OverrideCommand.words(overrides, leftOut: 0, style))
        }
        if let back = verdict.wayBack {
            lines.append("The way back from there: \(back). " + (verdict.wayBackCost ?? "It costs nothing."))
        }
        return lines.joined(separator: "\n")
    }

    /// The gates as a table, and what those say that do not hold.
    static func gates(_ gates: [GateDocument], _ style: Style) -> [String] {
        guard !gates.isEmpty else { return ["No gate is asked for it."] }
        var table = TextTable([.init("GATE"), .init("STATE"), .init("FOUND"), .init("ASKED FOR")])
        for gate in gates {
            let state =
                gate.holds
                ? TextTable.Cell("holds") { style.green($0) }
                : TextTable.Cell(gate.action) { gate.action == "veto" ? style.red($0) : style.yellow($0) }
            table.add([.init(gate.gate, style.bold), state, .init(gate.figure), .init(gate.threshold)])
        }
        let words = gates.filter { !$0.holds }.map { "  \($0.gate): \(Human.line($0.words))" }
        return ["", table.render(style)] + (words.isEmpty ? [] : [""] + words)
    }
}

/// `phase rollback`: the step that undoes the last one.
struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Take the step back from the mode in force, and say what it costs.",
        discussion: """
            Several sidecars that keep a mode each go back one after the other, from one mode to one mode; it stops at the first \
            that fails, and says how to go on and how to undo it.

            Exit codes: 0 done (or could be), 1 refused, 64 wrong command line, 69 something does not answer, 77 token.
            """
    )

    @Option(help: "Why; it is kept in the audit. Needed but for a dry run.")
    var reason: String?

    @Flag(help: "Overrule the gates. What the other cluster is owed is missing there until it is delivered.")
    var force = false

    @Flag(help: "Say only what would be done.")
    var dryRun = false

    @OptionGroup var admin: AdminOptions

    func validate() throws {
        if !self.dryRun, self.reason == nil { throw ValidationError("--reason is missing: it is kept in the audit") }
    }

    func run() async throws {
        let body = RollbackBody(reason: self.reason, force: self.force, dryRun: self.dryRun)
        let replicas = try await self.admin.replicas()
        guard let only = replicas.only else { return try await PhaseWalk(replicas).run(body) }
        let (done, data) = try await only.post("/v1/rollback", body, as: RollbackDocument.self)
        if self.admin.json {
            Output.text(String(decoding: data, as: UTF8.self))
        } else {
            Output.line(Self.text(done, Style.standardOutput()))
        }
        if done.dryRun, !done.allowed { throw Exit.negative }
    }

    static func text(_ done: RollbackDocument, _ style: Style) -> String {
        let verb = done.dryRun ? "would go" : "gone"
        var lines = ["\(verb) from \(done.from) to \(style.bold(done.to)), epoch \(done.epoch)"]
        if let cost = done.cost { lines.append(style.yellow("Cost: \(cost)")) }
        if done.dryRun { lines += VerdictCommand.gates(done.gates, style) }
        return lines.joined(separator: "\n")
    }
}

/// `audit`: who has changed what.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Show who has changed what in running sidecars, and which gates were overruled.",
        discussion: "Exit codes: 0 shown, 64 wrong command line, 69 something does not answer."
    )

    @Option(help: "How many changes to show at most, 1 to 1000; the newest come first.")
    var limit = 20

    @OptionGroup var admin: AdminOptions

    func run() async throws {
        try await self.admin.replicas().show(
            "/v1/audit?limit=\(self.limit)",
            as: AuditDocument.self,
            one: Self.text,
            several: Self.text
        )
    }

    /// The changes of several replicas as one list, the newest first.
    static func text(_ answers: [ReplicaAnswer<AuditDocument>], _ style: Style) -> String {
        let all = answers.flatMap { answer in
            (answer.document?.records ?? []).map { (replica: answer.replica.name, record: $0) }
        }
        guard !all.isEmpty else { return "nothing has been changed yet" }
        var table = TextTable([
            .init("WHEN"), .init("REPLICA"), .init("ACTION"), .init("WHAT"), .init("BY"), .init("REASON"),
        ])
        for (replica, record) in all.sorted(by: { ($0.record.at, $0.replica) > ($1.record.at, $1.replica) }) {
            var cells = self.cells(record, style)
            cells.insert(.init(replica), at: 1)
            table.add(cells)
        }
        let rest = answers.reduce(0) { $0 + ($1.document.map { $0.total - $0.records.count } ?? 0) }
        return table.render(style) + (rest > 0 ? "\n\(Human.count(rest)) older changes are left out (--limit)" : "")
    }

    static func text(_ audit: AuditDocument, _ style: Style) -> String {
        guard !audit.records.isEmpty else { return "nothing has been changed yet" }
        var table = TextTable([.init("WHEN"), .init("ACTION"), .init("WHAT"), .init("BY"), .init("REASON")])
        for record in audit.records {
            table.add(self.cells(record, style))
        }
        let rest = audit.total - audit.records.count
        return table.render(style) + (rest > 0 ? "\n\(Human.count(rest)) older changes are left out (--limit)" : "")
    }

    private static func cells(_ record: AuditRecord, _ style: Style) -> [TextTable.Cell] {
        var reason = Human.line(record.reason ?? "")
        if record.forced { reason += " (forced)" }
        if !record.overruled.isEmpty { reason += " (overruled \(record.overruled.joined(separator: ", ")))" }
        if !record.notAsked.isEmpty { reason += " (not asked: \(record.notAsked.joined(separator: ", ")))" }
        return [
            .init(record.at), .init(record.action.rawValue, style.bold), .init(Human.line(record.what)),
            .init(Human.line(record.by)), .init(reason),
        ]
    }
}

/// What `POST /v1/rollback` takes.
struct RollbackBody: Encodable {
    let reason: String?
    let force: Bool
    let dryRun: Bool
}

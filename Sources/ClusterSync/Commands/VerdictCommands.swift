import ArgumentParser
import FoundationEssentials
import Operations

/// `phase verdict`: whether a step is safe.
struct VerdictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verdict",
        abstract: "Say whether a step is safe: each gate with its figure and what it asks for.",
        discussion: "Exit codes: 0 the step is allowed, 1 a gate stands against it, 64 wrong mode, 69 nothing answers."
    )

    @Argument(help: "The mode's name or number; the next one forward without it.")
    var mode: String?

    @OptionGroup var admin: AdminOptions

    func run() async throws {
        // A mode is a name or a number; what else stands here is told as a wrong one.
        let query = self.mode.map { "?to=" + String($0.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }) }
        let (verdict, data) = try await self.admin.client().get(
            "/v1/phase/verdict" + (query ?? ""),
            as: VerdictDocument.self
        )
        if self.admin.json {
            Output.text(String(decoding: data, as: UTF8.self))
        } else {
            Output.line(Self.text(verdict, Style.standardOutput()))
        }
        if !verdict.allowed { throw Exit.negative }
    }

    static func text(_ verdict: VerdictDocument, _ style: Style) -> String {
        let word = verdict.allowed ? style.green("allowed") : style.red("not allowed without --force and --reason")
        var lines = ["\(verdict.from) → \(style.bold(verdict.to)): \(word)"]
        lines += Self.gates(verdict.gates, style)
        if let cost = verdict.cost { lines.append(style.yellow("Cost: \(cost)")) }
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
        discussion: "Exit codes: 0 done (or could be), 1 refused, 64 wrong command line, 69 nothing answers, 77 token."
    )

    private struct Body: Encodable {
        let reason: String?
        let force: Bool
        let dryRun: Bool
    }

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
        let body = Body(reason: self.reason, force: self.force, dryRun: self.dryRun)
        let (done, data) = try await self.admin.client().post("/v1/rollback", body, as: RollbackDocument.self)
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
        abstract: "Show who has changed what in a running sidecar, and which gates were overruled.",
        discussion: "Exit codes: 0 shown, 64 wrong command line, 69 nothing answers."
    )

    @Option(help: "How many changes to show at most, 1 to 1000; the newest come first.")
    var limit = 20

    @OptionGroup var admin: AdminOptions

    func run() async throws {
        let (audit, data) = try await self.admin.client().get("/v1/audit?limit=\(self.limit)", as: AuditDocument.self)
        if self.admin.json {
            Output.text(String(decoding: data, as: UTF8.self))
        } else {
            Output.line(Self.text(audit, Style.standardOutput()))
        }
    }

    static func text(_ audit: AuditDocument, _ style: Style) -> String {
        guard !audit.records.isEmpty else { return "nothing has been changed yet" }
        var table = TextTable([.init("WHEN"), .init("ACTION"), .init("WHAT"), .init("BY"), .init("REASON")])
        for record in audit.records {
            var reason = Human.line(record.reason ?? "")
            if record.forced { reason += " (forced)" }
            if !record.overruled.isEmpty { reason += " (overruled \(record.overruled.joined(separator: ", ")))" }
            if !record.notAsked.isEmpty { reason += " (not asked: \(record.notAsked.joined(separator: ", ")))" }
            table.add([
                .init(record.at), .init(record.action.rawValue, style.bold), .init(Human.line(record.what)),
                .init(Human.line(record.by)), .init(reason),
            ])
        }
        let rest = audit.total - audit.records.count
        return table.render(style) + (rest > 0 ? "\n\(Human.count(rest)) older changes are left out (--limit)" : "")
    }
}

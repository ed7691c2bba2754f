import ArgumentParser
import DualWriteCore
import Operations

struct PhaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phase",
        abstract: "Show or change the write mode of a running sidecar, ask whether a step is safe, or undo it.",
        subcommands: [Show.self, Set.self, VerdictCommand.self, RollbackCommand.self, OverrideCommand.self],
        defaultSubcommand: Show.self
    )

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the write mode and its latest changes.",
            discussion: "Exit codes: 0 shown, 1 several are not in one write mode, 69 something does not answer."
        )

        @OptionGroup var admin: AdminOptions

        func run() async throws {
            try await self.admin.replicas().show(
                "/v1/phase",
                as: PhaseDocument.self,
                one: PhaseCommand.text,
                several: ReplicaPhaseText.text,
                agree: { documents in Swift.Set(documents.map(\.mode)).count <= 1 }
            )
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change the write mode.",
            discussion: """
                Modes, in the order of a migration: PrimaryOnly (0), DualWriteAsync (1), DualWriteSync (2), ShadowPrimary (3), \
                TargetOnly (4). One step is taken where its gates hold (`phase verdict`); anything else needs --force and \
                --reason.

                Several sidecars that keep a mode each are switched one after the other: those that step back come first. All \
                are asked before the first is; where one does not answer or would refuse, nothing is changed. At the first that \
                fails nevertheless it stops, and says how to go on and how to go back.

                Exit codes: 0 changed (or already so), 1 refused by the rules or a gate, 64 wrong mode, 69 something does not \
                answer, 77 token.
                """
        )

        @Argument(help: "The mode's name or number.", completion: .list(WriteModeNames.all))
        var mode: String

        @Option(help: "Why; it is kept in the history.")
        var reason: String?

        @Flag(help: "Overrule the rules of transition and the gates. Needs --reason.")
        var force = false

        @OptionGroup var admin: AdminOptions

        func run() async throws {
            let body = PhaseBody(mode: self.mode, reason: self.reason, force: self.force)
            let replicas = try await self.admin.replicas()
            guard let only = replicas.only else {
                return try await PhaseWalk(replicas).run(body)
            }
            let (phase, data) = try await only.put("/v1/phase", body, as: PhaseDocument.self)
            Output.text(
                self.admin.json
                    ? String(decoding: data, as: UTF8.self) : PhaseCommand.text(phase, .standardOutput()) + "\n"
            )
        }
    }

    static func text(_ phase: PhaseDocument, _ style: Style) -> String {
        let shadow = phase.shadow.map { ", copies to \($0)" } ?? ""
        var lines = [
            "\(style.bold(phase.mode)) (\(phase.number)), epoch \(phase.epoch)",
            "answers come from \(phase.primary)\(shadow); next: \(phase.next.joined(separator: " or "))",
        ]
        if let overrides = phase.overrides {
            lines.append(OverrideCommand.words(overrides, leftOut: phase.overridesLeftOut ?? 0, style))
        }
        guard !phase.history.isEmpty else { return lines.joined(separator: "\n") }
        var table = TextTable([.init("WHEN"), .init("FROM"), .init("TO"), .init("BY"), .init("REASON")])
        for record in phase.history {
            let reason = (record.reason ?? "") + (record.forced ? Self.forced(record) : "")
            table.add([.init(record.at), .init(record.from), .init(record.to), .init(record.by), .init(reason)])
        }
        return (lines + ["", table.render(style)]).joined(separator: "\n")
    }

    private static func forced(_ record: PhaseRecord) -> String {
        let gates = record.overruled ?? []
        return gates.isEmpty ? " (forced)" : " (forced, overruled \(gates.joined(separator: ", ")))"
    }
}

/// What `PUT /v1/phase` takes.
struct PhaseBody: Encodable {
    let mode: String
    let reason: String?
    let force: Bool
}

/// The write modes for the shell's completion.
enum WriteModeNames {
    static let all = WriteMode.allCases.map(\.name)
}

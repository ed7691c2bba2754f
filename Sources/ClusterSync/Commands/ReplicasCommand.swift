import ArgumentParser
import FoundationEssentials
import Operations

/// `replicas`: who changes the write mode together.
struct ReplicasCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replicas",
        abstract: "Show the replicas that have one write mode, and whether all act in it.",
        discussion:
            "Exit codes: 0 all that live do, 1 one does not, or the one that is asked refuses requests, 69 nothing answers."
    )

    @OptionGroup var admin: AdminOptions

    func run() async throws {
        let (replicas, data) = try await self.admin.client().get("/v1/replicas", as: ReplicasDocument.self)
        if self.admin.json {
            Output.text(String(decoding: data, as: UTF8.self))
        } else {
            Output.line(Self.text(replicas, Style.standardOutput()))
        }
        if !replicas.isWhole { throw Exit.negative }
    }

    static func text(_ document: ReplicasDocument, _ style: Style) -> String {
        guard document.control == "cluster" else {
            let words =
                "this sidecar has a write mode of its own (control: file): \(document.stage), epoch \(document.epoch)"
            return ([words] + self.overrides(document, style)).joined(separator: "\n")
        }
        let preparing = document.preparing.map { ", preparing \(style.bold($0))" } ?? ""
        var lines = ["\(style.bold(document.stage)), epoch \(document.epoch)\(preparing)"]
        lines += self.overrides(document, style)
        lines += self.table(document.replicas, style)
        lines += document.replicas.compactMap { replica in
            replica.fault.map { style.yellow("  \(replica.id): \(Human.line($0))") }
        }
        lines += document.unreadable.map {
            style.yellow("  the control state of the \($0.cluster) cannot be read: \(Human.line($0.reason))")
        }
        if let lapse = document.lapse {
            lines.append(style.red("  this replica refuses requests: \(Human.line(lapse))"))
        }
        return lines.joined(separator: "\n")
    }

    /// The overrides, and who has them.
    private static func overrides(_ document: ReplicasDocument, _ style: Style) -> [String] {
        guard let overrides = document.overrides else { return [] }
        var lines = [OverrideCommand.words(overrides, leftOut: document.overridesLeftOut ?? 0, style)]
        let (live, behind) = (
            document.replicas.filter { $0.state == "live" }, document.replicas.filter { $0.state == "behind" }
        )
        if !live.isEmpty {
            lines.append("  the same on \(Human.many(live.count, "replica"))")
        }
        lines += behind.map { style.yellow("  not yet on \($0.id), which acts in epoch \($0.appliedEpoch ?? 0)") }
        return lines
    }

    /// A line for each, the one that answers marked.
    static func table(_ replicas: [ReplicasDocument.Replica], _ style: Style) -> [String] {
        guard !replicas.isEmpty else { return [] }
        var table = TextTable([
            .init("REPLICA"), .init("ADMIN PORT"), .init("STATE"), .init("EPOCH", .right), .init("OWES SOURCE", .right),
            .init("OWES TARGET", .right),
        ])
        for replica in replicas {
            let state = TextTable.Cell(replica.state) { text in
                replica.state == "live"
                    ? style.green(text) : replica.state == "behind" ? style.yellow(text) : style.red(text)
            }
            table.add([
                .init(replica.id + (replica.isThisOne ? " *" : ""), style.bold), .init(replica.address), state,
                .init(replica.appliedEpoch.map { "\($0)" } ?? "-"), .init(Human.count(replica.owedSource)),
                .init(Human.count(replica.owedTarget)),
            ])
        }
        return ["", table.render(style)]
    }
}

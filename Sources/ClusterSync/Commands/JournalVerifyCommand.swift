import ArgumentParser
import FoundationEssentials
import NIOHTTP1
import NIOCore
import Operations
import ShadowJournal

/// All checksums of a journal.
struct JournalVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify every checksum of a journal's folder, or have running sidecars verify theirs.",
        discussion: """
            All files are read. Sidecars that are asked by --endpoint want the token for that.

            Exit codes: 0 everything can be read, 1 something is damaged, 64 wrong command line, 69 something does not answer, \
            73 no journal that can be read, 77 token.
            """
    )

    /// What is sent: nothing is chosen.
    private struct Body: Encodable {}

    @OptionGroup var place: JournalPlaceOptions

    func run() async throws {
        guard let inspector = try self.place.inspector() else { return try await self.ask() }
        let document = try JournalPlaceOptions.reading { () throws(JournalError) in
            try JournalVerificationDocument(inspector)
        }
        if self.place.json {
            Output.text(String(decoding: try DocumentCoding.encode(document), as: UTF8.self))
        } else {
            Output.line(Self.text(document, .standardOutput()))
        }
        if !document.isWhole { throw Exit.negative }
    }

    /// Has running sidecars do it, all at once.
    private func ask() async throws {
        let replicas = try await self.place.admin.replicas()
        let answers = await replicas.each { client async throws(AdminFailure) in
            // Tens of gigabytes are read to their end.
            try await client.change(
                .POST,
                "/v1/journal/verify",
                Body(),
                as: JournalVerificationDocument.self,
                within: .hours(1)
            )
        }
        if let only = answers.first, answers.count == 1 {
            if let failure = only.failure { throw fail(failure.code, failure.message) }
            guard let (document, data) = try? only.result.get() else { return }
            self.place.json
                ? Output.text(String(decoding: data, as: UTF8.self))
                : Output.line(Self.text(document, .standardOutput()))
        } else if self.place.json {
            Output.text(ReplicaDocument.text(answers))
        } else {
            Output.line(ReplicaText.sections(answers, .standardOutput(), Self.text))
            ReplicaText.tell(answers)
        }
        try ReplicaSet.finish(answers, holds: \.isWhole)
    }

    private static func text(_ document: JournalVerificationDocument, _ style: Style) -> String {
        var lines: [String] = []
        for log in document.logs {
            let records = "\(Human.many(log.records, "record")), \(Human.many(log.definitions, "definition"))"
            let verdict = log.isWhole ? style.green("whole  ") : style.red("damaged")
            lines.append("  \(verdict)  \(style.bold(log.name)): \(records)")
            lines += log.damage.map { style.red("           \($0)") }
        }
        lines += document.damage.map { "  \(style.red("damaged"))  \($0)" }
        lines.append(
            document.isWhole
                ? "\(document.folder): everything that was written can be read"
                : "\(document.folder): what is damaged is passed over at the next start, and everything of its cluster is "
                    + "in doubt then (docs/runbook.md)"
        )
        return lines.joined(separator: "\n")
    }
}

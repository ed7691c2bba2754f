import ArgumentParser
import FoundationEssentials
import Operations
import ShadowJournal

/// All checksums of a journal.
struct JournalVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify every checksum of a journal's folder.",
        discussion: """
            Exit codes: 0 everything can be read, 1 something is damaged, 64 wrong command line, 73 no journal that can be read.
            """
    )

    /// The answer as JSON.
    struct Document: Encodable {
        struct Log: Encodable {
            let name: String
            let isWhole: Bool
            let records: Int
            let definitions: Int
            /// What is wrong and where.
            let damage: [String]
        }

        let folder: String
        let isWhole: Bool
        let logs: [Log]
        /// What is wrong with the folder itself.
        let damage: [String]
    }

    @OptionGroup var folder: JournalFolderOptions

    func run() throws {
        let inspector = try self.folder.inspector()
        let summaries = try JournalFolderOptions.reading { () throws(JournalError) in try inspector.summaries() }
        let document = Self.document(inspector, summaries)
        if self.folder.json {
            Output.text(String(decoding: try DocumentCoding.encode(document), as: UTF8.self))
        } else {
            Self.show(document, Style.standardOutput())
        }
        if !document.isWhole { throw Exit.negative }
    }

    private static func document(_ inspector: JournalInspector, _ summaries: [LogSummary]) -> Document {
        let logs = summaries.map { summary in
            Document.Log(
                name: summary.name,
                isWhole: summary.content.isComplete,
                records: summary.content.records,
                definitions: summary.content.definitions,
                damage: Self.damage(summary)
            )
        }
        let isStateKnown = inspector.owner.isOwned || inspector.wasClosed != nil
        let damage = isStateKnown ? [] : ["the file that says how the last owner ended cannot be read"]
        return Document(
            folder: inspector.folderName,
            isWhole: damage.isEmpty && logs.allSatisfy(\.isWhole),
            logs: logs,
            damage: damage
        )
    }

    private static func damage(_ summary: LogSummary) -> [String] {
        let content = summary.content
        var all = content.damaged.map {
            "file \($0.segment): \(Human.bytes($0.bytes)) from byte \(Human.count($0.offset)) on"
        }
        if content.damagedCount > content.damaged.count {
            all.append("\(Human.many(content.damagedCount - content.damaged.count, "more damaged range"))")
        }
        all += content.damagedHeaders.map { "file \($0): its header; the records behind it were looked for" }
        all += content.unreadable.map { "file \(Human.line($0.name)): \($0.reason)" }
        return all
    }

    private static func show(_ document: Document, _ style: Style) {
        for log in document.logs {
            let records = "\(Human.many(log.records, "record")), \(Human.many(log.definitions, "definition"))"
            let verdict = log.isWhole ? style.green("whole  ") : style.red("damaged")
            Output.line("  \(verdict)  \(style.bold(log.name)): \(records)")
            for line in log.damage { Output.line(style.red("           \(line)")) }
        }
        for line in document.damage { Output.line("  \(style.red("damaged"))  \(line)") }
        Output.line(
            document.isWhole
                ? "\(document.folder): everything that was written can be read"
                : "\(document.folder): what is damaged is passed over at the next start, and everything of its cluster is "
                    + "in doubt then (docs/runbook.md)"
        )
    }
}

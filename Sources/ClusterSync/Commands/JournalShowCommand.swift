import ArgumentParser
import CQLSyntax
import DualWriteCore
import DualWriter
import FoundationEssentials
import Operations
import ShadowJournal

/// The records of one log, in words.
struct JournalShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the records of a log, or whose writes running sidecars owe.",
        discussion: """
            The oldest come first. Values are customers' data: they are shown as lengths, and left out of texts, unless \
            --values is given. Sidecars that are asked by --endpoint tell how many writes to which tables they owe source or \
            target, of the 10,000 oldest; their records stay in their folders.

            Exit codes: 0 shown, 64 wrong command line, 69 something does not answer, 73 no journal that can be read.
            """
    )

    @Argument(
        help:
            "The log's name, such as target-0; cluster-sync journal list knows them. With --endpoint source or target, or none."
    )
    var log: String?

    @Option(help: "Records to show at most.")
    var limit = 100

    @Flag(help: "Show records that are finished, too.")
    var all = false

    @Flag(help: "Show values, which are customers' data.")
    var values = false

    @OptionGroup var place: JournalPlaceOptions

    func validate() throws {
        guard (1...Self.limitMax).contains(self.limit) else {
            throw ValidationError("--limit takes a number from 1 to \(Self.limitMax).")
        }
    }

    static var limitMax: Int { 100_000 }

    func run() async throws {
        guard let inspector = try self.place.inspector() else { return try await self.ask() }
        let names = try JournalPlaceOptions.reading { () throws(JournalError) in try inspector.logNames }
        guard let log = self.log, names.contains(log) else {
            let what = self.log.map { "there is no log '\($0)' in" } ?? "name a log of"
            throw fail(Exit.usage, "\(what) '\(inspector.folderName)'; it holds: \(names.joined(separator: ", "))")
        }
        try self.show(log, of: inspector)
    }

    /// Asks running sidecars.
    private func ask() async throws {
        guard !self.all, !self.values else {
            throw fail(Exit.usage, "--all and --values show records, which are in the folder: --state-dir DIR")
        }
        if let log, Cluster.allCases.allSatisfy({ $0.description != log }) {
            throw fail(
                Exit.usage,
                "a running sidecar tells what it owes source or target, and not of '\(log)'\n"
                    + "The records of a log are in its folder: --state-dir DIR."
            )
        }
        let cluster = self.log
        try await self.place.admin.replicas().show(
            "/v1/journal",
            as: JournalDocument.self,
            one: { OwedText.tables($0, of: cluster, $1) },
            several: { answers, style in
                ReplicaText.sections(answers, style) { OwedText.tables($0, of: cluster, $1) }
            }
        )
    }

    private func show(_ log: String, of inspector: JournalInspector) throws {
        var records: [RecordDescription] = []
        var more = 0
        try JournalPlaceOptions.reading { () throws(JournalError) in
            try inspector.forEachRecord(in: log) { record, definition in
                guard self.all || record.state != .finished else { return true }
                if records.count < self.limit {
                    records.append(RecordDescription(record, ofLog: log, definition))
                } else {
                    more += 1
                }
                return true
            }
        }
        if self.place.json {
            let document = RecordsDocument(log: log, records, more: more, values: self.values)
            Output.text(String(decoding: try DocumentCoding.encode(document), as: UTF8.self))
            return
        }
        let style = Style.standardOutput()
        let what = self.all ? "record" : "open record"
        Output.line("\(style.bold(log)), \(inspector.ownerWords): \(Human.many(records.count + more, what))")
        guard !records.isEmpty else { return }
        Output.line()
        Output.line(RecordsTable(records, values: self.values).render(style))
        if more > 0 { Output.line(style.dim("  \(Human.count(more)) more; --limit shows them")) }
    }
}

/// Records in aligned lines; what does not fit into a column stands below its record.
struct RecordsTable {
    private static var textCharactersMax: Int { 160 }
    private static var valueBytesMax: Int { 64 }

    private let records: [RecordDescription]
    private let values: Bool

    init(_ records: [RecordDescription], values: Bool) {
        self.records = records
        self.values = values
    }

    func render(_ style: Style) -> String {
        var table = TextTable([
            .init("NUMBER", .right), .init("WRITTEN"), .init("STATE"), .init("KIND"), .init("KEYSPACE"), .init("USER"),
            .init("BYTES", .right),
        ])
        for record in self.records {
            table.add([
                .init("\(record.sequence)", style.bold), .init(Timestamp.text(milliseconds: record.writtenAt)),
                .init(record.state) { record.state == "damaged" ? style.red($0) : $0 }, .init(record.kind),
                .init(Human.line(record.keyspace ?? "-", max: 48)), .init(Human.line(record.user ?? "-", max: 48)),
                .init(Human.count(record.byteCount)),
            ])
        }
        let widths = table.widths
        var lines = [table.header(style), table.rule(style)]
        let indent = String(repeating: " ", count: widths[0] + 4)
        for (record, row) in zip(self.records, table.rows) {
            lines.append(table.line(row, widths))
            lines += self.details(record).map { indent + style.dim($0) }
        }
        return lines.joined(separator: "\n")
    }

    private func details(_ record: RecordDescription) -> [String] {
        var lines: [String] = []
        if let partition = record.partition {
            let place = partition.place.cql ?? "anything"
            lines.append("\(partition.cluster) \(place), \(self.key(partition.place.key)): \(partition.reason.name)")
        } else if let reason = record.reason {
            lines.append("\(record.cluster?.description ?? "?") says \(Human.line(reason))")
        }
        for statement in record.statements {
            guard let text = statement.text else {
                lines.append("(the text of a prepared statement is lost)")
                continue
            }
            // Masking before cutting: half a string must not look like a name.
            let shown = self.values ? text : MaskedText.of(text)
            lines.append(Human.line(shown, max: self.values ? .max : Self.textCharactersMax))
            if !statement.values.isEmpty {
                lines.append("  " + statement.values.map { self.value($0) }.joined(separator: ", "))
            }
        }
        return lines
    }

    private func key(_ key: [UInt8]?) -> String {
        guard let key else { return "the whole table" }
        return self.values ? "key 0x\(Human.hexadecimal(key))" : "a key of \(Human.many(key.count, "byte"))"
    }

    private func value(_ value: RecordDescription.Value) -> String {
        let name = value.name.map { "\(Human.line($0)): " } ?? ""
        guard let bytes = value.bytes else { return name + (value.isUnset ? "unset" : "null") }
        guard self.values else { return name + Human.many(bytes.count, "byte") }
        let rest = bytes.count > Self.valueBytesMax ? "… (\(Human.bytes(bytes.count)))" : ""
        return "\(name)0x\(Human.hexadecimal(bytes.prefix(Self.valueBytesMax)))\(rest)"
    }
}

/// Records as JSON.
struct RecordsDocument: Encodable {
    struct Record: Encodable {
        let number: UInt64
        let writtenAt: String
        let state: String
        let kind: String
        let repeatable: Bool
        let bytes: Int
        let cluster: String?
        let keyspace: String?
        let table: String?
        let user: String?
        let reason: String?
        let statements: [Statement]
    }

    struct Statement: Encodable {
        let text: String?
        let values: [Value]
    }

    struct Value: Encodable {
        let name: String?
        /// Nil for null and for what is not set.
        let length: Int?
        /// In hexadecimal digits.
        let bytes: String?
    }

    let log: String
    let records: [Record]
    /// Records beyond the limit.
    let more: Int

    init(log: String, _ records: [RecordDescription], more: Int, values: Bool) {
        self.log = log
        self.more = more
        self.records = records.map { record in
            Record(
                number: record.sequence,
                writtenAt: Timestamp.text(milliseconds: record.writtenAt),
                state: record.state,
                kind: record.kind,
                repeatable: record.isRepeatable,
                bytes: record.byteCount,
                cluster: record.cluster?.description,
                keyspace: record.keyspace,
                table: record.partition?.place.cql,
                user: record.user,
                reason: record.reason,
                statements: record.statements.map { statement in
                    Statement(
                        text: statement.text.map { values ? $0 : MaskedText.of($0) },
                        values: statement.values.map { value in
                            Value(
                                name: value.name,
                                length: value.bytes?.count,
                                bytes: values ? value.bytes.map { Human.hexadecimal($0) } : nil
                            )
                        }
                    )
                }
            )
        }
    }
}

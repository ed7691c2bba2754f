import CQLClient
import CQLProtocol
import NIOCore

/// Asks a source for the times of a set's elements or a map's keys, which it tells for one at a time: some reads for each row
/// that has such a column.
///
/// What has gone since the row was read has no time any more and is left out, as its deletion is newer than the read.
struct LiveElementTimes {
    /// A column of one row or of the statics of one partition, and its elements.
    private struct Question {
        let part: Int
        /// Nil for statics.
        let row: Int?
        /// The place among the row's cells.
        let place: Int
        let column: LiveTable.Column
        /// The values of the row's key.
        let key: [ByteBuffer]
        let elements: ArraySlice<ByteBuffer>
    }

    private struct Shape: Hashable {
        let column: LiveTable.Column
        let count: Int
    }

    /// Elements of one read at most.
    private static var elementsMax: Int { 64 }
    /// Reads on the way at once.
    private static var inFlightMax: Int { 16 }
    /// How often a read is tried.
    private static var triesMax: Int { 4 }

    private let select: LiveSelect
    private let session: CQLSession
    private let options: LiveReader.Options
    private var statements: [Shape: CQLStatement] = [:]

    /// Nil where the source tells all that it knows together with the rows.
    init?(_ select: LiveSelect, on session: CQLSession, _ options: LiveReader.Options) {
        guard select.times.contains(.byKey) else { return nil }
        self.select = select
        self.session = session
        self.options = options
    }

    /// The text that reads the times of so many elements of a column in one row.
    static func text(_ table: LiveTable, _ column: LiveTable.Column, count: Int) -> String {
        func quoted(_ name: String) -> String { StatementTexts.Target.quoted(name) }
        let name = quoted(column.name)
        let asked = Array(repeating: "WRITETIME(\(name)[?]), TTL(\(name)[?])", count: count)
        let key = table.partitionKey + (column.isStatic ? [] : table.clustering.map(\.name))
        return "SELECT \(asked.joined(separator: ", ")) FROM \(quoted(table.keyspace)).\(quoted(table.name)) "
            + "WHERE \(key.map { "\(quoted($0)) = ?" }.joined(separator: " AND "))"
            + (column.isStatic ? " LIMIT 1" : "")
    }

    /// Adds the times to the cells of a page.
    ///
    /// - Throws: ``CQLSessionError``, where a read fails as often as it is tried.
    mutating func add(to parts: inout [LivePart]) async throws {
        let questions = self.questions(parts)
        for question in questions {
            let shape = Shape(column: question.column, count: Self.asked(question.elements.count))
            guard self.statements[shape] == nil else { continue }
            let text = Self.text(self.select.table, shape.column, count: shape.count)
            self.statements[shape] = try await self.session.prepare(text, isIdempotent: true)
        }
        var answers: [(question: Int, times: [LiveTime?])] = []
        let asking = self
        try await withThrowingTaskGroup(of: (Int, [LiveTime?]).self) { group in
            for (index, question) in questions.enumerated() {
                if index >= Self.inFlightMax, let answer = try await group.next() { answers.append(answer) }
                group.addTask { (index, try await asking.times(question)) }
            }
            for try await answer in group { answers.append(answer) }
        }
        // The slices of one column have followed each other.
        for (index, times) in answers.sorted(by: { $0.question < $1.question }) {
            let question = questions[index]
            let cell =
                question.row.map { parts[question.part].rows[$0].cells[question.place] }
                ?? parts[question.part].statics?[question.place]
            guard var cell = cell ?? nil else { continue }
            var all: [LiveTime?] = []
            if case .each(let before) = cell.times { all = before }
            cell.times = .each(all + times)
            if let row = question.row {
                parts[question.part].rows[row].cells[question.place] = cell
            } else {
                parts[question.part].statics?[question.place] = cell
            }
        }
    }

    /// The next power of two, so that the texts are few.
    private static func asked(_ count: Int) -> Int {
        var asked = 1
        while asked < count { asked *= 2 }
        return asked
    }

    private func questions(_ parts: [LivePart]) -> [Question] {
        var questions: [Question] = []
        func ask(_ part: Int, _ row: Int?, _ key: [ByteBuffer], _ cells: [LiveCell?], isStatic: Bool) {
            let columns = zip(self.select.table.columns, self.select.times).filter { $0.0.isStatic == isStatic }
            for (place, (column, times)) in columns.enumerated() where times == .byKey {
                guard let cell = cells[place], let elements = self.elements(cell, column) else { continue }
                for start in stride(from: 0, to: elements.count, by: Self.elementsMax) {
                    let slice = elements[start..<min(start + Self.elementsMax, elements.count)]
                    questions.append(
                        Question(part: part, row: row, place: place, column: column, key: key, elements: slice)
                    )
                }
            }
        }
        for (index, part) in parts.enumerated() {
            if let statics = part.statics { ask(index, nil, part.key, statics, isStatic: true) }
            for (place, row) in part.rows.enumerated() {
                ask(index, place, part.key + row.clustering, row.cells, isStatic: false)
            }
        }
        return questions
    }

    /// The elements of a set, or the keys of a map.
    private func elements(_ cell: LiveCell, _ column: LiveTable.Column) -> [ByteBuffer]? {
        guard column.storage == .map else {
            return Elements.of(collection: cell.value).map { $0.map { $0 ?? ByteBuffer() } }
        }
        guard let entries = Elements.of(collection: cell.value, isMap: true) else { return nil }
        return stride(from: 0, to: entries.count, by: 2).map { entries[$0] ?? ByteBuffer() }
    }

    private func times(_ question: Question) async throws -> [LiveTime?] {
        let count = Self.asked(question.elements.count)
        guard let statement = self.statements[Shape(column: question.column, count: count)],
            let last = question.elements.last
        else { return [] }
        let padded = question.elements + Array(repeating: last, count: count - question.elements.count)
        let bytes = padded.flatMap { [$0, $0] } + question.key
        let values = try zip(bytes, statement.variables.markers).map { try CQLValue(decoding: $0, as: $1.type) }
        let cells = try await self.row(statement, values)
        return question.elements.indices.map { index in
            let place = 2 * (index - question.elements.startIndex)
            guard let cells, place + 1 < cells.count else { return nil }
            return LiveSelect.time(cells[place], cells[place + 1])
        }
    }

    private func row(_ statement: CQLStatement, _ values: [CQLValue]) async throws -> [ByteBuffer?]? {
        var tries = 1
        while true {
            do {
                let consistency = self.options.consistency.level
                return try await self.session.execute(statement, values, consistency: consistency).rows?.first?.cells
            } catch let error as CQLSessionError where error.mayPassWithSmallerPages && tries < Self.triesMax {
                try await Task.sleep(for: .milliseconds(self.options.pauseMilliseconds << tries))
                tries += 1
            }
        }
    }
}

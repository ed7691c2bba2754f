/// A table that leaves out columns where the terminal is too narrow for all of them.
struct NarrowTable {
    struct Column {
        let title: String
        let alignment: TextTable.Alignment
        /// Which go first where there is no room: those with the largest number. Columns with 0 stay.
        let expendable: Int

        init(_ title: String, _ alignment: TextTable.Alignment = .left, expendable: Int = 0) {
            self.title = title
            self.alignment = alignment
            self.expendable = expendable
        }
    }

    let columns: [Column]
    private var rows: [[TextTable.Cell]] = []

    init(_ columns: [Column]) { self.columns = columns }

    var isEmpty: Bool { self.rows.isEmpty }

    mutating func add(_ cells: [TextTable.Cell]) { self.rows.append(cells) }

    /// Title and rows, without a rule between them.
    ///
    /// - Parameter rowsMax: rows that there is room for; the others are told by their number.
    func lines(width: Int, rowsMax: Int = .max, _ style: Style) -> [String] {
        var kept = Array(self.columns.indices)
        while self.table(kept).width > width, let victim = self.victim(kept) { kept.removeAll { $0 == victim } }
        let table = self.table(kept)
        let widths = table.widths
        var lines = [table.header(style)]
        let isCut = table.rows.count > rowsMax
        let shown = table.rows.prefix(isCut ? max(0, rowsMax - 1) : rowsMax)
        lines += shown.map { table.line($0, widths) }
        if isCut { lines.append(style.dim("  and \(table.rows.count - shown.count) more")) }
        return lines
    }

    private func victim(_ kept: [Int]) -> Int? {
        let expendable = kept.filter { self.columns[$0].expendable > 0 }
        return expendable.max { self.columns[$0].expendable < self.columns[$1].expendable }
    }

    private func table(_ kept: [Int]) -> TextTable {
        var table = TextTable(kept.map { TextTable.Column(self.columns[$0].title, self.columns[$0].alignment) })
        for row in self.rows { table.add(kept.map { row[$0] }) }
        return table
    }
}

extension TextTable {
    /// Characters of a line.
    var width: Int { self.widths.reduce(0) { $0 + $1 + 2 } }
}

/// Lines for a terminal of a width.
enum TerminalLine {
    /// The first `width` visible characters of a line that may hold colours; they end with it.
    static func cut(_ line: String, to width: Int) -> String {
        var result = ""
        var visible = 0
        var isInEscape = false
        var hasColor = false
        for character in line {
            if isInEscape {
                result.append(character)
                // CSI … m: the only sequences that a style writes.
                if character == "m" { isInEscape = false }
                continue
            }
            if character == "\u{1B}" {
                isInEscape = true
                hasColor = true
                result.append(character)
                continue
            }
            guard visible < width else {
                if hasColor { result += "\u{1B}[0m" }
                return result
            }
            visible += 1
            result.append(character)
        }
        return result
    }
}

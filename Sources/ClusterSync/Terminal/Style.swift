import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Colours for people; nothing where nobody looks. https://no-color.org
struct Style: Sendable {
    let isColored: Bool

    /// Colours only on a terminal, and not where `NO_COLOR` is set or the terminal is dumb.
    static func standardOutput(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> Style {
        let refuses = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return Style(isColored: isatty(STDOUT_FILENO) == 1 && !refuses && environment["TERM"] != "dumb")
    }

    private func wrap(_ code: String, _ text: String) -> String {
        self.isColored ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    func bold(_ text: String) -> String { self.wrap("1", text) }
    func dim(_ text: String) -> String { self.wrap("2", text) }
    func green(_ text: String) -> String { self.wrap("32", text) }
    func red(_ text: String) -> String { self.wrap("31", text) }
    func yellow(_ text: String) -> String { self.wrap("33", text) }
    func cyan(_ text: String) -> String { self.wrap("36", text) }
}

/// A table with aligned columns. Widths are counted before colours are added.
struct TextTable {
    enum Alignment { case left, right }

    struct Column {
        let title: String
        let alignment: Alignment

        init(_ title: String, _ alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    struct Cell: ExpressibleByStringLiteral {
        let text: String
        let paint: (String) -> String

        init(_ text: String, _ paint: @escaping (String) -> String = { $0 }) {
            self.text = text
            self.paint = paint
        }

        init(stringLiteral text: String) { self.init(text) }
    }

    let columns: [Column]
    private(set) var rows: [[Cell]] = []
    /// Widths that are known before the rows are, so that a table can be printed while it grows.
    var minimumWidths: [Int] = []

    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ cells: [Cell]) {
        precondition(cells.count == self.columns.count, "a row has one cell per column")
        self.rows.append(cells)
    }

    var widths: [Int] {
        self.columns.indices.map { index in
            let own = max(self.columns[index].title.count, self.rows.map { $0[index].text.count }.max() ?? 0)
            return max(own, index < self.minimumWidths.count ? self.minimumWidths[index] : 0)
        }
    }

    func header(_ style: Style) -> String {
        self.line(self.columns.map { Cell($0.title, style.bold) }, self.widths)
    }

    func rule(_ style: Style) -> String {
        style.dim("  " + self.widths.map { String(repeating: "─", count: $0) }.joined(separator: "  "))
    }

    func line(_ cells: [Cell], _ widths: [Int]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            let padding = String(repeating: " ", count: max(0, widths[index] - cell.text.count))
            let isLast = index == cells.count - 1
            line += "  "
            switch self.columns[index].alignment {
            case .left: line += cell.paint(cell.text) + (isLast ? "" : padding)
            case .right: line += padding + cell.paint(cell.text)
            }
        }
        return line
    }

    func render(_ style: Style) -> String {
        let widths = self.widths
        let lines = [self.header(style), self.rule(style)] + self.rows.map { self.line($0, widths) }
        return lines.joined(separator: "\n")
    }
}

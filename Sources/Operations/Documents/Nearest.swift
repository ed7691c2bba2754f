/// Help for people who mistyped a name.
public enum Nearest {
    /// The name among `names` that is closest to `text`, where one is close enough to be meant.
    public static func match(_ text: String, among names: some Sequence<String>) -> String? {
        let wanted = Array(text.lowercased().utf8.prefix(64))
        var best: (name: String, distance: Int)?
        for name in names {
            let distance = self.distance(wanted, Array(name.lowercased().utf8.prefix(64)))
            if distance < (best?.distance ?? .max) { best = (name, distance) }
        }
        guard let best, best.distance <= max(2, wanted.count / 3) else { return nil }
        return best.name
    }

    /// `unknown key 'x'; did you mean 'y'?`
    public static func unknown(_ what: String, _ text: String, among names: some Sequence<String>) -> String {
        let shown = String(text.unicodeScalars.prefix(80).map { $0.value < 0x20 ? " " : Character($0) })
        guard let match = self.match(text, among: names) else { return "unknown \(what) '\(shown)'" }
        return "unknown \(what) '\(shown)'; did you mean '\(match)'?"
    }

    /// `text` without spaces and tabs around it.
    public static func trimmed(_ text: Substring) -> String {
        var text = text
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }

    /// The number of insertions, deletions and replacements between two texts (Levenshtein).
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let replaced = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}

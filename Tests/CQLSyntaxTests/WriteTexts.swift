import TestSupport

/// Texts of writes, for tests that must hold for all of them.
extension SeededRandom {
    private mutating func pick(_ choices: [String]) -> String { choices.randomElement(using: &self) ?? "" }

    /// What may stand between two tokens.
    private mutating func gap() -> String {
        self.pick([" ", " ", " ", "  ", "\n", "\t", " /* TTL 9 */ ", " -- USING\n", "/**/"])
    }

    private mutating func joined(_ words: [String]) -> String {
        words.filter { !$0.isEmpty }.reduce("") { text, word in text.isEmpty ? word : text + self.gap() + word }
    }

    private mutating func value() -> String {
        self.pick(["?", ":name", ":\"Other\"", "1", "'it''s ; TTL 3'", "0xCAFE", "null", "[1, ?]"])
    }
    private mutating func table() -> String { self.pick(["t", "ks.t", "\"Ks\".\"T x\"", "Ks . T"]) }

    private mutating func using(allowsTimeToLive: Bool) -> String {
        let time = "TIMESTAMP" + self.gap() + self.pick(["?", "123", ":at", "-5"])
        let life = "TTL" + self.gap() + self.pick(["?", "86400", ":life", "0", "-1"])
        guard allowsTimeToLive else { return self.pick(["", "USING " + time]) }
        return self.pick([
            "", "", "USING " + life, "USING " + time, "using \(life) and \(time)", "USING \(time) AND \(life)",
        ])
    }

    mutating func insert() -> String {
        let row = self.pick([
            "(k, v) VALUES (\(self.value()), \(self.value()))", "JSON '{\"k\": 1}'", "JSON ? DEFAULT UNSET",
        ])
        let condition = self.pick(["", "", "IF NOT EXISTS"])
        return self.joined(["INSERT", "INTO", self.table(), row, condition, self.using(allowsTimeToLive: true)])
    }

    mutating func update() -> String {
        let condition = self.pick(["", "", "IF EXISTS", "IF v = ?"])
        return self.joined([
            "UPDATE", self.table(), self.using(allowsTimeToLive: true), "SET", "v =", self.value(), "WHERE",
            "k = \(self.pick(["?", "1", ":k"]))", condition,
        ])
    }

    mutating func delete() -> String {
        self.joined(["DELETE", "v", "FROM", self.table(), self.using(allowsTimeToLive: false), "WHERE", "k = ?"])
    }

    mutating func write() -> String {
        switch Int.random(in: 0..<3, using: &self) {
        case 0: self.insert()
        case 1: self.update()
        default: self.delete()
        }
    }

    mutating func batch() -> String {
        let children = (0..<Int.random(in: 1...5, using: &self)).map { _ in
            self.write() + self.pick(["", ";", " ;", " /* ; */ ;"])
        }
        let kind = self.pick(["BATCH", "UNLOGGED BATCH", "batch"])
        return self.joined(["BEGIN", kind, self.using(allowsTimeToLive: false)] + children + ["APPLY BATCH"])
    }

    /// A write or a batch of writes.
    mutating func text() -> String {
        let text = Bool.random(using: &self) ? self.write() : self.batch()
        return text + self.pick(["", ";", " ;", " -- end"])
    }
}
